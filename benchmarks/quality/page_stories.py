"""The section of the page about articles of one story that are below the threshold of near-duplicates."""

from __future__ import annotations

from typing import Any

from benchmarks.markdown_tables import markdown_table, wrap_paragraph
from benchmarks.quality.numbers_text import percent


def stories(results: dict[str, Any]) -> str:
    """Return the section of same stories."""
    text = wrap_paragraph(
        "`--same-story-threshold` is off by default. With it, a pair of articles below `--threshold` is one story if "
        "names and numbers agree. *Right* are the dropped articles whose twin tells the same story, *wrong* those "
        "whose twin tells other facts. Made pairs are a clean article and a version of it. Real pairs are press "
        "releases: those of one day or two tell one story, and those of a sender that are more than 60 days apart "
        "tell other facts. Each cell says how many of the pairs at the threshold or above are dropped."
    )
    kinds = list(dict.fromkeys(kind for _, counts in results["rows"] for kind in counts if counts[kind][0]))
    kinds.sort(key=lambda kind: (kind not in results["same"], kind.startswith("releases"), kind))
    header = ("pairs", "same story", *(f"{threshold:g}" for threshold, _ in results["rows"]))
    rows = [
        [
            kind,
            "yes" if kind in results["same"] else "no",
            *("{1} of {0}".format(*counts.get(kind, [0, 0])) for _, counts in results["rows"]),
        ]
        for kind in kinds
    ]
    sums = [
        [f"**{threshold:g}**", *_sums(counts, results["same"], real=False), *_sums(counts, results["same"], real=True)]
        for threshold, counts in results["rows"]
    ]
    of_all = (
        "threshold",
        "made: right",
        "made: wrong",
        "made: share right",
        "real: right",
        "real: wrong",
        "real: share right",
    )
    return "\n\n".join(("## Same story", text, markdown_table(of_all, sums), markdown_table(header, rows)))


def _sums(counts: dict[str, list[int]], same: list[str], *, real: bool) -> list[Any]:
    """Return how many drops are right and wrong, and the share of those that are right."""
    of_kind = {kind: dropped for kind, (_, dropped) in counts.items() if kind.startswith("releases") == real}
    right = sum(dropped for kind, dropped in of_kind.items() if kind in same)
    wrong = sum(of_kind.values()) - right - of_kind.get("no known pair", 0)
    return [right, wrong, percent(right / (right + wrong), 0) if right + wrong else ""]
