"""Judge the lines of hosts by the model `dedup.site_text`: its counts and scores, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, TypeVar

import numpy as np
import pyarrow as pa

from dedup.arrays import I64, Bools
from dedup.match.boilerplate import Evidence, without_surrogates
from dedup.match.paragraph_columns import ParagraphColumns
from dedup.prepare.columns import digest_values, integer_values
from dedup.prepare.corpus import Corpus
from dedup.segment.digests import key_halves
from dedup.site_text.counts import (
    NO_HOST,
    HostCounts,
    LineTallies,
    SiteLines,
    are_of_reports,
    core_of_articles,
    counts_of,
    first_of_copies,
    sum_tallies,
    tally_lines,
)
from dedup.site_text.evidence import evidence_of_line
from dedup.site_text.line_forms import form_member
from dedup.site_text.score import DROP_SCORE, FEWEST_JUDGED, FLAG_SCORE, score_lines

LINE_MEMBERS = ("digest", "words", "size", "form", "frame")  # of `PARAGRAPH_STRUCT`, that the model reads
# The model drops lines of pages alone: articles with so many lines of the site that one in ten of the host's articles
# have. In clean articles what recurs may be the end of a letter or a table of grants. Without this, 0.0985 % of the
# characters of 24,000 press releases would go, with it 0.0788 %; of the site text of news pages 74.3 % and 74.2 %.
PAGE_LINES, PAGE_SHARE = 4, 10

_Result = TypeVar("_Result")


class JudgedLines(NamedTuple):
    """The lines that the model takes for the site's.

    `numbers` are those of their paragraphs, ascending: int64 [lines]. `is_sure` says which are so nearly certain that
    they are dropped: bool [lines]. `evidence` says what was counted.
    """

    numbers: I64
    is_sure: Bools
    evidence: Evidence


def look_own(forms: I64) -> Bools:
    """Return which lines look like a part of an article: bool [lines].

    They are sentences of reports, or the title of their article. `forms` are those of the lines: int64 [lines].
    """
    own: Bools = are_of_reports(forms) | (form_member(forms, "is_title") > 0)
    return own


def lines_of_articles(members: list[pa.Array], borders: I64, hosts: I64, counted: Bools) -> SiteLines:
    """Return the lines of some articles, as the model reads them.

    `members` are those of their paragraphs that `LINE_MEMBERS` names; the rest is as for `SiteLines`.
    """
    digests, words, sizes, forms, frames = members
    return SiteLines(
        borders=borders,
        hosts=hosts,
        counted=counted,
        keys=_fold_digests(digests),
        words=integer_values(words),
        sizes=np.asarray(sizes, np.float64),
        forms=integer_values(forms),
        frames=integer_values(frames),
    )


def _fold_digests(digests: pa.Array) -> I64:
    """Return a number for the key and facts of each paragraph: int64 [paragraphs]."""
    values = digest_values(digests)
    facts = np.ascontiguousarray(values).view(np.uint64).reshape(-1, 2)[:, 1]
    return (key_halves(values) ^ facts).view(np.int64)


def judge_lines(lines: SiteLines, tallies: LineTallies, names: list[str | None]) -> JudgedLines:
    """Return the lines of some articles that are their site's; `numbers` count from their first line.

    `tallies` are the counts of all articles of their hosts, and `names` the name of the host of each article.
    """
    counts = counts_of(lines, tallies)
    scores = score_lines(lines, counts)
    numbers = np.flatnonzero(scores >= FLAG_SCORE)
    chosen = HostCounts(*(column[numbers] for column in counts))
    articles = np.searchsorted(lines.borders, numbers, "right") - 1
    is_sure = (scores[numbers] >= DROP_SCORE) & _are_pages(chosen, articles)[articles]
    told: dict[tuple[int | str | None, ...], str] = {}  # many lines have the same counts
    evidence = []
    for row, values in enumerate(zip(articles.tolist(), *(column.tolist() for column in chosen), strict=True)):
        name = names[values[0]]
        known = (name, *values[1:])
        if known not in told:
            told[known] = evidence_of_line(chosen, row, name and without_surrogates(name))
        evidence.append(told[known])
    return JudgedLines(numbers, is_sure, Evidence.of(evidence, np.arange(len(evidence))))


def _are_pages(chosen: HostCounts, articles: I64) -> Bools:
    """Return which articles, up to the last of `articles`, are pages: bool [articles].

    `chosen` are the counts of the lines that are the site's, and `articles` the numbers of their articles.
    """
    is_frequent = chosen.articles * PAGE_SHARE >= chosen.host_articles
    pages: Bools = np.bincount(articles[is_frequent], minlength=int(articles.max(initial=-1)) + 1) >= PAGE_LINES
    return pages


def judge_hosts(corpus: Corpus, paragraphs: ParagraphColumns, is_article: Bools) -> JudgedLines:
    """Return the lines of the known hosts of `corpus` that are the site's; `is_article` is bool [articles]."""
    names = paragraphs.host_names
    totals = paragraphs.count_articles(is_article)
    is_judged = totals >= FEWEST_JUDGED
    is_judged[-1] = False  # the last stands for articles without a host
    if not is_judged.any():
        return JudgedLines(np.empty(0, np.int64), np.empty(0, bool), Evidence.none(0))
    hosts = np.where(is_article & is_judged[paragraphs.hosts], paragraphs.hosts, NO_HOST)

    def of_batches(read: Callable[[SiteLines, int], _Result], counted: Bools) -> Iterator[_Result]:
        """Yield what `read` makes of the lines of each batch and the number of its first article."""

        def read_batch(number: int) -> _Result:
            rows = slice(corpus.starts[number], corpus.starts[number + 1])
            members = corpus.paragraph_members(number, *LINE_MEMBERS)
            borders = corpus.paragraph_offsets[rows.start : rows.stop + 1]
            lines = lines_of_articles(members, borders - borders[0], hosts[rows], counted[rows])
            return read(lines, int(rows.start))

        return corpus.budget.map(read_batch, range(len(corpus.prepared_batches)))

    counted = hosts != NO_HOST
    cores = np.concatenate(list(of_batches(lambda lines, _: core_of_articles(lines), counted)))
    counted &= first_of_copies(hosts, cores)
    tallies = sum_tallies(of_batches(lambda lines, _: tally_lines(lines), counted))

    def judge(lines: SiteLines, first: int) -> JudgedLines:
        of_articles = [names[host] for host in paragraphs.hosts[first : first + len(lines.hosts)].tolist()]
        judged = judge_lines(lines, tallies, of_articles)
        return judged._replace(numbers=judged.numbers + corpus.paragraph_offsets[first])

    parts = list(of_batches(judge, counted))
    return JudgedLines(
        np.concatenate([part.numbers for part in parts]),
        np.concatenate([part.is_sure for part in parts]),
        Evidence.join([part.evidence for part in parts]),
    )
