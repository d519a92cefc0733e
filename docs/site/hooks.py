"""Hooks of the documentation site: links that lead out of `docs/` lead to the repository."""

from __future__ import annotations

import re
from typing import Any

_OUTSIDE = re.compile(r"\]\((?:\.\./)+([^)\s]+)\)")


def on_page_markdown(markdown: str, config: Any, **_: object) -> str:
    """Return the page with absolute links to files of the repository that are not pages of the site."""
    return _OUTSIDE.sub(rf"]({config['repo_url']}/blob/main/\1)", markdown)
