"""The exact near-duplicate pairs of a corpus, and the recall and false drops of a choice of articles.

A pair counts if its Jaccard similarity is `JUSTIFIED` or more, on word 5-grams (lower-cased runs of word characters) of
the text as ftfy repairs it. The pairs come from an exact join on an inverted index that shares no code with dedup.
Shingles are 64-bit hashes; a collision among some millions of them is less likely than a memory error.
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
JUSTIFIED = 0.79  # similarity to a kept article from which a drop is justified
_WORD = re.compile(r"\w+")
_MIX = np.uint64(0x9E3779B97F4A7C15)


class Pairs(NamedTuple):
    """The ids of a corpus, and every pair of its articles with similarity of `JUSTIFIED` or more.

    A pair is two positions in `ids`, the smaller first, and the similarity.
    """

    ids: list[str]
    pairs: list[tuple[int, int, float]]


def judge(pairs: Pairs, kept: Iterable[str]) -> dict[str, Any]:
    """Return recall and false drops of a tool that kept the articles with the ids `kept`.

    A pair at `THRESHOLD` is found if at most one side was kept. A false drop is an article dropped although no kept
    article reaches `JUSTIFIED` with it.
    """
    kept_ids = set(kept)
    is_kept = [name in kept_ids for name in pairs.ids]
    expected = [(one, two) for one, two, value in pairs.pairs if value >= THRESHOLD]
    missed = sum(is_kept[one] and is_kept[two] for one, two in expected)
    justified = {side for one, two, _ in pairs.pairs for side, other in ((one, two), (two, one)) if is_kept[other]}
    dropped = [position for position, stays in enumerate(is_kept) if not stays]
    return {
        "articles": len(is_kept),
        "dropped": len(dropped),
        "pairs": len(expected),
        "missed": missed,
        "recall": round(1 - missed / len(expected), 4) if expected else None,
        "false drops": sum(position not in justified for position in dropped),
    }


def find_pairs(corpus: Path, cache: Path) -> Pairs:
    """Return the pairs of a corpus; the folder `cache` keeps them by digest of the corpus."""
    with corpus.open("rb") as data:
        digest = hashlib.file_digest(data, "sha256").hexdigest()
    path = cache / f"pairs-{digest[:16]}.json"
    if not path.exists():
        cache.mkdir(parents=True, exist_ok=True)
        path.write_bytes(msgspec.json.encode(_join(corpus)))
    return msgspec.json.decode(path.read_bytes(), type=Pairs)


def _join(corpus: Path) -> Pairs:
    """Compute every pair, by counting the shingles that each article shares with those before it."""
    ids, sets = [], []
    with corpus.open("rb") as lines:
        word_numbers: dict[str, int] = {}
        for line in lines:
            row = msgspec.json.decode(line)
            ids.append(str(row["id"]))
            sets.append(_shingle_hashes(ftfy.fix_text(row["text"]), word_numbers))
    sizes = np.array([len(hashes) for hashes in sets])
    owners = np.repeat(np.arange(len(sets)), sizes)
    all_hashes = np.concatenate(sets)
    order = np.argsort(all_hashes, kind="stable")
    all_hashes, owners = all_hashes[order], owners[order]
    pairs = [
        pair
        for position, hashes in enumerate(sets)
        for pair in _pairs_with_earlier(position, hashes, all_hashes, owners, sizes)
    ]
    return Pairs(ids, pairs)


def _pairs_with_earlier(
    position: int, hashes: U64, all_hashes: U64, owners: I64, sizes: I64
) -> Iterator[tuple[int, int, float]]:
    """Yield the pairs of one article with those before it.

    `hashes` (uint64) are the distinct shingles of the article. `all_hashes` (uint64) are those of all articles, sorted;
    `owners` (int64, same length) says which article each belongs to. `sizes` (int64) counts shingles by article.
    """
    starts, stops = np.searchsorted(all_hashes, hashes), np.searchsorted(all_hashes, hashes, "right")
    counts = stops - starts
    if not counts.sum():
        return
    at = np.repeat(starts - np.concatenate(([0], np.cumsum(counts)[:-1])), counts) + np.arange(counts.sum())
    others, shared = np.unique(owners[at], return_counts=True)
    values = shared / (sizes[position] + sizes[others] - shared)
    for other, value in zip(others.tolist(), values.tolist(), strict=True):
        if other < position and value >= JUSTIFIED:
            yield other, position, value


def _shingle_hashes(text: str, word_numbers: dict[str, int]) -> U64:
    """Return the distinct shingle hashes of a text (uint64); `word_numbers` gives each word a number and grows."""
    words = _WORD.findall(text.lower())
    numbers = np.array([word_numbers.setdefault(word, len(word_numbers)) for word in words], np.uint64)
    if len(numbers) < WORDS:
        return np.empty(0, np.uint64)
    numbers = (numbers + np.uint64(1)) * _MIX
    numbers ^= numbers >> np.uint64(29)
    value = np.zeros(len(numbers) - WORDS + 1, np.uint64)
    for at in range(WORDS):
        value = value * np.uint64(0xBF58476D1CE4E5B9) + numbers[at : len(numbers) - WORDS + 1 + at]
        value ^= value >> np.uint64(31)
    return np.unique(value)
