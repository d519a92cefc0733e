"""Create the output folder, which appears complete or not at all.

All work happens in a hidden folder beside the destination (`dedup.write.run_folder`). The last step puts the finished
folder in place (`dedup.write.replacement`). An existing folder is replaced only on request, and only if it is an output
of `dedup`. The decisions of a review in it are carried over: they are a person's work. An interrupted run leaves its
working files in the hidden folder, for a run that resumes it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from dedup.errors import RESUME_NOTE, InputError, OutputError, SettingsError
from dedup.output_layout import REVIEW_FILE, foreign_files, is_output
from dedup.prepare.store import is_as_prepared
from dedup.review.decision_file import locked_decisions
from dedup.write.replacement import RESULT, put_in_place
from dedup.write.run_folder import WORK, owned_run_folder, writable

_LEAST_WORK = 1 << 20  # bytes of files that an interrupted run leaves; fewer are made again in a second or two


def output_path(out: object) -> Path:
    """Return the folder `out` as a path. Raises `OutputError` if it is none."""
    if isinstance(out, (str, PathLike)) and str(out):
        path = Path(out)
        try:
            str(path).encode()
        except UnicodeEncodeError:  # the name is in the report, which is UTF-8
            raise OutputError(_name_problem(path)) from None
        return path
    raise OutputError(f"out: {out!r} is no path; name a folder for `out`")


def _name_problem(path: Path) -> str:
    """Return the error about a name that Python cannot encode, because of its bytes or because of the locale."""
    try:
        name = os.fsencode(path).decode("utf-8")
    except UnicodeError:
        return f"{path}: this name is not UTF-8; name another folder"
    return f"{name}: this name is UTF-8, but the locale is not; set LC_ALL=C.UTF-8, or name another folder"


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
    if out.resolve().is_mount():
        raise OutputError(f"{out}: is a mount point, which no folder can replace; name a folder inside it")
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
def destination(out: Path, *, force: bool, resume: bool = False) -> Iterator[tuple[Path, Path]]:
    """Yield two folders: an empty one for the result, and one for working files.

    If the block ends without an error, the first folder takes the place of `out`, and the other is deleted. If it ends
    with an error and has finished much, the prepared batches stay, and a note on the error says so. With `resume` the
    working folder is that of an earlier run, if it has left one; else it is empty. Raises `OutputError` if `out` must
    not or cannot be written, or if another run is writing it.
    """
    out = out if out.name not in {"", ".."} else out.resolve()
    with owned_run_folder(out, resume=resume) as folder:
        check_destination(out, force=force)
        result, work = folder / RESULT, folder / WORK
        result.mkdir()
        work.mkdir(exist_ok=True)
        identity = result.stat().st_ino
        try:
            yield result, work
            check_destination(out, force=force)  # it may have been created while the block ran
            with writable(out), _carried_over(out / REVIEW_FILE, result / REVIEW_FILE):
                put_in_place(folder, out)
        except BaseException as error:
            is_in_place = out.exists() and out.stat().st_ino == identity
            if is_in_place or isinstance(error, (InputError, SettingsError)) or not _keeps_finished_batches(work):
                shutil.rmtree(work, ignore_errors=True)
            else:
                error.add_note(RESUME_NOTE)
            raise
        with writable(out):
            shutil.rmtree(work)


@contextmanager
def _carried_over(review: Path, copy: Path) -> Iterator[None]:
    """Copy the decisions about an earlier output to the new one, and let nobody add to them until the block ends."""
    if not review.exists():
        yield
        return
    with locked_decisions(review) as file:
        file.seek(0)
        copy.write_bytes(file.read())
        yield


def _keeps_finished_batches(work: Path) -> bool:
    """Delete all in `work` but finished batches, and return True if these took longer than making them again."""
    size = 0
    for entry in work.iterdir():
        if is_as_prepared(entry):
            size += entry.stat().st_size
        elif entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)
    return size >= _LEAST_WORK
