"""Draw the charts of a report as SVG that stands inside the page.

matplotlib draws them, with colours that stand for variables of the page's style sheet, so that they follow its light
and dark scheme. Texts stay texts. Equal data give equal bytes: ids come from a fixed salt, and no date is written.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from dedup.report.page import Period, Similarities

# Colours that no chart uses otherwise, and the variables that replace them.
_INK, _FAINT, _KEPT_INK, _DROPPED_INK, _ACCENT = "#010203", "#040506", "#070809", "#0a0b0c", "#0d0e0f"
_VARIABLES = {_INK: "--muted", _FAINT: "--line", _KEPT_INK: "--kept", _DROPPED_INK: "--dropped", _ACCENT: "--accent"}

_SIZE = (5.2, 2.5)  # inches: two charts stand side by side, and one fills a phone
_FONT_SIZE = 9.5  # points; 9 px on a phone of 360 px
_LABEL_CHARACTERS = 44  # on an axis of time
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": _FONT_SIZE,
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.edgecolor": _FAINT,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": _FAINT,
    "grid.linewidth": 0.6,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "figure.facecolor": "none",
}


def periods_chart(periods: Sequence[Period]) -> str:
    """Return a chart of the articles kept and dropped in each period."""
    with _axes("periods") as (axes, drawn):
        places = range(len(periods))
        kept = [period.kept for period in periods]
        axes.bar(places, kept, color=_KEPT_INK, width=0.86, linewidth=0)
        axes.bar(
            places, [period.dropped for period in periods], bottom=kept, color=_DROPPED_INK, width=0.86, linewidth=0
        )
        step = -(-len(periods) * len(periods[0].name) // _LABEL_CHARACTERS)
        axes.set_xticks(list(places)[::step], [period.name for period in periods][::step])
        axes.set_xlim(-0.6, len(periods) - 0.4)
        axes.set_ylabel("articles")
        axes.yaxis.get_major_locator().set_params(integer=True, nbins=5)
    return drawn[0]


def similarities_chart(similarities: Similarities) -> str:
    """Return a chart of how many articles have which similarity to their twin, with the threshold."""
    counts = similarities.counts
    lowest = min((place for place, count in enumerate(counts) if count), default=len(counts) - 1)
    lowest = max(0, min(lowest, round(100 * similarities.threshold)) - 5)
    with _axes("similarities") as (axes, drawn):
        places = [(place + 0.5) / 100 for place in range(lowest, len(counts))]
        axes.bar(places, counts[lowest:], color=_DROPPED_INK, width=0.0086, linewidth=0)
        axes.axvline(similarities.threshold, color=_ACCENT, linewidth=1.4, linestyle=(0, (4, 3)))
        axes.set_xlim(lowest / 100, 1.0)
        axes.set_xlabel("similarity to the twin")
        axes.set_ylabel("articles")
        axes.yaxis.get_major_locator().set_params(integer=True, nbins=5)
    return drawn[0]


def curve_chart(similarities: Similarities) -> str:
    """Return the S-curve of the bands used: the probability that a pair of each similarity is compared."""
    with _axes("curve") as (axes, drawn):
        axes.plot([place / 100 for place in range(len(similarities.curve))], similarities.curve, color=_KEPT_INK, lw=2)
        axes.axvline(similarities.threshold, color=_ACCENT, linewidth=1.4, linestyle=(0, (4, 3)))
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.04)
        axes.set_yticks([0, 0.5, 1], ["0 %", "50 %", "100 %"])
        axes.set_xlabel("similarity of a pair")
        axes.set_ylabel("is compared")
    return drawn[0]


@contextmanager
def _axes(name: str) -> Iterator[tuple[Any, list[str]]]:
    """Yield the axes of a chart; afterwards the list holds it as SVG."""
    import matplotlib as mpl  # noqa: PLC0415 - an extra
    from matplotlib.figure import Figure  # noqa: PLC0415

    drawn: list[str] = []
    with mpl.rc_context({**mpl.rcParamsDefault, **_STYLE, "svg.hashsalt": name}):
        figure = Figure(figsize=_SIZE, layout="constrained")
        yield figure.add_subplot(), drawn
        file = io.StringIO()
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(file, format="svg", metadata=nothing)
    drawn.append(_inline(file.getvalue(), name))


def _inline(svg: str, name: str) -> str:
    """Return an SVG file as an element of a page: without a size, ids of its own, or styles for the whole page."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<style[^>]*>.*?</style>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r'\1 aria-hidden="true" focusable="false"', svg, count=1)
    svg = re.sub(r'id="([^"]+)"', rf'id="{name}-\1"', svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', svg)
    svg = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", svg)
    svg = re.sub(r"; font-family: [^;\"]*", "", svg)
    svg = re.sub(r"font: ([\d.]+px)[^;\"]*", r"font-size: \1", svg)
    for colour, variable in _VARIABLES.items():
        svg = svg.replace(colour, f"var({variable})")
    return svg
