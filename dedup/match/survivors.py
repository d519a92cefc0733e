"""Decide which texts survive: the loop at the centre of the design.

    for text in priority order:
        matches = survivors sharing a bucket with text, whose exact Jaccard >= threshold
        copied = matches that have not the same form with other facts
        if copied: drop text; its twin is the match in copied of highest similarity (ties: higher priority)
        else:      text is a survivor; if it has matches, the best of them is the twin of a flag

Only articles have a guard, which looks for other facts (`dedup.match.form_guard`).

Paragraphs of equal comparison keys whose facts differ say different things, and never match. Articles of that kind
match with a similarity of 1.0, and the guard tells them apart.

Everything around that loop saves work without changing its answer. Texts with equal comparison keys and facts share
one fingerprint; "key" stands for both here. A text whose buckets hold no other key cannot match and is skipped.
Similarities are computed on sets of 64-bit shingle hashes. Before a text is dropped, its similarity to the twin is
computed again on the shingles themselves; if the two differ, the similarities to all candidates are.

Texts are numbered in priority order: 0 is the first to be decided. This module knows neither articles nor files.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from dedup.arrays import I32, I64, U64, Bools, Floats, pack
from dedup.fingerprint.similarity import Comparer, jaccard
from dedup.kernels import reference
from dedup.match.buckets import Buckets
from dedup.match.form_guard import Flag, FormGuard
from dedup.match.set_index import PlainSetIndex
from dedup.match.shingle_sets import ShingleSets, read_shingle_sets
from dedup.prepare.corpus import KeyReader
from dedup.runtime.resources import evict_pages, slices

SURVIVES = -1
# Members of a bucket: with more, an index may take the place of comparing a text with each of them.
_LARGE_BUCKET = 64
_INDEXED_MEMBERS = 1024  # survivors in the large buckets of a text: with more of them an index is made
_SEARCHED_MEMBERS = 128  # with more of them an index that is there is used
_RARE_SETS = 32  # of all in large buckets: the most that have a rare shingle
_INDEX_SHARE = 4  # an index takes one part in this many of the memory at most
_KEY_WORD_BYTES = 16  # of memory for each word of a key whose shingles are compared


class ComparedTexts(NamedTuple):
    """The texts to compare, in priority order.

    `firsts` is for each the first text of the same comparison key and facts: int64 [texts]. `buckets` are the buckets
    that keys share, held by the first text of each key. `words` is the number of words of each: int64 [texts].
    `wordings` is a number for each comparison key alone: uint64 [texts]. Texts of one wording that differ in `firsts`,
    and so in their facts, never match. Nor do texts with an equal value in `groups`, int64 [texts], such as paragraphs
    of one article. None: all texts may match.
    """

    firsts: I64
    buckets: Buckets
    words: I64
    wordings: U64 | None = None
    groups: I64 | None = None


class Survival(NamedTuple):
    """The twin of each text, or `SURVIVES`: int64 [texts]; and its similarity to it, 1.0 for none: float64 [texts].

    `candidates` counts the pairs whose shingles were compared, and `lookups` the members of buckets and entries of the
    index that were looked at to find them. `matches` counts the pairs that share a bucket and reach the threshold.
    `flags` are the texts that survive although they match survivors; for each, `twins` has the best match.
    """

    twins: I64
    similarities: Floats
    candidates: int
    matches: int
    flags: dict[int, Flag]
    lookups: int


def find_survivors(
    texts: ComparedTexts,
    keys: KeyReader,
    n: int,
    threshold: float,
    comparer: Comparer = reference,
    guard: FormGuard | None = None,
) -> Survival:
    """Return the answer of the loop in the module's docstring.

    `keys` reads the comparison keys of the texts; only those of texts that share a bucket are read. `n` is the number
    of words in a shingle. Without a `guard`, the best match drops a text.
    """
    if comparer.compiled:
        survival = _find_survivors_compiled(texts, keys, n, threshold, guard)
        if survival is not None:
            return survival
    return _find_survivors_plain(texts, keys, n, threshold, comparer, guard)


def _find_survivors_plain(
    texts: ComparedTexts, keys: KeyReader, n: int, threshold: float, comparer: Comparer, guard: FormGuard | None
) -> Survival:
    """Return the answer of the loop by its definition."""
    if guard is not None:
        guard.start(np.empty(0, np.int64))
    count = len(texts.firsts)
    twins = np.full(count, SURVIVES, np.int64)
    similarity = np.ones(count)
    has_equal = np.bincount(texts.firsts, minlength=count) > 1
    shares_bucket = np.diff(texts.buckets.borders) > 0  # by the first text of each key
    survivors = _Survivors(texts, np.flatnonzero(shares_bucket), keys, n, threshold, comparer, guard)
    survivor_of_key: dict[int, int] = {}
    for text in np.flatnonzero((has_equal | shares_bucket)[texts.firsts]).tolist():
        key = int(texts.firsts[text])
        twin = survivor_of_key.get(key, SURVIVES)
        if twin != SURVIVES and not survivors.are_apart(text, twin):
            continue  # an equal text in the same group: neither a match nor another survivor
        if twin == SURVIVES and shares_bucket[key]:
            twin, similarity[text] = survivors.best_match(text, key)
        if twin == SURVIVES:
            survivor_of_key[key] = text
            if shares_bucket[key]:
                survivors.insert(text, key)
        else:
            twins[text] = twin
    lookups = survivors.lookups + (survivors.index.steps if survivors.index else 0)
    return _with_flags(Survival(twins, similarity, survivors.candidates, survivors.matches, {}, lookups), guard)


def _with_flags(survival: Survival, guard: FormGuard | None) -> Survival:
    """Return `survival` with the flags of `guard`, and their twins and similarities."""
    flags = {} if guard is None else guard.flags
    for text, flag in flags.items():
        survival.twins[text], survival.similarities[text] = flag.twin, flag.similarity
    return survival._replace(flags=flags)


def _numbers_of_keys(keys: Sequence[bytes]) -> list[int]:
    """Return equal numbers for equal keys."""
    numbers: dict[bytes, int] = {}
    return [numbers.setdefault(key, len(numbers)) for key in keys]


class _Survivors:
    """The survivors so far, indexed by bucket, and the shingle sets to verify candidates with."""

    def __init__(
        self,
        texts: ComparedTexts,
        numbers: I64,
        keys: KeyReader,
        n: int,
        threshold: float,
        comparer: Comparer,
        guard: FormGuard | None,
    ) -> None:
        self.texts = texts
        self.guard = guard
        self.set_rows = np.full(len(texts.firsts), -1, np.int64)  # by the first text of each key
        self.set_rows[numbers] = np.arange(len(numbers))
        self.keys = keys.of(numbers)
        self.wordings = _numbers_of_keys(self.keys)  # equal keys are in equal buckets
        self.n = n
        self.threshold = threshold
        self.comparer = comparer
        self.hashes, self.borders = comparer.shingle_hash_sets(self.keys, n)
        self.members: dict[int, list[int]] = {}  # bucket -> survivors in it, ascending
        self.set_row_of: dict[int, int] = {}  # survivor -> row of its set
        self.survivor_of: dict[int, int] = {}  # row of a set -> survivor
        self.index: PlainSetIndex | None = None  # made if large buckets have many survivors
        self.is_large = np.bincount(texts.buckets.values) > _LARGE_BUCKET
        self.candidates = 0
        self.lookups = 0
        self.matches = 0

    def are_apart(self, first: int, second: int) -> bool:
        """Return True if the two texts are not of one group."""
        return self.texts.groups is None or bool(self.texts.groups[first] != self.texts.groups[second])

    def may_match(self, first: int, second: int) -> bool:
        """Return True if two texts of different keys are apart, and differ in more than facts where these decide."""
        wordings = self.texts.wordings
        differ_in_words = wordings is None or bool(wordings[first] != wordings[second])
        return differ_in_words and self.are_apart(first, second)

    def buckets_of(self, key: int) -> I64:
        """Return the buckets that `key`, by its first text, shares with another key: int64 [buckets]."""
        values, borders = self.texts.buckets
        return values[borders[key] : borders[key + 1]]

    def insert(self, text: int, key: int) -> None:
        """Add `text` to the survivors of its buckets."""
        row = int(self.set_rows[key])
        self.set_row_of[text], self.survivor_of[row] = row, text
        if self.index and self.is_large[self.buckets_of(key)].any():
            self.index.insert(row)
        for bucket in self.buckets_of(key).tolist():
            self.members.setdefault(bucket, []).append(text)

    def in_buckets(self, key: int) -> set[int]:
        """Return the survivors that share a bucket with a key, possibly without those that cannot match."""
        buckets = self.buckets_of(key)
        members = {bucket: self.members.get(bucket, []) for bucket in buckets.tolist()}
        large = [bucket for bucket in members if self.is_large[bucket]]
        count = sum(len(members[bucket]) for bucket in large)
        if count > _INDEXED_MEMBERS and not self.index:
            self.index = self.new_index()
        rows = self.index.find(int(self.set_rows[key]), count) if self.index and count > _SEARCHED_MEMBERS else None
        if rows is None:
            near: set[int] = set().union(*members.values())
            self.lookups += len(near)
            return near
        wording = self.wordings[self.set_rows[key]]
        near = {
            self.survivor_of[row]
            for row in rows
            if self.wordings[row] == wording
            or not members.keys().isdisjoint(self.buckets_of_survivor(self.survivor_of[row]).tolist())
        }
        return near.union(*(members[bucket] for bucket in members if not self.is_large[bucket]))

    def buckets_of_survivor(self, text: int) -> I64:
        """Return the buckets of the key of a survivor: int64 [buckets]."""
        return self.buckets_of(int(self.texts.firsts[text]))

    def new_index(self) -> PlainSetIndex:
        """Return an index of the sets in large buckets, and insert the survivors so far."""
        keys = np.flatnonzero(self.set_rows >= 0)
        indexed = [key for key in keys.tolist() if self.is_large[self.buckets_of(key)].any()]
        index = PlainSetIndex(self.hashes, self.borders, self.set_rows[indexed], self.threshold, _RARE_SETS)
        for text, row in self.set_row_of.items():
            if self.is_large[self.buckets_of_survivor(text)].any():
                index.insert(row)
        return index

    def best_match(self, text: int, key: int) -> tuple[int, float]:
        """Return the survivor that `text` repeats and their similarity, or `SURVIVES` and 1.0."""
        candidates = sorted(self.in_buckets(key))
        if self.texts.wordings is not None or self.texts.groups is not None:
            candidates = [other for other in candidates if self.may_match(text, other)]
        if not candidates:
            return SURVIVES, 1.0
        self.candidates += len(candidates)
        row = int(self.set_rows[key])
        rows = np.array([self.set_row_of[other] for other in candidates])
        similarities = np.ones(len(rows))  # 1.0 for equal keys
        wording = self.wordings[row]
        others = np.array([self.wordings[other] != wording for other in rows.tolist()]).nonzero()[0]
        similarities[others] = self.comparer.jaccard_similarities(
            self.hashes, self.borders, row, rows[others], self.threshold
        )
        best = int(np.argmax(similarities))
        if similarities[best] < self.threshold:
            return SURVIVES, 1.0
        matches = int(np.count_nonzero(similarities >= self.threshold))
        if jaccard(self.keys[row], self.keys[rows[best]], self.n) != similarities[best]:
            # Two shingles have one hash: about one comparison in 10**13.
            similarities = np.array([jaccard(self.keys[row], self.keys[other], self.n) for other in rows])
            best = int(np.argmax(similarities))
            if similarities[best] < self.threshold:
                return SURVIVES, 1.0
        self.matches += matches
        if self.guard is not None:
            best = self.choose(text, key, np.array(candidates), similarities)
        return (SURVIVES, 1.0) if best < 0 else (candidates[best], float(similarities[best]))

    def choose(self, text: int, key: int, candidates: I64, similarities: Floats) -> int:
        """Return the place in `candidates` of the match that drops `text`, or -1.

        `candidates` are int64 [candidates], and `similarities` those of the text to them, float64 [candidates].
        """
        assert self.guard is not None
        places = np.flatnonzero(similarities >= self.threshold)
        others = candidates[places]
        chosen = self.guard.choose(text, key, others, self.texts.firsts[others], similarities[places])
        return int(places[chosen]) if chosen >= 0 else -1


def _find_survivors_compiled(
    texts: ComparedTexts, keys: KeyReader, n: int, threshold: float, guard: FormGuard | None
) -> Survival | None:
    """Return what `_find_survivors_plain` returns, or None where two different shingles have one hash.

    With a `guard`, the loop runs twice. The first run, without it, shows which texts are near-duplicates: only these
    and their twins are read, in one pass, and in most corpora there are few.
    """
    from dedup.kernels import set_index  # noqa: PLC0415 - loading LLVM takes longer than a small job
    from dedup.kernels import survivors as loops  # noqa: PLC0415
    from dedup.kernels.set_index import SetIndex  # noqa: PLC0415
    from dedup.kernels.survivor_search import ANSWER, Loop  # noqa: PLC0415

    budget = keys.corpus.budget
    count = len(texts.firsts)
    distinct = np.flatnonzero(texts.firsts == np.arange(count))
    key_of = np.cumsum(texts.firsts == np.arange(count))[texts.firsts] - 1
    borders = np.concatenate([texts.buckets.borders[distinct], texts.buckets.borders[-1:]])
    shares_bucket = np.diff(borders) > 0
    sharing = distinct[shares_bucket]
    sets = _spread_over_keys(read_shingle_sets(keys, sharing, texts.words[sharing], n), shares_bucket)
    bucket_sizes = np.bincount(texts.buckets.values)
    is_large = (bucket_sizes > _LARGE_BUCKET).astype(np.uint8)
    made: list[SetIndex] = []

    def make_index(loop: Loop) -> SetIndex | None:
        if not made:
            large = np.concatenate([[0], np.cumsum(is_large[texts.buckets.values])])[borders]
            indexed = np.flatnonzero(np.diff(large)).astype(np.int32)
            if set_index.index_bytes(len(indexed), int(sets.sizes[indexed].sum())) * _INDEX_SHARE > budget.memory:
                return None
            made.append(set_index.new_index(indexed, len(distinct), sets.hashes, *sets[1:3], threshold, _RARE_SETS))
        index = set_index.without_sets(made[0])
        loops.insert_survivors(loop, index)
        return index

    has_memo = (np.bincount(key_of, minlength=len(distinct)) > 1) & shares_bucket
    memo = np.where(has_memo, np.cumsum(has_memo) - 1, -1)
    memos = int(memo.max(initial=-1)) + 1

    def run(choose: loops.Choice | None) -> Survival:
        loop = new_loop(0 if choose is None else len(distinct))
        index: SetIndex | None = None
        for start, stop in slices(count, budget.passes(sets.hashes.nbytes)):
            index = loops.survivors(start, stop, loop, choose, make_index, index)
            evict_pages(sets.hashes)
        candidates, matches, lookups = loop.counts.tolist()
        return Survival(loop.twins, loop.similarities, candidates, matches, {}, lookups)

    def new_loop(room: int) -> Loop:
        return Loop(
            keys=key_of,
            apart=np.empty(0, np.int64) if texts.groups is None else texts.groups,
            wordings=np.empty(0, np.uint64) if texts.wordings is None else texts.wordings[distinct],
            buckets=texts.buckets.values,
            borders=borders,
            **sets._asdict(),
            threshold=threshold,
            members=np.empty(len(texts.buckets.values), np.int32),
            slots=np.cumsum(bucket_sizes) - bucket_sizes,
            filled=np.zeros(len(bucket_sizes), np.int64),
            survivor=np.full(len(distinct), SURVIVES, np.int64),
            seen=np.full(len(distinct), -1, np.int64),
            memo=memo,
            remembered=np.full((memos, ANSWER), -1, np.int64),
            remembered_similarity=np.ones(memos),
            twins=np.full(count, SURVIVES, np.int64),
            similarities=np.ones(count),
            indexed_members=_INDEXED_MEMBERS,
            searched_members=_SEARCHED_MEMBERS,
            is_large=is_large,
            counts=np.zeros(3, np.int64),
            common=np.empty(room, np.int32),
        )

    survival = run(None)
    ones, others = _different_keys(texts, survival)
    if guard is not None and len(ones):
        guard.start(np.concatenate([ones, others]))
        survival = _with_flags(run(partial(_choose_by_key, guard, texts, distinct)), guard)
        ones, others = _different_keys(texts, survival)
    return survival if hashes_agree(keys, texts.words, ones, others, n) else None


def _different_keys(texts: ComparedTexts, survival: Survival) -> tuple[I64, I64]:
    """Return the keys of the texts that repeat a text of another key, and those of their twins: int64 [texts]."""
    repeats = np.flatnonzero(survival.twins != SURVIVES)
    ones, others = texts.firsts[repeats], texts.firsts[survival.twins[repeats]]
    return ones[ones != others], others[ones != others]


def _choose_by_key(
    guard: FormGuard, texts: ComparedTexts, distinct: I64, text: int, matches: I32, similarities: Floats
) -> int:
    """Return which of `matches` drops `text`, or -1; `distinct` is the first text of each key, int64 [keys].

    `matches` are keys as `dedup.kernels.survivors` numbers them: int32 [matches].
    """
    others = distinct[matches]
    return guard.choose(text, int(texts.firsts[text]), others, others, similarities)


def _spread_over_keys(sets: ShingleSets, has_set: Bools) -> ShingleSets:
    """Return `sets`, which are those of the keys that `has_set` marks, with an empty set for each other key.

    `has_set` is bool [keys].
    """
    count = len(has_set)
    spread = ShingleSets(sets.hashes, np.zeros(count, np.int64), np.zeros(count, np.int64), np.zeros(count, np.uint64))
    spread.places[has_set], spread.sizes[has_set], spread.prints[has_set] = sets[1:]
    return spread


def hashes_agree(keys: KeyReader, words: I64, ones: I64, others: I64, n: int) -> bool:
    """Return True if, in each pair of keys, shingles of equal hash are equal.

    Then the sets of hashes of each pair give the exact similarity. `ones` and `others` are the numbers of the keys of
    each pair, int64 [pairs]; `words` is the number of words of every key, int64 [keys].
    """
    from dedup.kernels import set_overlap  # noqa: PLC0415 - loading LLVM takes longer than a small job

    pairs = np.unique(np.stack([ones, others], axis=1), axis=0)
    budget = keys.corpus.budget
    for start, stop in slices(len(pairs), budget.passes(int(words[pairs].sum()) * _KEY_WORD_BYTES)):
        numbers, places = np.unique(pairs[start:stop], return_inverse=True)
        data, borders = pack(keys.of(numbers))
        first, second = np.ascontiguousarray(places.reshape(-1, 2).T)
        if not set_overlap.hashes_agree(data, borders[:-1], borders[1:], first, second, n).all():
            return False
    return True
