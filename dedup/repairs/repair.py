"""Repair one text: the rules ``encoding``, ``markup``, ``whitespace`` and ``typography`` in turn, as findings.

Each rule is a plain function from a text to findings with spans in that text. It sees the text as the rule before left
it, and all rules are repeated until nothing changes. `compose` carries the findings back to the raw text.

One limit remains: a text can be built so that each round uncovers work for the next (an entity hidden by a soft hyphen
hidden by an entity ...). After `MAX_ROUNDS` rounds it is left as it is, and repairing it again continues.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import partial

from dedup.findings import FIX, FLAG, Finding, apply, compose
from dedup.repairs.encoding import MAX_ROUNDS, KnownLines, repair_encoding
from dedup.repairs.equal_fixes import merge_equal_fixes, shortened
from dedup.repairs.markup import repair_markup
from dedup.repairs.screen import BITS
from dedup.repairs.typography import repair_typography
from dedup.repairs.whitespace import repair_whitespace
from dedup.rules import OFF
from dedup.settings import Settings

_DEFAULTS = Settings()
_EVERY_RULE = sum(BITS.values())


def repair(text: str, settings: Settings = _DEFAULTS) -> tuple[str, list[Finding]]:
    r"""Return the repaired text and the findings that say what changed.

    Findings belong to the rules ``encoding``, ``markup``, ``whitespace`` and ``typography``. Their spans are in
    code points of `text`, in the order of their starts. A rule set to ``flag`` reports and changes nothing. A run of
    equal fixes is one finding (`dedup.repairs.equal_fixes`).

    >>> cleaned, findings = repair("na\u00c3\u00afve caf\u00c3\u00a9 \n")
    >>> cleaned
    'naïve café\n'
    >>> [(f.rule, f.start, f.stop, f.replacement) for f in findings]
    [('encoding', 2, 4, 'ï'), ('encoding', 10, 12, 'é'), ('whitespace', 12, 13, '')]
    """
    cleaned, findings = repair_each(text, settings)
    return cleaned, merge_equal_fixes(text, findings)


def repair_each(text: str, settings: Settings = _DEFAULTS) -> tuple[str, list[Finding]]:
    """Return the repaired text and a finding for each single fix; otherwise like `repair`."""
    state = RepairState(text, settings)
    while state.round():
        pass
    return state.text, state.findings


class RepairState:
    """A text under repair: its current state, and the findings so far with spans in the raw text."""

    def __init__(self, raw: str, settings: Settings) -> None:
        self.raw = self.text = raw
        self.findings: list[Finding] = []
        self._settings = settings
        self._settled: str | None = None  # a text in which the whitespace rule finds nothing more
        self._turn = 0

    def round(self, bits: int = _EVERY_RULE, known: KnownLines | None = None) -> bool:
        """Apply each rule once, and return True if another round may find more.

        `bits` are the bits of the rules (`dedup.repairs.screen.BITS`) that may find something in the current text.
        `known` is what the screen already knows about its lines.
        """
        before = self.text
        for rule, layer in self._layers(known):
            action = self._settings.rules[rule]
            if action == OFF or (action == FLAG and self._turn):
                continue  # the rule is off, or has reported in the first round
            if self.text is before and not bits & BITS[rule]:
                continue
            if layer is repair_whitespace and self.text is self._settled:
                continue
            edits = layer(self.text)
            if not edits:
                continue
            if action == FLAG:
                self.findings = compose(self.raw, self.findings, [_as_flag(finding) for finding in edits])
            else:
                self.findings = _with_removed_tags(self.findings, compose(self.raw, self.findings, edits))
                self.text = apply(self.text, edits)
                # Removing the space after a lone "\r" can create a line end, and with it a blank line.
                if layer is repair_whitespace and "\r" not in self.text:
                    self._settled = self.text
        self._turn += 1
        return self.text != before and self._turn < MAX_ROUNDS

    def _layers(self, known: KnownLines | None) -> tuple[tuple[str, Callable[[str], list[Finding]]], ...]:
        """Return the rules of this module in their order, each with its function."""
        return (
            ("encoding", partial(repair_encoding, unescape=self._unescapes(), known=known)),
            ("markup", repair_markup),
            ("whitespace", repair_whitespace),
            ("typography", repair_typography),
        )

    def _unescapes(self) -> bool:
        """Return True if entities are decoded.

        A literal "<" means that the article is markup, where entities have a meaning of their own. If markup is
        removed, they are decoded once none is left.
        """
        return "<" not in (self.text if self._settings.rules["markup"] == FIX else self.raw)


def _with_removed_tags(before: Sequence[Finding], composed: Sequence[Finding]) -> list[Finding]:
    """Return the findings of `composed` in which each tag that is removed is a finding of the rule ``markup``.

    `before` are the findings before the last edits. A tag of a block becomes a line end. Where an edit of white space
    then removes that, the two are one change, whose original has the tag. So it is a change of markup.
    """
    tags = [finding for finding in before if finding.rule == "markup" and finding.action == FIX]
    if not tags:
        return list(composed)
    starts = [tag.start for tag in tags]
    findings = list(composed)
    for place, finding in enumerate(composed):
        inside = tags[bisect_left(starts, finding.start) : bisect_left(starts, finding.stop)]
        if inside and finding.action == FIX and finding.rule == "whitespace":
            evidence = ", ".join(dict.fromkeys(tag.evidence for tag in inside if tag.evidence))
            findings[place] = finding._replace(rule="markup", evidence=evidence)
    return findings


def _as_flag(finding: Finding) -> Finding:
    """Return `finding` as a report only; its evidence says what the fix would be."""
    would = f"{finding.evidence}: {shortened(finding.original)} -> {shortened(finding.replacement)}"
    return finding._replace(action=FLAG, original=None, replacement=None, evidence=would)
