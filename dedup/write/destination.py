"""Create the output folder, which appears complete or not at all.

All work happens in a hidden folder beside the destination. The last step renames the finished folder into place. An
existing folder is replaced only on request, and only if it is an output of `dedup`.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from dedup.errors import OutputError
from dedup.output_layout import foreign_files, is_output


def output_path(out: object) -> Path:
    """Return the folder `out` as a path. Raises `OutputError` if it is none."""
    if isinstance(out, (str, PathLike)) and str(out):
        return Path(out)
    raise OutputError(f"out: {out!r} is no path; name a folder for `out`")


def check_destination(out: Path, *, force: bool) -> None:
    """Raise `OutputError` if `out` must not be written.

    A path that does not exist and an empty folder may be written. An output of `dedup` may be replaced with `force`,
    unless somebody has put other files into it.
    """
    if str(out) == "-":
        raise OutputError("-: stands for standard output on the command line only; name a folder for `out`")
    if not out.exists() and not out.is_symlink():
        return
    if not out.is_dir():
        raise OutputError(f"{out}: is a file; name a folder for `out`")
    if is_output(out):
        if not force:
            raise OutputError(f"{out}: exists already; add `force=True` to replace it, or name another folder")
        others = foreign_files(out)
        if others:
            more = f" and {len(others) - 1:,} more" if others[1:] else ""
            raise OutputError(f"{out}: dedup did not write {others[0]}{more}; move that away, or name another folder")
    elif any(out.iterdir()):
        raise OutputError(f"{out}: exists and is not an output of dedup, so it is left alone; name another folder")


@contextmanager
def destination(out: Path, *, force: bool) -> Iterator[tuple[Path, Path]]:
    """Yield two empty folders: one for the result and one for working files.

    If the block ends without an error, the first folder is renamed to `out`. The working folder is always deleted.
    Raises `OutputError` if `out` must not or cannot be written.
    """
    check_destination(out, force=force)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        hidden = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise OutputError(f"{out}: {error.strerror or error}; choose a folder you can write to") from error
    try:
        result, work = hidden / "result", hidden / "work"
        result.mkdir()
        work.mkdir()
        yield result, work
        if out.exists():
            check_destination(out, force=force)  # it may have been created while the block ran
            out.rename(hidden / "replaced")
        result.rename(out)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
