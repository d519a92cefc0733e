"""Write a page beside the tables of an output, or wherever the user wants it."""

from __future__ import annotations

import os
from pathlib import Path

from dedup.errors import OutputError
from dedup.output_layout import PAGES, is_output


def write_page(text: str, path: Path) -> None:
    """Write `text` to `path`: the whole page or nothing.

    A link stays one, and the page is written where it leads. Raises `OutputError` if `path` is a folder, a device or a
    pipe, or a file of an output that is not a page.
    """
    path = path.resolve() if path.is_symlink() else path
    if path.is_dir():
        raise OutputError(f"{path}: is a folder; name a file, such as {path / PAGES[0]}")
    if path.exists() and not path.is_file():
        raise OutputError(f"{path}: is no regular file; name a file, such as {PAGES[0]}")
    if path.name not in PAGES and is_output(path.parent):
        raise OutputError(f"{path}: would stand among the tables of an output; call it {PAGES[0]}, or choose a folder")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
