"""Array types, and the packing of texts into arrays, that every stage shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

Word = TypeVar("Word")
_Value = TypeVar("_Value", bound=np.generic)

U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bytes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]
I32 = npt.NDArray[np.int32]
I16 = npt.NDArray[np.int16]


def offsets_of(lengths: Sequence[int] | I64) -> I64:
    """Return the offsets of consecutive runs of the given lengths: int64 [len(lengths) + 1], starting at 0.

    >>> offsets_of([2, 0, 3]).tolist()
    [0, 2, 2, 5]
    """
    offsets = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def pack(keys: Sequence[bytes]) -> tuple[Bytes, I64]:
    """Return `keys` as one array, uint8 [bytes], and their offsets in it, in bytes: int64 [len(keys) + 1]."""
    return np.frombuffer(b"".join(keys), np.uint8), offsets_of(np.fromiter(map(len, keys), np.int64, len(keys)))


def encode_utf8(text: str) -> bytes:
    """Return `text` in UTF-8, lone surrogates included."""
    return text.encode("utf-8", "surrogatepass")


def decode_utf8(data: bytes) -> str:
    """Return the text that `encode_utf8` encoded as `data`."""
    return data.decode("utf-8", "surrogatepass")


def sliding_windows(words: Sequence[Word], n: int) -> Iterator[tuple[Word, ...]]:
    """Yield every `n` consecutive words, from the first word on.

    >>> list(sliding_windows("abcd", 3))
    [('a', 'b', 'c'), ('b', 'c', 'd')]
    """
    return zip(*(words[start:] for start in range(n)), strict=False)


def with_room(values: npt.NDArray[_Value], size: int) -> npt.NDArray[_Value]:
    """Return an array of `size` rows or more that begins with `values`; it is at least doubled if it grows."""
    if size <= len(values):
        return values
    more = max(size - len(values), len(values))
    return np.concatenate([values, np.zeros((more, *values.shape[1:]), values.dtype)])
