"""The verdict of an index on one article."""

from __future__ import annotations

from typing import Any, NamedTuple

from dedup.decide.outcomes import Outcome
from dedup.findings import Finding


class IndexVerdict(NamedTuple):
    """The result of `Index.query` and `Index.add` for an article.

    `kept` is True if the article is kept. A dropped article has the `rule` that drops it, and its twin in the index:
    `twin` is the id, `twin_source` the source and `twin_record` the number. `similarity` is the exact Jaccard
    similarity to the twin. `findings` are the changes and flags of the article, in spans of the raw text. `text` is the
    result of `dedup.apply` for the raw text and these findings. A dropped article has the findings of the rules within
    it. `article` is its id, and `record` the number that it has in the index, or would have.
    """

    article: str
    record: int
    kept: bool
    text: str
    findings: tuple[Finding, ...]
    rule: str | None = None
    twin: str | None = None
    twin_source: str | None = None
    twin_record: int | None = None
    similarity: float | None = None
    evidence: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict as JSON values."""
        return {**self._asdict(), "findings": [finding._asdict() for finding in self.findings]}


def verdict_of(outcome: Outcome, alone: Outcome) -> IndexVerdict:
    """Return the verdict on an article with this outcome; `alone` is the outcome by the rules within it."""
    if outcome.dropped is None:
        return IndexVerdict(outcome.id, outcome.record, True, outcome.cleaned, outcome.findings)  # noqa: FBT003
    twin = outcome.dropped.twin
    return IndexVerdict(
        outcome.id,
        outcome.record,
        kept=False,
        text=alone.cleaned,
        findings=alone.findings,
        rule=outcome.dropped.rule,
        twin=twin.article,
        twin_source=twin.source,
        twin_record=twin.record,
        similarity=outcome.dropped.similarity,
        evidence=outcome.dropped.evidence,
    )
