"""Find site text: the lines that are the site's, in every article that has them, before any articles are compared.

The rule `boilerplate` decides about the lines of each host and of the whole corpus, by their counts. Every copy of a
line goes, the first one as well. Each line is kept once for each host, as a row of the table of site text, which its
copies repeat.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

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
from dedup.match.paragraph_columns import ParagraphColumns, read_raw_texts
from dedup.match.policy import BOILERPLATE
from dedup.prepare.columns import StructLists, digest_values, integer_values
from dedup.prepare.compared_texts import edited_text
from dedup.prepare.corpus import Corpus
from dedup.prepare.site_text import SITE_TEXT_SCHEMA_OF_BATCH
from dedup.prepare.store import PreparedBatch, load_batch
from dedup.rules import OFF
from dedup.settings import Settings

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
    what was counted.
    """

    numbers: I64
    articles: I64
    lines: I64
    is_dropped: Bools
    evidence: Evidence
    rows: list[SiteTextRow]

    @property
    def counts(self) -> dict[str, int]:
        """Return counts for the report: different lines, and the articles that are compared without some lines."""
        return {"lines": len(self.rows), "articles": len(np.unique(self.articles[self.is_dropped]))}

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
    corpus: Corpus, paragraphs: ParagraphColumns, settings: Settings, comparer: Comparer = reference
) -> SiteText:
    """Return the lines of `corpus` that are the site's; `paragraphs` are all its paragraphs.

    Versions of one report of a host count once.
    """
    if settings.rules[BOILERPLATE] == OFF:
        empty = np.empty(0, np.int64)
        return SiteText(empty, empty, empty, np.empty(0, bool), Evidence.none(0), [])
    is_article = integer_values(corpus.read_columns("words")["words"]) > 0
    reports = _number_reports(corpus, paragraphs, comparer)
    matches = []
    for hosts, names in _scopes(paragraphs, is_article):
        is_counted = is_article & _first_of_reports(hosts, reports, is_article)
        present = (paragraphs.words > 0) & is_counted[paragraphs.articles]
        totals = np.bincount(hosts[is_counted], minlength=len(names)).astype(np.int64)
        lines = Lines(paragraphs.articles, paragraphs.keys, paragraphs.sizes, present, hosts, totals)
        matches.append(find_boilerplate(lines, names, lambda numbers: read_raw_texts(corpus, paragraphs, numbers)))
    return _collect_copies(corpus, paragraphs, is_article, matches, settings)


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


def _collect_copies(
    corpus: Corpus,
    paragraphs: ParagraphColumns,
    is_article: Bools,
    matches: Sequence[BoilerplateMatches],
    settings: Settings,
) -> SiteText:
    """Return all copies of the lines in `matches`, with a row for each line of each host.

    `matches` are those of the hosts, then those of the whole corpus, if they were searched for.
    """
    keys, hosts = paragraphs.keys, paragraphs.hosts
    found = np.concatenate([match.rows for match in matches])
    is_match = np.zeros(len(keys), bool)
    is_match[keys[found]] = True  # at the first paragraph of each key
    candidates = np.flatnonzero((paragraphs.words > 0) & is_match[keys])
    of_host = hosts[paragraphs.articles[candidates]]
    # Scopes: the hosts, then the whole corpus, which stands for unknown hosts as well.
    unknown, corpus_scope = len(paragraphs.host_names) - 1, len(paragraphs.host_names)
    in_host = np.arange(len(found)) < len(matches[0].rows)
    scope_of_match = np.where(in_host, hosts[paragraphs.articles[found]], corpus_scope)
    groups, first_match = np.unique(scope_of_match * len(keys) + keys[found], return_index=True)
    evidence = [text for match in matches for text in match.evidence.to_list()]

    def numbers_in(scopes: I64) -> I64:
        """Return the place in `groups` of each candidate as a line of its scope, -1 for none."""
        wanted = scopes * len(keys) + keys[candidates]
        places = np.minimum(np.searchsorted(groups, wanted), len(groups) - 1)
        return np.where(groups[places] == wanted, places, -1) if len(groups) else np.full(len(wanted), -1)

    place_in_host, place_in_corpus = numbers_in(of_host), numbers_in(np.full(len(candidates), corpus_scope))
    place = np.where(place_in_host >= 0, place_in_host, place_in_corpus)
    scopes = np.where((place_in_host >= 0) & (of_host != unknown), of_host, corpus_scope)
    chosen = place >= 0
    numbers, scopes = candidates[chosen], scopes[chosen]
    articles = paragraphs.articles[numbers]
    labels, first, label = np.unique(scopes * len(keys) + keys[numbers], return_index=True, return_inverse=True)
    order = np.argsort(first)
    line_of_label = np.empty(len(order), np.int64)
    line_of_label[order] = np.arange(len(order))
    is_dropped = np.full(len(numbers), settings.rules[BOILERPLATE] == DROP)
    site_text = SiteText(
        numbers, articles, line_of_label[label], is_dropped, Evidence.of(evidence, first_match[place[chosen]]), []
    )
    totals = np.append(paragraphs.count_articles(is_article), np.count_nonzero(is_article))
    scopes_of_lines = labels[order] // max(len(keys), 1)
    names = [*paragraphs.host_names, None]
    columns = (
        [names[scope] for scope in scopes_of_lines.tolist()],
        _count_articles(paragraphs, candidates, labels[order], corpus_scope),
        totals[scopes_of_lines].tolist(),
        _count_dropped(site_text, len(order)),
        _read_places(corpus, paragraphs, numbers[first[order]]),
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
    """Return how many articles lose each of `count` lines."""
    dropped = site_text.is_dropped
    lines, _ = distinct_pairs(site_text.lines[dropped], site_text.articles[dropped])
    counts: list[int] = np.bincount(lines, minlength=count).tolist()
    return counts


def _read_places(corpus: Corpus, paragraphs: ParagraphColumns, numbers: I64) -> list[tuple[str, str, int, int, int]]:
    """Return of the paragraphs `numbers`, int64, ascending: repaired text, source, record, and span in the raw text."""
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

    parts = corpus.budget.map(read_batch, corpus.numbered_batches())
    return [line for part in parts for line in part]
