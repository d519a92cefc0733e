"""Find site text: the lines that are the site's, in every article that has them, before any articles are compared.

The rule `boilerplate` has two sources. The model of `dedup.site_text` judges each line of a known host. And lines
that are frequent for their place, in their host or in the whole corpus, are the site's (`dedup.match.boilerplate`).
What says something of its article, a quotation or a changing field, is content whatever a source says. Every copy of
a line goes, the first one as well. Each line is kept once for each host, as a row of the table of site text, which
its copies repeat.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from dedup.arrays import I64, Bools, decode_utf8, encode_utf8
from dedup.findings import DROP, FLAG
from dedup.fingerprint.similarity import Comparer
from dedup.kernels import reference
from dedup.match.boilerplate import (
    REPORT_WORDS,
    BoilerplateMatches,
    Evidence,
    Lines,
    are_notices,
    distinct_pairs,
    find_boilerplate,
)
from dedup.match.buckets import find_first_equal
from dedup.match.host_lines import JudgedLines, judge_hosts, look_own
from dedup.match.known_lines import KnownLine, find_known_lines
from dedup.match.paragraph_columns import ParagraphColumns, read_raw_texts
from dedup.match.policy import BOILERPLATE
from dedup.match.reviewed import ReviewedCorpus, evidence_of_rejected
from dedup.match.support import have_support
from dedup.prepare.columns import StructLists, digest_values, integer_values
from dedup.prepare.compared_texts import edited_text
from dedup.prepare.corpus import Corpus
from dedup.prepare.site_text import SITE_TEXT_SCHEMA_OF_BATCH
from dedup.prepare.store import PreparedBatch, load_batch
from dedup.rules import OFF
from dedup.settings import Settings
from dedup.site_text.counts import are_of_reports

SHARE_DIGITS = 4  # of the share of a host's articles, in the table of site text


class SiteTextRow(NamedTuple):
    """One row of the table of site text: a line that is the site's.

    Attributes:
        host: the site, None where lines are counted over the whole corpus because hosts are unknown or share the line.
        text: the repaired text of the line at its first place.
        articles: the number of the host's articles that have the line, whether they stay or not.
        share: the share of all articles of the host.
        dropped: the number of articles that lose the line; the others keep it, with a flag.
        source: the source of the first of them in input order.
        record: its record number.
        start: where the line starts in the raw text of that article, in code points.
        stop: where it ends, exclusive.
    """

    host: str | None
    text: str
    articles: int
    share: float
    dropped: int
    source: str
    record: int
    start: int
    stop: int


class SiteText(NamedTuple):
    """The lines of a corpus that are the site's: one value per line, in order of appearance.

    `numbers` are those of the paragraphs, `articles` the rows of their articles, and `lines` the numbers of their rows
    in `rows`: int64 [lines]. `is_dropped` says which lines go; the others are flagged: bool [lines]. `evidence` says
    what was counted. The first `new_rows` of `rows` are of articles that are not known, and make the table of site
    text. The others are only of the first `known_articles`, which are compared without these lines as well.
    """

    numbers: I64
    articles: I64
    lines: I64
    is_dropped: Bools
    evidence: Evidence
    rows: list[SiteTextRow]
    new_rows: int = 0
    known_articles: int = 0

    @property
    def table(self) -> list[SiteTextRow]:
        """The rows of the table of site text."""
        return self.rows[: self.new_rows]

    @property
    def counts(self) -> dict[str, int]:
        """Return counts for the report: different lines, and the articles that are compared without some lines."""
        dropped = self.articles[self.is_dropped]
        return {"lines": self.new_rows, "articles": len(np.unique(dropped[dropped >= self.known_articles]))}

    def batches(self, corpus: Corpus) -> list[int]:
        """Return the numbers of the batches of `corpus` that have lines, ascending."""
        numbers: list[int] = np.unique(np.searchsorted(corpus.starts, self.articles, "right") - 1).tolist()
        return numbers

    def of(self, corpus: Corpus, number: int) -> pa.RecordBatch:
        """Return the lines of batch `number` of `corpus`, with the schema `SITE_TEXT_SCHEMA_OF_BATCH`."""
        start, stop = corpus.starts[number], corpus.starts[number + 1]
        chosen = slice(*np.searchsorted(self.articles, (start, stop)))
        articles, lines = self.articles[chosen], self.lines[chosen]
        rows = [self.rows[line] for line in lines.tolist()]
        columns = {
            "row": articles - start,
            "paragraph": self.numbers[chosen] - corpus.paragraph_offsets[articles],
            "line": lines,
            "host": [None if row.host is None else encode_utf8(row.host) for row in rows],
            "size": [len(row.text) for row in rows],
            "action": np.where(self.is_dropped[chosen], DROP, FLAG),
            "evidence": self.evidence.at(chosen).to_list(),
        }
        arrays = [pa.array(columns[field.name], field.type) for field in SITE_TEXT_SCHEMA_OF_BATCH]
        return pa.record_batch(arrays, schema=SITE_TEXT_SCHEMA_OF_BATCH)


def find_site_text(
    corpus: Corpus,
    paragraphs: ParagraphColumns,
    settings: Settings,
    comparer: Comparer = reference,
    reviewed: ReviewedCorpus | None = None,
    known_lines: Sequence[KnownLine] = (),
) -> SiteText:
    """Return the lines of `corpus` that are the site's; `paragraphs` are all its paragraphs.

    Versions of one report of a host count once. The lines that are equal to one of `known_lines` are the site's as
    well, and sure. The lines that `reviewed` rejects stay.
    """
    if settings.rules[BOILERPLATE] == OFF:
        empty = np.empty(0, np.int64)
        return SiteText(empty, empty, empty, np.empty(0, bool), Evidence.none(0), [])
    is_article = integer_values(corpus.read_columns("words")["words"]) > 0
    judged = judge_hosts(corpus, paragraphs, is_article)
    marked = np.zeros(len(paragraphs.keys), bool)
    marked[judged.numbers] = True
    (forms,) = corpus.read_paragraphs("form")
    looks_own, of_reports = look_own(forms), are_of_reports(forms)
    reports = _number_reports(corpus, paragraphs, comparer)
    matches = []
    for hosts, names in _scopes(paragraphs, is_article):
        is_counted = is_article & _first_of_reports(hosts, reports, is_article)
        present = (paragraphs.words > 0) & is_counted[paragraphs.articles]
        totals = np.bincount(hosts[is_counted], minlength=len(names)).astype(np.int64)
        sizes, keys = paragraphs.sizes, paragraphs.keys
        lines = Lines(paragraphs.articles, keys, sizes, present, looks_own, of_reports, marked, hosts, totals)
        matches.append(find_boilerplate(lines, names, lambda numbers: read_raw_texts(corpus, paragraphs, numbers)))
        marked = np.zeros_like(marked)  # the model judges lines of hosts alone
    known = find_known_lines(corpus, paragraphs, known_lines)
    of_runs = _MarkedLines(known.numbers, known.in_host, np.ones(len(known.numbers), bool), known.evidence)
    found = _join_sources(paragraphs, judged, matches, of_runs)
    unknown = len(paragraphs.host_names)
    scopes = np.where(found.in_host, paragraphs.hosts[paragraphs.articles[found.numbers]], unknown)
    found = found.at(have_support(paragraphs, found.numbers, scopes))
    if reviewed is not None:
        rejected = reviewed.rejected_lines(paragraphs, found.numbers, found.in_host)
        found = found._replace(evidence=evidence_of_rejected(found.evidence, rejected))
        found.is_dropped[rejected] = False
    found.is_dropped[_have_copies_that_stay(paragraphs, found)] = False
    if settings.rules[BOILERPLATE] != DROP:
        found.is_dropped[:] = False
    return _collect_rows(corpus, paragraphs, is_article, found)


class _MarkedLines(NamedTuple):
    """Lines that a source takes for site text: one value per line.

    `numbers` are those of the paragraphs: int64 [lines]. `in_host` says which are of their host, and not of the whole
    corpus, and `is_dropped` which go: bool [lines].
    """

    numbers: I64
    in_host: Bools
    is_dropped: Bools
    evidence: Evidence

    def at(self, rows: Any) -> _MarkedLines:
        """Return some of the lines, given as anything that indexes an array."""
        return _MarkedLines(self.numbers[rows], self.in_host[rows], self.is_dropped[rows], self.evidence.at(rows))


def _have_copies_that_stay(paragraphs: ParagraphColumns, found: _MarkedLines) -> Bools:
    """Return which lines stand in their article once more, where they stay: bool [lines].

    An article is compared without a line or with it: a headline that is a teaser of its own page stays in both places.
    """
    keys, count = paragraphs.keys, len(paragraphs.keys)
    is_key = np.zeros(count, bool)
    is_key[keys[found.numbers]] = True
    copies = np.flatnonzero((paragraphs.words > 0) & is_key[keys])
    groups, in_article = np.unique(paragraphs.articles[copies] * count + keys[copies], return_counts=True)
    labels = paragraphs.articles[found.numbers] * count + keys[found.numbers]
    places = np.searchsorted(groups, labels)
    dropped = np.bincount(places[found.is_dropped], minlength=len(groups))
    stays: Bools = dropped[places] < in_article[places]
    return stays


def _join_sources(
    paragraphs: ParagraphColumns,
    judged: JudgedLines,
    matches: Sequence[BoilerplateMatches],
    known: _MarkedLines,
) -> _MarkedLines:
    """Return the lines that any source marks, each once, as the surest source does; `known` are those of earlier runs.

    `judged` are the lines that the model marks. `matches` are the boilerplate of the hosts, then that of the whole
    corpus, if it was searched for. What is content by the counts of its host is not taken from the model.
    """
    content, _ = _copies_of(paragraphs, paragraphs.hosts, matches[0].content)
    of_model = _MarkedLines(judged.numbers, np.ones(len(judged.numbers), bool), judged.is_sure, judged.evidence).at(
        ~np.isin(judged.numbers, content)
    )
    unknown = len(paragraphs.host_names) - 1
    counted = []
    for match, hosts in zip(matches, (paragraphs.hosts, np.full_like(paragraphs.hosts, unknown)), strict=False):
        numbers, places = _copies_of(paragraphs, hosts, match.rows)
        in_host = hosts[paragraphs.articles[numbers]] != unknown
        counted.append(_MarkedLines(numbers, in_host, np.ones(len(numbers), bool), match.evidence.at(places)))
    sources = [counted[0], of_model.at(of_model.is_dropped), *counted[1:], known, of_model.at(~of_model.is_dropped)]
    numbers, first = np.unique(np.concatenate([source.numbers for source in sources]), return_index=True)
    joined = _MarkedLines(
        np.concatenate([source.numbers for source in sources]),
        np.concatenate([source.in_host for source in sources]),
        np.concatenate([source.is_dropped for source in sources]),
        Evidence.join([source.evidence for source in sources]),
    )
    return joined.at(first)


def _copies_of(paragraphs: ParagraphColumns, hosts: I64, rows: I64) -> tuple[I64, I64]:
    """Return the paragraphs that repeat one of `rows` in its host, ascending, and the place in `rows` of each: int64.

    `hosts` number the host of each article: int64 [articles].
    """
    keys, count = paragraphs.keys, len(paragraphs.keys)
    groups, first = np.unique(hosts[paragraphs.articles[rows]] * count + keys[rows], return_index=True)
    if not len(groups):
        return rows, rows
    is_match = np.zeros(count, bool)
    is_match[keys[rows]] = True  # at the first paragraph of each key
    candidates = np.flatnonzero((paragraphs.words > 0) & is_match[keys])
    wanted = hosts[paragraphs.articles[candidates]] * count + keys[candidates]
    places = np.minimum(np.searchsorted(groups, wanted), len(groups) - 1)
    hit = groups[places] == wanted
    return candidates[hit], first[places[hit]]


def _scopes(paragraphs: ParagraphColumns, is_article: Bools) -> list[tuple[I64, list[str | None]]]:
    """Return the host of each article, int64 [articles], and their names; then the same for the corpus as one host.

    The corpus is left out if all articles are of one host.
    """
    scopes: list[tuple[I64, list[str | None]]] = [(paragraphs.hosts, paragraphs.host_names)]
    if np.count_nonzero(paragraphs.count_articles(is_article)) > 1:
        scopes.append((np.zeros_like(paragraphs.hosts), [None]))
    return scopes


def _number_reports(corpus: Corpus, paragraphs: ParagraphColumns, comparer: Comparer) -> I64:
    """Return a number for the report of each article, equal for versions of one: int64 [articles].

    It is that of the longest paragraph; articles without a long one are versions only if they are equal.
    """
    digests = digest_values(corpus.read_columns("digest")["digest"])
    reports = len(paragraphs.keys) + find_first_equal(lambda: [digests], len(corpus), comparer, corpus.budget)
    long = np.flatnonzero(paragraphs.sizes >= REPORT_WORDS)
    long = long[np.lexsort((-paragraphs.sizes[long], paragraphs.articles[long]))]
    articles, first = np.unique(paragraphs.articles[long], return_index=True)
    reports[articles] = paragraphs.keys[long[first]]
    return reports


def _first_of_reports(hosts: I64, reports: I64, is_article: Bools) -> Bools:
    """Return which articles are the first of their report in their host: bool [articles].

    So are all articles whose longest paragraph is a notice of the host. `hosts` and `reports` are int64 [articles].
    """
    rows = np.flatnonzero(is_article)
    pairs = hosts[rows] * (int(reports.max(initial=0)) + 1) + reports[rows]
    _, first, group, versions = np.unique(pairs, return_index=True, return_inverse=True, return_counts=True)
    is_first = are_notices(versions[group], np.bincount(hosts[rows])[hosts[rows]])
    is_first[first] = True
    result = np.zeros(len(hosts), bool)
    result[rows[is_first]] = True
    return result


def _collect_rows(corpus: Corpus, paragraphs: ParagraphColumns, is_article: Bools, found: _MarkedLines) -> SiteText:
    """Return the lines `found`, with a row for each line of each host; lines of new articles come first."""
    keys, hosts, numbers = paragraphs.keys, paragraphs.hosts, found.numbers
    corpus_scope = len(paragraphs.host_names)  # stands for unknown hosts as well
    articles = paragraphs.articles[numbers]
    scopes = np.where(found.in_host, hosts[articles], corpus_scope)
    new_first = np.argsort(articles < corpus.known_rows, kind="stable")
    labels, first, label = np.unique(
        (scopes * len(keys) + keys[numbers])[new_first], return_index=True, return_inverse=True
    )
    order = np.argsort(first)
    line_of_label = np.empty(len(order), np.int64)
    line_of_label[order] = np.arange(len(order))
    lines = np.empty(len(numbers), np.int64)
    lines[new_first] = line_of_label[label]
    first_places = new_first[first[order]]
    new_rows = np.count_nonzero(articles[first_places] >= corpus.known_rows)
    site_text = SiteText(
        numbers, articles, lines, found.is_dropped, found.evidence, [], int(new_rows), corpus.known_rows
    )
    is_match = np.zeros(len(keys), bool)
    is_match[keys[numbers]] = True
    candidates = np.flatnonzero((paragraphs.words > 0) & is_match[keys])
    totals = np.append(paragraphs.count_articles(is_article), np.count_nonzero(is_article))
    scopes_of_lines = labels[order] // max(len(keys), 1)
    names = [*paragraphs.host_names, None]
    columns = (
        [names[scope] for scope in scopes_of_lines.tolist()],
        _count_articles(paragraphs, candidates, labels[order], corpus_scope),
        totals[scopes_of_lines].tolist(),
        _count_dropped(site_text, len(order)),
        _read_places(corpus, paragraphs, numbers[first_places]),
    )
    for host, count, total, dropped, place_of_line in zip(*columns, strict=True):
        text, source, record, start, stop = place_of_line
        share = round(count / total, SHARE_DIGITS)
        site_text.rows.append(SiteTextRow(host, text, count, share, dropped, source, record, start, stop))
    return site_text


def _count_articles(paragraphs: ParagraphColumns, candidates: I64, labels: I64, corpus_scope: int) -> list[int]:
    """Return how many articles have the line of each of `labels`, int64, in its scope.

    `candidates` are the numbers of all paragraphs with the keys of these lines: int64.
    """
    count = len(paragraphs.keys)
    articles, keys = paragraphs.articles[candidates], paragraphs.keys[candidates]
    totals = np.zeros(len(labels), np.int64)
    for scopes in (paragraphs.hosts[articles], np.full(len(candidates), corpus_scope)):
        groups, group = np.unique(scopes * count + keys, return_inverse=True)
        in_articles = np.bincount(distinct_pairs(group, articles)[0], minlength=len(groups))
        places = np.minimum(np.searchsorted(groups, labels), max(len(groups) - 1, 0))
        totals += np.where(groups[places] == labels, in_articles[places], 0) if len(groups) else 0
    return totals.tolist()


def _count_dropped(site_text: SiteText, count: int) -> list[int]:
    """Return how many articles that are not known lose each of `count` lines."""
    dropped = site_text.is_dropped & (site_text.articles >= site_text.known_articles)
    lines, _ = distinct_pairs(site_text.lines[dropped], site_text.articles[dropped])
    counts: list[int] = np.bincount(lines, minlength=count).tolist()
    return counts


def _read_places(corpus: Corpus, paragraphs: ParagraphColumns, numbers: I64) -> list[tuple[str, str, int, int, int]]:
    """Return of the paragraphs `numbers`, int64: repaired text, source, record, and span in the raw text."""
    order = np.argsort(numbers)
    numbers = numbers[order]
    rows = paragraphs.articles[numbers]
    members = ("start", "stop", "raw_start", "raw_stop")
    spans = list(zip(*(values.tolist() for values in corpus.read_paragraphs(*members, numbers=numbers)), strict=True))

    def read_batch(part: tuple[int, PreparedBatch, int, int]) -> list[tuple[str, str, int, int, int]]:
        _, batch, first_row, stop_row = part
        low, high = np.searchsorted(rows, (first_row, stop_row)).tolist()
        if low == high:
            return []
        articles, inverse = np.unique(rows[low:high], return_inverse=True)
        columns = load_batch(batch, ["text", "findings", "source", "record"]).take(pa.array(articles - first_row))
        edits = StructLists(columns.column("findings"), ("start", "stop", "replacement"))
        raw, sources, records = (columns.column(name).to_pylist() for name in ("text", "source", "record"))
        texts = [edited_text(decode_utf8(text), edits.of(row)) for row, text in enumerate(raw)]
        return [
            (texts[row][start:stop], sources[row], records[row], *raw_span)
            for row, (start, stop, *raw_span) in zip(inverse.tolist(), spans[low:high], strict=True)
        ]

    lines = [line for part in corpus.budget.map(read_batch, corpus.numbered_batches()) for line in part]
    return [lines[place] for place in np.argsort(order).tolist()]
