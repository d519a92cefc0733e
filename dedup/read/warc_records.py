"""Read web archives (WARC): the responses that are HTML pages.

warcio reads each record, in pure Python: extracting the text of a page takes far longer than reading its record.
FastWARC 2.0 panics on streams that cannot seek, such as decompressed ones. `dedup.read.warc_boundaries` finds the
records, because warcio stops at damage, and takes a header that is cut off for the end. A page is a record: a line of
JSON with what the archive says about it, then the bytes of the page.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from dedup.errors import InputError
from dedup.read.fields import from_json, to_json_bytes
from dedup.read.json_lines import FileRow, beginning, too_long
from dedup.read.pages import HtmlPage, is_page
from dedup.read.streams import ByteStream, damage_error
from dedup.read.warc_boundaries import KEPT_BYTES, WarcPart, split_records
from dedup.settings import MAX_RECORD

_INSTALL_WARC = "install the extra `warc`: run pip install '.[warc]' in a checkout of this project"
_PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_OK = "200"
_RECORD_TYPE = re.compile(rb"^WARC-Type[ \t]*:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_TARGET_URI = re.compile(rb"^WARC-Target-URI[ \t]*:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_REASON_SHOWN = 80  # characters


def check_warc_extra(where: object) -> None:
    """Raise `InputError` about the input `where` if warcio is not installed."""
    if find_spec("warcio") is None:
        raise InputError(f"{where}: to read web archives, {_INSTALL_WARC}")


def read_warc(stream: ByteStream, skipped: Counter[str], most: int = MAX_RECORD) -> Iterator[FileRow]:
    """Yield the HTML pages of a web archive, numbered from 0; count the other records in `skipped`, by type.

    These have an error: a page that cannot be read, bytes that are not a record, and the last record if the archive
    ends too soon. Of a record of more than `most` bytes, only the beginning is kept.
    """
    number = 0
    broke_off = False
    for part in split_records(stream, most):
        broke_off = part.broke_off
        row = _part_row(part, number, skipped, most, stream)
        if row is not None:
            yield row
            number += 1
    if stream.damage and not broke_off:
        yield number, b"", damage_error(stream.damage), None


def _part_row(part: WarcPart, number: int, skipped: Counter[str], most: int, stream: ByteStream) -> FileRow | None:
    """Return a page, or a part that cannot be read, as record `number`; None for a record that is counted instead."""
    problem = part.problem
    kind = _header_field(_RECORD_TYPE, part.header)
    if part.header and not kind:
        problem = problem or "this record has no WARC-Type"
    elif kind == "response" and not _header_field(_TARGET_URI, part.header):
        problem = problem or "this record has no WARC-Target-URI"
    error = _error_at(problem, part, stream) if problem else None
    row = None
    if kind == "response" and _header_field(_TARGET_URI, part.header):
        try:
            row = _page_row(part, number, error, most)
        except Exception as failure:  # noqa: BLE001 - warcio raises what its code happens to run into
            reason = repr((str(failure).strip().splitlines() or [type(failure).__name__])[0][:_REASON_SHOWN])
            error = error or _error_at(f"this record cannot be read: {reason}", part, stream)
    if row is None and error:
        data = part.header + part.content
        return number, data if len(data) <= KEPT_BYTES else beginning(data), error, None
    if row is None:
        skipped["response that is no page" if kind == "response" else kind] += 1
    return row


def _error_at(problem: str, part: WarcPart, stream: ByteStream) -> str:
    """Return the quarantine error of a part of the archive, with its place."""
    if part.broke_off and stream.damage:
        return damage_error(stream.damage)
    extent = f"it begins at {stream.unit} {part.start:,} and has {len(part.header) + part.size:,} bytes"
    return f"{problem} ({extent}); fetch it again"


def _header_field(pattern: re.Pattern[bytes], header: bytes) -> str:
    """Return the value of the header field that `pattern` matches, empty if the field is missing."""
    match = pattern.search(header)
    return match[1].strip().decode("latin-1")[:_REASON_SHOWN] if match else ""


def _page_row(part: WarcPart, number: int, error: str | None, most: int) -> FileRow | None:
    """Return a response as record `number`, with an error if it is damaged; None if it is no HTML page."""
    from warcio.recordloader import ArcWarcRecordLoader  # noqa: PLC0415 - an extra

    loader = ArcWarcRecordLoader(verify_http=False, arc2warc=False)
    record = loader.parse_record_stream(io.BytesIO(part.whole()), known_format="warc")
    headers, http = record.rec_headers, record.http_headers
    if http is not None and http.protocol.startswith("HTTP/") and http.get_statuscode() != _OK:
        return None
    kind, _, parameters = (http.get_header("Content-Type") or "" if http else "").partition(";")
    kind = kind.strip().lower() or (headers.get_header("WARC-Identified-Payload-Type") or "").lower()
    if kind and kind not in _PAGE_TYPES:
        return None
    page = record.content_stream().read(most + 1)
    is_http = http is not None and http.protocol.startswith("HTTP/")
    if is_http and not kind and not is_page(page[:5000].decode("latin-1")):
        return None
    about = {
        "url": headers.get_header("WARC-Target-URI"),
        "date": headers.get_header("WARC-Date"),
        "record": headers.get_header("WARC-Record-ID"),
        "charset": _charset_in(parameters),
    }
    if len(page) > most or part.size > most:
        page, error = beginning(page), error or too_long(most)
    elif not is_http:
        error = error or "this response is not HTTP; leave it out"
    return number, to_json_bytes(about) + b"\n" + page, error, None


def _charset_in(parameters: str) -> str | None:
    """Return the charset among the parameters of a content type.

    >>> _charset_in(' charset="UTF-8"; a=b')
    'UTF-8'
    """
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset":
            return value.strip().strip("\"'") or None
    return None


def page_of_record(data: bytes) -> tuple[HtmlPage, str | None]:
    """Return the page in a record of a web archive, and its date."""
    head, _, page = data.partition(b"\n")
    about: Any = from_json(head)
    return HtmlPage(page, about["url"], about["charset"], about["record"]), about["date"]
