"""Boilerplate: lines that a host prints in many of its articles, told by how often and where they stand.

A line recurs when the same words stand in several articles of one host. That alone does not make it boilerplate: a
newsroom reuses quotations, background and headings, and several versions of one report share paragraphs. So three
more things are counted. Articles in which the same prose stands before the line are versions of one report and count
once. A line at the end of its articles needs fewer of them than one that stands anywhere. And a quotation, or a field
of the article whose value changes (``Contact: Ann Moss, 555-0142``), is not boilerplate at any such count.

Everything is counted on keys, places and sizes, as arrays; only the few lines that are frequent enough are read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.arrays import I64, Bools, Floats
from dedup.match.boilerplate_text import FIELD, field_of, is_quotation, value_of

TextsOf = Callable[[I64], Sequence[str]]

ANYWHERE, AT_END, AT_EDGE = "anywhere", "at the end", "at the start or end"


class Way(NamedTuple):
    """One way to be boilerplate: where a line stands, its most words, and in how many articles of the host it is."""

    where: str
    words: int
    articles: int
    share: float


# What comes with every article comes last; so there a line needs few copies. Elsewhere stand headings ("What we
# know"), sentences ("He declined to comment.") and quotations too, which have 8 words or more and stand in up to 6
# articles. Longer ones are background unless half of the articles have them: newsletter blurbs, cookie and legal
# notices. Were 10 articles at the end enough whatever their share, 0.027 % of a corpus of licences would go, single
# lines of clauses; with 15 or 20 nothing does. Were 60 words at the end enough in 20 articles and 10 %, a senator's
# background paragraph would go from 44 of 445 press releases. Signatures stand at the end of 5 % of an office's.
WAYS = (
    Way(AT_END, 25, 5, 0.1),
    Way(AT_END, 25, 30, 0.02),
    Way(AT_EDGE, 25, 3, 0.5),
    Way(ANYWHERE, 20, 10, 0.2),
    Way(ANYWHERE, 7, 5, 0.5),
    Way(AT_EDGE, 60, 10, 0.5),
)
FEWEST_WORDS = 2
MOST_WORDS = max(way.words for way in WAYS)
SHORT_WORDS = min(max(way.words for way in WAYS if way.where == where) for where in (AT_END, AT_EDGE))
FEWEST_ARTICLES = min(way.articles for way in WAYS)
# A line stands at an edge with at most so many paragraphs of the article's own beyond it, none where the article has
# fewer than three; so chance would put at most half there. Lines that recur do not count: they come in stacks. It is
# what a line does in at least this share of its articles.
BEYOND, BEYOND_FROM = 1, 3
PLACED = 0.9
# A long line that so many articles of a host have is not the text before the line below it: they stand in stacks.
STACKED = 0.5


class Lines(NamedTuple):
    """All paragraphs of a corpus, in order of appearance.

    `keys` numbers the comparison keys and `articles` the articles, both int64; `sizes` is in words; `present` says
    which are there to be counted. `hosts` numbers the host of each article, `totals` counts the articles of each host.
    """

    articles: I64
    keys: I64
    sizes: Floats
    present: Bools
    hosts: I64
    totals: I64


class Evidence(NamedTuple):
    """Words on rows, kept once for all rows that they are about.

    `numbers` says which of the `words` are on each row, -1 where none are: int32.
    """

    numbers: npt.NDArray[np.int32]
    words: list[str]

    @classmethod
    def none(cls, count: int) -> Evidence:
        """No words on any of `count` rows."""
        return cls(np.full(count, -1, np.int32), [])

    def at(self, rows: Any) -> Evidence:
        """That of some of the rows."""
        return self._replace(numbers=self.numbers[rows])

    def or_of(self, other: Evidence) -> Evidence:
        """This where there is any, else the `other`, of the same rows."""
        others = np.where(other.numbers >= 0, other.numbers + len(self.words), -1)
        return Evidence(np.where(self.numbers >= 0, self.numbers, others).astype(np.int32), self.words + other.words)

    def told(self) -> list[str | None]:
        """The words on each row."""
        return [self.words[number] if number >= 0 else None for number in self.numbers.tolist()]


class BoilerplateMatches(NamedTuple):
    """The rows that are boilerplate, ascending; for each the row of the line that stays, and what was counted."""

    rows: I64
    twins: I64
    evidence: Evidence


class Places(NamedTuple):
    """Where lines stand in their articles, one value per line.

    `contexts` numbers the prose near it: that of key k is k, that of an article without any is above all keys.
    `at_start` and `at_end` are told of the first and the last of equal lines of an article.
    """

    contexts: I64
    at_start: Bools
    at_end: Bools


class Groups(NamedTuple):
    """One row per line of a host: how often it stands where."""

    first: I64  # its first row
    hosts: I64
    sizes: Floats
    articles: I64
    texts: I64  # articles with different prose before it
    at_start: I64
    at_end: I64


def find_boilerplate(lines: Lines, names: Sequence[str | None], texts_of: TextsOf) -> BoilerplateMatches:
    """The boilerplate among `lines`; `names` are those of hosts, `texts_of` reads the raw text of rows.

    Lines are counted in each host and, since many hosts print the lines of one publisher, in the whole corpus.
    """
    rows = np.flatnonzero(lines.present & (lines.sizes >= FEWEST_WORDS) & (lines.sizes <= MOST_WORDS))
    rows = rows[np.bincount(lines.keys[rows])[lines.keys[rows]] >= FEWEST_ARTICLES]
    if not len(rows):
        return BoilerplateMatches(rows, rows, Evidence.none(len(rows)))
    evidence = _counted(lines, rows, names, texts_of)
    if np.count_nonzero(lines.totals) > 1:
        everywhere = lines._replace(hosts=np.zeros_like(lines.hosts), totals=lines.totals.sum(keepdims=True))
        evidence = evidence.or_of(_counted(everywhere, rows, [None], texts_of))
    # the first copy in the corpus stays, whatever host it is of
    _, first, key = np.unique(lines.keys[rows], return_index=True, return_inverse=True)
    twins = rows[first[key]]
    gone = np.flatnonzero((evidence.numbers >= 0) & (twins != rows))
    return BoilerplateMatches(rows[gone], twins[gone], evidence.at(gone))


def _counted(lines: Lines, rows: I64, names: Sequence[str | None], texts_of: TextsOf) -> Evidence:
    """What was counted of the rows that stand in enough articles of their host, first copies among them."""
    hosts = lines.hosts[lines.articles[rows]]
    every, first, group = np.unique(
        lines.keys[rows] * len(lines.totals) + hosts, return_index=True, return_inverse=True
    )
    counts = np.bincount(_pairs(group, lines.articles[rows])[0], minlength=len(every))
    often = np.flatnonzero(counts >= FEWEST_ARTICLES)
    if not len(often):
        return Evidence.none(len(rows))
    group = np.where(counts[group] >= FEWEST_ARTICLES, np.searchsorted(often, group), -1)
    groups = _count(lines, rows, group, rows[first[often]], counts[often])
    standing = standing_of(groups, lines.totals)
    standing[standing] = _read(groups, np.flatnonzero(standing), lines, rows, group, texts_of)
    mine = np.flatnonzero((group >= 0) & standing[group])
    which, numbers = np.unique(group[mine], return_inverse=True)
    evidence = Evidence.none(len(rows))
    evidence.numbers[mine] = numbers
    return evidence._replace(words=[evidence_of(groups, number, lines.totals, names) for number in which.tolist()])


def _pairs(one: I64, two: I64) -> tuple[I64, I64]:
    """The distinct pairs of two columns of numbers from 0, and where each stands first."""
    width = int(two.max(initial=0)) + 1
    pairs, at = np.unique(one * width + two, return_index=True)
    return pairs // width, at


def _count(lines: Lines, rows: I64, group: I64, first: I64, counts: I64) -> Groups:
    """What is counted of every line that recurs; `group` numbers the lines of `rows`, -1 for those that do not."""
    number = len(first)
    hosts = lines.hosts[lines.articles[first]]
    stacked = (counts >= STACKED * lines.totals[hosts])[group]
    rows, group, stacked = rows[group >= 0], group[group >= 0], stacked[group >= 0]
    found = places(lines, rows, group, stacked)
    texts, _ = _pairs(group, found.contexts)

    def total(of: I64, which: Bools | None = None) -> I64:
        return np.bincount(of, which, number).astype(np.int64)

    return Groups(
        first,
        hosts,
        lines.sizes[first],
        counts,
        total(texts),
        total(group, found.at_start),
        total(group, found.at_end),
    )


def places(lines: Lines, rows: I64, group: I64, stacked: Bools) -> Places:
    """Where the lines `rows`, all that recur in their articles, stand; `group` numbers equal ones.

    `stacked` says of each whether so many articles have it as `STACKED` says. What is found depends on the articles of
    the rows alone.
    """
    recurs = np.zeros(len(lines.keys), bool)
    recurs[rows] = True
    prose = lines.present & (lines.sizes > SHORT_WORDS)
    high = rows[stacked]
    prose[high[_mostly_own(lines, prose, recurs, high)]] = False
    own = lines.present & (prose | ~recurs)
    articles = lines.articles[rows]
    starts, stops = (np.searchsorted(lines.articles, articles, side) for side in ("left", "right"))
    so_far = _so_far(own)
    all_own = so_far[stops] - so_far[starts]
    ahead = so_far[rows] - so_far[starts]
    behind = so_far[stops] - so_far[rows + 1]
    top, bottom = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
    top[_pairs(group, articles)[1]] = True
    bottom[len(rows) - 1 - _pairs(group[::-1], articles[::-1])[1]] = True
    beyond = np.where(all_own >= BEYOND_FROM, BEYOND, np.where(all_own > 0, 0, -1))
    contexts = _context(lines, prose, rows, starts, stops)
    return Places(contexts, top & (ahead <= beyond), bottom & (behind <= beyond))


def _so_far(which: Bools) -> npt.NDArray[Any]:
    """How many of `which` are before each place, and in all."""
    counts = np.zeros(len(which) + 1, _number(len(which)))
    np.cumsum(which, dtype=counts.dtype, out=counts[1:])
    return counts


def _number(most: int) -> type[np.integer[Any]]:
    """The type for numbers up to `most`: there is one for each paragraph of a corpus."""
    return np.int32 if most <= np.iinfo(np.int32).max else np.int64


def _mostly_own(lines: Lines, prose: Bools, recurs: Bools, rows: I64) -> Bools:
    """Whether the articles of `rows` have as much prose of their own as prose that recurs; else they are versions."""
    starts, stops = (np.searchsorted(lines.articles, lines.articles[rows], side) for side in ("left", "right"))
    all_prose, again = _so_far(prose), _so_far(prose & recurs)
    mostly: Bools = 2 * (again[stops] - again[starts]) <= all_prose[stops] - all_prose[starts]
    return mostly


def _context(lines: Lines, prose: Bools, rows: I64, starts: I64, stops: I64) -> I64:
    """A number for the prose nearest before each row, else behind it; equal numbers, equal prose; int64 [rows]."""
    count, number = len(prose), _number(len(prose))
    places = np.where(prose, np.arange(count, dtype=number), number(-1))
    np.maximum.accumulate(places, out=places)
    before = np.where(rows > 0, places[rows - 1], -1)
    places = np.where(prose, np.arange(count, dtype=number), number(count))
    np.minimum.accumulate(places[::-1], out=places[::-1])
    behind = np.where(rows + 1 < count, places[np.minimum(rows + 1, count - 1)], count)
    alone = lines.keys.max(initial=0) + 1 + lines.articles[rows]  # an article without any is like no other
    place = np.where(before >= starts, before, np.where(behind < stops, behind, -1))
    return np.where(place >= 0, lines.keys[place], alone)


def standing_of(groups: Groups, totals: I64) -> Bools:
    """Which lines stand in enough articles of their host for where they stand."""
    of = totals[groups.hosts]
    end = groups.at_end >= PLACED * groups.articles
    start = groups.at_start >= PLACED * groups.articles
    placed = {ANYWHERE: np.ones(len(of), bool), AT_END: end, AT_EDGE: start | end}
    found = np.zeros(len(of), bool)
    for way in WAYS:
        enough = (groups.texts >= way.articles) & (groups.articles >= way.share * of)
        found |= placed[way.where] & (groups.sizes <= way.words) & enough
    return found


def evidence_of(groups: Groups, number: int, totals: I64, names: Sequence[str | None]) -> str:
    """In words, what was counted of one line."""
    host = int(groups.hosts[number])
    articles, end, start = (int(column[number]) for column in (groups.articles, groups.at_end, groups.at_start))
    where = f" of {names[host]}" if names[host] else ""
    told = f"in {articles} of {totals[host]} articles{where}"
    if groups.texts[number] < articles:
        told += f", after {groups.texts[number]} different texts"
    if max(start, end) >= PLACED * articles:
        told += f", at the {'end' if end >= start else 'start'} of {max(start, end)}"
    return told


def _read(groups: Groups, standing: I64, lines: Lines, rows: I64, group: I64, texts_of: TextsOf) -> Bools:
    """Which of the lines `standing` are neither a quotation nor a field that differs between articles."""
    texts = dict(zip(standing.tolist(), texts_of(groups.first[standing]), strict=True))
    named = {number: field_of(text) for number, text in texts.items()}
    hosts = {int(groups.hosts[number]) for number, name in named.items() if name}
    others = np.flatnonzero(np.isin(groups.hosts, sorted(hosts)) & (groups.sizes <= SHORT_WORDS))
    others = np.setdiff1d(others, standing)
    texts |= zip(others.tolist(), texts_of(groups.first[others]), strict=True)
    named |= {number: field_of(texts[number]) for number in others.tolist()}
    values: dict[tuple[int, str], dict[str, list[int]]] = {}
    for number, name in named.items():
        if name:
            values.setdefault((int(groups.hosts[number]), name), {}).setdefault(value_of(texts[number]), []).append(
                number
            )
    held = _Holders(lines, rows, group)
    changing = set()
    for told in values.values():
        if len(told) > 1:
            every = held.of([number for numbers in told.values() for number in numbers])
            changing |= {n for numbers in told.values() if held.of(numbers) < FIELD * every for n in numbers}
    return np.array([number not in changing and not is_quotation(texts[number]) for number in standing.tolist()], bool)


class _Holders:
    """The articles that hold a line."""

    def __init__(self, lines: Lines, rows: I64, group: I64) -> None:
        order = np.argsort(group, kind="stable")
        self.articles = lines.articles[rows[order]]
        self.groups = group[order]

    def of(self, numbers: Sequence[int]) -> int:
        """How many articles hold any of the lines `numbers`."""
        starts, stops = (np.searchsorted(self.groups, numbers, side) for side in ("left", "right"))
        spans = [self.articles[start:stop] for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)]
        return len(np.unique(np.concatenate(spans)))
