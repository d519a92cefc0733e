"""A store that many processes and machines share: a Redis or Valkey server, through datasketch's storage layer.

The postings are sets in a `RedisSetStorage` of datasketch, as in its `MinHashLSH`. One Redis hash holds the rows of
articles, and a set for each id holds the numbers of its articles. Each host has one Redis hash of the lines of site
text that were loaded, one of those that were learnt, and a list of the numbers of its last articles.

An addition uses optimistic locking. The process watches (``WATCH``) the keys of all hashes that it looks up, reads
them, decides, and adds the article in a transaction (``MULTI``, ``EXEC``). The server rejects the transaction if one of
the watched keys has changed meanwhile; then the process reads and decides again. Two articles of which one can be the
twin of the other always share one of these hashes. So of equal or similar articles that are added at the same instant,
only the first to be committed is kept. No process waits for a lock, and a killed process leaves nothing behind.

The connection can break after the server has committed an addition and before the process reads the answer. So after
each repeated decision, the process looks for the numbers of its own earlier attempts, which no other process uses. If
one of these articles is there, the addition was committed, and the decision of that attempt is its result.

The settings are watched as well: a server that is emptied (``FLUSHALL``) or restarted without its data has none, and an
index of other settings could begin under the same name.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import redis
from datasketch.storage import RedisSetStorage

from dedup.arrays import I64, U64
from dedup.errors import IndexFolderError
from dedup.match.known_lines import KnownLine
from dedup.online.stores import (
    Addition,
    CountedArticle,
    FoundPostings,
    Learner,
    ResultT,
    StoreReader,
    check_remembered,
    host_key,
)

SHARED_FORMAT = 2  # raised when an older reader could not read an index
_HASH_BYTES = 5  # of 40 bits
_ATTEMPTS = 1000
_LONGEST_PAUSE = 0.02  # seconds between two attempts


class _ChangedError(Exception):
    """A change to the data that was read, before the transaction was committed."""


class SharedPostings(RedisSetStorage):  # type: ignore[misc] # no types
    """Sets of datasketch in Redis, by the keys of hashes, with the methods that a transaction needs."""

    @property
    def client(self) -> Any:
        """The connection pool of the storage."""
        return self._redis

    def server_keys(self, keys: Sequence[bytes]) -> list[bytes]:
        """Return the names of sets on the server."""
        return [self.redis_key(key) for key in keys]

    def insert_with(self, pipeline: Any, key: bytes, value: bytes) -> None:
        """Add a value to a set by a pipeline."""
        self._insert(pipeline, key, value)


class _SharedReader:
    """A reader of the server; with a `pipeline`, it watches the keys that it reads, and reserves a number."""

    def __init__(self, store: RedisStore, pipeline: Any = None) -> None:
        self._store = store
        self._pipeline = pipeline
        self._number: int | None = None

    @property
    def next_number(self) -> int:
        """The number of the next article, read once."""
        if self._number is None:
            client, counter = self._store.client, self._store.name("count")
            self._number = int(client.get(counter) or 0) if self._pipeline is None else int(client.incr(counter)) - 1
        return self._number

    def find(self, hashes: U64) -> FoundPostings:
        """Return the postings of `hashes`."""
        keys = _posting_keys(hashes)
        if not keys:
            return FoundPostings(hashes[:0], np.empty(0, np.int64))
        if self._pipeline is not None:
            self._pipeline.watch(*self._store.postings.server_keys(keys))
        numbers = [sorted(map(int, members)) for members in self._store.postings.getmany(*keys)]
        counts = [len(of_hash) for of_hash in numbers]
        articles: I64 = np.array([number for of_hash in numbers for number in of_hash], np.int64)
        return FoundPostings(np.repeat(hashes, counts), articles)

    def read(self, numbers: I64) -> list[bytes]:
        """Return the rows of articles."""
        rows: list[bytes] = self._store.client.hmget(self._store.name("articles"), numbers.tolist())
        if None in rows:
            raise _ChangedError
        return rows


class RedisStore:
    """The store at the address `url`; `remembered` are its settings.

    Raises `IndexFolderError` if there is no such server, or if its index was made with other settings.
    """

    def __init__(self, url: str, remembered: dict[str, Any]) -> None:
        parts = urlsplit(url)
        self._place = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()  # without a password
        with self._errors():
            parse_url: Any = redis.connection.parse_url
            options = parse_url(url.replace("valkey", "redis", 1))
            self._prefix = f"dedup:{options.pop('name', 'index')}:".encode()
            is_encrypted = options.pop("connection_class", None) is not None
            config = {"type": "redis", "redis": options | ({"ssl": True} if is_encrypted else {})}
            try:
                self.postings = SharedPostings(config, name=self.name("postings:"))
            except TypeError as error:  # the client takes the options of an address as arguments
                raise ValueError(f"an option of the address is unknown ({error})") from None
            self.client = self.postings.client
            wanted = {"format": SHARED_FORMAT, **remembered}
            self.client.set(self.name("settings"), json.dumps(wanted), nx=True)
            self._settings = self.client.get(self.name("settings"))
        check_remembered(self._place, self._settings or b"", wanted)

    def _check_settings(self, value: bytes | None) -> None:
        """Raise `IndexFolderError` if the settings on the server are not those that were there at the start."""
        if value != self._settings:
            change = "are no longer on the server" if value is None else "were replaced on the server"
            raise IndexFolderError(
                f"{self._place}: the settings of this index {change}; check the server, and open the index again"
            )

    def name(self, part: str) -> bytes:
        """Return the name of a key of this index on the server."""
        return self._prefix + part.encode()

    def _identity_name(self, identity: bytes) -> bytes:
        return self.name("id:") + identity

    def _host_name(self, kind: str, host: str | None) -> bytes:
        return self.name(f"{kind}:") + host_key(host)

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Turn an error of the server or of the address into an `IndexFolderError` of one line."""
        try:
            yield
        except (redis.RedisError, ValueError) as error:
            what = str(error).replace("\n", " ").rstrip(".")
            raise IndexFolderError(f"{self._place}: {what}; check the address, and that the server runs") from None

    def _repeat(self, attempt: Callable[[], ResultT]) -> ResultT:
        """Call `attempt` until nothing that it reads changes before it ends, and return its result."""
        for number in range(_ATTEMPTS):
            try:
                return attempt()
            except (_ChangedError, redis.WatchError):
                time.sleep(random.uniform(0, min(_LONGEST_PAUSE, number / 1000)))  # noqa: S311 - no secret
        raise IndexFolderError(f"{self._place}: changed {_ATTEMPTS} times while an article was added; try again")

    def _watch_settings(self, pipeline: Any) -> None:
        """Check the settings on the server, and let the transaction of a pipeline fail if they change."""
        pipeline.watch(self.name("settings"))
        self._check_settings(pipeline.get(self.name("settings")))

    def query(self, judge: Callable[[StoreReader], ResultT]) -> ResultT:
        """Return the result of `judge` for the current state of the store."""
        with self._errors():
            self._check_settings(self.client.get(self.name("settings")))
            return self._repeat(lambda: judge(_SharedReader(self)))

    def add(self, judge: Callable[[StoreReader], tuple[ResultT, Addition | None]]) -> ResultT:
        """Store the article that `judge` returns, if any; judge again if the data that it read has changed."""
        sent: dict[bytes, ResultT] = {}  # the results of earlier attempts, by the numbers of their articles

        def attempt() -> ResultT:
            with self.client.pipeline() as pipeline:
                self._watch_settings(pipeline)
                reader = _SharedReader(self, pipeline)
                result, addition = judge(reader)
                # Read last: an earlier attempt that is committed after this changes a hash that is already watched.
                if sent:
                    rows = self.client.hmget(self.name("articles"), list(sent))
                    for row, earlier in zip(rows, sent.values(), strict=True):
                        if row is not None:
                            return earlier
                if addition is not None:
                    sent[str(reader.next_number).encode()] = result
                    pipeline.multi()
                    self._insert(pipeline, reader.next_number, addition)
                    pipeline.execute()
                return result

        with self._errors():
            return self._repeat(attempt)

    def _insert(self, pipeline: Any, number: int, addition: Addition) -> None:
        value = str(number).encode()
        pipeline.hset(self.name("articles"), value, addition.row)
        pipeline.sadd(self._identity_name(addition.identity), value)
        for key in _posting_keys(addition.hashes):
            self.postings.insert_with(pipeline, key, value)
        if addition.lost is not None:
            pipeline.hset(self.name("lost"), value, addition.lost)
        if addition.host is not None:
            pipeline.rpush(self._host_name("counted", addition.host), value)
            pipeline.incr(self._host_name("stored", addition.host))

    def add_all(self, additions: Sequence[Addition]) -> None:
        """Store articles without looking anything up, one transaction each."""
        with self._errors():
            self._check_settings(self.client.get(self.name("settings")))
            last = int(self.client.incrby(self.name("count"), len(additions)))
            with self.client.pipeline() as pipeline:
                for number, addition in enumerate(additions, last - len(additions)):
                    self._insert(pipeline, number, addition)
                    pipeline.execute()

    def known_lines(self, host: str | None, digests: Sequence[bytes]) -> list[KnownLine]:
        """Return the lines of `host` and of all hosts that have one of `digests`."""
        if not digests:
            return []
        places = [(None, "lines")] if host is None else [(None, "lines"), (host, "lines"), (host, "learned")]
        with self._errors(), self.client.pipeline(transaction=False) as pipeline:
            for line_host, kind in places:
                pipeline.hmget(self._host_name(kind, line_host), digests)
            answers = pipeline.execute()
        return [
            KnownLine(line_host, digest, *map(int, counts.split()))
            for (line_host, _), answer in zip(places, answers, strict=True)
            for digest, counts in zip(digests, answer, strict=True)
            if counts is not None
        ]

    def add_lines(self, lines: Sequence[KnownLine]) -> None:
        """Store lines of site text, in one transaction."""
        with self._errors(), self.client.pipeline() as pipeline:
            self._insert_lines(pipeline, "lines", lines)
            pipeline.execute()

    def _insert_lines(self, pipeline: Any, kind: str, lines: Sequence[KnownLine]) -> None:
        for line in lines:
            pipeline.hset(self._host_name(kind, line.host), line.digest, f"{line.articles} {line.total}")

    def learn(self, host: str, learner: Learner) -> None:
        """Replace the lines that were learnt from articles of `host`, if that is due and no other process does it."""
        counted, stored, learned, judged = (
            self._host_name(kind, host) for kind in ("counted", "stored", "learned", "judged")
        )
        with self._errors(), self.client.pipeline() as pipeline:
            counts = [int(value or 0) for value in self.client.mget(stored, judged)]
            if not learner.is_due(*counts):
                return
            self._watch_settings(pipeline)
            pipeline.watch(judged)
            if int(pipeline.get(judged) or 0) != counts[1]:
                return
            lines = learner.find(self._read_counted(counted, learner.most))
            pipeline.multi()
            pipeline.delete(learned)
            self._insert_lines(pipeline, "learned", lines)
            pipeline.ltrim(counted, -learner.most, -1)
            pipeline.set(judged, counts[0])
            with suppress(redis.WatchError):  # another process was faster
                pipeline.execute()

    def _read_counted(self, name: bytes, most: int) -> list[CountedArticle]:
        """Return the last articles that a list names, without those that were removed."""
        numbers = self.client.lrange(name, -most, -1)
        rows, losses = (self.client.hmget(self.name(part), numbers) for part in ("articles", "lost"))
        pairs = zip(rows, losses, strict=True)
        return [CountedArticle(row, lost) for row, lost in pairs if row is not None]

    def remove(self, identity: bytes, hashes_of: Callable[[bytes], U64]) -> int:
        """Remove the articles of an id, and return how many there were."""

        def attempt() -> int:
            with self.client.pipeline() as pipeline:
                self._watch_settings(pipeline)
                pipeline.watch(self._identity_name(identity))
                numbers = sorted(self.client.smembers(self._identity_name(identity)))
                if not numbers:
                    return 0
                rows = self.client.hmget(self.name("articles"), numbers)
                pipeline.multi()
                for number, row in zip(numbers, rows, strict=True):
                    for key in self.postings.server_keys(_posting_keys(hashes_of(row))):
                        pipeline.srem(key, number)
                for part in ("articles", "lost"):
                    pipeline.hdel(self.name(part), *numbers)
                pipeline.delete(self._identity_name(identity))
                pipeline.execute()
                return len(numbers)

        with self._errors():
            return self._repeat(attempt)

    def count(self) -> int:
        """Return the number of articles."""
        with self._errors():
            return int(self.client.hlen(self.name("articles")))

    def close(self) -> None:
        """Close the connections."""
        self.client.close()


def _posting_keys(hashes: U64) -> list[bytes]:
    """Return the keys of hashes in the storage."""
    return [value.to_bytes(_HASH_BYTES, "big") for value in hashes.tolist()]
