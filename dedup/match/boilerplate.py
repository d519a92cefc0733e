"""Find boilerplate: lines that a host prints in many of its articles, by their frequency and position.

A line recurs when several articles of one host have the same words. That alone does not make it boilerplate: a newsroom
reuses quotations, background and headings, and several versions of one report share paragraphs. So three more things
are counted. Articles with the same prose before the line are versions of one report and count once. A line at the end
of its articles needs fewer of them than a line anywhere else. And a quotation, or a field of the article whose value
changes (``Contact: Ann Moss, 555-0142``), is never boilerplate, whatever its count.

A line that the model of `dedup.site_text` marks need not be frequent here, but what says something of its article is
never boilerplate either way.

Everything is counted on arrays of keys, places and sizes; only the few lines that are frequent enough are read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.arrays import I64, Bools, Floats, offsets_of
from dedup.match.boilerplate_text import FIELD, field_of, is_quotation, value_of

TextsOf = Callable[[I64], Sequence[str]]

ANYWHERE, AT_END, AT_EDGE = "anywhere", "at the end", "at the start or end"


class Way(NamedTuple):
    """One criterion of boilerplate: a line's position, its most words, and the fewest articles of its host with it.

    `articles` is a number of articles with different prose before the line, `share` the share of all of the host.
    `sentences` says whether a line at the start or end counts although it may be a sentence of reports.
    """

    where: str
    words: int
    articles: int
    share: float
    sentences: bool = False


# Hosts add lines at the end of articles, so a line needs few copies there. Elsewhere, headings ("What we know"),
# sentences ("He declined to comment.") and quotations recur too; these have 8 words or more and are in up to 6
# articles. There a sentence or a question without words of a site is the articles' own, whatever its count, such as a
# question of interviews. So is a line that is the title of one of them: without this, 0.19 % of the articles' text of
# 623 news pages would go, headlines that are teasers on other pages. Longer lines are background unless half of the
# articles have them: newsletter blurbs, cookie and legal notices. If 10 articles at the end were enough whatever
# their share, 0.027 % of a corpus of licences would be dropped, single lines of clauses; with 15 or 20, nothing is.
# If 60 words at the end were enough in 20 articles and 10 %, a senator's background paragraph would be dropped from
# 44 of 445 press releases. Signatures are at the end of 5 % of an office's articles. Reports may begin or end with
# the same sentence, all of a host of three or 6 of 60 ("No injuries were reported."): one without words of a site
# needs more articles there.
WAYS = (
    Way(AT_END, 25, 5, 0.1),
    Way(AT_END, 25, 30, 0.02),
    Way(AT_EDGE, 25, 3, 0.5),
    Way(ANYWHERE, 20, 10, 0.2),
    Way(ANYWHERE, 7, 5, 0.5),
    Way(AT_EDGE, 60, 10, 0.5, sentences=True),
    Way(AT_END, 25, 10, 0.25, sentences=True),
)
FEWEST_WORDS = 2
MOST_WORDS = max(way.words for way in WAYS)
SHORT_WORDS = min(max(way.words for way in WAYS if way.where == where) for where in (AT_END, AT_EDGE))
FEWEST_ARTICLES = min(way.articles for way in WAYS)
# A line is at an edge of an article if at most `BEYOND` paragraphs of the article's own are beyond it, and none where
# the article has fewer than `BEYOND_FROM` of them; so chance would put at most half of all lines there. Lines that
# recur are not the article's own, since they come in stacks. A line counts as an edge line if it is at the edge of
# `PLACED` of its articles.
BEYOND, BEYOND_FROM = 1, 3
PLACED = 0.9
# A long line that this share of a host's articles has does not count as the prose before the line below it: such lines
# come in stacks.
STACKED = 0.5


# Articles of a host with the same longest paragraph, of so many words, are versions of one report, and count once: an
# edited report may have another paragraph before any line. Where most articles share it, it is a notice of the host.
# In hosts of fewer than 6 articles, 3 versions of one report are most of them.
REPORT_WORDS = 15
NOTICE_SHARE, NOTICE_FROM = 0.5, 6


def are_notices(versions: I64, totals: I64) -> Bools:
    """Return whether a paragraph that is the longest of `versions` of the `totals` articles of a host is a notice.

    All are [groups]; then its articles are no versions of one report.
    """
    most: Bools = (versions > NOTICE_SHARE * totals) & (totals >= NOTICE_FROM)
    return most


class Lines(NamedTuple):
    """All paragraphs of a corpus, in order of appearance.

    `articles` numbers the article of each and `keys` its comparison key: int64 [paragraphs]. `sizes` is its weighted
    number of words: floats [paragraphs]. `present` says which paragraphs are counted, `looks_own` which look
    like a part of an article, `of_reports` which may be sentences of reports, and `marked` which another source takes
    for the site's: bool [paragraphs].
    `hosts` numbers the host of each article: int64 [articles]. `totals` counts the articles of each host: int64
    [hosts].
    """

    articles: I64
    keys: I64
    sizes: Floats
    present: Bools
    looks_own: Bools
    of_reports: Bools
    marked: Bools
    hosts: I64
    totals: I64


class Evidence(NamedTuple):
    """Evidence of rows; each text is kept once for all rows that have it.

    `numbers` is the index in `texts` of the evidence of each row, -1 for none: int32 [rows].
    """

    numbers: npt.NDArray[np.int32]
    texts: list[str]

    @classmethod
    def none(cls, count: int) -> Evidence:
        """Return `count` rows without evidence."""
        return cls(np.full(count, -1, np.int32), [])

    @classmethod
    def of(cls, texts: Sequence[str | None], rows: I64) -> Evidence:
        """Return rows with the texts numbered `rows`, int64, of `texts`, each kept once."""
        distinct = sorted({text for text in texts if text is not None})
        places = {text: place for place, text in enumerate(distinct)}
        numbers = np.array([-1 if text is None else places[text] for text in texts], np.int32)
        return cls(numbers[rows], distinct)

    @classmethod
    def join(cls, parts: Sequence[Evidence]) -> Evidence:
        """Return the rows of all `parts`."""
        texts = [text for part in parts for text in part.texts]
        firsts = offsets_of([len(part.texts) for part in parts])
        numbers = [
            np.where(part.numbers >= 0, part.numbers + first, -1)
            for part, first in zip(parts, firsts[:-1].tolist(), strict=True)
        ]
        return cls.of([*texts, None], np.concatenate(numbers))

    def at(self, rows: Any) -> Evidence:
        """Return the evidence of some rows, given as anything that indexes an array."""
        return self._replace(numbers=self.numbers[rows])

    def to_list(self) -> list[str | None]:
        """Return the text of each row."""
        return [self.texts[number] if number >= 0 else None for number in self.numbers.tolist()]


class BoilerplateMatches(NamedTuple):
    """The rows that are boilerplate, ascending, and what was counted; `rows` index the paragraphs of `Lines`: int64.

    `content` are rows that are never boilerplate, whatever another source says: int64, ascending.
    """

    rows: I64
    evidence: Evidence
    content: I64


class LinePlaces(NamedTuple):
    """The positions of lines in their articles: one value per line.

    `contexts` numbers the prose near the line: int64 [lines]. The number of prose is that of its key; an article
    without prose has a number of its own, above those of all keys. `at_start` is true for a line at the start of its
    article, and only for the first of equal lines; `at_end` for one at the end, and only for the last: bool [lines].
    """

    contexts: I64
    at_start: Bools
    at_end: Bools


class LineCounts(NamedTuple):
    """Counts of equal lines of one host: one value per group of equal lines.

    All are int64 [groups], but for `sizes`, floats [groups].
    """

    first: I64  # the first row of the group
    hosts: I64
    sizes: Floats
    articles: I64  # articles that have the line
    texts: I64  # different texts of prose before it
    at_start: I64  # articles that have it at their start
    at_end: I64
    own: I64  # lines that look like a part of an article
    of_reports: I64  # lines that may be sentences of reports


def find_boilerplate(lines: Lines, names: Sequence[str | None], texts_of: TextsOf) -> BoilerplateMatches:
    """Return the boilerplate among `lines`.

    `names` are the names of the hosts, and `texts_of` returns the raw texts of rows, int64 [rows].
    """
    rows = np.flatnonzero(lines.present & (lines.sizes >= FEWEST_WORDS) & (lines.sizes <= MOST_WORDS))
    rows = rows[np.bincount(lines.keys[rows])[lines.keys[rows]] >= FEWEST_ARTICLES]
    if not len(rows):
        return BoilerplateMatches(rows, Evidence.none(0), rows)
    evidence, is_content = _find_in_hosts(lines, rows, names, texts_of)
    matches = np.flatnonzero(evidence.numbers >= 0)
    return BoilerplateMatches(rows[matches], evidence.at(matches), rows[is_content])


def _find_in_hosts(lines: Lines, rows: I64, names: Sequence[str | None], texts_of: TextsOf) -> tuple[Evidence, Bools]:
    """Return the evidence of those of `rows`, int64, that are boilerplate of their host, and which are content."""
    hosts = lines.hosts[lines.articles[rows]]
    keys_of_hosts, first, group = np.unique(
        lines.keys[rows] * len(lines.totals) + hosts, return_index=True, return_inverse=True
    )
    counts = np.bincount(distinct_pairs(group, lines.articles[rows])[0], minlength=len(keys_of_hosts))
    frequent = np.flatnonzero(counts >= FEWEST_ARTICLES)
    if not len(frequent):
        return Evidence.none(len(rows)), np.zeros(len(rows), bool)
    group = np.where(counts[group] >= FEWEST_ARTICLES, np.searchsorted(frequent, group), -1)
    groups = _count_groups(lines, rows, group, rows[first[frequent]], counts[frequent])
    chosen = are_frequent(groups, lines.totals)
    judged = chosen.copy()
    judged[group[(group >= 0) & lines.marked[rows]]] = True
    content = judged.copy()
    content[judged] = _are_content(groups, np.flatnonzero(judged), lines, rows, group, texts_of)
    chosen &= ~content
    members = np.flatnonzero((group >= 0) & chosen[group])
    numbers_of_groups, numbers = np.unique(group[members], return_inverse=True)
    evidence = Evidence.none(len(rows))
    evidence.numbers[members] = numbers
    texts = [evidence_of(groups, number, lines.totals, names) for number in numbers_of_groups.tolist()]
    return evidence._replace(texts=texts), (group >= 0) & content[group]


def distinct_pairs(firsts: I64, seconds: I64) -> tuple[I64, I64]:
    """Return the first number of each distinct pair, and the place of its first occurrence.

    `firsts` and `seconds` are numbers from 0: int64 [pairs].
    """
    width = int(seconds.max(initial=0)) + 1
    pairs, places = np.unique(firsts * width + seconds, return_index=True)
    return pairs // width, places


def _count_groups(lines: Lines, rows: I64, group: I64, first: I64, counts: I64) -> LineCounts:
    """Return the counts of the lines that recur.

    `group` is the group of each of `rows`, -1 for those that do not recur: int64 [rows]. `first` is the first row of
    each group and `counts` the number of its articles: int64 [groups].
    """
    hosts = lines.hosts[lines.articles[first]]
    stacked = (counts >= STACKED * lines.totals[hosts])[group]
    rows, group, stacked = rows[group >= 0], group[group >= 0], stacked[group >= 0]
    located = locate_lines(lines, rows, group, stacked)
    texts, _ = distinct_pairs(group, located.contexts)

    def total(of: I64, which: Bools | None = None) -> I64:
        return np.bincount(of, which, len(first)).astype(np.int64)

    return LineCounts(
        first,
        hosts,
        lines.sizes[first],
        counts,
        total(texts),
        total(group, located.at_start),
        total(group, located.at_end),
        total(group, lines.looks_own[rows]),
        total(group, lines.of_reports[rows]),
    )


def locate_lines(lines: Lines, rows: I64, group: I64, stacked: Bools) -> LinePlaces:
    """Return the positions of the lines `rows`, which must be all that recur in their articles.

    `rows` are ascending, and `group` is equal for equal lines: int64 [rows]. `stacked` is true for lines that at least
    the share `STACKED` of the host's articles have: bool [rows]. The answer depends only on the articles of the rows.
    """
    recurs = np.zeros(len(lines.keys), bool)
    recurs[rows] = True
    prose = lines.present & (lines.sizes > SHORT_WORDS)
    stacked_rows = rows[stacked]
    prose[stacked_rows[_in_new_articles(lines, prose, recurs, stacked_rows)]] = False
    is_own = lines.present & (prose | ~recurs)
    articles = lines.articles[rows]
    starts, stops = (np.searchsorted(lines.articles, articles, side) for side in ("left", "right"))
    own_before = _counts_before(is_own)
    own_count = own_before[stops] - own_before[starts]
    ahead = own_before[rows] - own_before[starts]
    behind = own_before[stops] - own_before[rows + 1]
    is_first, is_last = np.zeros(len(rows), bool), np.zeros(len(rows), bool)  # of equal lines of an article
    is_first[distinct_pairs(group, articles)[1]] = True
    is_last[len(rows) - 1 - distinct_pairs(group[::-1], articles[::-1])[1]] = True
    beyond = np.where(own_count >= BEYOND_FROM, BEYOND, np.where(own_count > 0, 0, -1))
    contexts = _nearest_prose(lines, prose, rows, starts, stops)
    return LinePlaces(contexts, is_first & (ahead <= beyond), is_last & (behind <= beyond))


def _counts_before(marks: Bools) -> npt.NDArray[Any]:
    """Return how many `marks`, bool [places], are true before each place, and in all: integers [places + 1]."""
    counts = np.zeros(len(marks) + 1, _integer_type(len(marks)))
    np.cumsum(marks, dtype=counts.dtype, out=counts[1:])
    return counts


def _integer_type(most: int) -> type[np.integer[Any]]:
    """Return the smaller type that holds numbers up to `most`: some arrays have one for each paragraph of a corpus."""
    return np.int32 if most <= np.iinfo(np.int32).max else np.int64


def _in_new_articles(lines: Lines, prose: Bools, recurs: Bools, rows: I64) -> Bools:
    """Return for each of `rows`, int64, whether at most half of its article's prose recurs: bool [rows].

    An article with more prose that recurs is a version of another one. `prose` and `recurs` are bool [paragraphs].
    """
    starts, stops = (np.searchsorted(lines.articles, lines.articles[rows], side) for side in ("left", "right"))
    all_prose, recurring = _counts_before(prose), _counts_before(prose & recurs)
    is_new: Bools = 2 * (recurring[stops] - recurring[starts]) <= all_prose[stops] - all_prose[starts]
    return is_new


def _nearest_prose(lines: Lines, prose: Bools, rows: I64, starts: I64, stops: I64) -> I64:
    """Return a number for the prose nearest before each row, or else behind it: int64 [rows].

    Equal numbers mean equal prose; an article without prose has a number of its own. `prose` is bool [paragraphs], and
    ``starts:stops`` are the rows of each row's article: int64 [rows].
    """
    count, number = len(prose), _integer_type(len(prose))
    places = np.where(prose, np.arange(count, dtype=number), number(-1))
    np.maximum.accumulate(places, out=places)
    before = np.where(rows > 0, places[rows - 1], -1)
    places = np.where(prose, np.arange(count, dtype=number), number(count))
    np.minimum.accumulate(places[::-1], out=places[::-1])
    behind = np.where(rows + 1 < count, places[np.minimum(rows + 1, count - 1)], count)
    without_prose = lines.keys.max(initial=0) + 1 + lines.articles[rows]
    nearest = np.where(before >= starts, before, np.where(behind < stops, behind, -1))
    return np.where(nearest >= 0, lines.keys[nearest], without_prose)


def are_frequent(groups: LineCounts, totals: I64) -> Bools:
    """Return which lines are in enough articles of their host for their position: bool [groups].

    `totals` is the number of articles of each host: int64 [hosts].
    """
    host_articles = totals[groups.hosts]
    at_end = groups.at_end >= PLACED * groups.articles
    at_start = groups.at_start >= PLACED * groups.articles
    placed = {ANYWHERE: groups.own == 0, AT_END: at_end, AT_EDGE: at_start | at_end}
    of_reports = (at_start | at_end) & (groups.of_reports > 0)
    frequent = np.zeros(len(host_articles), bool)
    for way in WAYS:
        enough = (groups.texts >= way.articles) & (groups.articles >= way.share * host_articles)
        is_meant = placed[way.where] & ~(of_reports & (not way.sentences))
        frequent |= is_meant & (groups.sizes <= way.words) & enough
    return frequent


def without_surrogates(name: str) -> str:
    """Return the name of a host with question marks for lone surrogates, which evidence cannot have."""
    return name.encode("utf-8", "replace").decode("utf-8")


def evidence_of(groups: LineCounts, number: int, totals: I64, names: Sequence[str | None]) -> str:
    """Return the counts of the lines of group `number` in words."""
    host = int(groups.hosts[number])
    articles, end, start = (int(column[number]) for column in (groups.articles, groups.at_end, groups.at_start))
    where = f" of {without_surrogates(names[host] or '')}" if names[host] else ""
    text = f"in {articles} of {totals[host]} articles{where}"
    if groups.texts[number] < articles:
        text += f", after {groups.texts[number]} different texts"
    if max(start, end) >= PLACED * articles:
        text += f", at the {'end' if end >= start else 'start'} of {max(start, end)}"
    return text


def _are_content(groups: LineCounts, judged: I64, lines: Lines, rows: I64, group: I64, texts_of: TextsOf) -> Bools:
    """Return which lines are a quotation, or a field that differs between articles: bool [judged].

    `judged` are the numbers of the groups that are read: int64. `group` is the group of each of `rows`: int64.
    """
    texts = dict(zip(judged.tolist(), texts_of(groups.first[judged]), strict=True))
    fields = {number: field_of(text) for number, text in texts.items()}
    hosts = {int(groups.hosts[number]) for number, field in fields.items() if field}
    others = np.flatnonzero(np.isin(groups.hosts, sorted(hosts)) & (groups.sizes <= SHORT_WORDS))
    others = np.setdiff1d(others, judged)
    texts |= zip(others.tolist(), texts_of(groups.first[others]), strict=True)
    fields |= {number: field_of(texts[number]) for number in others.tolist()}
    numbers_of_fields: dict[tuple[int, str], dict[str, list[int]]] = {}  # host and field -> value -> groups
    for number, field in fields.items():
        if field:
            values = numbers_of_fields.setdefault((int(groups.hosts[number]), field), {})
            values.setdefault(value_of(texts[number]), []).append(number)
    holders = _ArticlesOfGroups(lines, rows, group)
    changing = set()
    for values in numbers_of_fields.values():
        if len(values) > 1:
            total = holders.count([number for numbers in values.values() for number in numbers])
            changing |= {n for numbers in values.values() if holders.count(numbers) < FIELD * total for n in numbers}
    return np.array([number in changing or is_quotation(texts[number]) for number in judged.tolist()], bool)


class _ArticlesOfGroups:
    """The articles that have a line of a group; `group` is the group of each of `rows`: int64 [rows]."""

    def __init__(self, lines: Lines, rows: I64, group: I64) -> None:
        order = np.argsort(group, kind="stable")
        self.articles = lines.articles[rows[order]]
        self.groups = group[order]

    def count(self, numbers: Sequence[int]) -> int:
        """Return how many articles have a line of any of the groups `numbers`."""
        starts, stops = (np.searchsorted(self.groups, numbers, side) for side in ("left", "right"))
        spans = [self.articles[start:stop] for start, stop in zip(starts.tolist(), stops.tolist(), strict=True)]
        return len(np.unique(np.concatenate(spans)))
