"""Plots of the figures in ``results/``, as SVG without dates or random names, so equal figures give equal bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.contenders import DEDUP, ROOT

PLOTS = ROOT / "docs" / "plots"
Figures = dict[str, Any]


def draw_plots(results: dict[str, Figures], folder: Path = PLOTS) -> list[Path]:
    """Draw the plots for which there are results into `folder`, and return their paths.

    `results` maps a name to what `save_results` wrote under it.
    """
    import matplotlib as mpl  # noqa: PLC0415 - tables need no plotting library

    mpl.use("svg")
    mpl.rcParams |= {"svg.hashsalt": "dedup", "svg.fonttype": "none", "font.size": 9, "axes.spines.top": False}
    mpl.rcParams["axes.spines.right"] = False
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for name, draw in {"whole_job": _draw_speeds, "growth": _draw_growth}.items():
        if name in results:
            figure = draw(results[name]["figures"])
            figure.savefig(folder / f"{name}.svg", metadata={"Date": None}, bbox_inches="tight")
            paths.append(folder / f"{name}.svg")
    return paths


def _draw_speeds(figures: Figures) -> Any:
    """Draw the MB/s of each contender, with one panel for each corpus."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    corpora = figures["corpora"]
    figure = Figure(figsize=(3.4 * len(corpora) + 1.2, 2.6))
    panels = figure.subplots(1, len(corpora), squeeze=False)[0]
    for panel, (corpus, comparison) in zip(panels, corpora.items(), strict=True):
        ranked = sorted(comparison["contenders"].items(), key=lambda item: item[1]["MB/s"])
        names, values = [name for name, _ in ranked], [row["MB/s"] for _, row in ranked]
        labels = [name.replace("_", " ") for name in names]
        panel.barh(labels, values, color=["#c33" if name == DEDUP else "#999" for name in names])
        panel.set(title=corpus, xlabel="MB/s", xscale="log")
    figure.tight_layout()
    return figure


def _draw_growth(figures: Figures) -> Any:
    """Draw time and memory against size, on logarithmic axes."""
    from matplotlib.figure import Figure  # noqa: PLC0415

    figure = Figure(figsize=(7, 2.6))
    sizes = [row["megabytes"] for row in figures["sizes"]]
    for panel, column in zip(figure.subplots(1, 2), ("seconds", "all processes MB"), strict=True):
        panel.plot(sizes, [row[column] for row in figures["sizes"]], "o-", color="#c33")
        panel.set(xlabel="MB of input", title=column, xscale="log", yscale="log")
        panel.grid(visible=True, which="major", color="#ddd")
    figure.tight_layout()
    return figure
