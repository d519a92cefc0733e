"""One text, level by level, as far as it can be told without its corpus: repair, page furniture, paragraphs, repeats.

What `dedup.prepare.batch` does for a batch at once, for one text: what proves and explains an output asks here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dedup.findings import Finding, compose
from dedup.repairs.page_furniture import find_page_furniture
from dedup.repairs.repair import repair
from dedup.repeats.detect import find_repeats
from dedup.repeats.justify import Repeat
from dedup.segment.paragraphs import paragraphs, removal_spans
from dedup.segment.words import comparison_key
from dedup.settings import Settings

TWIN_IN_BLOCK, TWIN_ALONE = 1, 2


class AnalyzedText(NamedTuple):
    """One text, level by level: what the text rules made of it, its paragraphs, and what repeats among them."""

    text: str
    findings: list[Finding]  # of the text level, spans in the raw text
    spans: Sequence[tuple[int, int]]  # of paragraphs, in `text`; of their pieces, where a part of one repeats
    keys: Sequence[str]  # of these
    repeats: list[Repeat]


def analyze_text(raw: str, settings: Settings) -> AnalyzedText:
    """The levels below the corpus, for one raw text."""
    text, findings = repair_text(raw, settings)
    spans = paragraphs(text)
    keys = [comparison_key(text[start:stop]) for start, stop in spans]
    return AnalyzedText(text, findings, *find_repeats(text, spans, keys, settings))


def repair_text(raw: str, settings: Settings) -> tuple[str, list[Finding]]:
    """`raw` after the rules of the text level, and their findings."""
    text, findings = repair(raw, settings)
    return remove_page_furniture(raw, text, findings, settings)


def remove_page_furniture(
    raw: str, text: str, findings: list[Finding], settings: Settings, known: Mapping[int, str] | None = None
) -> tuple[str, list[Finding]]:
    """The repaired `text` without its page furniture, as the settings say, and `findings` with those of that.

    `known` are the kinds of its lines (`dedup.repairs.page_furniture.line_kinds`), where these have been looked for.
    """
    lines = find_page_furniture(text, settings, known)
    if lines:
        findings = compose(raw, findings, lines)
        text = _without(text, [(line.start, line.stop) for line in lines if line.action != "flag"])
    return text, findings


def dropped_runs(found: Sequence[Repeat], settings: Settings) -> list[tuple[int, int]]:
    """The runs of paragraphs, as ``(first, last)``, that the rules within an article drop."""
    return sorted((one.first, one.last) for one in found if settings.rules[one.rule] == "drop")


def twin_roles(found: Sequence[Repeat], settings: Settings) -> dict[int, int]:
    """The paragraphs that stay as twins of dropped ones: `TWIN_IN_BLOCK` of several, or `TWIN_ALONE`."""
    needed: dict[int, int] = {}
    for one in found:
        if settings.rules[one.rule] == "drop":
            for number in range(one.twin_first, one.twin_last + 1):
                needed[number] = max(
                    needed.get(number, 0), TWIN_IN_BLOCK if one.twin_last > one.twin_first else TWIN_ALONE
                )
    return needed


def compared_text(raw: str, settings: Settings) -> str:
    """What of `raw` articles are compared by: the text after repair and the rules within an article."""
    made = analyze_text(raw, settings)
    return _without(made.text, removal_spans(made.spans, dropped_runs(made.repeats, settings)))


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    position = 0
    pieces = []
    for start, stop in spans:
        pieces.append(text[position:start])
        position = stop
    return "".join((*pieces, text[position:]))
