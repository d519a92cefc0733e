"""Compare paths as the file system sees them."""

from __future__ import annotations

import os
from pathlib import Path


def is_in_folder(path: str | Path, folder: str | Path) -> bool:
    """Return True if `path` is `folder` or lies in it, links followed; neither need be there.

    >>> is_in_folder("a/b", "a"), is_in_folder("a", "a"), is_in_folder("ab", "a")
    (True, True, False)
    """
    inner, outer = Path(os.path.realpath(path)), Path(os.path.realpath(folder))
    return inner.is_relative_to(outer)
