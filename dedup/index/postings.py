"""Hashes by which an index finds the articles that a new one may repeat: no match is missed, and few others found.

An article has a posting for its digest and for each of its buckets, since articles match only if they share one. A
paragraph has postings for a few of its shingles (prefix filtering: Chaudhuri, Ganti, Kaushik, *A Primitive Operator for
Similarity Joins in Data Cleaning*, 2006). Let two sets of a and b shingles have a Jaccard similarity of t or more. Then
they share at least ``ceil(t a)`` and ``ceil(t b)``, so the first ``a - ceil(t a) + k`` and ``b - ceil(t b) + k`` of
them, in any order of all shingles, have k in common. That takes a third of the space of the 25 buckets. The order
begins with the shingles of the longest words, which few other texts have. By its size, a set has one of three kinds of
postings:

- so few shingles that only an equal set reaches the similarity: one for the whole set;
- few: one for each pair of the first ones (k = 2), since a single shingle of a short line is in many other lines;
- more: one for each of the first ones (k = 3), together with the class of its size, as similar sets have similar
  sizes. An article must have three of those of one paragraph to be a candidate.

A new paragraph is looked up by all postings that a similar one may have. A posting is the article's number, under a
hash of 40 bits: of 100 million postings, one lookup in 10,000 finds a wrong one, which only costs a comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dedup.arrays import I64, U64, Bools, offsets_of
from dedup.fingerprint.shingles import MIX_1, MIX_2, SHINGLE_BASE, window_hashes
from dedup.kernels.backend import Backend
from dedup.prepare.batch import SHARED_WORDS
from dedup.prepare.columns import digest_values, integer_values
from dedup.settings import PARAGRAPH_SHINGLE, Settings

_KEPT_BITS = np.uint64(24)  # of 64 are shifted out
_MINIMIZERS, _STORED_DIGESTS, _BUCKETS, _SHINGLES = (np.uint64(kind << 62) for kind in range(4))
_LONGEST = 255  # bytes of the words of a shingle; longer ones are as rare
_SPACE = 32
_PAIRED_SIZE = 9  # shingles of a set that has pairs; three pairs or fewer at 0.8, six where it has ten
_PAIR = 2
_SHARED = 3  # shingles that long similar sets are to share of their first ones: one or two of them recur by chance
_WIDEST_CLASS = 0.99  # at a threshold of 1, sizes are equal, and any class will do
_ROUNDING = 1e-9


class Postings(NamedTuple):
    """Hashes, uint64 [postings], ascending, and the numbers of their articles, uint32 [postings]."""

    hashes: U64
    articles: np.ndarray[tuple[int], np.dtype[np.uint32]]


class Lookup(NamedTuple):
    """What new articles are looked up by: hashes, ascending, uint64, and the group of each, int64 [hashes].

    An article of the index is a candidate if it has as many hashes of one group as `required` says: int64 [groups].
    """

    hashes: U64
    groups: I64
    required: I64


def postings_of(batch: pa.RecordBatch, settings: Settings, backend: Backend) -> Postings:
    """Return the postings of a prepared batch, whose rows number the articles."""
    parts = [*_article_postings(batch), _paragraph_postings(batch, settings, backend, for_lookup=False)[:2]]
    hashes = np.concatenate([part for part, _ in parts])
    articles = np.concatenate([owners for _, owners in parts]).astype(np.uint32)
    order = np.lexsort((articles, hashes))
    hashes, articles = hashes[order], articles[order]
    new = np.ones(len(hashes), bool)
    new[1:] = (hashes[1:] != hashes[:-1]) | (articles[1:] != articles[:-1])
    return Postings(hashes[new], articles[new])


def lookup_of(batches: Iterable[pa.RecordBatch], settings: Settings, backend: Backend) -> Lookup:
    """Return what the articles of prepared batches are looked up by."""
    hashes, groups, required = [np.empty(0, np.uint64)], [np.empty(0, np.int64)], [np.ones(1, np.int64)]
    first = 1  # group 0 is of all hashes of which one is enough
    for batch in batches:
        alone = [part for part, _ in _article_postings(batch)]
        values, _, sets, needs = _paragraph_postings(batch, settings, backend, for_lookup=True)
        hashes += [*alone, values]
        groups += [*(np.zeros(len(part), np.int64) for part in alone), np.where(needs > 1, sets + first, 0)]
        of_sets = np.ones(int(sets.max(initial=-1)) + 1, np.int64)
        of_sets[sets[needs > 1]] = needs[needs > 1]
        required.append(of_sets)
        first += len(of_sets)
    joined, of_hashes = np.concatenate(hashes), np.concatenate(groups)
    order = np.lexsort((of_hashes, joined))
    joined, of_hashes = joined[order], of_hashes[order]
    new = np.ones(len(joined), bool)
    new[1:] = (joined[1:] != joined[:-1]) | (of_hashes[1:] != of_hashes[:-1])
    return Lookup(joined[new], of_hashes[new], np.concatenate(required))


class Hits(NamedTuple):
    """The hits of a lookup: a group, and an article that has a hash of this group, int64 [hits] each."""

    groups: I64
    articles: I64


def find_hits(wanted: Lookup, hashes: U64, articles: I64) -> Hits:
    """Return the hits of `wanted` in postings: `hashes`, uint64, ascending, and `articles`, int64 [postings]."""
    starts, stops = (np.searchsorted(hashes, wanted.hashes, side) for side in ("left", "right"))
    counts = stops - starts
    borders = offsets_of(counts)
    places = np.arange(borders[-1]) + np.repeat(starts - borders[:-1], counts)
    return Hits(np.repeat(wanted.groups, counts), articles[places])


def candidates_of(wanted: Lookup, hits: Sequence[Hits]) -> I64:
    """Return the articles that have as many hashes of a group as `wanted` requires, ascending: int64 [articles]."""
    groups = np.concatenate([np.empty(0, np.int64), *(part.groups for part in hits)])
    articles = np.concatenate([np.empty(0, np.int64), *(part.articles for part in hits)])
    room = int(articles.max(initial=0)) + 1
    distinct, found = np.unique(groups * room + articles, return_counts=True)
    of_groups, numbers = np.divmod(distinct, room)
    enough: I64 = np.unique(numbers[found >= wanted.required[of_groups]])
    return enough


def minimizer_postings(minimizers: U64) -> U64:
    """Return the hashes for the search of articles in longer ones: uint64 [minimizers]."""
    return _mixed(minimizers ^ _MINIMIZERS)


def _article_postings(batch: pa.RecordBatch) -> list[tuple[U64, I64]]:
    """Return the hashes of the articles of a batch, and their rows: of digests, and of buckets."""
    words = integer_values(batch.column("words"))
    rows = np.flatnonzero(words > 0)
    digests = digest_values(batch.column("digest"))[rows].view(np.uint64).reshape(-1, 2)
    buckets = batch.column("buckets")
    signed = np.flatnonzero(np.asarray(buckets.is_valid()) & (words > 0))
    bands = buckets.type.list_size
    values = np.asarray(buckets.values).reshape(len(buckets), bands)[signed].astype(np.uint64)
    values |= np.arange(bands, dtype=np.uint64) << np.uint64(32)
    return [
        (_mixed((digests[:, 0] ^ (digests[:, 1] * np.uint64(MIX_1))) ^ _STORED_DIGESTS), rows),
        (_mixed(values.ravel() ^ _BUCKETS), np.repeat(signed, bands)),
    ]


def _mixed(values: U64) -> U64:
    """Return hashes of `values` that few of them share, in 40 bits."""
    values = (values ^ (values >> np.uint64(33))) * np.uint64(MIX_1)
    values = (values ^ (values >> np.uint64(33))) * np.uint64(MIX_2)
    return values >> _KEPT_BITS


def _paragraph_postings(
    batch: pa.RecordBatch, settings: Settings, backend: Backend, *, for_lookup: bool
) -> tuple[U64, I64, I64, I64]:
    """Return the hashes of the paragraphs of a batch that are compared across articles, and their rows.

    Then the numbers of the paragraphs, and how many hashes of one must be found.
    """
    members = batch.column("paragraphs").flatten()
    counts = np.asarray(batch.column("paragraphs").value_lengths().fill_null(0), np.int64)
    words = integer_values(members.field("words"))
    key_start, key_stop = (integer_values(members.field(name)) for name in ("key_start", "key_stop"))
    keys = batch.column("key")
    data = np.frombuffer(keys.buffers()[2] or b"", np.uint8)
    key_offsets = np.frombuffer(keys.buffers()[1], np.int64)[keys.offset : keys.offset + len(keys) + 1]
    owners = np.repeat(np.arange(len(counts)), counts)
    chosen = np.flatnonzero(words >= SHARED_WORDS)
    if not len(chosen):
        return np.empty(0, np.uint64), chosen, chosen, chosen
    starts, stops = (key_offsets[owners[chosen]] + edges[chosen] for edges in (key_start, key_stop))
    sizes = stops - starts
    borders = offsets_of(sizes)
    places = np.arange(borders[-1]) + np.repeat(starts - borders[:-1], sizes)
    packed = data[places]
    hashes = backend.word_hashes(packed, borders)
    first_bytes = np.sort(np.concatenate([borders[:-1], np.flatnonzero(packed == _SPACE) + 1]))
    lengths = np.add.reduceat((packed != _SPACE).astype(np.int64), first_bytes)
    sets = ordered_shingles(hashes, lengths, offsets_of(words[chosen]))
    paragraphs, values, needs = hashes_of_sets(sets, settings.paragraph_threshold, for_lookup=for_lookup)
    return _mixed(values ^ _SHINGLES), owners[chosen][paragraphs], paragraphs, needs


class OrderedSets(NamedTuple):
    """Sets of shingles, each with the rarest first: `values`, uint64 [shingles], and `borders`, int64 [sets + 1]."""

    values: U64
    borders: I64


def ordered_shingles(hashes: U64, lengths: I64, borders: I64) -> OrderedSets:
    """Return the sets of shingles of some texts.

    `hashes` and `lengths`, uint64 and int64 [words], are those of the words of all texts; `borders` say where each
    text starts in them: int64 [texts + 1].
    """
    n = PARAGRAPH_SHINGLE
    values = window_hashes(hashes, n)
    totals = np.minimum(sum(lengths[place : place + len(values)] for place in range(n)), _LONGEST)
    texts = np.repeat(np.arange(len(borders) - 1), np.diff(borders))[: len(values)]
    inside: Bools = np.arange(len(values)) + n <= borders[1:][texts]
    texts, values, totals = texts[inside], values[inside], totals[inside]
    order = np.lexsort((values, -totals, texts))
    texts, values = texts[order], values[order]
    new = np.ones(len(texts), bool)
    new[1:] = (texts[1:] != texts[:-1]) | (values[1:] != values[:-1])
    return OrderedSets(values[new], offsets_of(np.bincount(texts[new], minlength=len(borders) - 1)))


def hashes_of_sets(sets: OrderedSets, threshold: float, *, for_lookup: bool) -> tuple[I64, U64, I64]:
    """Return the numbers of sets, a hash of each, and how many such hashes it shares: int64, uint64, int64 [hashes].

    A set has several hashes. It shares so many of them with each set that reaches `threshold`. With `for_lookup`, they
    are those by which a set finds others.
    """
    sizes = np.diff(sets.borders)
    needed = np.ceil(sizes * threshold - _ROUNDING).astype(np.int64)
    is_alone = (sizes > 0) & (sizes < threshold * (sizes + 1) - _ROUNDING)
    is_short = (sizes <= _PAIRED_SIZE) & (needed >= _PAIR) & ~is_alone
    is_long = (sizes > 0) & ~is_alone & ~is_short
    if for_lookup:  # those of other kinds that a set of this size can be similar to
        is_short |= (sizes > 0) & ~is_alone & (needed <= _PAIRED_SIZE)
        is_long |= (sizes > 0) & ~is_alone & (sizes / threshold >= min(_PAIRED_SIZE, _PAIR / threshold))
    parts = [
        _whole_sets(sets, np.flatnonzero(is_alone)),
        _pairs(sets, np.flatnonzero(is_short), sizes - needed + _PAIR),
        _singles(sets, is_long, sizes - needed + _SHARED, threshold, for_lookup=for_lookup),
    ]
    numbers = np.concatenate([part[0] for part in parts])
    needs = np.ones(len(numbers), np.int64)
    count = len(parts[-1][0])
    needs[len(needs) - count :] = np.clip(needed[parts[-1][0]], 1, _SHARED)
    return numbers, np.concatenate([part[1] for part in parts]), needs


def _whole_sets(sets: OrderedSets, chosen: I64) -> tuple[I64, U64]:
    """Return the sets `chosen`, int64, and a hash of all shingles of each."""
    if not len(chosen):
        return chosen, np.empty(0, np.uint64)
    sums = np.concatenate([np.zeros(1, np.uint64), np.cumsum(sets.values * np.uint64(MIX_2))])
    return chosen, sums[sets.borders[chosen + 1]] - sums[sets.borders[chosen]]


def _pairs(sets: OrderedSets, chosen: I64, counts: I64) -> tuple[I64, U64]:
    """Return the sets `chosen`, and a hash of each pair of their first `counts` shingles: int64 [sets]."""
    counts = np.minimum(counts, np.diff(sets.borders))
    numbers, values = [chosen[:0]], [np.empty(0, np.uint64)]
    for second in range(1, int(counts[chosen].max(initial=0))):
        with_second = chosen[counts[chosen] > second]
        later = sets.values[sets.borders[with_second] + second]
        for first in range(second):
            # A sum does not depend on which of the two comes first, nor does the order of shingles on the text.
            values.append((sets.values[sets.borders[with_second] + first] + later) * np.uint64(MIX_1))
            numbers.append(with_second)
    return np.concatenate(numbers), np.concatenate(values)


def _singles(sets: OrderedSets, chosen: Bools, counts: I64, threshold: float, *, for_lookup: bool) -> tuple[I64, U64]:
    """Return sets, and a hash of each of their first `counts` shingles with the class of their size: int64 [sets].

    `chosen` is bool [sets]. The sizes of similar sets are in one class or in neighbouring ones.
    """
    sizes = np.diff(sets.borders)
    owners = np.repeat(np.arange(len(sizes)), sizes)
    rank = np.arange(len(owners)) - sets.borders[:-1][owners]
    first = np.flatnonzero(chosen[owners] & (rank < counts[owners]))
    base = -np.log(min(threshold, _WIDEST_CLASS))
    classes = np.floor(np.log(np.maximum(sizes, 1)) / base + _ROUNDING).astype(np.int64)[owners[first]]
    values = sets.values[first]
    shifts = (-1, 0, 1) if for_lookup else (0,)
    hashes = [values ^ ((classes + shift + 1).astype(np.uint64) * np.uint64(SHINGLE_BASE)) for shift in shifts]
    return np.tile(owners[first], len(shifts)), np.concatenate(hashes)
