"""Findings, and the two functions that give them meaning: `apply` and `revert`.

A finding names an article, a span, a rule, an action and the evidence. Spans are half-open and always count Unicode
code points of the raw text. The ``fix`` and ``drop`` findings of one article never overlap. So `apply` is one pass from
left to right over the raw text, and `revert` is the same pass over the cleaned text. ``flag`` findings report, change
nothing, and may overlap anything.

`compose` lets one stage build on another: it carries edits of an already edited text back to spans of the raw text.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple

from dedup.errors import FindingError

FIX = "fix"
DROP = "drop"
FLAG = "flag"

READ_AS = "read as"  # begins the evidence of a finding that names the charset of a record
REVIEWED = "review: rejected"  # begins that of a finding that a review has turned down: it only flags

_span = attrgetter("start", "stop")


class Finding(NamedTuple):
    """One row of the provenance table; ``docs/design.md``, section 1, describes every field."""

    article: str = ""
    source: str = "-"
    record: int = 0
    rule: str = ""
    action: str = FLAG
    start: int = 0
    stop: int = 0
    original: str | None = None
    replacement: str | None = None
    twin: str | None = None
    twin_start: int | None = None
    twin_stop: int | None = None
    similarity: float | None = None
    twin_source: str | None = None
    twin_record: int | None = None
    evidence: str | None = None


def fix(rule: str, raw: str, start: int, stop: int, replacement: str, evidence: str | None = None) -> Finding:
    r"""Return a ``fix`` that replaces ``raw[start:stop]`` by `replacement`.

    >>> fix("encoding", "na\u00c3\u00afve", 2, 4, "\u00ef").original
    'Ã¯'
    """
    # Values by position: by name takes three times as long, and a megabyte of text may have thousands of fixes.
    return Finding._make(
        ("", "-", 0, rule, FIX, start, stop, raw[start:stop], replacement, None, None, None, None, None, None, evidence)
    )


def turn_down(finding: Finding) -> Finding:
    """Return what is left of a finding that a review has turned down: a flag that says so, and its evidence.

    >>> turn_down(fix("whitespace", "one  two", 3, 5, " ")).evidence
    'review: rejected'
    """
    evidence = turned_down_evidence(finding.evidence)
    return finding._replace(action=FLAG, original=None, replacement=None, evidence=evidence)


def turned_down_evidence(evidence: str | None) -> str:
    """Return the evidence of a finding that a review has turned down, from the `evidence` that it had."""
    return REVIEWED if evidence is None else f"{REVIEWED}; {evidence}"


def is_turned_down(finding: Finding) -> bool:
    """Return True if a review has turned down `finding`."""
    return finding.action == FLAG and (finding.evidence or "").startswith(REVIEWED)


def first_evidence(finding: Finding) -> str | None:
    """Return the evidence that `finding` had before a review turned it down.

    >>> first_evidence(turn_down(fix("encoding", "a", 0, 1, "b", "latin-1"))), first_evidence(turn_down(Finding()))
    ('latin-1', None)
    """
    if not is_turned_down(finding):
        return finding.evidence
    return (finding.evidence or "")[len(REVIEWED) :].removeprefix("; ") or None


def apply(raw: str, findings: Iterable[Finding | Mapping[str, Any]]) -> str:
    """Return the cleaned text: `raw` with every ``fix`` and ``drop`` carried out.

    `findings` are those of one article, in any order, as `Finding` or as mappings with its field names (a parsed line
    of ``provenance.jsonl``). Raises `FindingError` if they overlap, lie outside the text, or if the text in a span is
    not the finding's original.

    >>> apply("one  two", [fix("whitespace", "one  two", 3, 5, " ")])
    'one two'
    """
    pieces: list[str] = []
    position = 0
    for start, stop, original, replacement in _edits(findings):
        if start < position:
            raise FindingError(f"span {start}-{stop}: overlaps the finding before it; findings do not belong together")
        if raw[start:stop] != original or stop > len(raw):
            raise FindingError(
                f"span {start}-{stop}: the text there is not the finding's original; is this the raw text?"
            )
        pieces += (raw[position:start], replacement)
        position = stop
    pieces.append(raw[position:])
    return "".join(pieces)


def revert(cleaned: str, findings: Iterable[Finding | Mapping[str, Any]]) -> str:
    """Return the raw text: the inverse of `apply` for the same findings.

    Raises `FindingError` if a replacement is not in `cleaned` at its position.

    >>> revert("one two", [fix("whitespace", "one  two", 3, 5, " ")])
    'one  two'
    """
    pieces: list[str] = []
    position = 0  # in cleaned
    raw_position = 0
    for start, stop, original, replacement in _edits(findings):
        if start < raw_position:
            raise FindingError(f"span {start}-{stop}: overlaps the finding before it; findings do not belong together")
        at = position + start - raw_position
        if at > len(cleaned) or not cleaned.startswith(replacement, at):
            raise FindingError(
                f"span {start}-{stop}: its replacement is not in the cleaned text; was the text changed since?"
            )
        pieces += (cleaned[position:at], original)
        position = at + len(replacement)
        raw_position = stop
    pieces.append(cleaned[position:])
    return "".join(pieces)


def _edits(findings: Iterable[Finding | Mapping[str, Any]]) -> list[tuple[int, int, str, str]]:
    """Return ``(start, stop, original, replacement)`` of every finding that changes the text, in text order."""
    edits = []
    for finding in findings:
        row = finding if isinstance(finding, Finding) else _finding_from_mapping(finding)
        if row.action == FLAG:
            continue
        if row.original is None or row.replacement is None:
            raise FindingError(f"span {row.start}-{row.stop}: a {row.action} needs original and replacement")
        if not 0 <= row.start <= row.stop or row.stop - row.start != len(row.original):
            raise FindingError(f"span {row.start}-{row.stop}: does not measure its original text")
        edits.append((row.start, row.stop, row.original, row.replacement))
    edits.sort(key=itemgetter(0, 1))
    return edits


def _finding_from_mapping(row: Mapping[str, Any]) -> Finding:
    """Return the `Finding` with the values of `row`; other keys are ignored."""
    return Finding(**{name: row[name] for name in Finding._fields if name in row})


class Offsets:
    """A map from offsets in an edited text to offsets in the raw text.

    It is built from the non-overlapping edits that lead from the raw to the edited text. An offset inside a replacement
    has no exact counterpart: `widen` then includes the whole edit.
    """

    def __init__(self, edits: Iterable[Finding]) -> None:
        self.edits: list[Finding] = sorted((e for e in edits if e.action != FLAG), key=_span)
        self.starts: list[int] = []  # of the replacements, in code points of the edited text
        self.stops: list[int] = []
        shift = 0
        for edit in self.edits:
            size = len(edit.replacement or "")
            self.starts.append(edit.start + shift)
            self.stops.append(edit.start + shift + size)
            shift += size - (edit.stop - edit.start)

    def widen(self, start: int, stop: int) -> tuple[int, int]:
        r"""Return the smallest span of the raw text that holds everything ``edited[start:stop]`` was made from.

        >>> Offsets([fix("encoding", "na\u00c3\u00afve", 2, 4, "\u00ef")]).widen(2, 5)
        (2, 6)
        """
        if not self.edits:
            return start, stop
        first = bisect_right(self.stops, start)  # first edit whose replacement ends after start
        if first < len(self.edits) and self.starts[first] < start:
            raw_start = self.edits[first].start
        else:
            raw_start = start + self._shift(first)
        last = bisect_left(self.starts, stop)  # first edit whose replacement starts at or after stop
        raw_stop = self.edits[last - 1].stop if last and self.stops[last - 1] > stop else stop + self._shift(last)
        return raw_start, max(raw_start, raw_stop)

    def _shift(self, count: int) -> int:
        """Return what to add to an edited offset that lies after `count` edits, to get the raw one."""
        return self.edits[count - 1].stop - self.stops[count - 1] if count else 0


def compose(raw: str, first: Sequence[Finding], second: Sequence[Finding]) -> list[Finding]:
    r"""Return the edits of `raw` that are equivalent to `first` followed by `second`.

    `first` holds edits of `raw`; `second` holds edits whose spans lie in ``apply(raw, first)``.

    - An edit of `second` replaces every edit of `first` that lies inside it.
    - An edit of `first` that lies across its border keeps the part of its replacement that is outside.
    - Where an edit of `second` lies wholly inside one replacement of `first`, the two become one finding under the rule
      of `first`.
    - Flags of `second` are carried to raw spans; those of `first` stay.

    >>> a = fix("encoding", "caf\u00c3\u00a9 \n", 3, 5, "\u00e9")
    >>> b = fix("whitespace", "caf\u00e9 \n", 4, 5, "")
    >>> [(f.start, f.stop, f.replacement) for f in compose("caf\u00c3\u00a9 \n", [a], [b])]
    [(3, 5, 'é'), (5, 6, '')]
    """
    if not second:
        return list(first)
    if not first:
        return _effective_findings(
            edit if edit.action == FLAG or edit.original is not None else _move_edit(edit, raw, edit.start, edit.stop)
            for edit in second
        )
    flags = [edit for edit in first if edit.action == FLAG]
    offsets = Offsets(first)
    replaced = zip(offsets.starts, offsets.stops, offsets.edits, strict=True)
    pending = [_PendingEdit(start, stop, edit, edit.replacement or "") for start, stop, edit in replaced]
    pending.reverse()  # a stack: the next edit in text order is the last
    composed: list[Finding] = []
    shift = 0  # from the edited text to the raw one, after the last edit passed
    for later in sorted(second, key=_span):
        if later.action == FLAG:
            start, stop = offsets.widen(later.start, later.stop)
            flags.append(Finding._make((*later[:5], start, stop, *later[7:])))
            continue
        while pending and pending[-1].stop <= later.start:
            passed = pending.pop()
            shift = passed.edit.stop - passed.stop
            composed.append(passed.finding())
        raw_start = later.start + shift
        if pending and (pending[-1].start < later.start or pending[-1].final):
            crossing = pending.pop()
            head, tail = crossing.split(later.start, later.stop)
            if tail:  # `later` lies inside one replacement: one finding for both
                final = crossing.final + head + (later.replacement or "")
                pending.append(_PendingEdit(later.stop, crossing.stop, crossing.edit, tail, final))
                continue
            composed.append(crossing._replace(text=head).finding())
            raw_start = crossing.edit.stop
            shift = crossing.edit.stop - crossing.stop
        while pending and pending[-1].start < later.stop >= pending[-1].stop:
            covered = pending.pop()
            shift = covered.edit.stop - covered.stop
        raw_stop = later.stop + shift
        if pending and pending[-1].start < later.stop:  # across the right border of `later`
            crossing = pending.pop()
            _, tail = crossing.split(crossing.start, later.stop)
            pending.append(_PendingEdit(later.stop, crossing.stop, crossing.edit, tail))
            raw_stop = crossing.edit.start
            shift = raw_stop - later.stop
        composed.append(_move_edit(later, raw, raw_start, raw_stop))
    composed += [edit.finding() for edit in reversed(pending)]
    return _effective_findings(composed + flags)


def _effective_findings(edits: Iterable[Finding]) -> list[Finding]:
    """Return `edits` without those that change nothing, in text order, flags after changes of the same span."""
    changes, flags = [], []
    for edit in edits:
        if edit.action == FLAG:
            flags.append(edit)
        elif edit.original != edit.replacement:
            changes.append(edit)
    return sorted(changes + flags, key=_span)


def _move_edit(edit: Finding, raw: str, start: int, stop: int) -> Finding:
    """Return `edit` with the span and the original of ``raw[start:stop]``."""
    original = raw[start:stop]
    if edit.action == FLAG or (edit.start == start and edit.original == original and edit.stop == stop):
        return edit
    return Finding._make((*edit[:5], start, stop, original, *edit[8:]))  # twice as fast as `_replace`


class _PendingEdit(NamedTuple):
    """An edit of the first layer, and the rest of its replacement, at ``start:stop`` of the edited text."""

    start: int
    stop: int
    edit: Finding
    text: str  # the rest of the replacement that later edits may still change
    final: str = ""  # the part of the replacement before it

    def finding(self) -> Finding:
        """Return the edit with the replacement as it is now."""
        if not self.final and self.text == self.edit.replacement:
            return self.edit
        return self.edit._replace(replacement=self.final + self.text)

    def split(self, start: int, stop: int) -> tuple[str, str]:
        """Return the parts of `text` before `start` and after `stop`, offsets in the edited text."""
        return self.text[: max(0, start - self.start)], self.text[max(0, stop - self.start) :]
