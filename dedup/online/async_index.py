"""`AsyncIndex`: the same as `Index`, for programs with an event loop; it works in threads."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dedup.online.online_index import Index
from dedup.online.verdict import IndexVerdict
from dedup.settings import Settings


class AsyncIndex:
    """An index with coroutines; it takes the arguments of `Index`, and ``async with`` opens it."""

    def __init__(self, place: str | Path, settings: Settings | None = None, *, durable: bool = False) -> None:
        self._arguments = place, settings, durable
        self._index: Index | None = None
        self._opening = asyncio.Lock()

    async def _opened(self) -> Index:
        """Return the index; open it in a thread if it is not open."""
        async with self._opening:
            if self._index is None:
                place, settings, durable = self._arguments
                self._index = await asyncio.to_thread(Index, place, settings, durable=durable)
            return self._index

    async def query(self, article: Mapping[str, Any] | str) -> IndexVerdict:
        """Return what `Index.query` returns."""
        return await asyncio.to_thread((await self._opened()).query, article)

    async def add(self, article: Mapping[str, Any] | str) -> IndexVerdict:
        """Return what `Index.add` returns; a cancelled addition is not undone, and may still store the article."""
        return await asyncio.to_thread((await self._opened()).add, article)

    async def remove(self, article: str | int) -> int:
        """Return what `Index.remove` returns."""
        return await asyncio.to_thread((await self._opened()).remove, article)

    async def count(self) -> int:
        """Return the number of articles in the index."""
        return await asyncio.to_thread(len, await self._opened())

    async def close(self) -> None:
        """Close the index; it cannot be used afterwards."""
        if self._index is not None:
            await asyncio.to_thread(self._index.close)

    async def __aenter__(self) -> Self:
        await self._opened()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()
