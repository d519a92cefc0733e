"""Which articles of a corpus are near-duplicates, exactly, and how a choice of articles fares against that.

Every pair with Jaccard similarity of `JUSTIFIED` or more on word 5-grams (lower-cased runs of word characters) of the
text as ftfy repairs it: an exact join on an inverted index, that shares no code with dedup. Shingles are 64-bit hashes;
a collision among some millions of them is less likely than a fault of the memory.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import ftfy
import msgspec
import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]

WORDS = 5
THRESHOLD = 0.8  # of the pairs that should be found
JUSTIFIED = 0.79  # an article dropped must have been this much like one that stays
_WORD = re.compile(r"\w+")
_MIX = np.uint64(0x9E3779B97F4A7C15)


class Pairs(NamedTuple):
    """Every pair of articles with similarity of `JUSTIFIED` or more, as places in the corpus."""

    ids: list[str]
    pairs: list[tuple[int, int, float]]


def judge(pairs: Pairs, kept: Iterable[str]) -> dict[str, Any]:
    """Recall of the pairs at `THRESHOLD` (one side at most was kept), and drops that no kept article justifies."""
    stays = set(kept)
    flags = [name in stays for name in pairs.ids]
    wanted = [(one, two) for one, two, value in pairs.pairs if value >= THRESHOLD]
    missed = sum(flags[one] and flags[two] for one, two in wanted)
    justified = {side for one, two, _ in pairs.pairs for side, other in ((one, two), (two, one)) if flags[other]}
    dropped = [place for place, flag in enumerate(flags) if not flag]
    return {
        "articles": len(flags),
        "dropped": len(dropped),
        "pairs": len(wanted),
        "missed": missed,
        "recall": round(1 - missed / len(wanted), 4) if wanted else None,
        "false drops": sum(place not in justified for place in dropped),
    }


def pairs(corpus: Path, cache: Path) -> Pairs:
    """The pairs of a corpus, from the folder `cache` where they were computed before."""
    with corpus.open("rb") as data:
        digest = hashlib.file_digest(data, "sha256").hexdigest()
    path = cache / f"pairs-{digest[:16]}.json"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.encode(_join(corpus)))
    return msgspec.json.decode(path.read_bytes(), type=Pairs)


def _join(corpus: Path) -> Pairs:
    """Every pair, by counting the shingles that each article shares with those before it."""
    ids, sets = [], []
    with corpus.open("rb") as lines:
        known: dict[str, int] = {}
        for line in lines:
            row = msgspec.json.decode(line)
            ids.append(str(row["id"]))
            sets.append(_shingles(ftfy.fix_text(row["text"]), known))
    sizes = np.array([len(each) for each in sets])
    owners = np.repeat(np.arange(len(sets)), sizes)
    everything = np.concatenate(sets)
    order = np.argsort(everything, kind="stable")
    everything, owners = everything[order], owners[order]
    found = [pair for place in range(len(sets)) for pair in _before(place, sets[place], everything, owners, sizes)]
    return Pairs(ids, found)


def _before(place: int, own: U64, everything: U64, owners: I64, sizes: I64) -> Iterator[tuple[int, int, float]]:
    """The articles before `place` that are like it."""
    starts, stops = np.searchsorted(everything, own), np.searchsorted(everything, own, "right")
    counts = stops - starts
    if not counts.sum():
        return
    at = np.repeat(starts - np.concatenate(([0], np.cumsum(counts)[:-1])), counts) + np.arange(counts.sum())
    others, shared = np.unique(owners[at], return_counts=True)
    values = shared / (sizes[place] + sizes[others] - shared)
    for other, value in zip(others.tolist(), values.tolist(), strict=True):
        if other < place and value >= JUSTIFIED:
            yield other, place, value


def _shingles(text: str, known: dict[str, int]) -> U64:
    """The hashes of the shingles of a text, each once."""
    numbers = np.array([known.setdefault(word, len(known)) for word in _WORD.findall(text.lower())], np.uint64)
    if len(numbers) < WORDS:
        return np.empty(0, np.uint64)
    numbers = (numbers + np.uint64(1)) * _MIX
    numbers ^= numbers >> np.uint64(29)
    value = np.zeros(len(numbers) - WORDS + 1, np.uint64)
    for at in range(WORDS):
        value = value * np.uint64(0xBF58476D1CE4E5B9) + numbers[at : len(numbers) - WORDS + 1 + at]
        value ^= value >> np.uint64(31)
    return np.unique(value)
