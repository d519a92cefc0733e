"""The variables of the scorecard: what is known of a line by itself, and of its company in the article.

All are integers, int64 [lines]. The scorecard cuts each into steps and gives points for each step.
"""

from __future__ import annotations

import numpy as np

from dedup.arrays import I64, Bools
from dedup.site_text.counts import SENTENCE_ENDS, HostCounts, SiteLines, article_of_lines, is_prose, is_title_line
from dedup.site_text.line_forms import FORM_BITS, form_member

SHARE = 1000  # shares are in thousandths
_WIDEST = 8  # lines before and behind that are looked at
_BEYOND = 2000  # the score of the place before the first line and behind the last: site text stands at the edges
_MOST_SCORE = 8000  # a score counts for its company up to here
_FAR = 60  # lines; prose farther away is no company
# A line weighs as much as its weighted words, up to this many, where the prose of an article is summed up.
_MOST_WEIGHT = 60
_IN_TABLES = ("is_title", "is_quoted", "site_words")  # members of forms that are variables only with others


def line_variables(lines: SiteLines, counts: HostCounts) -> dict[str, I64]:
    """Return the variables of each line by itself."""
    others = np.maximum(counts.articles - 1, 0)
    frame_others = np.maximum(counts.frames - 1, 0)
    host = np.maximum(counts.host_articles - 1, 0)
    share = others * SHARE // np.maximum(host, 1)
    size = (2 * lines.sizes).astype(np.int64)  # in half words
    member = {name: form_member(lines.forms, name) for name in FORM_BITS}
    is_opening = _opens_article(lines)
    prose_kind = _prose_kind(lines, size)
    articles = np.maximum(counts.articles, 1)
    return {
        "others": others,
        "share": share,
        "frame_others": frame_others,
        "frame_share": frame_others * SHARE // np.maximum(host, 1),
        "small_host": _table_cell(host, (3, 4, 7), others, (1, 2, 3, 4)),
        "copies_by_prose": _table_cell(prose_kind, (1, 2, 3, 4), others, (1, 2, 3, 5, 10)),
        "frame_by_size": _table_cell(size, (6, 12, 24), frame_others, (1, 2, 5)),
        "between": _table_cell(others, (1, 3), counts.between * SHARE // articles, (1, 300, 700)),
        "size": size,
        "title": _table_cell(np.where(is_opening, 2, 0) + member["is_title"], (1, 2, 3), share, (500,)),
        "teaser": np.where(is_title_line(lines), 0, np.minimum(counts.titles, 1)),
        "quoted_copies": _table_cell(member["is_quoted"], (1,), others, (1, 3)),
        "words_of_site": _table_cell(prose_kind, (1, 2, 3, 4), member["site_words"], (1, 2, 3)),
        "own_sentence": _own_sentence(prose_kind, member["site_words"], host, others),
        "prose_share": _table_cell(
            np.where(host >= _LARGE_HOST, 1 + prose_kind, 0), (1, 2, 3, 4, 5), share, (100, 300, 600, 900)
        ),
        "place": _table_cell(others, (1, 3, 10), _fixed_place(counts), (1, 2, 3, 4, 5, 6, 7, 8)),
        "behind_prose": _table_cell(others, (1, 3), counts.behind * SHARE // articles, (1, 300, 700)),
        **{name: values for name, values in member.items() if name not in _IN_TABLES},
    }


def company_variables(lines: SiteLines, counts: HostCounts, scores: I64) -> dict[str, I64]:
    """Return the variables of each line that depend on the other lines of its article.

    `scores` are those of all lines by themselves, in thousandths of log odds: int64 [lines]. Lines without words are
    skipped, as if they were not there.
    """
    result = {name: np.zeros(len(lines.words), np.int64) for name in COMPANY}
    rows = np.flatnonzero(lines.words > 0)
    if not len(rows):
        return result
    article = article_of_lines(lines)[rows]
    starts, stops = (np.searchsorted(article, article, side) for side in ("left", "right"))
    score = np.clip(scores[rows], -_MOST_SCORE, _MOST_SCORE)
    neighbours = _Neighbours(score, article)
    before, behind = neighbours.at(-1), neighbours.at(1)
    prose = is_prose(lines)[rows]
    weight = np.minimum(lines.sizes[rows], _MOST_WEIGHT).astype(np.int64)
    prose_before, prose_behind = _shares_beside(np.where(prose, weight, 0), starts, stops)
    own_before, own_behind = _shares_beside(np.where(score < 0, weight, 0), starts, stops)
    nearest_before, nearest_behind = _distances(prose, starts, stops)
    edge = np.where(prose_before == 0, 1, 0) + np.where(prose_behind == 0, 2, 0)
    others = np.maximum(counts.articles[rows] - 1, 0)
    values = {
        "score": score,
        "before": before,
        "behind": behind,
        "least": np.minimum(before, behind),
        "most": np.maximum(before, behind),
        "three_before": neighbours.mean(-3, -1),
        "three_behind": neighbours.mean(1, 3),
        "far_before": neighbours.mean(-8, -4),
        "far_behind": neighbours.mean(4, 8),
        "prose_before": prose_before,
        "prose_behind": prose_behind,
        "own_before": own_before,
        "own_behind": own_behind,
        "nearest_before": nearest_before,
        "nearest_behind": nearest_behind,
        "edge": _table_cell(edge, (1, 2, 3), others, (1, 2, 4, 9)),
    }
    for name, column in values.items():
        result[name][rows] = column
    return result


COMPANY = (
    "score",
    "before",
    "behind",
    "least",
    "most",
    "three_before",
    "three_behind",
    "far_before",
    "far_behind",
    "prose_before",
    "prose_behind",
    "own_before",
    "own_behind",
    "nearest_before",
    "nearest_behind",
    "edge",
)


class _Neighbours:
    """The scores of the lines around each line; places beyond its article have the score `_BEYOND`."""

    def __init__(self, score: I64, article: I64) -> None:
        order = np.cumsum(np.concatenate([[0], article[1:] != article[:-1]]))
        self.places = np.arange(len(score)) + _WIDEST * (order + 1)
        padded = np.full(len(score) + _WIDEST * (int(order[-1]) + 2), _BEYOND, np.int64)
        padded[self.places] = score
        self.sums = np.concatenate([[0], np.cumsum(padded)])

    def mean(self, first: int, last: int) -> I64:
        """Return the mean score of the lines from `first` to `last`, counted from each line on, rounded down."""
        total = self.sums[self.places + last + 1] - self.sums[self.places + first]
        mean: I64 = total // (last - first + 1)
        return mean

    def at(self, offset: int) -> I64:
        """Return the score of the line that is `offset` lines behind each line."""
        return self.mean(offset, offset)


def _shares_beside(weight: I64, starts: I64, stops: I64) -> tuple[I64, I64]:
    """Return the shares of the `weight` of its article that are before each line and behind it, int64 [lines]."""
    sums = np.concatenate([[0], np.cumsum(weight)])
    total = np.maximum(sums[stops] - sums[starts], 1)
    return (sums[:-1] - sums[starts]) * SHARE // total, (sums[stops] - sums[1:]) * SHARE // total


def _distances(prose: Bools, starts: I64, stops: I64) -> tuple[I64, I64]:
    """Return how many lines before each line of its article, and behind it, the next line of prose is, up to `_FAR`."""
    place = np.arange(len(prose))
    last = np.maximum.accumulate(np.where(prose, place, -_FAR))
    before = np.concatenate([[-_FAR], last[:-1]])
    following = np.minimum.accumulate(np.where(prose, place, len(prose) + _FAR)[::-1])[::-1]
    behind = np.concatenate([following[1:], [len(prose) + _FAR]])
    return (
        np.where(before >= starts, np.minimum(place - before, _FAR), _FAR),
        np.where(behind < stops, np.minimum(behind - place, _FAR), _FAR),
    )


def _opens_article(lines: SiteLines) -> Bools:
    """Return which line is the first with words of its article: bool [lines]."""
    rows = np.flatnonzero(lines.words > 0)
    article = article_of_lines(lines)[rows]
    opening = np.zeros(len(lines.words), bool)
    opening[rows[np.flatnonzero(np.concatenate([[True], article[1:] != article[:-1]]))] if len(rows) else rows] = True
    return opening


def _own_sentence(prose_kind: I64, site_words: I64, host: I64, others: I64) -> I64:
    """Return a cell for the size of the host and the number of other articles with the line: int64 [lines].

    It is 0 if the line is no sentence without words of a site. If all articles of a host of three or four have such a
    sentence, it may still be the reports'. If all of many articles have it, it is the site's.
    """
    is_own = (prose_kind >= _SENTENCE) & (site_words == 0)
    return np.where(is_own, 1 + _table_cell(host, (3, 8, 20), others, (1, 2, 3)), 0)


def _fixed_place(counts: HostCounts) -> I64:
    """Return where a line stands in its articles, and whether that is the same place in all: int64 [lines].

    A menu is at the start and a footer at the end of all pages; a sentence of reports may be anywhere.
    """
    articles = np.maximum(counts.articles, 1)
    mean, rest = np.divmod(counts.positions, articles)
    # The variance, which is the mean of the squares less the square of the mean, without products that overflow.
    spread = (counts.squares - mean * (mean * articles + 2 * rest) + -(rest**2) // articles) // articles
    return _table_cell(np.searchsorted(_QUARTERS, mean, "right"), (1, 2), spread, _SPREADS)


def _prose_kind(lines: SiteLines, size: I64) -> I64:
    """Return how much each line is prose: int64 [lines].

    0 is a short line that ends like no sentence, 1 a long one, 2 a short sentence, 3 a long one, and 4 several.
    `size` is in half words.
    """
    ends = np.isin(form_member(lines.forms, "last"), SENTENCE_ENDS)
    several = form_member(lines.forms, "ends") + form_member(lines.forms, "commas") >= _SEVERAL
    sentence = np.where(size < _SHORT_SENTENCE, 2, np.where((size >= _LONG_SENTENCE) & several, 4, 3))
    return np.where(ends, sentence, np.where(size >= _LONG_SENTENCE, 1, 0))


_LARGE_HOST = 9  # other articles of a host from which on shares mean something
_SENTENCE = 2  # the kind of prose from which on a line is a sentence
_SHORT_SENTENCE, _LONG_SENTENCE = 20, 40  # half words
_QUARTERS = (64, 192)  # positions: the first quarter, the middle and the last quarter of an article
_SPREADS = (100, 1000)  # variances of positions: a line in one place, and one in about the same place
_SEVERAL = 3  # sentences and clauses


def _table_cell(first: I64, first_steps: tuple[int, ...], second: I64, second_steps: tuple[int, ...]) -> I64:
    """Return the number of the cell of each line in a table of two variables, cut at the given steps: int64 [lines]."""
    row, column = np.searchsorted(first_steps, first, "right"), np.searchsorted(second_steps, second, "right")
    return row * (len(second_steps) + 1) + column
