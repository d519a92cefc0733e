"""The part of the page that says why each constant has the value it has."""

from __future__ import annotations

from typing import Any

from quality.text import paragraph, percent, table, value


def sweeps(results: dict[str, Any]) -> str:
    """All sweeps; the value in force is bold."""
    parts = ["## Constants", "One constant is changed at a time. The value in force is bold."]
    parts += _threshold(results["sweep threshold"])
    parts += _bands(results["sweep bands"])
    parts += _lines(results["sweep lines"], results["sweep untouched"])
    parts += _blocks(results["sweep blocks"])
    return "\n\n".join(parts)


def _threshold(result: dict[str, Any]) -> list[str]:
    labels = list(result["rows"][0][1])
    shown = [label for label in labels if any(row[1][label] < 1 for row in result["rows"])]
    rows = [
        [value(at, result["now"]), *(percent(dropped[label], 1) for label in shown), false]
        for at, dropped, false in result["rows"]
    ]
    text = paragraph(
        "`threshold`: share of the copies of each kind of which one article goes, and articles that go without a "
        "reason. Kinds found at every value are left out. No value drops a different report; what a lower one drops "
        "are copies with more of their own."
    )
    return ["### Similarity of articles", text, table(("threshold", *shown, "without a reason"), rows)]


def _bands(result: dict[str, Any]) -> list[str]:
    rows = [
        [value(at, result["now"]), f"{bands} of {of}", pairs, found, percent(found / pairs, 3)]
        for at, (pairs, found, bands, of) in result["rows"]
    ]
    text = paragraph(
        "`minhash.RECALL_AT_THRESHOLD` chooses the bands: pairs at the threshold or above with one paragraph cut, 2 % "
        "of the words edited or the last tenth missing, and how many of them are found."
    )
    return [text, table(("recall asked for", "bands of rows", "pairs", "found", "recall"), rows)]


def _lines(result: dict[str, Any], untouched: dict[str, Any]) -> list[str]:
    text = paragraph(
        "Planted lines, hosts known: share of the characters found (*own*: lines of one host in any share of its "
        "articles; *common*: of all hosts), and of the content that goes with them (quotations, background). *Cut* is "
        "what goes as boilerplate of corpora as they are, and the part of it that reads like sentences."
    )
    parts = ["### Lines and shared paragraphs", text]
    for name, told in result.items():
        cuts = {
            str(list(at) if isinstance(at, list) else at): [cut, prose, kept]
            for at, cut, prose, kept in _summed(untouched, name)
        }
        rows = []
        for at, kinds in told["rows"]:
            cut, prose, kept = cuts.get(str(at), (0, 0, 0))
            rows.append(
                [
                    value(at, told["now"]),
                    *(
                        percent(kinds.get(kind, {}).get("dropped"))
                        for kind in ("own", "common", "quotation", "background")
                    ),
                    *(percent(kinds.get(kind, {}).get("flagged")) for kind in ("quotation", "background")),
                    percent(cut / kept, 4) if kept else "",
                    percent(prose / kept, 4) if kept else "",
                ]
            )
        header = (
            f"`{name}`",
            "own found",
            "common found",
            "quotations lost",
            "background lost",
            "quotations flagged",
            "background flagged",
            "cut",
            "cut like sentences",
        )
        parts.append(table(header, rows))
    return parts


def _summed(untouched: dict[str, Any], name: str) -> list[list[Any]]:
    """Rows of one constant, characters summed over all corpora."""
    sums: list[list[Any]] = []
    for tables in untouched.values():
        for at, row in enumerate(tables.get(name, [])):
            if at == len(sums):
                sums.append([row[0], 0, 0, 0])
            sums[at] = [row[0], *(one + two for one, two in zip(sums[at][1:], row[1:], strict=True))]
    return sums


def _blocks(result: dict[str, Any]) -> list[str]:
    text = paragraph(
        "Doubled bodies and articles as they are, through `dedup.repeats` alone: mean of the shares found of all "
        "variants, the worst variant, real characters lost, and what is cut as a block of all articles as they are. "
        "Where a value changes nothing here, its cases are those of the tests: refrains, schedules, clauses, lists."
    )
    parts = ["### Blocks within an article", text]
    rows = []
    for name, told in result.items():
        for at, row in told["rows"]:
            rows.append(
                [
                    f"`{name}`",
                    value(at, told["now"]),
                    percent(row["found"], 3),
                    f"{percent(row['worst'])} ({row['worst variant']})",
                    percent(row["lost"], 4),
                    percent(row["untouched cut"], 4),
                    row["untouched articles"],
                ]
            )
    header = ("constant", "value", "found", "worst variant", "lost", "untouched: cut", "articles cut")
    parts.append(table(header, rows))
    return parts
