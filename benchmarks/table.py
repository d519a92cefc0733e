"""The figures kept in ``results/`` as Markdown tables and as plots.

    python benchmarks/table.py [--write]

With ``--write`` the plots go to ``docs/plots/`` and the tables into README.md, between the lines `BEGIN` and `END`
where it has them. Equal figures give equal bytes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import machine
from contenders import DOES, OURS, ROOT

BEGIN, END = "<!-- benchmarks: made by benchmarks/table.py -->", "<!-- end of benchmarks -->"
PLOTS = ROOT / "docs" / "plots"
JOB_COLUMNS = ("seconds", "times ours", "largest process MB", "all processes MB", "recall", "false drops")
GROWTH_COLUMNS = ("megabytes", "seconds", "MB/s", "largest process MB", "all processes MB", "disk / input")
Figures = dict[str, Any]


def markdown(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(map(_told, row)) + " |" for row in rows)])


def _told(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".") if value < 10 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def whole_job(figures: Figures) -> str:
    """A table for each corpus: contenders, the slowest first."""
    parts = []
    for corpus, told in figures["corpora"].items():
        ranked = sorted(told["contenders"].items(), key=lambda item: -item[1]["seconds"])
        rows = [[_name(name), DOES[name], *(row.get(column) for column in JOB_COLUMNS)] for name, row in ranked]
        title = f"`{corpus}`: {told['articles']:,} articles; medians of {told['runs']} runs."
        parts.append(f"{title}\n\n{markdown(('', 'job', *JOB_COLUMNS), rows)}")
    return "\n\n".join(parts)


def stages(figures: Figures) -> str:
    """A table of MB/s, a row for each stage."""
    groups = [key for key, value in next(iter(figures.values())).items() if isinstance(value, dict)]
    rows: list[list[object]] = []
    for group in groups:
        names = dict.fromkeys(name for told in figures.values() for name in told[group])
        rows += [[stage, group, *(told[group].get(stage) for told in figures.values())] for stage in names]
    return markdown(("MB/s", "", *(f"`{kind}`" for kind in figures)), rows)


def growth(figures: Figures) -> str:
    """A table, a row for each size, and the exponents."""
    rows = [[row[column] for column in GROWTH_COLUMNS] for row in figures["sizes"]]
    told = ", ".join(f"{name} {value}" for name, value in figures["exponents"].items())
    after = f"\n\nExponents of growth (1 is linear): {told}." if told else ""
    return markdown(GROWTH_COLUMNS, rows) + after


def startup(figures: Figures) -> str:
    """A table, a row for each command."""
    rows = [[f"`{name}`", row["seconds"], row["largest process MB"]] for name, row in figures.items()]
    return markdown(("command", "seconds", "largest process MB"), rows)


def articles(figures: Figures) -> str:
    """A table, a row for each corpus."""
    names = list(dict.fromkeys(name for told in figures.values() for name in told))
    return markdown(("corpus", *names), ([corpus, *map(told.get, names)] for corpus, told in figures.items()))


SECTIONS: dict[str, tuple[str, Callable[[Figures], str]]] = {
    "whole_job": ("The whole job beside others", whole_job),
    "articles": ("Public corpora", articles),
    "growth": ("Growth", growth),
    "stages": ("Stages alone", stages),
    "startup": ("Start-up", startup),
}


def page(results: dict[str, Figures]) -> str:
    """Every table there are results for (name -> what `machine.keep` wrote)."""
    parts = []
    for name, (title, render) in SECTIONS.items():
        if name in results:
            parts.append(
                f"### {title}\n\n{render(results[name]['figures'])}\n\n{_measured_on(results[name]['machine'])}"
            )
    return "\n\n".join(parts) + "\n"


def _measured_on(told: Figures) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in told["libraries"].items())
    return (
        f"Measured on {told['cores']} cores of {told['processor']}, {told['memory GB']:g} GB, {told['kernel']}, "
        f"Python {told['python']}, {versions}."
    )


def _name(contender: str) -> str:
    return "**dedup**" if contender == OURS else contender.replace("_", " ")


def plots(results: dict[str, Figures], folder: Path) -> list[Path]:
    """The plots there are results for, as SVG without dates or random names."""
    import matplotlib as mpl  # noqa: PLC0415 - tables need no plotting library

    mpl.use("svg")
    mpl.rcParams |= {"svg.hashsalt": "dedup", "svg.fonttype": "none", "font.size": 9, "axes.spines.top": False}
    mpl.rcParams["axes.spines.right"] = False
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for name, draw in {"whole_job": _bars, "growth": _curves}.items():
        if name in results:
            figure = draw(results[name]["figures"])
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None}, bbox_inches="tight")
            drawn.append(folder / f"{name}.svg")
    return drawn


def _bars(figures: Figures) -> Any:
    """MB/s of each contender, a panel for each corpus."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    corpora = figures["corpora"]
    figure = Figure(figsize=(3.4 * len(corpora) + 1.2, 2.6))
    for panel, (corpus, told) in zip(figure.subplots(1, len(corpora), squeeze=False)[0], corpora.items(), strict=True):
        ranked = sorted(told["contenders"].items(), key=lambda item: item[1]["MB/s"])
        names, values = [name for name, _ in ranked], [row["MB/s"] for _, row in ranked]
        shown = [name.replace("_", " ") for name in names]
        panel.barh(shown, values, color=["#c33" if name == OURS else "#999" for name in names])
        panel.set(title=corpus, xlabel="MB/s", xscale="log")
    figure.tight_layout()
    return figure


def _curves(figures: Figures) -> Any:
    """Time and memory against size, on logarithmic axes."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(7, 2.6))
    sizes = [row["megabytes"] for row in figures["sizes"]]
    for panel, column in zip(figure.subplots(1, 2), ("seconds", "all processes MB"), strict=True):
        panel.plot(sizes, [row[column] for row in figures["sizes"]], "o-", color="#c33")
        panel.set(xlabel="MB of input", title=column, xscale="log", yscale="log")
        panel.grid(visible=True, which="major", color="#ddd")
    figure.tight_layout()
    return figure


def within(text: str, tables: str) -> str:
    """`text` with the tables between its two lines, if it has them."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    return f"{head}{begin}\n\n{tables}\n{end}{tail}" if begin and end else text


def main() -> None:
    """Prints the tables, and with ``--write`` puts tables and plots where readers look."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--write", action="store_true", help="draw plots and fill README.md")
    given = parser.parse_args()
    results = {name: told for name in SECTIONS if (told := machine.kept(name))}
    tables = page(results)
    sys.stdout.write(tables)
    if given.write:
        plots(results, PLOTS)
        readme = ROOT / "README.md"
        readme.write_text(within(readme.read_text(encoding="utf-8"), tables), encoding="utf-8")


if __name__ == "__main__":
    main()
