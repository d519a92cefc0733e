"""Write a report as one page of HTML: nothing is loaded from elsewhere, and no script runs.

Autoescape is on for every template. The page's content security policy allows its own style sheet, by its hash, and
nothing else, so that a text of the corpus could do no harm even if it were not escaped.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from dedup.errors import SettingsError
from dedup.report.charts import curve_chart, periods_chart, similarities_chart
from dedup.report.page import ComparisonPage, RunPage
from dedup.report.shown_values import cell, dotted, flattened, percent, short_count, shown_text, similarity_shown

if TYPE_CHECKING:
    from jinja2 import Environment

_INSTALL_REPORT = "install the extra report: run pip install '.[report]' in a checkout of this project"


def check_libraries() -> None:
    """Raise `SettingsError` if a library of the extra `report` is not installed."""
    for name in ("jinja2", "matplotlib"):
        if find_spec(name) is None:
            raise SettingsError(f"a report as HTML needs {name}; {_INSTALL_REPORT}")


def html_of(page: RunPage | ComparisonPage) -> str:
    """Return the page as HTML. Raises `SettingsError` if the extra `report` is not installed."""
    check_libraries()
    from markupsafe import Markup  # noqa: PLC0415 - comes with Jinja

    style = (files("dedup.report") / "templates" / "style.css").read_text("utf-8")
    values: dict[str, Any] = {"page": page, "style": Markup(style), "policy": _policy(style)}  # noqa: S704 - ours
    template = "comparison.html"
    if isinstance(page, RunPage):
        template = "run.html"
        values["charts"] = {name: Markup(svg) for name, svg in _charts(page)}  # noqa: S704 - matplotlib escapes
    return _templates().get_template(template).render(values)


def _charts(page: RunPage) -> Iterator[tuple[str, str]]:
    """Yield the charts of a page by name."""
    if len(page.periods) > 1:
        yield "periods", periods_chart(page.periods)
    if page.similarities.near:
        yield "similarities", similarities_chart(page.similarities)
    yield "curve", curve_chart(page.similarities)


def _policy(style: str) -> str:
    """Return the content security policy of a page with this style sheet."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src-elem 'sha256-{digest}'; style-src-attr 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'"
    )


def escaping_templates(package: str) -> Environment:
    """Return the templates of `package`: autoescape is on, and a value that is not there is an error."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - an extra

    return Environment(
        loader=PackageLoader(package), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


@cache
def _templates() -> Environment:
    """Return the templates, with what they call values by."""
    environment = escaping_templates("dedup.report")
    environment.filters |= {
        "cell": cell,
        "count": lambda number: f"{number:,}",
        "signed": lambda number: f"{number:+,}".replace("-", "−") if number else "0",
        "percent": percent,
        "signed_percent": lambda share: f"{100 * share:+.1f} %".replace("-", "−"),
        "long_percent": lambda share: f"{100 * share:.3f} %",
        "similarity": similarity_shown,
        "short": short_count,
        "shown": shown_text,
        "dotted": dotted,
        "flattened": flattened,
        "space_before": lambda text: text[: len(text) - len(text.lstrip())],
        "without_space": lambda text: text.lstrip() or text,
    }
    return environment
