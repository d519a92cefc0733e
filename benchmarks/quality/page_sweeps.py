"""The part of the page with the evidence for the value of each constant."""

from __future__ import annotations

from typing import Any

from benchmarks.markdown_tables import markdown_table, wrap_paragraph
from benchmarks.quality.labels import doubling_name, syndication_name, way_name
from benchmarks.quality.numbers_text import constant_value, percent


def sweeps(results: dict[str, Any]) -> str:
    """Return the section of all sweeps."""
    parts = ["## Constants", "One constant is changed at a time. The current value is bold."]
    parts += _threshold(results["sweep threshold"])
    parts += _bands(results["sweep bands"])
    parts += _lines(results["sweep lines"], results["sweep untouched"])
    parts += _blocks(results["sweep blocks"])
    return "\n\n".join(parts)


def _threshold(result: dict[str, Any]) -> list[str]:
    labels = list(result["rows"][0][1])
    shown = [label for label in labels if any(row[1][label] < 1 for row in result["rows"])]
    rows = [
        [constant_value(value, result["now"]), *(percent(dropped[label], 1) for label in shown), unjustified]
        for value, dropped, unjustified in result["rows"]
    ]
    text = wrap_paragraph(
        "`threshold`: the share of the copies of each kind of which one article is dropped, and the number of "
        "unjustified drops. Kinds that every value finds are left out. No value drops a different report; lower values "
        "drop copies with more text of their own."
    )
    header = ("threshold", *map(syndication_name, shown), "unjustified drops")
    return ["### Similarity of articles", text, markdown_table(header, rows)]


def _bands(result: dict[str, Any]) -> list[str]:
    rows = [
        [constant_value(value, result["now"]), f"{bands} of {size}", pairs, found, percent(found / pairs, 3)]
        for value, (pairs, found, bands, size) in result["rows"]
    ]
    text = wrap_paragraph(
        "`minhash.RECALL_AT_THRESHOLD` chooses the bands. The pairs are those at the threshold or above with one "
        "paragraph removed, 2 % of the words edited, or the last tenth missing."
    )
    return [text, markdown_table(("required recall", "bands of rows", "pairs", "found", "recall"), rows)]


def _lines(result: dict[str, Any], untouched: dict[str, Any]) -> list[str]:
    text = wrap_paragraph(
        "Planted lines, hosts known. *Found*: the share of the characters of lines of one host (*own*, at all "
        "frequencies) and of all hosts (*common*). *Lost* and *flagged*: the share of the content (quotations, "
        "background). *Removed*: the share of the text of untouched corpora that is removed as boilerplate, and the "
        "part of it that reads like sentences."
    )
    header = (
        "own lines found",
        "common lines found",
        "quotations lost",
        "background lost",
        "quotations flagged",
        "background flagged",
        "removed",
        "removed, like sentences",
    )
    parts = ["### Lines and shared paragraphs", text]
    for name, sweep in result.items():
        removed = {str(value): counts for value, *counts in _summed(untouched, name)}
        rows = [
            [
                _line_value(value, sweep["now"]),
                *(percent(kinds.get(kind, {}).get("dropped")) for kind in ("own", "common", "quotation", "background")),
                *(percent(kinds.get(kind, {}).get("flagged")) for kind in ("quotation", "background")),
                *_removed_shares(*removed.get(str(value), (0, 0, 0))),
            ]
            for value, kinds in sweep["rows"]
        ]
        parts.append(markdown_table((f"`{name}`", *header), rows))
    return parts


def _line_value(value: Any, current: Any) -> str:
    """Return the value of a constant of lines; labels of `WAYS` get the names of the page."""
    if isinstance(value, str):
        return constant_value(way_name(value), way_name(current))
    return constant_value(value, current)


def _removed_shares(removed: int, like_sentences: int, kept: int) -> list[str]:
    return [percent(part / kept, 4) if kept else "" for part in (removed, like_sentences)]


def _summed(untouched: dict[str, Any], name: str) -> list[list[Any]]:
    """Return the rows of one constant, with characters summed over all corpora."""
    sums: list[list[Any]] = []
    for tables in untouched.values():
        for at, row in enumerate(tables.get(name, [])):
            if at == len(sums):
                sums.append([row[0], 0, 0, 0])
            sums[at] = [row[0], *(total + count for total, count in zip(sums[at][1:], row[1:], strict=True))]
    return sums


def _blocks(result: dict[str, Any]) -> list[str]:
    text = wrap_paragraph(
        "Doubled bodies and untouched articles, with `dedup.repeats` alone. *Found* is the mean over all variants; the "
        "last two columns are the text removed as a block from untouched articles, and the number of these articles. "
        "Where no value changes a figure here, the tests have the cases of the constant: refrains, schedules, clauses, "
        "lists."
    )
    rows = [
        [
            f"`{name}`",
            constant_value(value, sweep["now"]),
            percent(row["found"], 3),
            f"{percent(row['worst'])} ({doubling_name(row['worst variant'])})",
            percent(row["lost"], 4),
            percent(row["untouched cut"], 4),
            row["untouched articles"],
        ]
        for name, sweep in result.items()
        for value, row in sweep["rows"]
    ]
    header = (
        "constant",
        "value",
        "found",
        "found, worst variant",
        "real text lost",
        "untouched: text removed",
        "untouched: articles",
    )
    return ["### Blocks within an article", text, markdown_table(header, rows)]
