"""The interface of the functions that exist twice, and the choice between the two implementations."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from types import FrameType
from typing import Protocol

import numpy as np

from dedup.arrays import I64, U32, U64, Bytes, pack
from dedup.fingerprint.similarity import Comparer
from dedup.kernels import reference as plain
from dedup.repairs.screen import SuspectLines
from dedup.segment.batch import BatchKeys, Segments
from dedup.settings import NUM_PERM, SEED


class Backend(Comparer, Protocol):
    """The functions of this module."""

    def rules_that_may_apply(self, data: Bytes, borders: I64) -> Bytes:
        """Which rules may find something in each raw text."""

    def find_suspect_lines(self, data: Bytes, borders: I64) -> SuspectLines:
        """In which lines of texts the encoding rule may find something."""

    def find_furniture_lines(self, data: Bytes, borders: I64) -> dict[int, dict[int, str]]:
        """Which lines of repaired texts are page furniture, and of what kind."""

    def segment_batch(self, data: Bytes, borders: I64) -> Segments:
        """Paragraphs and comparison keys of texts."""

    def join_keys(self, data: Bytes, starts: I64, stops: I64, borders: I64) -> BatchKeys:
        """Keys of texts from those of their paragraphs."""

    def screen_self_repeats(self, hashes: U64, found: Segments) -> Bytes:
        """Which texts may repeat themselves."""

    def find_self_matches(self, numbers: I64, run: int, most: int) -> tuple[I64, int]:
        """What of the words of one text stands again, and how many runs of words stood before."""

    def find_similar_paragraphs(
        self, numbers: I64, borders: I64, same: I64, run: int, postings: int, candidates: int
    ) -> I64:
        """Which paragraphs of one text share many runs of words."""

    def word_hashes(self, keys: Bytes, borders: I64) -> U64:
        """Hashes of words."""

    def minhash_signatures(
        self, words: U64, starts: I64, stops: I64, n: int, num_perm: int = NUM_PERM, seed: int = SEED
    ) -> U32:
        """Signatures of runs of words."""

    def buckets(self, signed: U32, bands: int, rows: int) -> U32:
        """Buckets of signatures."""

    def minimizers(self, words: U64, borders: I64, n: int, window: int) -> tuple[U64, I64]:
        """Minimizers of runs of words, and their borders."""


# Below this many input bytes the plain definitions finish before compiled kernels are loaded and a process is forked.
SMALL_BYTES = 2 << 20


def load_backend(*, compiled: bool) -> Backend:
    """The definitions, or the kernels, compiled or loaded from their cache."""
    if not compiled:
        return plain
    with _held_back():
        from dedup.kernels import compiled as kernels  # noqa: PLC0415 - loading numba takes longer than a small job

        if not _warm:
            _warm_up(kernels)
            _warm.append(True)
    return kernels


def _warm_up(kernels: Backend) -> None:
    """Calls everything that works on batches once, so that forked processes find it compiled."""
    data, borders = pack([b"a b c"])
    kernels.rules_that_may_apply(data, borders)
    kernels.find_suspect_lines(data, borders)
    kernels.find_furniture_lines(data, borders)
    found = kernels.segment_batch(data, borders)
    words = kernels.word_hashes(found.keys, found.key_borders)
    kernels.screen_self_repeats(words, found)
    kernels.join_keys(found.keys, found.key_starts, found.key_stops, found.borders)
    numbers, ends = np.array([0, 1, 0, 1]), np.array([0, 2, 4])
    kernels.find_self_matches(numbers, 2, 1)
    kernels.find_similar_paragraphs(numbers, ends, np.array([0, 1]), 2, 1, 1)
    ends = np.array([0, 3])
    kernels.buckets(kernels.minhash_signatures(words, ends[:1], ends[1:], 2), 2, 1)
    kernels.minimizers(words, ends, 2, 1)
    hashes, ends = kernels.hash_sets([b"a b c"], 2)
    kernels.similarities(hashes, ends, 0, ends[:1], 0.5)


@contextmanager
def _held_back() -> Iterator[None]:
    """Lets an interrupt come behind the block, and a second one at once: within it, numba would swallow it at times."""
    came: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        if came:
            raise KeyboardInterrupt
        came.append(number)

    mine = current_thread() is main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if mine:
        signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        if mine:
            signal.signal(signal.SIGINT, signal.default_int_handler)
    if came:
        raise KeyboardInterrupt


_warm: list[bool] = []  # not empty once this process, or the one it was forked from, has compiled
