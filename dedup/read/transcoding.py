"""Decode files of other charsets than UTF-8: those with a byte order mark, and those that the settings name.

The rest of the package reads UTF-8, so a stream in another charset is decoded and encoded again as it is read. A byte
that does not decode becomes an escape, a lone surrogate from U+DC00 to U+DCFF. Thus it spoils one record and not the
file, and the original bytes of that record can be restored.
"""

from __future__ import annotations

import codecs
import re

from dedup.read.charset import charset_of_bom
from dedup.read.streams import BLOCK_BYTES, ByteStream

_WITHOUT_BOM = {"utf-16": "utf-16-le", "utf-32": "utf-32-le", "utf-8-sig": "utf-8"}
_UTF8 = frozenset({"utf-8", "ascii"})
_ESCAPE = re.compile(rb"\xed[\xb0-\xb3]")  # how UTF-8 would begin a surrogate from U+DC00 to U+DCFF
_ESCAPES = re.compile("([\udc00-\udcff]+)")
_HANDLER = "dedup.escape"


def charset_of(head: bytes, encoding: str | None) -> str | None:
    """Return the charset of a file that begins with `head`; None for UTF-8 whose bytes are not to be checked.

    A byte order mark decides, then `encoding`, the setting. Charsets with a byte order mark are returned without it
    ("utf-16-le"), so that decoding keeps U+FEFF and encoding gives the original bytes again.

    >>> charset_of("a".encode("utf-16"), None), charset_of(b"a", "cp1252"), charset_of(b"a", None)
    ('utf-16-le', 'cp1252', None)
    """
    if head.startswith(codecs.BOM_UTF8):
        return None
    marked = charset_of_bom(head)
    if marked:
        return marked
    return None if encoding is None else _WITHOUT_BOM.get(encoding, encoding)


def boms_removed(head: bytes) -> bytes:
    """Return the beginning of a file in UTF-8 and without its byte order mark, if it has one."""
    charset = charset_of_bom(head)
    text = head.decode(charset, "ignore").encode("utf-8", "ignore") if charset else head
    return text.removeprefix(codecs.BOM_UTF8)


def named_charset(charset: str | None) -> str | None:
    """Return the charset as records carry it: None if it is UTF-8."""
    return None if charset in _UTF8 else charset


def transcoded(stream: ByteStream, charset: str) -> ByteStream:
    """Return a stream of the text of `stream` in UTF-8, with escapes for bytes that are not of `charset`."""
    decoder = codecs.getincrementaldecoder(charset)(_HANDLER)
    ended = False

    def read_text(_size: int) -> bytes:
        nonlocal ended
        while not ended:
            block = stream.read1(BLOCK_BYTES)
            ended = not block
            text = decoder.decode(block, final=ended)
            if text:
                return text.encode("utf-8", "surrogatepass")
        if stream.damage:
            raise stream.damage
        return b""

    return ByteStream(read_text)


def has_escapes(data: bytes) -> bool:
    """Return True if `data` from a transcoded stream has bytes that did not decode."""
    return _ESCAPE.search(data) is not None


def original_bytes(data: bytes, charset: str) -> bytes:
    r"""Return the bytes that `transcoded` made `data` from.

    >>> original_bytes(b"a\xed\xb2\x81", "cp1252")
    b'a\x81'
    """
    parts = _ESCAPES.split(data.decode("utf-8", "surrogatepass"))
    return b"".join(
        bytes(ord(character) - 0xDC00 for character in part) if number % 2 else part.encode(charset)
        for number, part in enumerate(parts)
    )


def _escape_bytes(error: UnicodeError) -> tuple[str, int]:
    """Return an escape for each byte that does not decode, as a handler of codec errors."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_HANDLER, _escape_bytes)
