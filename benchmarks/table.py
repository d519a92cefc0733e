"""The figures of ``results/`` as Markdown tables.

    python -m benchmarks.table [--write]

Without ``--write`` the sections of both pages are printed. With it they go into the pages, between the comments that
mark each section, and the plots into ``docs/plots/``: README.md has one table, docs/benchmarks.md has all. Equal
figures give equal bytes.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from benchmarks.contenders import DEDUP, DESCRIPTIONS, ROOT
from benchmarks.markdown_tables import markdown_table, replace_section, section, wrap_paragraph
from benchmarks.plots import draw_plots
from benchmarks.stored_results import load_results

README, PAGE = ROOT / "README.md", ROOT / "docs" / "benchmarks.md"
README_SECTION = "benchmarks"
SCRIPT = "benchmarks/table.py"
Figures = dict[str, Any]

# Keys of the results, and the column headings that the tables give them.
JOB_COLUMNS = {
    "seconds": "seconds",
    "times ours": "time relative to dedup",
    "largest process MB": "largest process, MB",
    "all processes MB": "all processes, MB",
    "recall": "recall",
    "false drops": "false drops",
}
GROWTH_COLUMNS = {
    "megabytes": "MB",
    "seconds": "seconds",
    "MB/s": "MB/s",
    "largest process MB": "largest process, MB",
    "all processes MB": "all processes, MB",
    "disk / input": "disk relative to input",
}
ARTICLE_COLUMNS = {
    "megabytes": "MB of text",
    "peak MB": "largest process, MB",
    "dropped without a reason": "unjustified drops",
    "pairs": "near-duplicate pairs",
    "missed": "missed pairs",
}


def format_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a Markdown table with numbers as `format_value` writes them."""
    return markdown_table(header, rows, format_value)


def format_value(value: object) -> str:
    """Return a value as the tables show it.

    >>> [format_value(value) for value in (None, True, 12345, 0.85, 1234.56)]
    ['', 'yes', '12,345', '0.85', '1,234.6']
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.3f}".rstrip("0").rstrip(".") if value < 10 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def whole_job(figures: Figures) -> str:
    """Return a table for each corpus: contenders, the slowest first."""
    parts = []
    for corpus, comparison in figures["corpora"].items():
        rows = [
            [_contender_name(name), DESCRIPTIONS[name], *map(row.get, JOB_COLUMNS)]
            for name, row in _slowest_first(comparison)
        ]
        title = f"`{corpus}`: {comparison['articles']:,} articles; medians of {comparison['runs']} runs."
        parts.append(f"{title}\n\n{format_table(('tool', 'what it does', *JOB_COLUMNS.values()), rows)}")
    return "\n\n".join(parts)


def stages(figures: Figures) -> str:
    """Return a table of speeds, one row for each stage and way to run it."""
    groups = [key for key, value in next(iter(figures.values())).items() if isinstance(value, dict)]
    rows: list[list[object]] = []
    for group in groups:
        names = dict.fromkeys(name for speeds in figures.values() for name in speeds[group])
        rows += [[stage, group, *(speeds[group].get(stage) for speeds in figures.values())] for stage in names]
    return format_table(("stage", "run with", *(f"`{kind}`, MB/s" for kind in figures)), rows)


def growth(figures: Figures) -> str:
    """Return how the sizes were measured, a table with one row for each, and the exponents of growth."""
    options = f" with `{' '.join(figures['options'])}`" if figures["options"] else ""
    runs = "one run" if figures["runs"] == 1 else f"medians of {figures['runs']} runs"
    rows = [[row[column] for column in GROWTH_COLUMNS] for row in figures["sizes"]]
    exponents = ", ".join(f"{GROWTH_COLUMNS[name]} {value}" for name, value in figures["exponents"].items())
    parts = [
        f"Corpora of the kind `{figures['kind']}`, {runs} of each{options}.",
        format_table([*GROWTH_COLUMNS.values()], rows),
    ]
    return "\n\n".join([*parts, f"Exponents of growth (1 is linear): {exponents}."] if exponents else parts)


def startup(figures: Figures) -> str:
    """Return a table with one row for each command."""
    rows = [[f"`{name}`", row["seconds"], row["largest process MB"]] for name, row in figures.items()]
    return format_table(("command", "seconds", "largest process, MB"), rows)


def view(figures: Figures) -> str:
    """Return the size of the output, the time to read it, and a table with one row for each page."""
    rows = [[name, row["paint"], row["CPU"]] for name, row in figures["pages"].items()]
    about = (
        f"{figures['articles']:,} articles, {figures['findings']:,} findings, {figures['MB']:,} MB. "
        f"The address is printed after {figures['address']} s. All tables are read after {figures['read']} s, "
        f"{figures['read CPU']} s of CPU."
    )
    return f"{about}\n\n{format_table(('page', 'first paint, s', 'CPU of the server, s'), rows)}"


def articles(figures: Figures) -> str:
    """Return a table with one row for each corpus."""
    columns = list(dict.fromkeys(name for row in figures.values() for name in row))
    header = ("corpus", *(ARTICLE_COLUMNS.get(column, column) for column in columns))
    return format_table(header, ([f"`{corpus}`", *map(row.get, columns)] for corpus, row in figures.items()))


# Sections of docs/benchmarks.md: the name of the results that each shows, and what renders them.
SECTIONS: dict[str, Callable[[Figures], str]] = {
    "whole_job": whole_job,
    "articles": articles,
    "growth": growth,
    "stages": stages,
    "startup": startup,
    "view": view,
}


def page_sections(results: dict[str, Figures]) -> dict[str, str]:
    """Return the sections of docs/benchmarks.md by name, those for which there are results.

    `results` maps a name to what `save_results` wrote under it.
    """
    return {
        name: f"\n{render(results[name]['figures'])}\n\n{_measured_on(results[name]['machine'])}\n"
        for name, render in SECTIONS.items()
        if name in results
    }


def readme_section(results: Figures) -> str:
    """Return the section of README.md, from the results of the whole job: one table, and what it was measured on.

    The table compares all tools on one kind of corpus, the first that was measured. Every tool was run on its smallest
    size; the larger sizes add a column of seconds each. Memory, recall and false drops are those of the smallest size.
    """
    corpora: Figures = results["figures"]["corpora"]
    kind = next(iter(corpora)).split(" ")[0]
    sizes = sorted(
        (comparison for name, comparison in corpora.items() if name.split(" ")[0] == kind),
        key=lambda comparison: comparison["megabytes"],
    )
    names = [f"{comparison['megabytes']:.0f} MB" for comparison in sizes]
    rows = [
        [
            _contender_name(name),
            DESCRIPTIONS[name],
            *(comparison["contenders"].get(name, {}).get("seconds", "not run") for comparison in sizes),
            row["all processes MB"],
            row.get("recall"),
            row.get("false drops"),
        ]
        for name, row in _slowest_first(sizes[0])
    ]
    header = ("tool", "what it does", *(f"{name}: seconds" for name in names))
    table = format_table((*header, "memory, MB", "recall", "false drops"), rows)
    counts = " and ".join(
        f"{comparison['articles']:,} articles ({name})" for name, comparison in zip(names, sizes, strict=True)
    )
    caption = (
        f"Corpus `{kind}`, {counts}, medians of {sizes[0]['runs']} runs; memory (of all processes), recall and false "
        f"drops at {names[0]}. Tools more than twice as slow as dedup are not run on larger files; tools that decide "
        "about paragraphs have no recall of articles."
    )
    machine = _machine(results["machine"])
    link = "All tables, and how to reproduce them: [docs/benchmarks.md](docs/benchmarks.md)."
    return f"\n{table}\n\n{wrap_paragraph(caption)}\n{wrap_paragraph(f'{machine}. {link}')}\n"


def _slowest_first(comparison: Figures) -> list[tuple[str, Figures]]:
    return sorted(comparison["contenders"].items(), key=lambda item: -item[1]["seconds"])


def _machine(machine: Figures) -> str:
    return (
        f"Measured on {machine['cores']} cores of {machine['processor']}, {machine['memory GB']:g} GB, "
        f"{machine['kernel']}, Python {machine['python']}"
    )


def _measured_on(machine: Figures) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine["libraries"].items())
    return f"{_machine(machine)}, {versions}."


def _contender_name(contender: str) -> str:
    return "**dedup**" if contender == DEDUP else contender.replace("_", " ")


def main() -> None:
    """Print the sections, or write them and the plots with ``--write``."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--write", action="store_true", help="fill README.md and docs/benchmarks.md, and draw plots")
    options = parser.parse_args()
    results = {name: stored for name in SECTIONS if (stored := load_results(name))}
    sections = [(PAGE, name, content) for name, content in page_sections(results).items()]
    if "whole_job" in results:
        sections.append((README, README_SECTION, readme_section(results["whole_job"])))
    for path, name, content in sections:
        if options.write:
            page = path.read_text(encoding="utf-8")
            path.write_text(replace_section(page, name, SCRIPT, content), encoding="utf-8")
        else:
            print(section(name, SCRIPT, content))
    if options.write:
        draw_plots(results)


if __name__ == "__main__":
    main()
