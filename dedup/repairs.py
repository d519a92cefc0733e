r"""Text-level repair: the rules `encoding`, `whitespace` and `typography` one after the other, as findings.

Each rule is a plain function from a text to findings with spans in that text; it sees the text as the one before left
it, and the whole is repeated until nothing changes. `compose` carries the findings back to the raw text.

One thing is not promised: a text made so that each round uncovers work for the next (an entity hidden by a soft hyphen
hidden by an entity ...) is left as it is after `ROUNDS` rounds; repairing it again then goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from dedup.encoding import ROUNDS, encoding
from dedup.findings import FIX, FLAG, Finding, apply, compose
from dedup.rules import OFF
from dedup.settings import Settings
from dedup.typography import typography
from dedup.whitespace import whitespace

_DEFAULTS = Settings()


def repair(text: str, settings: Settings = _DEFAULTS) -> tuple[str, list[Finding]]:
    r"""The repaired text, and the findings that say what was done to `text`.

    Findings belong to the rules ``encoding``, ``whitespace`` and ``typography``, have spans in `text` and come
    in the order of their starts. A rule set to ``flag`` reports and changes nothing.

    >>> cleaned, findings = repair("na\u00c3\u00afve caf\u00c3\u00a9 \n")
    >>> cleaned
    'naïve café\n'
    >>> [(f.rule, f.start, f.stop, f.replacement) for f in findings]
    [('encoding', 2, 4, 'ï'), ('encoding', 10, 12, 'é'), ('whitespace', 12, 13, '')]
    """
    return repair_suspect(text, settings, encoding_may_change=True)


def repair_suspect(text: str, settings: Settings, *, encoding_may_change: bool) -> tuple[str, list[Finding]]:
    """What `repair` gives, for a text of which it is known whether the encoding rule may find something in it.

    Where it does not, it will not after the whitespace rule either, if the text is ASCII: taking away blanks, which
    end lines there, joins nothing.
    """
    spared = {"encoding"} if not encoding_may_change and text.isascii() and settings.rules["typography"] != FIX else ()
    layers = [
        (settings.rules[rule], layer)
        for rule, layer in _layers(text)
        if settings.rules[rule] != OFF and rule not in spared
    ]
    findings: list[Finding] = []
    current = text
    settled: str | None = None  # what the whitespace rule has left, and would leave again
    for turn in range(ROUNDS):
        before = current
        for action, layer in layers:
            if action == FLAG and turn:
                continue  # already reported
            if layer is whitespace and current is settled:
                continue
            found = layer(current)
            if not found:
                continue
            if action == FLAG:
                findings = compose(text, findings, [_as_flag(finding) for finding in found])
            else:
                findings = compose(text, findings, found)
                current = apply(current, found)
                if layer is whitespace:
                    settled = current
        if current == before:
            break
    return current, findings


def _layers(text: str) -> tuple[tuple[str, Callable[[str], list[Finding]]], ...]:
    """The rules of this module in their order, for the article `text`."""
    return (
        # A literal "<" says that the article is markup, where entities mean something.
        ("encoding", partial(encoding, unescape="<" not in text)),
        ("whitespace", whitespace),
        ("typography", typography),
    )


def _as_flag(finding: Finding) -> Finding:
    """`finding` as a report only; the evidence tells what would be done."""
    would = f"{finding.evidence}: {_short(finding.original)} -> {_short(finding.replacement)}"
    return finding._replace(action=FLAG, original=None, replacement=None, evidence=would)


def _short(text: str | None, size: int = 40) -> str:
    return ascii(text if text is None or len(text) <= size else text[:size] + "...")
