"""Write the cleaned articles of ``clean -o -`` to standard output.

Which articles stay is known only at the end of a job, so the output is made in a temporary folder first. Then its
articles are copied: a failed job writes nothing to standard output.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dedup.cli.terminal import escape_controls, write_stdout
from dedup.errors import SettingsError
from dedup.output_layout import article_files
from dedup.settings import Settings

STDOUT = "-"

_COPY_BYTES = 1 << 20  # bytes


def check_stdout(settings: Settings, *, as_json: bool, force: bool, resume: bool) -> None:
    """Raise `SettingsError` for an option that does not go with standard output."""
    if settings.shard_size is not None:
        raise SettingsError("`shard_size`: standard output is one file; leave it out, or name a folder for `out`")
    if as_json:
        raise SettingsError("`as_json`: articles and summary cannot both go to standard output; leave one of them out")
    if force:
        raise SettingsError("`force`: standard output replaces nothing; leave it out, or name a folder for `out`")
    if resume:
        raise SettingsError(
            "`resume`: standard output leaves nothing to resume; leave it out, or name a folder for `out`"
        )
    if sys.stdout.isatty() and (settings.format != "jsonl" or settings.compress != "none"):
        raise SettingsError(
            "`out`: a terminal cannot show binary data, and obeys control characters of CSV; redirect it to a file, or "
            "name a folder"
        )


@contextmanager
def output_folder(out: Path) -> Iterator[Path]:
    """Yield the folder to write: `out`, or a temporary one if that stands for standard output."""
    if str(out) != STDOUT:
        yield out
        return
    with tempfile.TemporaryDirectory(prefix="dedup-") as folder:
        yield Path(folder) / "out"


def copy_articles(folder: Path) -> None:
    """Copy the articles of the output in `folder` to standard output. Raises `OutputClosed` as `write_stdout` does."""
    on_terminal = sys.stdout.isatty()
    for path in article_files(folder):
        with path.open("rb") as file:
            while block := file.read(_COPY_BYTES) + (file.readline() if on_terminal else b""):
                write_stdout(escape_controls(block) if on_terminal else block)
