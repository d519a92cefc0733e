"""The protocol of a store: the methods that an index needs of SQLite or Redis.

A store keeps articles under numbers, each with the hashes by which it is found. It decides nothing. `ArticleStore.add`
calls a function that looks up, decides, and returns the article to store. The data that this function reads is still
valid when the article is stored: no other process has added an article under the same hashes in between. Two articles
of which one may repeat the other share such a hash (`dedup.index.postings`), so one of the two finds the other.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from dedup.arrays import I64, U64, encode_utf8
from dedup.errors import IndexFolderError
from dedup.match.known_lines import KnownLine

ResultT = TypeVar("ResultT")


class FoundPostings(NamedTuple):
    """Postings of a store: `hashes`, uint64, ascending, and the numbers of their articles, int64 [postings]."""

    hashes: U64
    articles: I64


class Addition(NamedTuple):
    """An article to keep: the bytes of its id, its row, and the hashes under which it is found, uint64 [hashes].

    `host` is the host for whose site text the article counts, None if it counts for none. `lost` is what its row has
    lost, if anything (`dedup.online.learning`).
    """

    identity: bytes
    row: bytes
    hashes: U64
    host: str | None = None
    lost: bytes | None = None


class CountedArticle(NamedTuple):
    """A stored article that counts for the site text of its host: its row, and what it has lost, if anything."""

    row: bytes
    lost: bytes | None


class Learner(NamedTuple):
    """Functions by which a store learns lines of site text from the articles of a host.

    `is_due` returns whether that is due, given the number of articles stored now, and at the last time. `find` returns
    the lines of site text in the last stored articles, of which it gets at most `most`.
    """

    is_due: Callable[[int, int], bool]
    find: Callable[[Sequence[CountedArticle]], list[KnownLine]]
    most: int


class StoreReader(Protocol):
    """The state of a store at one moment."""

    @property
    def next_number(self) -> int:
        """The number of the next article."""

    def find(self, hashes: U64) -> FoundPostings:
        """Return the postings of `hashes`, uint64 [hashes], ascending."""

    def read(self, numbers: I64) -> list[bytes]:
        """Return the rows of the articles with these numbers: int64 [articles]."""


class ArticleStore(Protocol):
    """Articles, and the hashes by which they are found."""

    def query(self, judge: Callable[[StoreReader], ResultT]) -> ResultT:
        """Return the result of `judge`, which may be called again if an article was removed in between."""

    def add(self, judge: Callable[[StoreReader], tuple[ResultT, Addition | None]]) -> ResultT:
        """Store the article that `judge` returns, if any, and return its first result; `judge` may be called again."""

    def add_all(self, additions: Sequence[Addition]) -> None:
        """Store articles without looking anything up."""

    def known_lines(self, host: str | None, digests: Sequence[bytes]) -> list[KnownLine]:
        """Return the lines of site text of `host`, None if unknown, and of all hosts that have one of `digests`.

        A line that was learnt comes after the same line of `add_lines`.
        """

    def add_lines(self, lines: Sequence[KnownLine]) -> None:
        """Store lines of site text; of several of one host and digest, the last one is kept."""

    def learn(self, host: str, learner: Learner) -> None:
        """Replace the lines that were learnt from articles of `host`, if that is due; the lines of `add_lines` stay.

        This is not part of an addition: after a crash or an error in between, it is due at the next addition.
        """

    def remove(self, identity: bytes, hashes_of: Callable[[bytes], U64]) -> int:
        """Remove the articles of an id, and return how many there were; `hashes_of` returns the hashes of a row."""

    def count(self) -> int:
        """Return the number of articles."""

    def close(self) -> None:
        """Close the store; it cannot be used afterwards."""


def host_key(host: str | None) -> bytes:
    """Return the bytes by which a store finds the lines of a host; None stands for all hosts.

    >>> host_key("a.example"), host_key(None)
    (b'=a.example', b'')
    """
    return b"" if host is None else b"=" + encode_utf8(host)


def check_remembered(name: str, stored: str | bytes, wanted: dict[str, Any]) -> None:
    """Raise `IndexFolderError` if the index `name` has another format, or other settings or another hash scheme.

    `stored` is the JSON in which the index keeps these.
    """
    try:
        remembered = json.loads(stored)
    except ValueError:
        remembered = None
    if not isinstance(remembered, dict):
        raise IndexFolderError(f"{name}: the stored settings are not those of an index; use another index")
    wanted = json.loads(json.dumps(wanted))
    formats = [values.get("format") for values in (remembered, wanted)]
    if formats[0] != formats[1]:
        raise IndexFolderError(
            f"{name}: this index has format {formats[0]}, and this version reads format {formats[1]}; make a new one"
        )
    for key in sorted(remembered.keys() | wanted.keys()):
        if remembered.get(key) != wanted.get(key):
            raise IndexFolderError(
                f"{name}: this index was made with {key} {remembered.get(key)}, not {wanted.get(key)}; "
                "use that, or another index"
            )
