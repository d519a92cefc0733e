"""Turn down the findings of one article that a review rejects."""

from __future__ import annotations

from collections.abc import Sequence

from dedup.findings import DROP, FLAG, Finding, is_turned_down, turn_down
from dedup.repairs.equal_fixes import merge_equal_fixes
from dedup.review.decisions import Decision
from dedup.review.ruling import is_rejected
from dedup.rules import BY_NAME, TEXT


def rejected_changes(raw: str, findings: Sequence[Finding], decisions: Sequence[Decision]) -> list[Finding]:
    """Return the drops above the text level among the `findings` of one article that `decisions` reject."""
    if not decisions:
        return []
    return [
        finding
        for finding in findings
        if finding.action == DROP and BY_NAME[finding.rule].level != TEXT and is_rejected(finding, raw, decisions)
    ]


def turn_down_rejected(raw: str, findings: list[Finding], decisions: Sequence[Decision]) -> list[Finding]:
    """Return the findings of one article; those that `decisions` reject only flag, and the text in them stays raw.

    A person decides about a run of equal fixes as about one finding, so it is turned down as one.
    """
    if not decisions:
        return findings
    merged = merge_equal_fixes(raw, findings)
    rejected = [finding for finding in merged if not is_turned_down(finding) and is_rejected(finding, raw, decisions)]
    if not rejected:
        return findings
    left = [finding for finding in findings if not any(_covers(whole, finding) for whole in rejected)]
    return sorted([*left, *map(turn_down, rejected)], key=lambda finding: (finding.start, finding.stop, finding.rule))


def _covers(whole: Finding, finding: Finding) -> bool:
    """Return True if `finding` is `whole`, or one of the fixes that were merged into it."""
    if finding == whole:
        return True
    is_within = whole.start <= finding.start and finding.stop <= whole.stop
    return is_within and finding.rule == whole.rule and finding.action == whole.action != FLAG
