"""The file of all figures, and the page that is rendered from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.quality.page import render

RESULTS = Path(__file__).with_name("results.json")
PAGE = Path(__file__).parents[2] / "docs" / "quality.md"


def read_results() -> dict[str, Any]:
    """Return the stored figures, by the name of the table."""
    results: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    return results


def store_results(measured: dict[str, Any]) -> None:
    """Store figures that were measured, keep those of other tables, and render the page."""
    results = read_results() | measured
    RESULTS.write_text(json.dumps(results, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    # Render from the written file, so that the page can be rendered again from it.
    PAGE.write_text(render(read_results()), encoding="utf-8")
