"""The interface of the functions that exist twice, and the choice between the two implementations.

`dedup.kernels.reference` has the definitions, `dedup.kernels.compiled` the compiled twins. The results are equal.
"""

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
    """The functions of `dedup.kernels.reference` and `dedup.kernels.compiled`; either module is a backend.

    `data` is the UTF-8 of all texts of a batch, uint8 [bytes], and `borders` their offsets, int64 [texts + 1]. The
    docstrings of the definitions describe the results.
    """

    def rules_that_may_apply(self, data: Bytes, borders: I64) -> Bytes:
        """Return the bits of the rules that may find something in each raw text: uint8 [texts]."""

    def find_suspect_lines(self, data: Bytes, borders: I64) -> SuspectLines:
        """Return the lines in which the rule ``encoding`` may find something."""

    def find_furniture_lines(self, data: Bytes, borders: I64) -> dict[int, dict[int, str]]:
        """Return the kinds of the lines of repaired texts that are page furniture."""

    def segment_batch(self, data: Bytes, borders: I64) -> Segments:
        """Return the paragraphs and comparison keys of texts."""

    def join_keys(self, data: Bytes, starts: I64, stops: I64, borders: I64) -> BatchKeys:
        """Return the keys of texts from those of their paragraphs."""

    def screen_self_repeats(self, hashes: U64, found: Segments) -> Bytes:
        """Return flags of the texts that may repeat themselves: uint8 [texts]."""

    def find_self_matches(self, numbers: I64, run: int, most: int) -> tuple[I64, int]:
        """Return repeated word runs of one text, and the number of runs that occurred before."""

    def find_similar_paragraphs(
        self, numbers: I64, borders: I64, same: I64, run: int, postings: int, candidates: int
    ) -> I64:
        """Return earlier paragraphs of one text that share many word runs with each paragraph."""

    def word_hashes(self, keys: Bytes, borders: I64) -> U64:
        """Return the hashes of all words: uint64 [words]."""

    def minhash_signatures(
        self, words: U64, starts: I64, stops: I64, n: int, num_perm: int = NUM_PERM, seed: int = SEED
    ) -> U32:
        """Return the signatures of word runs: uint32 [runs, num_perm]."""

    def buckets(self, signed: U32, bands: int, rows: int) -> U32:
        """Return the buckets of signatures: uint32 [signatures, bands]."""

    def minimizers(self, words: U64, borders: I64, n: int, window: int) -> tuple[U64, I64]:
        """Return the minimizers of texts, and their offsets."""


# Below this many input bytes the plain definitions finish before compiled kernels are loaded and a process is forked.
SMALL_BYTES = 2 << 20


def load_backend(*, compiled: bool) -> Backend:
    """Return the compiled backend, compiled now or loaded from its cache, or the reference backend."""
    if not compiled:
        return plain
    with _interrupts_delayed():
        from dedup.kernels import compiled as kernels  # noqa: PLC0415 - loading numba takes longer than a small job

        if not _warm:
            _warm_up(kernels)
            _warm.append(True)
    return kernels


def _warm_up(kernels: Backend) -> None:
    """Call every function of a batch once, so that forked processes inherit the compiled code."""
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
def _interrupts_delayed() -> Iterator[None]:
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


_warm: list[bool] = []  # not empty once this process, or its parent before the fork, has compiled
