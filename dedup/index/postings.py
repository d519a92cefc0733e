"""Hashes by which an index finds the articles that a new one may repeat: no match is missed, and few others found.

An article has a posting for its digest and for each of its buckets, since articles match only if they share one. A
paragraph has postings for a few of its shingles (`dedup.fingerprint.prefix_hashes`). That takes a third of the space of
its 25 buckets. Of a long paragraph, an article must have three of those hashes to be a candidate.

A new paragraph is looked up by all postings that a similar one may have. A posting is the article's number, under a
hash of 40 bits: of 100 million postings, one lookup in 10,000 finds a wrong one, which only costs a comparison.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from dedup.arrays import I64, U64, offsets_of
from dedup.fingerprint.prefix_hashes import OrderedSets, PrefixHashes
from dedup.fingerprint.shingles import MIX_1, MIX_2
from dedup.kernels.backend import Backend
from dedup.prepare.batch import SHARED_WORDS
from dedup.prepare.columns import digest_values, integer_values, is_present, list_lengths
from dedup.settings import PARAGRAPH_SHINGLE, Settings

_KEPT_BITS = np.uint64(24)  # of 64 are shifted out
_MINIMIZERS, _STORED_DIGESTS, _BUCKETS, _SHINGLES = (np.uint64(kind << 62) for kind in range(4))


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


class PostedBatch:
    """The articles of a prepared batch, and what their postings are computed from."""

    def __init__(self, batch: pa.RecordBatch, settings: Settings, backend: Backend) -> None:
        self.parts = _article_postings(batch)
        self._threshold = settings.paragraph_threshold
        self._backend = backend
        self._sets, self._rows = _paragraph_sets(batch, backend)

    def paragraph_hashes(self, *, for_lookup: bool) -> tuple[U64, I64, PrefixHashes]:
        """Return the hashes of paragraphs, and the rows of their articles; then what both come from."""
        found = self._backend.prefix_hashes(self._sets, self._threshold, for_lookup=for_lookup)
        return _mixed(found.values ^ _SHINGLES), self._rows[found.sets], found


def postings_of(batch: pa.RecordBatch, settings: Settings, backend: Backend) -> Postings:
    """Return the postings of a prepared batch, whose rows number the articles."""
    return stored_postings(PostedBatch(batch, settings, backend))


def stored_postings(posted: PostedBatch) -> Postings:
    """Return the postings of a prepared batch, whose rows number the articles."""
    parts = [*posted.parts, posted.paragraph_hashes(for_lookup=False)[:2]]
    hashes = np.concatenate([part for part, _ in parts])
    articles = np.concatenate([owners for _, owners in parts]).astype(np.uint32)
    order = np.lexsort((articles, hashes))
    hashes, articles = hashes[order], articles[order]
    new = np.ones(len(hashes), bool)
    new[1:] = (hashes[1:] != hashes[:-1]) | (articles[1:] != articles[:-1])
    return Postings(hashes[new], articles[new])


def lookup_of(batches: Iterable[pa.RecordBatch], settings: Settings, backend: Backend) -> Lookup:
    """Return what the articles of prepared batches are looked up by."""
    return lookup_of_posted(PostedBatch(batch, settings, backend) for batch in batches)


def lookup_of_posted(batches: Iterable[PostedBatch]) -> Lookup:
    """Return what the articles of prepared batches are looked up by."""
    hashes, groups, required = [np.empty(0, np.uint64)], [np.empty(0, np.int64)], [np.ones(1, np.int64)]
    first = 1  # group 0 is of all hashes of which one is enough
    for posted in batches:
        alone = [part for part, _ in posted.parts]
        values, _, found = posted.paragraph_hashes(for_lookup=True)
        is_one_of_many = found.needs > 1
        hashes += [*alone, values]
        groups += [*(np.zeros(len(part), np.int64) for part in alone), np.where(is_one_of_many, found.sets + first, 0)]
        of_sets = np.ones(int(found.sets.max(initial=-1)) + 1, np.int64)
        of_sets[found.sets[is_one_of_many]] = found.needs[is_one_of_many]
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
    signed = np.flatnonzero(is_present(buckets) & (words > 0))
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


def _paragraph_sets(batch: pa.RecordBatch, backend: Backend) -> tuple[OrderedSets, I64]:
    """Return the sets of shingles of the paragraphs of a batch that are compared across articles, and their rows."""
    members = batch.column("paragraphs").flatten()
    counts = list_lengths(batch.column("paragraphs"))
    chosen = np.flatnonzero(integer_values(members.field("words")) >= SHARED_WORDS)
    rows = np.repeat(np.arange(len(counts)), counts)[chosen]
    keys = batch.column("key")
    data = np.frombuffer(keys.buffers()[2] or b"", np.uint8)
    key_offsets = np.frombuffer(keys.buffers()[1], np.int64)[keys.offset : keys.offset + len(keys)][rows]
    starts, stops = (key_offsets + integer_values(members.field(name))[chosen] for name in ("key_start", "key_stop"))
    return backend.ordered_shingle_sets(data, starts, stops, PARAGRAPH_SHINGLE), rows
