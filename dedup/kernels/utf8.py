"""Decode UTF-8, one character at a time. Lone surrogates are encoded like other characters."""

from __future__ import annotations

from typing import Any

import numpy as np

from dedup.arrays import Bytes
from dedup.kernels.declare import inlined, part

UNICODE_END = 0x110000  # the first number that is no code point


@part
def decode_at(data: Bytes, at: int, stop: int) -> tuple[np.int64, int]:
    """Return the code point of the character that starts at byte `at` of `data`, and its length in bytes.

    No byte from `stop` on is read: in data that is not UTF-8, the last character may be incomplete. `data` is uint8
    [bytes]. The result is always a code point, whatever the data.
    """
    byte = np.int64(data[at])
    if byte < 0x80:
        return byte, 1
    if byte < 0xE0:
        code, size = np.int64(byte & 0x1F), 2
    elif byte < 0xF0:
        code, size = np.int64(byte & 0x0F), 3
    else:
        code, size = np.int64(byte & 0x07), 4
    for place in range(at + 1, min(at + size, stop)):
        code = np.int64(code << 6 | np.int64(data[place]) & 0x3F)
    if code >= UNICODE_END:
        code = np.int64(UNICODE_END - 1)
    return code, size


@inlined
def character_width(byte: int) -> int:
    """Return the number of bytes of a character whose first byte is `byte`."""
    return 1 if byte < 0x80 else 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4


@inlined
def code_point_at(data: Bytes, at: int, width: int) -> Any:
    """Return the code point of the character of `width` bytes at byte `at` of `data`, uint8 [bytes], valid UTF-8."""
    if width == 1:
        return np.int64(data[at])
    if width == 2:
        return (np.int64(data[at]) & 0x1F) << 6 | (np.int64(data[at + 1]) & 0x3F)
    if width == 3:
        return (
            (np.int64(data[at]) & 0x0F) << 12 | (np.int64(data[at + 1]) & 0x3F) << 6 | (np.int64(data[at + 2]) & 0x3F)
        )
    return (
        (np.int64(data[at]) & 0x07) << 18
        | (np.int64(data[at + 1]) & 0x3F) << 12
        | (np.int64(data[at + 2]) & 0x3F) << 6
        | (np.int64(data[at + 3]) & 0x3F)
    )
