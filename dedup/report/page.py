"""The model of a report: what HTML, Markdown and JSON show, as plain values in the order of the page.

Texts are those of the corpus, unescaped. Whoever writes them makes invisible characters visible and escapes markup.
Counts come from ``run.json`` and are exact, except where a field says that they are of the articles read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dedup.inspect.word_diff import TextPiece

ALARMING, NOTABLE = "alarming", "notable"


@dataclass(frozen=True, kw_only=True)
class ReadPart:
    """The part of an output that was read for a report: all of it, or a sample.

    `is_beginning` says that a compressed table was read up to a limit, so that the sample is from its beginning.
    """

    read: int
    articles: int
    findings: int
    seed: int
    is_whole: bool
    is_beginning: bool


@dataclass(frozen=True, kw_only=True)
class RuleRow:
    """A rule with one of its actions: numbers of findings and of characters, exact.

    `share` is that of the characters read by the run, `articles` the number of articles with such a finding among those
    read for the report.
    """

    rule: str
    level: str
    action: str
    findings: int
    characters: int
    share: float
    articles: int


@dataclass(frozen=True, kw_only=True)
class SourceRow:
    """A source or host: its articles among those read, and what was removed from them."""

    name: str
    articles: int
    dropped: int
    characters: int
    removed: int
    drops: Mapping[str, int]

    @property
    def dropped_share(self) -> float:
        """Return the share of the articles that were dropped."""
        return self.dropped / self.articles if self.articles else 0.0

    @property
    def removed_share(self) -> float:
        """Return the share of the characters that were removed."""
        return self.removed / self.characters if self.characters else 0.0


@dataclass(frozen=True, kw_only=True)
class Period:
    """A day, month or year with its articles among those read: kept, and dropped."""

    name: str
    kept: int
    dropped: int


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """Something that a person should look at: how urgent it is, what it is, and what to do."""

    severity: str
    title: str
    text: str
    advice: str


@dataclass(frozen=True, kw_only=True)
class NamedArticle:
    """An article by name, with its source and day, as far as they are known."""

    name: str
    place: str
    source: str
    day: str | None = None


@dataclass(frozen=True, kw_only=True)
class GroupRow:
    """A survivor and the articles dropped as repeating it, among those read; `size` counts the survivor, too.

    `similarity` is the lowest to the survivor, and `beginning` that of its text.
    """

    size: int
    survivor: NamedArticle
    first: NamedArticle | None
    sources: Mapping[str, int]
    members: tuple[NamedArticle, ...]
    similarity: float
    beginning: str


@dataclass(frozen=True, kw_only=True)
class FlowRow:
    """Texts of one source that another printed, too, among the drops read.

    `dated` counts those where the dates say which was first.
    """

    origin: str
    printed_by: str
    articles: int
    dated: int


@dataclass(frozen=True, kw_only=True)
class SiteLine:
    """A line of site text that a host prints in many articles: how many, and their share of the host's."""

    host: str
    line: str
    articles: int
    share: float | None


@dataclass(frozen=True, kw_only=True)
class Example:
    """A finding with its twin beside it, word by word.

    `choice` says why it is shown. `text` has what stands before and after the span as pieces of kind `around`.
    """

    rule: str
    action: str
    choice: str
    article: NamedArticle
    twin: NamedArticle | None
    similarity: float | None
    evidence: str | None
    text: tuple[TextPiece, ...]
    twin_text: tuple[TextPiece, ...]


@dataclass(frozen=True, kw_only=True)
class RuleExamples:
    """The examples of one rule, and what the rule finds."""

    rule: str
    finds: str
    examples: tuple[Example, ...]


@dataclass(frozen=True, kw_only=True)
class Similarities:
    """How similar articles are to their twins, among the findings read, and how sure the search is to find them.

    `counts` has one number for each hundredth, from 0.00 to 0.99, of articles below 1.0; `equal` those at 1.0. `curve`
    has the probability that a pair of each similarity, in hundredths up to 1.0, is compared at all.
    """

    threshold: float
    bands: int
    rows: int
    counts: tuple[int, ...]
    equal: int
    near: int
    curve: tuple[float, ...]
    at_threshold: float


@dataclass(frozen=True, kw_only=True)
class RepairRow:
    """A kind of repair: how often it was made in the articles read, and one of them with the text around it."""

    rule: str
    kind: str
    count: int
    articles: int
    before: tuple[TextPiece, ...]
    after: tuple[TextPiece, ...]
    where: str


@dataclass(frozen=True, kw_only=True)
class Reason:
    """A reason for quarantine, and the number of records that have it."""

    error: str
    records: int


@dataclass(frozen=True, kw_only=True)
class RunPage:
    """A report on one run, in the order in which it is read."""

    inputs: tuple[str, ...]
    counts: Mapping[str, int]
    characters: Mapping[str, int]
    part: ReadPart
    rules: tuple[RuleRow, ...]
    sources: tuple[SourceRow, ...]
    source_count: int
    periods: tuple[Period, ...]
    undated: int
    alarms: tuple[Alarm, ...]
    groups: tuple[GroupRow, ...]
    group_count: int
    flows: tuple[FlowRow, ...]
    within_source: int
    site_text: tuple[SiteLine, ...]
    examples: tuple[RuleExamples, ...]
    similarities: Similarities
    repairs: tuple[RepairRow, ...]
    quarantine: tuple[Reason, ...]
    settings: Mapping[str, Any]
    versions: Mapping[str, str]
    digest: str


@dataclass(frozen=True, kw_only=True)
class Change:
    """A value of two runs: of a setting, a version or a count."""

    name: str
    old: Any
    new: Any


@dataclass(frozen=True, kw_only=True)
class RuleChange:
    """The findings and characters of a rule with one action in two runs."""

    rule: str
    action: str
    old_findings: int
    new_findings: int
    old_characters: int
    new_characters: int


@dataclass(frozen=True, kw_only=True)
class ArticleChange:
    """An article that two runs treat differently, and its cleaned texts word by word if both keep it."""

    article: NamedArticle
    old: str
    new: str
    old_text: tuple[TextPiece, ...] = ()
    new_text: tuple[TextPiece, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Transition:
    """What became of articles in one run and in another, how many there are, and the first of them."""

    old: str
    new: str
    articles: int
    examples: tuple[ArticleChange, ...] = field(default=())


@dataclass(frozen=True, kw_only=True)
class ComparisonPage:
    """A report on two runs: what differs in settings, versions, counts, rules and articles."""

    part: ReadPart
    settings: tuple[Change, ...]
    versions: tuple[Change, ...]
    inputs: tuple[Change, ...]
    counts: tuple[Change, ...]
    rules: tuple[RuleChange, ...]
    unchanged: int
    other_text: int
    only_old: int
    only_new: int | None
    transitions: tuple[Transition, ...]
