r"""Text-level repair: the rules `repair_encoding`, `repair_whitespace` and `repair_typography` one after the other, as findings.

Each rule is a plain function from a text to findings with spans in that text; it sees the text as the one before left
it, and the whole is repeated until nothing changes. `compose` carries the findings back to the raw text.

One thing is not promised: a text made so that each round uncovers work for the next (an entity hidden by a soft hyphen
hidden by an entity ...) is left as it is after `MAX_ROUNDS` rounds; repairing it again then goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from dedup.findings import FLAG, Finding, apply, compose
from dedup.repairs.encoding import MAX_ROUNDS, Known, repair_encoding
from dedup.repairs.screen import BITS
from dedup.repairs.typography import repair_typography
from dedup.repairs.whitespace import repair_whitespace
from dedup.rules import OFF
from dedup.settings import Settings

_DEFAULTS = Settings()
_EVERY_RULE = sum(BITS.values())


def repair(text: str, settings: Settings = _DEFAULTS) -> tuple[str, list[Finding]]:
    r"""The repaired text, and the findings that say what was done to `text`.

    Findings belong to the rules ``repair_encoding``, ``repair_whitespace`` and ``repair_typography``, have spans in `text` and come
    in the order of their starts. A rule set to ``flag`` reports and changes nothing.

    >>> cleaned, findings = repair("na\u00c3\u00afve caf\u00c3\u00a9 \n")
    >>> cleaned
    'naïve café\n'
    >>> [(f.rule, f.start, f.stop, f.replacement) for f in findings]
    [('encoding', 2, 4, 'ï'), ('encoding', 10, 12, 'é'), ('whitespace', 12, 13, '')]
    """
    state = RepairState(text, settings)
    while state.round():
        pass
    return state.text, state.findings


class RepairState:
    """A text under repair: what the rounds so far have made of it, and the findings with spans in the raw text."""

    def __init__(self, raw: str, settings: Settings) -> None:
        self.raw = self.text = raw
        self.findings: list[Finding] = []
        self._settings = settings
        self._settled: str | None = None  # what the whitespace rule has left, and would leave again
        self._turn = 0

    def round(self, bits: int = _EVERY_RULE, known: Known | None = None) -> bool:
        """Carries out the rules one after the other; whether another round may find more.

        `bits` are those of the rules that may find something in the text as it stands, and `known` is what is known of
        it before.
        """
        before = self.text
        for rule, layer in self._layers(known):
            action = self._settings.rules[rule]
            if action == OFF or (action == FLAG and self._turn):
                continue  # the rule does nothing, or has reported already
            if self.text is before and not bits & BITS[rule]:
                continue
            if layer is repair_whitespace and self.text is self._settled:
                continue
            found = layer(self.text)
            if not found:
                continue
            if action == FLAG:
                self.findings = compose(self.raw, self.findings, [_as_flag(finding) for finding in found])
            else:
                self.findings = compose(self.raw, self.findings, found)
                self.text = apply(self.text, found)
                if layer is repair_whitespace and "\r" not in self.text:
                    self._settled = self.text  # a lone "\r" can become a part of a line end when the space behind it goes
        self._turn += 1
        return self.text != before and self._turn < MAX_ROUNDS

    def _layers(self, known: Known | None) -> tuple[tuple[str, Callable[[str], list[Finding]]], ...]:
        """The rules of this module in their order."""
        return (
            # A literal "<" says that the article is markup, where entities mean something.
            ("encoding", partial(repair_encoding, unescape="<" not in self.raw, known=known)),
            ("whitespace", repair_whitespace),
            ("typography", repair_typography),
        )


def _as_flag(finding: Finding) -> Finding:
    """`finding` as a report only; the evidence tells what would be done."""
    would = f"{finding.evidence}: {_short(finding.original)} -> {_short(finding.replacement)}"
    return finding._replace(action=FLAG, original=None, replacement=None, evidence=would)


def _short(text: str | None, size: int = 40) -> str:
    return ascii(text if text is None or len(text) <= size else text[:size] + "...")
