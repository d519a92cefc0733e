"""Which extras are installed here, for tests that need one."""

from __future__ import annotations

from importlib.util import find_spec

HAS_REPORT = all(map(find_spec, ("jinja2", "matplotlib")))
NO_REPORT = "jinja2 or matplotlib is not installed: pip install '.[report]'"


def needs_missing_extra(command: str) -> bool:
    """Return True if a command line needs an extra that is not installed here.

    >>> needs_missing_extra("dedup report out --md")
    False
    """
    is_page = command.startswith("dedup report") and not {"--md", "--json"} & set(command.split())
    return is_page and not HAS_REPORT
