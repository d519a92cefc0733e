"""Count lines and frames by host. Every count is a sum of integers, so the order of batches makes no difference.

A line is counted once in an article, and so is a frame. Articles that are copies of each other count once, since all
lines of a copy recur.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import NamedTuple

import numpy as np

from dedup.arrays import I64, U64, Bools, Floats
from dedup.fingerprint.shingles import MIX_1, MIX_2, SHINGLE_BASE
from dedup.site_text.characters import CLASS_OF
from dedup.site_text.line_forms import SHARES, form_member

NO_HOST = -1  # of an article whose host is not known; its lines are not counted
# A line of so many words that ends like a sentence is prose. The numbers of all thresholds on sizes are weighted words,
# as `dedup.segment.words.weighted_word_count` counts them.
PROSE_WORDS = 10
# A title has so many words; a shorter line may be the name of a section.
TITLE_WORDS = 3
# An article is known by its longest lines of prose, of so many words.
CORE_WORDS, CORE_LINES = 15, 2

_KEY, _FRAME, _HOST = range(3)  # what is counted
# Words of a site in a sentence with which a site speaks to readers.
WORDS_OF_SITE = 1
SENTENCE_ENDS = tuple(CLASS_OF[name] for name in ".E?Q")
VALUES = 6  # counts of each line: see `LineTallies`
LAST_POSITION = 255  # a position in an article is a number from 0, the first line, to this, the last line


class SiteLines(NamedTuple):
    """The lines of whole articles, in order.

    Attributes:
        borders: the number of each article's first line, int64 [articles + 1].
        hosts: a number for the host of each article, `NO_HOST` if it is not known, int64 [articles].
        counted: whether each article is counted; False for all but one of the copies of an article, bool [articles].
        keys: a number that is the same for equal lines, int64 [lines].
        words: the number of words of each line; one without words is no line, int64 [lines].
        sizes: the same as `dedup.segment.words.weighted_word_count` counts words, float64 [lines].
        forms, frames: those of `dedup.site_text.line_forms.LineForms`, int64 [lines].
    """

    borders: I64
    hosts: I64
    counted: Bools
    keys: I64
    words: I64
    sizes: Floats
    forms: I64
    frames: I64


class LineTallies(NamedTuple):
    """Counts of lines, frames and articles of hosts: one row each.

    `ids` are hashes of what is counted, ascending, uint64 [rows]. `values` are its counts, int64 [rows, `VALUES`]:
    articles, articles that have it between lines of prose, articles whose title it is, the sum of its positions, the
    sum of their squares, and articles that have it right behind a line of prose.
    """

    ids: U64
    values: I64


class HostCounts(NamedTuple):
    """The counts of the line of each row, int64 [lines] each; 0 where the host is not known.

    Attributes:
        articles: articles of the host that have the line.
        between: those of them that have it between two lines of prose.
        titles: those of them whose title it is, or a part of their title.
        positions: the sum of its positions in them, 0 to `LAST_POSITION`.
        squares: the sum of the squares of these.
        behind: those of them that have it right behind a line of prose.
        frames: articles of the host that have a line of the same frame.
        host_articles: articles of the host.
    """

    articles: I64
    between: I64
    titles: I64
    positions: I64
    squares: I64
    behind: I64
    frames: I64
    host_articles: I64


def is_prose(lines: SiteLines) -> Bools:
    """Return which lines are prose by their form: bool [lines]."""
    return are_prose(lines.forms, lines.sizes)


def are_prose(forms: I64, sizes: Floats) -> Bools:
    """Return which lines with these forms and weighted words are prose: bool [lines].

    The arguments are int64 and float [lines].
    """
    prose: Bools = np.isin(form_member(forms, "last"), SENTENCE_ENDS) & (sizes >= PROSE_WORDS)
    return prose


def is_title_line(lines: SiteLines) -> Bools:
    """Return which lines have the words of the title of their article and no others: bool [lines]."""
    titles: Bools = (form_member(lines.forms, "from_title") == SHARES) & (lines.sizes >= TITLE_WORDS)
    return titles


def core_of_articles(lines: SiteLines) -> I64:
    """Return a number for what each article says, from its longest lines of prose: int64 [articles].

    Copies of an article, in whatever frame, have the same number. It is 0 for an article without such a line.
    """
    article = article_of_lines(lines)
    chosen = np.flatnonzero(is_prose(lines) & (lines.sizes >= CORE_WORDS) & (lines.words > 0))
    chosen = chosen[np.lexsort((lines.keys[chosen], -lines.sizes[chosen], article[chosen]))]
    repeated = np.zeros(len(chosen), bool)
    repeated[1:] = (article[chosen[1:]] == article[chosen[:-1]]) & (lines.keys[chosen[1:]] == lines.keys[chosen[:-1]])
    chosen = chosen[~repeated]
    starts = np.searchsorted(article[chosen], article[chosen])
    longest = chosen[np.arange(len(chosen)) - starts < CORE_LINES]
    core = np.zeros(len(lines.hosts), np.uint64)
    np.add.at(core, article[longest], _mix(lines.keys[longest].astype(np.uint64)))
    return core.view(np.int64)


def first_of_copies(hosts: I64, cores: I64) -> Bools:
    """Return which articles are the first of their host and core: bool [articles]; all without a core are.

    `hosts` and `cores` are int64 [articles]. More than half of the articles of a host of four or more are no copies of
    one: they share the text of a large box.
    """
    first = np.ones(len(hosts), bool)
    order = np.lexsort((np.arange(len(hosts)), cores, hosts))
    new = np.ones(len(hosts), bool)
    new[1:] = (hosts[order[1:]] != hosts[order[:-1]]) | (cores[order[1:]] != cores[order[:-1]])
    group = np.cumsum(new) - 1
    sizes = np.bincount(group)[group]
    _, host, totals = np.unique(hosts[order], return_inverse=True, return_counts=True)
    are_copies = (cores[order] != 0) & ((2 * sizes <= totals[host]) | (sizes <= 2))
    first[order] = new | ~are_copies
    return first


def article_of_lines(lines: SiteLines) -> I64:
    """Return the number of the article of each line: int64 [lines]."""
    return np.repeat(np.arange(len(lines.hosts)), np.diff(lines.borders))


def are_of_reports(forms: I64) -> Bools:
    """Return which lines may be sentences or questions of reports: bool [lines].

    They end like one, and have fewer than `WORDS_OF_SITE` words of a site. `forms` are int64 [lines].
    """
    ends = np.isin(form_member(forms, "last"), SENTENCE_ENDS)
    of_reports: Bools = ends & (form_member(forms, "site_words") < WORDS_OF_SITE)
    return of_reports


def tally_lines(lines: SiteLines) -> LineTallies:
    """Return the counts of the lines of some articles."""
    article = article_of_lines(lines)
    is_counted = lines.counted & (lines.hosts != NO_HOST)
    rows = np.flatnonzero((lines.words > 0) & is_counted[article])
    values = _values_of_lines(lines, rows)
    framed = lines.frames[rows] != 0
    hosts = lines.hosts[article]
    articles = np.flatnonzero(is_counted)
    ids = [
        _ids(hosts[rows], lines.keys[rows], _KEY),
        _ids(hosts[rows[framed]], lines.frames[rows[framed]], _FRAME),
        _ids(lines.hosts[articles], np.zeros(len(articles), np.int64), _HOST),
    ]
    of_articles = [article[rows], article[rows[framed]], articles]
    all_ids = np.concatenate(ids)
    once = _first_of_pairs(all_ids, np.concatenate(of_articles))
    all_values = np.concatenate([values, values[framed], np.tile([1] + [0] * (VALUES - 1), (len(articles), 1))])
    return _sum_by_id(all_ids[once], all_values[once])


def ids_of_articles(lines: SiteLines) -> tuple[U64, I64]:
    """Return the ids whose counts each article needs, each once, and the numbers of these articles: int64 [ids]."""
    article = article_of_lines(lines)
    known = lines.hosts[article] != NO_HOST
    rows, framed = np.flatnonzero(known & (lines.words > 0)), np.flatnonzero(known & (lines.frames != 0))
    articles = np.flatnonzero(lines.hosts != NO_HOST)
    ids = np.concatenate(
        [
            _ids(lines.hosts[article[rows]], lines.keys[rows], _KEY),
            _ids(lines.hosts[article[framed]], lines.frames[framed], _FRAME),
            _ids(lines.hosts[articles], np.zeros(len(articles), np.int64), _HOST),
        ]
    )
    of_articles = np.concatenate([article[rows], article[framed], articles])
    once = _first_of_pairs(ids, of_articles)
    return ids[once], of_articles[once]


def add_tallies(first: LineTallies, second: LineTallies) -> LineTallies:
    """Return the counts of the articles of both."""
    return _sum_by_id(np.concatenate([first.ids, second.ids]), np.concatenate([first.values, second.values]))


def sum_tallies(parts: Iterable[LineTallies]) -> LineTallies:
    """Return the counts of the articles of all `parts`, which are added when they have become about equally large."""
    sums = [LineTallies(np.empty(0, np.uint64), np.empty((0, VALUES), np.int64))]
    for part in parts:
        sums.append(part)
        while len(sums) > 1 and len(sums[-2].ids) <= 2 * len(sums[-1].ids):
            sums.append(add_tallies(sums.pop(), sums.pop()))
    return reduce(add_tallies, reversed(sums))


def counts_of(lines: SiteLines, tallies: LineTallies) -> HostCounts:
    """Return the counts of each line of some articles, given those of all."""
    article = article_of_lines(lines)
    hosts = lines.hosts[article]
    of_keys = _find(tallies, _ids(hosts, lines.keys, _KEY), (hosts != NO_HOST) & (lines.words > 0))
    of_frames = _find(tallies, _ids(hosts, lines.frames, _FRAME), (hosts != NO_HOST) & (lines.frames != 0))
    of_hosts = _find(tallies, _ids(lines.hosts, np.zeros_like(lines.hosts), _HOST), lines.hosts != NO_HOST)
    articles, between, titles, positions, squares, behind = np.ascontiguousarray(of_keys.T)
    frames, totals = of_frames[:, 0].copy(), of_hosts[article, 0]
    return HostCounts(articles, between, titles, positions, squares, behind, frames, totals)


def count_lines(lines: SiteLines) -> HostCounts:
    """Return the counts of each line among `lines`."""
    return counts_of(lines, tally_lines(lines))


def _values_of_lines(lines: SiteLines, rows: I64) -> I64:
    """Return what each of `rows`, lines with words, adds to its counts: int64 [rows, `VALUES`]."""
    article = article_of_lines(lines)[rows]
    prose = is_prose(lines)[rows]
    starts, stops = (np.searchsorted(article, article, side) for side in ("left", "right"))
    place = np.arange(len(rows))
    position = (place - starts) * LAST_POSITION // np.maximum(stops - starts - 1, 1)
    behind, before = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
    behind[1:] = prose[:-1] & (place > starts)[1:]
    before[:-1] = prose[1:] & (place + 1 < stops)[:-1]
    titles = is_title_line(lines)[rows]
    return np.column_stack([np.ones_like(position), behind & before, titles, position, position**2, behind])


def _ids(hosts: I64, numbers: I64, kind: int) -> U64:
    """Return hashes of the pairs of host and number of a kind: uint64 [pairs]."""
    return _mix(
        _mix(hosts.astype(np.uint64) + np.uint64(kind * SHINGLE_BASE & (1 << 64) - 1)) ^ numbers.astype(np.uint64)
    )


def _mix(values: U64) -> U64:
    """Return `values` with their bits mixed by the 64-bit finalizer of MurmurHash3: uint64."""
    shift = np.uint64(33)
    values = (values ^ (values >> shift)) * np.uint64(MIX_1)
    values = (values ^ (values >> shift)) * np.uint64(MIX_2)
    return values ^ (values >> shift)


def _first_of_pairs(ids: U64, articles: I64) -> I64:
    """Return the rows that are the first of their id and article: int64."""
    order = np.lexsort((articles, ids))
    new = np.ones(len(order), bool)
    new[1:] = (ids[order[1:]] != ids[order[:-1]]) | (articles[order[1:]] != articles[order[:-1]])
    return order[new]


def _sum_by_id(ids: U64, values: I64) -> LineTallies:
    """Return the sums of `values`, int64 [rows, `VALUES`], of equal `ids`."""
    order = np.argsort(ids, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], ids[order[1:]] != ids[order[:-1]]])) if len(ids) else order
    return LineTallies(ids[order[starts]], np.add.reduceat(values[order], starts, axis=0) if len(ids) else values)


def _find(tallies: LineTallies, ids: U64, known: Bools) -> I64:
    """Return the counts of `ids`: int64 [ids, `VALUES`], 0 where they are not `known` or not counted."""
    if not len(tallies.ids):
        return np.zeros((len(ids), tallies.values.shape[1]), np.int64)
    places = np.minimum(np.searchsorted(tallies.ids, ids), len(tallies.ids) - 1)
    hit = known & (tallies.ids[places] == ids)
    return np.where(hit[:, None], tallies.values[places], 0)
