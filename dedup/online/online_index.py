"""`Index`: ask whether an article is new, or add it, one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dedup.errors import IndexFolderError
from dedup.index.manifest import check_settings, index_scheme, read_manifest
from dedup.index.segments import SegmentReader, with_known_sources
from dedup.online.judging import Judge, online_settings
from dedup.online.sqlite_store import SqliteStore
from dedup.online.stored_rows import id_key
from dedup.online.stores import ArticleStore
from dedup.online.verdict import IndexVerdict
from dedup.settings import Settings, settings_or_default

REDIS_SCHEMES = ("redis://", "rediss://", "valkey://", "valkeys://")


class Index:
    r"""An index of articles, which is asked about one article at a time; threads may share it.

    `place` is a folder, which is created if absent, or the address of a Redis or Valkey server, such as
    ``redis://host:6379/0``, that many processes share; ``?name=news`` at its end tells indexes on one server apart. An
    article is a mapping with a text, as for `clean_articles`, or a text. The index gives it the verdict that it has in
    a run of `clean` with ``keep="first"`` over all articles that were added, in order of coming; `docs/growing.md` says
    what can differ. It remembers its settings and refuses others. With `durable`, an addition to a folder waits until
    it is on the disk. Raises `IndexFolderError` and `InputError`.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, Index(folder) as index:
    ...     index.add({"id": "a", "text": "The council met on Monday to speak about the new bridge."}).kept
    ...     verdict = index.add({"id": "b", "text": "The council met on Monday to speak about the new bridge!"})
    True
    >>> verdict.kept, verdict.rule, verdict.twin, verdict.similarity
    (False, 'duplicate-article', 'a', 1.0)
    """

    def __init__(self, place: str | Path, settings: Settings | None = None, *, durable: bool = False) -> None:
        settings = settings_or_default(settings)
        self.place = place
        self._settings = settings
        self._judge = Judge(online_settings(settings))
        self._store = _open_store(place, index_scheme(settings), durable=durable)

    def query(self, article: Mapping[str, Any] | str) -> IndexVerdict:
        """Return the verdict that `add` would return; nothing is changed."""
        prepared = self._judge.prepare(article)
        return self._store.query(lambda store: self._judge.judge(prepared, store)[0])

    def add(self, article: Mapping[str, Any] | str) -> IndexVerdict:
        """Return the verdict on an article; if it stays, later articles are compared with it.

        An article without words stays, and is not kept in the index.
        """
        prepared = self._judge.prepare(article)
        return self._store.add(lambda store: self._judge.judge(prepared, store))

    def remove(self, article: str) -> int:
        """Take the articles with this id out of the index, and return how many there were.

        What repeats them can stay from then on.
        """
        return self._store.remove(id_key(article), self._judge.hashes_of)

    def load(self, folder: str | Path) -> int:
        """Take over the articles of an index that `clean` has written in `folder`, and return how many there are.

        They keep the sources and numbers that they have there. This index must be empty. Raises `IndexFolderError`.
        """
        if len(self):
            raise IndexFolderError(f"{self.place}: has articles already; load another index into a new one")
        root = Path(folder)
        manifest = read_manifest(root)
        check_settings(manifest, self._settings, root)
        for segment in manifest.segments:
            for stored in SegmentReader(root, segment).read_all():
                self._store.add_all(self._judge.additions(with_known_sources(stored, segment)))
        return len(self)

    def __len__(self) -> int:
        return self._store.count()

    def __repr__(self) -> str:
        return f"Index({str(self.place)!r})"

    def close(self) -> None:
        """Close the index; it cannot be used afterwards."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _open_store(place: str | Path, remembered: dict[str, Any], *, durable: bool) -> ArticleStore:
    """Return the store at `place`."""
    if isinstance(place, str) and place.startswith(REDIS_SCHEMES):
        from dedup.online.redis_store import RedisStore  # noqa: PLC0415 - an extra

        return RedisStore(place, remembered)
    return SqliteStore(Path(place), remembered, durable=durable)
