"""Recognize the format of a file by its first bytes."""

from __future__ import annotations

import re

import msgspec

from dedup.read.formats import ARROW, CSV, DUCKDB, HTML_FILE, JSON_LINES, JSON_VALUES, PARQUET, SQLITE, TAR, WARC, ZIP
from dedup.read.pages import is_page
from dedup.read.transcoding import boms_removed

SNIFFED_BYTES = 1 << 16  # of a file; streams read 1 MB at once anyway

_SIGNATURES = (  # offset, bytes, format
    (0, b"PAR1", PARQUET),
    (0, b"ARROW1\0\0", ARROW),  # the file format; Feather version 2 is the same
    (0, b"FEA1", ARROW),  # Feather version 1
    (0, b"\xff\xff\xff\xff", ARROW),  # the stream format begins with a continuation mark
    (0, b"SQLite format 3\0", SQLITE),
    (8, b"DUCK", DUCKDB),
    (0, b"PK\x03\x04", ZIP),
    (0, b"PK\x05\x06", ZIP),  # without members
    (257, b"ustar", TAR),
    (0, b"WARC/", WARC),
)
_EXCEL_SEPARATOR = re.compile(rb'"?sep=[^\r\n]"?\r?\n', re.IGNORECASE)
_OBJECT_START = re.compile(rb'\{\s*(?:["}]|\Z)')
_ARRAY_START = re.compile(rb"\[\s*(?:[\[{\]]|\Z)")
_NEXT_KEY = re.compile(rb'\s*["}]')
_LATER_OBJECT = re.compile(rb'^\s*\{\s*"', re.MULTILINE)


def sniff_format(head: bytes, *, stream: bool = False) -> str | None:
    """Return the format of a file that begins with `head`; None if it is none that can be recognized.

    `head` is decompressed, and UTF-8 or of a charset that a byte order mark names. With `stream`, JSON Lines may begin
    with a line that is none.

    >>> sniff_format(b'[{"text": "a"}]'), sniff_format(b"PAR1"), sniff_format(b"[1] A footnote.")
    ('json', 'parquet', None)
    """
    by_signature = sniff_signature(head)
    if by_signature:
        return by_signature
    text = boms_removed(head).lstrip()
    if _EXCEL_SEPARATOR.match(text):
        return CSV
    if _OBJECT_START.match(text) or _ARRAY_START.match(text):
        return json_layout(text, None)
    if is_page(text[:SNIFFED_BYTES].decode("utf-8", "replace")):
        return HTML_FILE
    if stream and (text[:1] == b"{" or _LATER_OBJECT.search(text)):
        return JSON_LINES
    return None


def sniff_signature(head: bytes) -> str | None:
    """Return the binary format whose signature is in `head`, the first bytes of a file; None if there is none."""
    for at, signature, name in _SIGNATURES:
        if head[at : at + len(signature)] == signature:
            return name
    return None


def json_layout(head: bytes, named: str | None) -> str:
    r"""Return `JSON_LINES` or `JSON_VALUES`, whichever a file of JSON is that begins with `head`.

    `named` is the format that its name means, which decides where `head` leaves both possible. A first line that is
    a whole value, followed by others, makes JSON Lines.

    >>> json_layout(b'[{"text": "a"},\n{"text": "b"}]', JSON_LINES), json_layout(b'{"text": "a"}\n{"te', JSON_VALUES)
    ('json', 'jsonl')
    >>> json_layout(b'["a"]\n{"text": "b"}', JSON_LINES), json_layout(b'{\n  "text": "a"\n}', JSON_LINES)
    ('jsonl', 'json')
    >>> json_layout(b'{\n{"text": "a"}', JSON_LINES)  # a line that broke off
    'jsonl'
    """
    text = boms_removed(head).lstrip()
    line, _, others = text.partition(b"\n")
    line = line.strip()
    if text[:1] not in {b"{", b"["}:
        return JSON_LINES if named != JSON_VALUES or _LATER_OBJECT.search(text) else JSON_VALUES
    if _is_json(line):
        alone = not others.strip()
        if line[:1] == b"{" or not alone:
            return JSON_LINES
        return JSON_VALUES if named == JSON_VALUES or _ARRAY_START.match(line) else JSON_LINES
    if text[:1] == b"[":
        return JSON_VALUES if named == JSON_VALUES or _ARRAY_START.match(text) else JSON_LINES
    return JSON_VALUES if named == JSON_VALUES or (line == b"{" and _NEXT_KEY.match(others)) else JSON_LINES


def _is_json(line: bytes) -> bool:
    """Return True if `line` is one JSON value."""
    try:
        msgspec.json.decode(line, type=msgspec.Raw)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return True
