"""Find the texts of a corpus that a review has decided about, and carry out what it says about them.

Rejecting a drop brings back that article and changes nothing else: it is compared as if it were dropped, so no other
article or paragraph gets another finding because of it. A line of site text is the exception. Articles are compared
without the lines that they lose, so one that keeps a line is compared with it. An article that is preferred is decided
first, and the loop over survivors says what follows for the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from dedup.arrays import I64, Bools, decode_utf8, encode_utf8, pack
from dedup.findings import turned_down_evidence
from dedup.kernels import reference
from dedup.match.articles import ArticleMatches
from dedup.match.boilerplate import Evidence
from dedup.match.paragraph_columns import ParagraphColumns
from dedup.match.policy import ARTICLE_MATCH_RULES, BOILERPLATE, NO_MATCH
from dedup.prepare.columns import digest_values
from dedup.prepare.corpus import Corpus
from dedup.prepare.store import PreparedBatch, load_batch
from dedup.review.decisions import REJECT, ArticleText, Decision, text_digest
from dedup.review.ruling import Ruling
from dedup.segment.digests import text_digests

_ReviewedPart = tuple[int, PreparedBatch, int, int]


class FoundTexts(NamedTuple):
    """The rows of the articles that decisions name, ascending.

    `are_same` says whether they have the text that was decided about. Otherwise only their ids are equal.
    """

    rows: list[int]
    are_same: bool


class ReviewedCorpus:
    """A ruling with the rows of a corpus that it is about. `places` are the articles that were found."""

    def __init__(self, corpus: Corpus, ruling: Ruling) -> None:
        self.corpus = corpus
        self.ruling = ruling
        self.places = find_texts(corpus, ruling.articles)
        self._hosts = corpus.read_columns("host")["host"].to_pylist() if ruling.rules_of_hosts else []

    @property
    def counts(self) -> dict[str, int]:
        """How many articles the decisions name, and how many of them are in the corpus."""
        return {"articles": len(self.ruling.articles), "articles_found": len(self.places)}

    def preferred(self) -> I64:
        """Return the rows of the articles that are decided first, in that order: int64 [articles]."""
        rows = [row for article in self.ruling.preferred for row in self._same_rows(article)]
        return np.array(list(dict.fromkeys(rows)), np.int64)

    def rejected_drops(self, articles: ArticleMatches) -> Bools:
        """Return which articles stay although they repeat others, or are flagged wrongly: bool [articles]."""
        rejected = np.zeros(len(self.corpus), bool)
        for code, rule in enumerate(ARTICLE_MATCH_RULES):
            hosts = self._hosts_of_rule(rule)
            if code != NO_MATCH and hosts:
                rejected |= (articles.rules == code) & self._are_of(hosts)
        for article, is_rejected in self.ruling.rejected_drops.items():
            rejected[self._same_rows(article)] = is_rejected
        rejected &= articles.rules != NO_MATCH
        return rejected

    def decisions_of(self, batch: int) -> dict[int, list[Decision]]:
        """Return the decisions about findings within the articles of a batch, given by number, by row in it."""
        start, stop = self.corpus.starts[batch : batch + 2].tolist()
        by_row = self._decisions_by_row
        return {row - start: by_row[row] for row in range(start, stop) if row in by_row} if by_row else {}

    @cached_property
    def _decisions_by_row(self) -> dict[int, list[Decision]]:
        """The decisions about findings within each article that has some."""
        by_row: dict[int, list[Decision]] = {}
        for host, rules in self.ruling.rules_of_hosts.items():
            within = [each for rule, each in rules.items() if rule not in {*ARTICLE_MATCH_RULES, BOILERPLATE}]
            for row in np.flatnonzero(self._are_of({host})).tolist() if within else ():
                by_row.setdefault(row, []).extend(within)
        for article, decisions in self.ruling.findings_by_article.items():
            found = self.places.get(article)
            for row in found.rows if found else ():
                anywhere = decisions if found and found.are_same else [_without_place(each) for each in decisions]
                by_row.setdefault(row, []).extend(anywhere)
        return by_row

    def rejected_lines(self, paragraphs: ParagraphColumns, numbers: I64, in_host: Bools) -> Bools:
        """Return which of the paragraphs `numbers`, int64, are lines of site text that stay: bool [paragraphs].

        `in_host` says which are site text of their host, and not of the whole corpus.
        """
        hosts = self._hosts_of_rule(BOILERPLATE)
        by_line = dict(zip(_digests_of_lines(self.ruling.lines), self.ruling.lines, strict=True))
        by_host_and_line = {(line.host, digest): line.decision == REJECT for digest, line in by_line.items()}
        by_article: dict[tuple[int, bytes], bool] = {}
        for article, decisions in self.ruling.lines_by_article.items():
            for digest, decision in zip(_digests_of_lines(decisions), decisions, strict=True):
                found = self.places.get(article)
                for row in found.rows if found else ():
                    by_article[row, digest] = decision.decision == REJECT
        if not (hosts or by_host_and_line or by_article):
            return np.zeros(len(numbers), bool)
        rows = paragraphs.articles[numbers].tolist()
        names = [paragraphs.host_names[host] for host in paragraphs.hosts[paragraphs.articles[numbers]].tolist()]
        digests = _digests_of_paragraphs(self.corpus, numbers)
        rejected = []
        for row, name, is_of_host, digest in zip(rows, names, in_host.tolist(), digests, strict=True):
            scope = name if is_of_host else None
            answer = by_host_and_line.get((scope, digest), name in hosts)
            rejected.append(by_article.get((row, digest), answer))
        return np.array(rejected, bool)

    def _same_rows(self, article: ArticleText) -> list[int]:
        found = self.places.get(article)
        return found.rows if found and found.are_same else []

    def _hosts_of_rule(self, rule: str) -> set[str]:
        """Return the hosts of which all findings of `rule` are rejected."""
        return {host for host, rules in self.ruling.rules_of_hosts.items() if rule in rules}

    def _are_of(self, hosts: set[str]) -> Bools:
        """Return which articles are of one of `hosts`: bool [articles]."""
        encoded = {encode_utf8(host) for host in hosts}
        return np.array([host in encoded for host in self._hosts], bool)


def keep_rejected(articles: ArticleMatches, rejected: Bools) -> ArticleMatches:
    """Return `articles` with those of `rejected`, bool [articles], among those that stay; their matches only flag."""
    rows = np.flatnonzero(rejected).tolist()
    evidence = articles.evidence | {row: turned_down_evidence(articles.evidence.get(row)) for row in rows}
    return articles._replace(kept=articles.kept | rejected, evidence=evidence, brought_back=rejected & ~articles.kept)


def evidence_of_rejected(evidence: Evidence, rejected: Bools) -> Evidence:
    """Return the evidence of lines of site text; that of `rejected` ones, bool [lines], says so."""
    texts = [
        turned_down_evidence(text) if is_rejected else text
        for text, is_rejected in zip(evidence.to_list(), rejected.tolist(), strict=True)
    ]
    return Evidence.of(texts, np.arange(len(texts)))


def find_texts(corpus: Corpus, articles: Sequence[ArticleText]) -> dict[ArticleText, FoundTexts]:
    """Return the rows of each article: those with its text and id; if there are none, its text; at last its id.

    Every text of the corpus is hashed once, in the threads of the budget.
    """
    if not articles:
        return {}
    digests = {article.sha256 for article in articles}
    ids = {article.id for article in articles}

    def search(part: _ReviewedPart) -> list[tuple[int, str, str]]:
        _, batch, start, _ = part
        columns = load_batch(batch, ["id", "text", "error"])
        hits = []
        rows = zip(*(columns.column(name).to_pylist() for name in ("id", "text", "error")), strict=True)
        for row, (identity, text, error) in enumerate(rows, start):
            if error is None:
                digest, name = text_digest(decode_utf8(text)), decode_utf8(identity)
                if digest in digests or name in ids:
                    hits.append((row, name, digest))
        return hits

    by_digest: dict[str, list[int]] = {}
    by_id: dict[str, list[int]] = {}
    for hits in corpus.budget.map(search, corpus.numbered_batches()):
        for row, name, digest in hits:
            by_digest.setdefault(digest, []).append(row)
            by_id.setdefault(name, []).append(row)
    found = {}
    for article in articles:
        same_text, same_id = by_digest.get(article.sha256, []), by_id.get(article.id, [])
        both = sorted(set(same_text) & set(same_id))
        if both or same_text or same_id:
            found[article] = FoundTexts(both or same_text or same_id, bool(same_text))
    return found


def _without_place(decision: Decision) -> Decision:
    """Return a decision about a finding that is found again wherever its text is."""
    values = {name: getattr(decision, name) for name in Decision.__struct_fields__}
    return Decision(**{**values, "start": None})


def _digests_of_lines(decisions: Sequence[Decision]) -> list[bytes]:
    """Return the digest of the line of each decision, as `dedup.segment.digests` has it."""
    if not decisions:
        return []
    packed = pack([encode_utf8(decision.line or "") for decision in decisions])
    segments = reference.segment_batch(*packed)
    return text_digests(segments, reference.find_fact_marks(*packed, segments))


def _digests_of_paragraphs(corpus: Corpus, numbers: I64) -> list[bytes]:
    """Return the digests of the paragraphs `numbers`, int64, ascending."""
    firsts = corpus.paragraph_offsets[corpus.starts]
    borders = np.searchsorted(numbers, firsts)
    digests: list[bytes] = []
    for number, (column,) in enumerate(corpus.iter_paragraphs("digest")):
        inside = numbers[borders[number] : borders[number + 1]] - firsts[number]
        digests += [value.tobytes() for value in digest_values(column)[inside]]
    return digests
