"""Open an output, and open it anew when it has been replaced."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from threading import Lock

from dedup.errors import DedupError
from dedup.inspect.article_rows import Article
from dedup.inspect.decision_targets import text_of_article
from dedup.inspect.output import open_output
from dedup.output_layout import RUN_FILE
from dedup.review.decisions import ArticleText
from dedup.view import queries
from dedup.view.articles import ArticleReader
from dedup.view.index import ReadingIndex


class NotThereError(DedupError):
    """An address that stands for nothing in this output."""


class ViewedRun:
    """One output as it is now: its index and its articles. A new one is opened when the output has been replaced."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.output = open_output(path)
        self.key = run_key(path)
        folder.mkdir(exist_ok=True)
        self.index = ReadingIndex(self.output, folder)

    @cached_property
    def reader(self) -> ArticleReader:
        """The articles and the lines of site text."""
        return ArticleReader(self.output)

    def article(self, number: int) -> Article:
        """Return the article with this number. Raises `NotThereError` if there is none."""
        with self.index.cursor() as cursor:
            key = queries.key_of(cursor, number)
        article = None if key is None else self.reader.read(*key)
        if article is None:
            raise NotThereError("there is no such article in this output")
        return article

    def text_of(self, number: int) -> ArticleText:
        """Return the article with this number by its id and the digest of its text."""
        return text_of_article(self.article(number))

    def close(self) -> None:
        """Close the database."""
        self.index.close()


def run_key(path: Path) -> tuple[int, int] | None:
    """Return what changes when an output is replaced; None while it is not there."""
    try:
        status = (path / RUN_FILE).stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


class CurrentRun:
    """The output at `path` as it is now; `work` is a folder for databases."""

    def __init__(self, path: Path, work: Path) -> None:
        self.path = path
        self._work = work
        self._lock = Lock()
        self._count = 0
        self._run = self._open()

    def get(self) -> ViewedRun:
        """Return the output as it is now."""
        with self._lock:
            key = run_key(self.path)
            if key is not None and key != self._run.key:
                earlier, self._run = self._run, self._open()
                earlier.close()
            return self._run

    def close(self) -> None:
        """Close the database."""
        self._run.close()

    def _open(self) -> ViewedRun:
        self._count += 1
        return ViewedRun(self.path, self._work / str(self._count))
