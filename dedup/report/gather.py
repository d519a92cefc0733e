"""Count what happened to the articles that are read, in one pass, and choose those to show.

No text of an article is kept, apart from short ones: `dedup.report.build` fetches the few that are shown.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from dedup.findings import FIX, FLAG, Finding, first_evidence
from dedup.inspect.article_rows import Article
from dedup.inspect.names import RecordKey, twin_key
from dedup.match.policy import ARTICLE_MATCH_RULES, CONTAINED, NEAR_DUPLICATE
from dedup.match.same_form import SAME_FORM_EVIDENCE
from dedup.read.article_fields import date_of, host_of
from dedup.repairs.equal_fixes import is_run
from dedup.rules import WHOLE_ARTICLE_RULES
from dedup.settings import Settings

_EXACT_RULES = set(WHOLE_ARTICLE_RULES) - {ARTICLE_MATCH_RULES[CONTAINED]}  # the rules that use the threshold
BINS = 100  # of similarities below 1.0

CANDIDATES_KEPT = 3  # findings of a rule that may be shown as surest, and as most borderline
MEMBERS_SHOWN = 6  # of a group
_SPAN_LENGTH = range(60, 2_000)  # characters: shorter spans say little, longer ones are hard to read
_SITE_LINE = 300  # characters kept of a line of site text

_DAY = 86_400_000_000  # microseconds


class Known(NamedTuple):
    """An article that was read: id, source (its host, or the file) and day since 1970, None if it has no date."""

    id: str
    source: str
    day: int | None


@dataclass
class OfSource:
    """Counts over the articles of one source."""

    articles: int = 0
    dropped: int = 0
    characters: int = 0
    removed: int = 0
    drops: Counter[str] = field(default_factory=Counter)
    touched: Counter[str] = field(default_factory=Counter)  # characters that each rule removes


@dataclass
class OfGroup:
    """The dropped articles with one twin: how many, from where, the lowest similarity, and the first by date."""

    size: int = 0
    similarity: float = 1.0
    sources: Counter[str] = field(default_factory=Counter)
    members: list[RecordKey] = field(default_factory=list)
    first: RecordKey | None = None
    first_day: int | None = None


@dataclass
class OfRepair:
    """A kind of repair: how often, in how many articles, and one of them with the key of its article."""

    count: int = 0
    articles: int = 0
    shown: tuple[RecordKey, Finding] | None = None
    last: RecordKey | None = None  # the article that was counted last


class ShownFinding(NamedTuple):
    """A finding that may be shown; candidates are in the order of `rank`, and equal ranks in input order."""

    rank: tuple[float, ...]
    number: int
    finding: Finding


@dataclass
class Gathered:
    """Everything that a report counts over the articles read."""

    articles: int = 0
    findings: int = 0
    known: dict[RecordKey, Known] = field(default_factory=dict)
    sources: dict[str, OfSource] = field(default_factory=lambda: defaultdict(OfSource))
    days: dict[int, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))  # kept and dropped
    undated: int = 0
    groups: dict[RecordKey, OfGroup] = field(default_factory=lambda: defaultdict(OfGroup))
    drops: list[tuple[RecordKey, RecordKey]] = field(default_factory=list)  # of whole articles: article and twin
    near_drops: list[tuple[RecordKey, RecordKey]] = field(default_factory=list)  # those of near-duplicates
    rule_articles: Counter[tuple[str, str]] = field(default_factory=Counter)
    similarities: Counter[int] = field(default_factory=Counter)  # hundredths
    site_lines: Counter[tuple[str, str]] = field(default_factory=Counter)  # by source and line
    repairs: dict[tuple[str, str], OfRepair] = field(default_factory=lambda: defaultdict(OfRepair))
    surest: dict[tuple[str, str], list[ShownFinding]] = field(default_factory=lambda: defaultdict(list))
    borderline: dict[tuple[str, str], list[ShownFinding]] = field(default_factory=lambda: defaultdict(list))


def gather(articles: Iterable[Article], settings: Settings) -> Gathered:
    """Return the counts over `articles`."""
    gathered = Gathered()
    count = _Counting(gathered, settings)
    for article in articles:
        count.add(article)
    return gathered


class _Counting:
    """The pass over articles that fills a `Gathered`."""

    def __init__(self, gathered: Gathered, settings: Settings) -> None:
        self.gathered = gathered
        self.settings = settings

    def add(self, article: Article) -> None:
        """Count one article."""
        gathered = self.gathered
        known = known_article(article, self.settings)
        gathered.known[article.key] = known
        gathered.articles += 1
        gathered.findings += len(article.findings)
        if known.day is None:
            gathered.undated += 1
        else:
            gathered.days[known.day][not article.kept] += 1
        of_source = gathered.sources[known.source]
        of_source.articles += 1
        removed = sum(self._add_finding(finding, known, of_source) for finding in article.findings)
        of_source.characters += len(article.text) + (removed if article.kept else 0)
        of_source.removed += removed
        gathered.rule_articles.update({(finding.rule, finding.action) for finding in article.findings})
        drop = article.dropped_by
        if drop is not None:
            of_source.dropped += 1
            of_source.drops[drop.rule] += 1
            self._add_drop(article, drop, known)

    def _add_finding(self, finding: Finding, known: Known, of_source: OfSource) -> int:
        """Count one finding, and return the number of characters by which it shortens the text."""
        gathered = self.gathered
        if finding.action == FIX:
            self._add_repair(finding)
            return len(finding.original or "") - len(finding.replacement or "")
        if finding.rule in _EXACT_RULES and finding.similarity is not None:
            gathered.similarities[int(finding.similarity * BINS)] += 1
        self._consider(finding)
        if finding.action == FLAG:
            return 0
        size = finding.stop - finding.start
        of_source.touched[finding.rule] += size
        if finding.rule == "boilerplate":
            gathered.site_lines[known.source, (finding.original or "").strip()[:_SITE_LINE]] += 1
        return size

    def _add_repair(self, finding: Finding) -> None:
        """Count a fix by its kind; a single fix is shown rather than a run of them."""
        key = finding.source, finding.record
        is_single = not is_run(finding)
        repair = self.gathered.repairs[finding.rule, repair_kind(finding)]
        repair.count += 1 if is_single else _fix_count(finding)
        repair.articles += repair.last != key
        repair.last = key
        if repair.shown is None or (is_single and is_run(repair.shown[1])):
            repair.shown = key, finding

    def _add_drop(self, article: Article, drop: Finding, known: Known) -> None:
        """Count a dropped article in the group of its twin."""
        twin = twin_key(drop)
        if twin is None:
            return
        self.gathered.drops.append((article.key, twin))
        if drop.rule == ARTICLE_MATCH_RULES[NEAR_DUPLICATE]:
            self.gathered.near_drops.append((article.key, twin))
        group = self.gathered.groups[twin]
        group.size += 1
        group.sources[known.source] += 1
        group.similarity = min(group.similarity, 1.0 if drop.similarity is None else drop.similarity)
        if len(group.members) < MEMBERS_SHOWN:
            group.members.append(article.key)
        if known.day is not None and (group.first_day is None or known.day < group.first_day):
            group.first, group.first_day = article.key, known.day

    def _consider(self, finding: Finding) -> None:
        """Keep a finding that may be shown, if it is among the surest or the most borderline of its rule."""
        rule = finding.rule, finding.action
        size = finding.stop - finding.start
        similarity = 1.0 if finding.similarity is None else finding.similarity
        readable = float(size in _SPAN_LENGTH)
        if (first_evidence(finding) or "").startswith(SAME_FORM_EVIDENCE):
            similarity = 1 - similarity  # the more alike two texts of one form are, the more they look like a copy
        number = -self.gathered.findings
        _push(self.gathered.surest[rule], ShownFinding((readable, similarity, size), number, finding))
        _push(self.gathered.borderline[rule], ShownFinding((readable, -similarity, -size), number, finding))


def _push(heap: list[ShownFinding], candidate: ShownFinding) -> None:
    """Add a candidate to a heap of the `CANDIDATES_KEPT` of highest rank, none of which repeats the text of another."""
    if len(heap) == CANDIDATES_KEPT and candidate[:2] <= heap[0][:2]:
        return
    twin = _twin_span(candidate.finding)
    if twin is not None and any(_twin_span(other.finding) == twin for other in heap):
        return
    if len(heap) < CANDIDATES_KEPT:
        heapq.heappush(heap, candidate)
    else:
        heapq.heapreplace(heap, candidate)


def _twin_span(finding: Finding) -> tuple[RecordKey, int | None] | None:
    key = twin_key(finding)
    return None if key is None else (key, finding.twin_start)


def known_article(article: Article, settings: Settings) -> Known:
    """Return the id, source and day of an article."""
    _, host = host_of(article.fields, settings)
    _, date = date_of(article.fields, settings)
    return Known(article.id, host or article.source, None if date is None else date // _DAY)


def repair_kind(finding: Finding) -> str:
    r"""Return the kind of a fix in plain words, from its evidence.

    >>> repair_kind(Finding(action="fix", evidence="3 times '\\\\r' -> '\\\\n': fix_line_breaks"))
    'line ends'
    """
    return _plain_kind(finding.evidence or "")


_PLAIN_KINDS: dict[str, str] = {
    "fix_line_breaks": "line ends",
    "unescape_html": "entities of HTML",
    "remove_control_chars": "control characters",
    "remove_terminal_escapes": "terminal escapes",
    "fix_surrogates": "surrogates",
    "normalize NFC": "composed characters (NFC)",
}
_MOJIBAKE = "mojibake"


@lru_cache(1 << 10)
def _plain_kind(evidence: str) -> str:
    """Return the kind of repair that the evidence of a fix, or of a run of fixes, names."""
    evidence = evidence.rpartition("': ")[2]
    if "decode" in evidence:
        return _MOJIBAKE
    return ", ".join(_PLAIN_KINDS.get(step, step.replace("_", " ")) for step in evidence.split(", ")) or "other"


def _fix_count(run: Finding) -> int:
    """Return how many fixes a run of fixes is."""
    return int((run.evidence or "").partition(" ")[0].replace(",", ""))
