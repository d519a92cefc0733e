"""Read web archives (WARC): the responses that are HTML pages.

warcio reads them, in pure Python: extracting the text of a page takes far longer than reading its record. FastWARC 2.0
panics on streams that cannot seek, such as decompressed ones. A page is a record: a line of JSON with what the archive
says about it, then the bytes of the page.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

from dedup.errors import InputError
from dedup.read.fields import from_json, to_json_bytes
from dedup.read.json_lines import FileRow
from dedup.read.pages import HtmlPage, is_page
from dedup.read.streams import ByteStream, damage_error

_INSTALL_WARC = "install the extra `warc`: run pip install '.[warc]' in a checkout of this project"
_PAGE_TYPES = frozenset({"text/html", "application/xhtml+xml"})
_OK = "200"


def check_warc_extra(where: object) -> None:
    """Raise `InputError` about the input `where` if warcio is not installed."""
    if find_spec("warcio") is None:
        raise InputError(f"{where}: to read web archives, {_INSTALL_WARC}")


def read_warc(stream: ByteStream, skipped: Counter[str]) -> Iterator[FileRow]:
    """Yield the HTML pages of a web archive, numbered from 0; count the other records in `skipped`, by type.

    A page that cannot be read has an error; where the archive ends too soon or makes no sense, one last record has it.
    """
    from warcio.archiveiterator import WARCIterator  # noqa: PLC0415 - an extra

    number = 0
    try:
        for record in WARCIterator(stream):
            row = _page_row(record, number)
            if row is None:
                skipped["response that is no page" if record.rec_type == "response" else record.rec_type] += 1
            else:
                yield row
                number += 1
    except Exception as error:  # noqa: BLE001 - warcio raises what its code happens to run into
        lines = str(stream.damage or error).strip().splitlines() or [type(error).__name__]
        yield number, b"", damage_error(ValueError(lines[0])), None


def _page_row(record: Any, number: int) -> FileRow | None:
    """Return a response as record `number`, with an error if it is damaged; None if it is no HTML page."""
    if record.rec_type != "response":
        return None
    headers, http = record.rec_headers, record.http_headers
    if http is not None and http.protocol.startswith("HTTP/") and http.get_statuscode() != _OK:
        return None
    kind, _, parameters = (http.get_header("Content-Type") or "" if http else "").partition(";")
    kind = kind.strip().lower() or (headers.get_header("WARC-Identified-Payload-Type") or "").lower()
    if kind and kind not in _PAGE_TYPES:
        return None
    page = record.content_stream().read()
    missing = getattr(record.raw_stream, "limit", 0)
    is_http = http is not None and http.protocol.startswith("HTTP/")
    if is_http and not kind and not is_page(page[:5000].decode("latin-1")):
        return None
    about = {
        "url": headers.get_header("WARC-Target-URI"),
        "date": headers.get_header("WARC-Date"),
        "record": headers.get_header("WARC-Record-ID"),
        "charset": _charset_in(parameters),
    }
    error = None
    if missing > 0:
        error = f"the archive ends inside this record: {missing:,} bytes are missing; fetch it again"
    elif not is_http:
        error = "this response is not HTTP; leave it out"
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
