"""`Index`: check or add one article at a time."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dedup.errors import EngineError, IndexFolderError, InputError
from dedup.index.manifest import check_settings, index_scheme
from dedup.index.readers import open_index
from dedup.index.segments import with_known_sources
from dedup.index.session import sum_lines
from dedup.online.judging import Judge
from dedup.online.sqlite_store import SqliteStore
from dedup.online.stored_rows import id_key
from dedup.online.stores import ArticleStore
from dedup.online.verdict import IndexVerdict
from dedup.settings import Settings, settings_or_default

REDIS_SCHEMES = ("redis://", "rediss://", "valkey://", "valkeys://")


class Index:
    r"""An index for one article at a time; threads may share it.

    `place` is a folder, which is created if absent, or the address of a Redis or Valkey server, such as
    ``redis://host:6379/0``, that many processes share. ``?name=news`` at its end distinguishes indexes on one server.
    An article is a mapping with a text, as for `clean_articles`, or a text. Its verdict equals that of a run of `clean`
    with ``keep="first"`` over all added articles in their order; `docs/growing.md` lists what can differ. The index
    stores its settings and rejects others. With `durable`, an addition to a folder waits until it is on the disk.
    Raises `IndexFolderError` and `InputError`.

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
        self._judge = Judge(settings)
        self._learner = self._judge.learner()
        self._store = _open_store(place, index_scheme(settings), durable=durable)

    def query(self, article: Mapping[str, Any] | str) -> IndexVerdict:
        """Return the verdict that `add` would return, without changing the index."""
        prepared = self._judge.prepare(article, self._store.known_lines)
        return self._store.query(lambda store: self._judge.judge(prepared, store)[0])

    def add(self, article: Mapping[str, Any] | str) -> IndexVerdict:
        """Return the verdict on an article, and store the article if it is kept.

        Later articles are compared with it, and it counts for the site text of its host. An article without words is
        kept, but not stored in the index. After the addition, the store learns site text of the host if that is due. If
        learning fails, the article stays stored, and a later addition to the host learns instead.
        """
        prepared = self._judge.prepare(article, self._store.known_lines)
        verdict = self._store.add(lambda store: self._judge.judge(prepared, store))
        if verdict.kept and prepared.host is not None:
            with suppress(Exception):  # the article is stored, so an error would make the caller add it again
                self._store.learn(prepared.host, self._learner)
        return verdict

    def remove(self, article: str | int) -> int:
        """Remove the articles with this id from the index, and return how many there were.

        Later articles that repeat them can be kept. An integer stands for the id that `add` makes of it: 7 for "7".
        """
        if isinstance(article, int) and not isinstance(article, bool):
            article = str(article)
        if not isinstance(article, str):
            raise InputError(f"an id is a text or an integer, not {type(article).__name__}; give the id of a verdict")
        return self._store.remove(id_key(article), self._judge.hashes_of)

    def load(self, folder: str | Path) -> int:
        """Copy the articles of an index that `clean` has written in `folder`, and return how many there are.

        They keep the sources and numbers that they have there. The lines that its runs have found to be site text are
        copied, too. This index must be empty. Raises `IndexFolderError`.
        """
        if len(self):
            raise IndexFolderError(f"{self.place}: has articles already; load another index into a new one")
        root = Path(folder)
        manifest, readers = open_index(root)
        check_settings(manifest, self._settings, root)
        self._store.add_lines(sum_lines(readers))
        for reader in readers:
            for stored in reader.read_all():
                self._store.add_all(self._judge.additions(with_known_sources(stored, reader.segment)))
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
        if find_spec("redis") is None:
            raise EngineError(
                "an index at an address needs redis; install the extra online: run pip install '.[online]'"
            )
        from dedup.online.redis_store import RedisStore  # noqa: PLC0415 - an extra

        return RedisStore(place, remembered)
    return SqliteStore(Path(place), remembered, durable=durable)
