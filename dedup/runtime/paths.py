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


def path_from(folder: str | Path, path: str | Path) -> str:
    """Return the path that leads from `folder` to `path` on the disk, with slashes; neither need be there.

    Links to folders on the way are followed, since ``..`` leads out of the folder that a link stands for. A link at the
    end of `path` keeps its name.
    """
    parent, name = os.path.split(path)
    return Path(os.path.relpath(Path(os.path.realpath(parent)) / name, os.path.realpath(folder))).as_posix()


def path_below(folder: str | Path, path: str) -> Path:
    """Return where a `path` of `path_from` leads from `folder`, also where a folder on the way is not there."""
    return Path(os.path.normpath(Path(os.path.realpath(folder)) / path))
