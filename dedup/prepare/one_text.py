"""One text, level by level, as far as it can be told without its corpus: repair, page furniture, paragraphs, repeats.

What `dedup.prepare.batch` does for a batch at once, for one text: what proves and explains an output asks here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from dedup.findings import Finding, compose
from dedup.repairs.page_furniture import furniture
from dedup.repairs.repair import repair
from dedup.repeats.detect import Repeat, within_article
from dedup.segment.paragraphs import cuts, paragraphs
from dedup.segment.words import comparison_key
from dedup.settings import Settings

IN_RUN, ALONE = 1, 2


class Layers(NamedTuple):
    """One text, level by level: what the text rules made of it, its paragraphs, and what repeats among them."""

    text: str
    findings: list[Finding]  # of the text level, spans in the raw text
    spans: Sequence[tuple[int, int]]  # of paragraphs, in `text`; of their pieces, where a part of one repeats
    keys: Sequence[str]  # of these
    repeats: list[Repeat]


def layers(raw: str, settings: Settings) -> Layers:
    """The levels below the corpus, for one raw text."""
    text, findings = mended(raw, settings)
    spans = paragraphs(text)
    keys = [comparison_key(text[start:stop]) for start, stop in spans]
    return Layers(text, findings, *within_article(text, spans, keys, settings))


def mended(raw: str, settings: Settings) -> tuple[str, list[Finding]]:
    """`raw` after the rules of the text level, and their findings."""
    text, findings = repair(raw, settings)
    return unfurnished(raw, text, findings, settings)


def unfurnished(
    raw: str, text: str, findings: list[Finding], settings: Settings, known: Mapping[int, str] | None = None
) -> tuple[str, list[Finding]]:
    """The repaired `text` without its page furniture, as the settings say, and `findings` with those of that.

    `known` are the kinds of its lines (`dedup.repairs.page_furniture.kinds`), where these have been looked for.
    """
    lines = furniture(text, settings, known)
    if lines:
        findings = compose(raw, findings, lines)
        text = _without(text, [(line.start, line.stop) for line in lines if line.action != "flag"])
    return text, findings


def dropped_runs(found: Sequence[Repeat], settings: Settings) -> list[tuple[int, int]]:
    """The runs of paragraphs, as ``(first, last)``, that the rules within an article drop."""
    return sorted((one.first, one.last) for one in found if settings.rules[one.rule] == "drop")


def needed_by(found: Sequence[Repeat], settings: Settings) -> dict[int, int]:
    """The paragraphs that stay as twins of dropped ones: `IN_RUN` of several, or `ALONE`."""
    needed: dict[int, int] = {}
    for one in found:
        if settings.rules[one.rule] == "drop":
            for number in range(one.twin_first, one.twin_last + 1):
                needed[number] = max(needed.get(number, 0), IN_RUN if one.twin_last > one.twin_first else ALONE)
    return needed


def compared_text(raw: str, settings: Settings) -> str:
    """What of `raw` articles are compared by: the text after repair and the rules within an article."""
    made = layers(raw, settings)
    return _without(made.text, cuts(made.spans, dropped_runs(made.repeats, settings)))


def _without(text: str, spans: Sequence[tuple[int, int]]) -> str:
    position = 0
    pieces = []
    for start, stop in spans:
        pieces.append(text[position:start])
        position = stop
    return "".join((*pieces, text[position:]))
