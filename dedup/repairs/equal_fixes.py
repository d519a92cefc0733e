r"""Merge runs of equal fixes, such as the conversion of all line ends of a text, into one finding each.

A merged finding is a fix like any other: its original and its replacement include the text between the single fixes.
So this text is stored twice. Fixes are therefore merged only where they are near: a finding without text takes about
250 bytes in ``provenance.jsonl``, as much as 120 characters between two fixes. Line ends are the exception, because
their conversion is one act: they are merged wherever nothing but one line is between them, and no line end that stays.
So a text of another system has one finding, a stray ``\r`` in a text with other line ends has its own, and two of them
50,000 characters apart stay two. Findings of other kinds, except for flags, end a run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from dedup.findings import FIX, FLAG, Finding

LEAST_EQUAL = 3  # equal fixes that are a run
NEAR_FIXES = 120  # characters between two fixes
LONGEST_LINE = 5_000  # characters between two line ends

_LINE_END_CHARACTERS = frozenset("\n\r\x0b\x0c\u2028\u2029")
_FIX_SHOWN = 3  # kinds of evidence of a run
_EVIDENCE = re.compile(r"[0-9,]+ times ")


def merge_equal_fixes(raw: str, findings: Sequence[Finding]) -> list[Finding]:
    r"""Return `findings`, those of one article in the order of their starts, with each run of equal fixes merged.

    >>> from dedup.findings import fix
    >>> raw = "one\r\ntwo\r\nthree\r\n"
    >>> [merged] = merge_equal_fixes(raw, [fix("encoding", raw, at, at + 1, "", "CRLF") for at in (3, 8, 15)])
    >>> merged.start, merged.stop, merged.original, merged.replacement, merged.evidence
    (3, 16, '\r\ntwo\r\nthree\r', '\ntwo\nthree', "3 times '\\r' -> '': CRLF")
    """
    merged: list[Finding | None] = list(findings)
    run: list[int] = []  # places of equal fixes in `findings`
    for place, finding in enumerate(findings):
        if finding.action == FLAG:
            continue
        if run and not _continues(raw, findings[run[-1]], finding):
            _merge_run(raw, findings, run, merged)
            run = []
        run.append(place)
    _merge_run(raw, findings, run, merged)
    return [finding for finding in merged if finding is not None]


def is_run(finding: Finding) -> bool:
    """Return True if `finding` is a run of equal fixes; its evidence then says how many and of what kind."""
    return finding.action == FIX and bool(finding.evidence) and bool(_EVIDENCE.match(finding.evidence or ""))


def _continues(raw: str, finding: Finding, later: Finding) -> bool:
    """Return True if `later`, the next change after `finding`, belongs to one run with it."""
    if later.rule != finding.rule or later.action != FIX or finding.action != FIX:
        return False
    if later.twin is not None or finding.twin is not None or _kind(later) != _kind(finding):
        return False
    size = later.start - finding.stop
    return size <= NEAR_FIXES or (size <= LONGEST_LINE and _is_line(raw, finding, later))


def _kind(finding: Finding) -> tuple[str, str]:
    """Return what a fix replaces by what, each character of a row of equal ones by itself."""
    old, new = finding.original or "", finding.replacement or ""
    size = len(old)
    if size > 1 and old == old[0] * size and (not new or new == new[0] * size):
        return old[0], new[:1]
    return old, new


def _is_line(raw: str, finding: Finding, later: Finding) -> bool:
    """Return True if both findings convert line ends, and there is no line end between them that stays."""
    old, new = _kind(finding)
    if "\n" in old or not _LINE_END_CHARACTERS.issuperset(old + new):
        return False
    # The fix of "\r\n" is the removal of "\r", so the line begins after "\n".
    start = finding.stop + (not new and raw.startswith("\n", finding.stop))
    return _LINE_END_CHARACTERS.isdisjoint(raw[start : later.start])


def _merge_run(raw: str, findings: Sequence[Finding], run: Sequence[int], merged: list[Finding | None]) -> None:
    """Put one finding for those at the places `run` into `merged`, if they are enough."""
    if len(run) < LEAST_EQUAL:
        return
    fixes = [findings[place] for place in run]
    pieces = [fixes[0].replacement or ""]
    for before, after in pairwise(fixes):
        pieces += (raw[before.stop : after.start], after.replacement or "")
    kinds = list(dict.fromkeys(fix.evidence for fix in fixes if fix.evidence))
    shown = "; ".join(kinds[:_FIX_SHOWN]) + ("; ..." if len(kinds) > _FIX_SHOWN else "")
    first, stop = fixes[0], fixes[-1].stop
    old, new = _kind(first)
    count = sum(len(fix.original or "") // max(len(old), 1) or 1 for fix in fixes)
    merged[run[0]] = first._replace(
        stop=stop,
        original=raw[first.start : stop],
        replacement="".join(pieces),
        evidence=f"{count:,} times {shortened(old)} -> {shortened(new)}" + (f": {shown}" if shown else ""),
    )
    for place in run[1:]:
        merged[place] = None


def shortened(text: str | None, size: int = 40) -> str:
    """Return at most `size` characters of `text` as an ASCII literal."""
    return ascii(text if text is None or len(text) <= size else text[:size] + "...")
