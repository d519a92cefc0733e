"""The templates of the pages: autoescape is on, and control characters of a text are shown, not obeyed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from dedup.inspect.visible import visible
from dedup.report.html import escaping_templates
from dedup.report.shown_values import percent, similarity_shown
from dedup.report.texts import day_name
from dedup.view.finding_rows import safe

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

_LINE_LISTED = 300  # characters of a value in a list
_OTHERS = re.compile(r"[^\n\t\x20-\x7e]+")


def page_templates() -> Environment:
    """Return the templates, with what they call values by."""
    environment = escaping_templates("dedup.view")
    environment.filters |= {
        "count": "{:,}".format,
        "percent": percent,
        "similarity": similarity_shown,
        "day": day_name,
        "text": marked_controls,
        "line": _one_line,
        "time": _local_time,
    }
    environment.globals |= {"address": _query_part}
    return environment


def marked_controls(text: object) -> Markup:
    """Return a text as markup in which each invisible character is shown by its name; keep line ends and tabs."""
    from markupsafe import Markup, escape  # noqa: PLC0415 - comes with Jinja

    parts: list[Markup] = []
    value = safe(str(text))
    stop = 0
    for match in _OTHERS.finditer(value):
        parts.append(escape(value[stop : match.start()]))
        parts += (_shown_character(character) for character in match[0])
        stop = match.end()
    parts.append(escape(value[stop:]))
    return Markup("").join(parts)


def _one_line(text: object) -> Markup:
    return marked_controls(" ".join(str(text)[:_LINE_LISTED].split()))


def _shown_character(character: str) -> Markup:
    from markupsafe import Markup, escape  # noqa: PLC0415 - comes with Jinja

    shown = visible(character)
    if shown == character:
        return escape(character)
    return Markup('<span class="control">{}</span>').format(shown)


def _query_part(query: Mapping[str, str], **changes: Any) -> str:
    """Return the part of an address after its path: the parameters `query` with changes; None removes one."""
    values = {**query, "page": None, **changes}
    return "?" + urlencode({name: value for name, value in values.items() if value not in {None, ""}})


def _local_time(text: str) -> str:
    """Return a time in ISO 8601 in the time zone of this machine, for a person; the text itself if it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone().strftime("%Y-%m-%d %H:%M")
