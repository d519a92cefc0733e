"""Extract the article from an HTML page with trafilatura, whose choice of text is kept as it is.

It is called with its defaults, and never asks the network. Its upper limit for dates is the current day, which would
make results depend on the clock; a day far ahead takes its place. A page takes 20 to 300 ms, so pages are extracted in
the worker processes, never by the reader.
"""

from __future__ import annotations

import codecs
import hashlib
import logging
import re
import unicodedata
from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple

from dedup.errors import InputError
from dedup.read.charset import charset_of_bom, guess_charset
from dedup.read.fields import to_json_bytes
from dedup.read.json_errors import BadRecordError

INSTALL_HTML = "install the extra `html`: run pip install '.[html]' in a checkout of this project"
EXTRACTED_FROM = "extracted_from"  # in a provenance: what the text was extracted from
HTML_PAGE = "html"  # the value of that

PAGE_STARTS = frozenset("<\ufeff \n\t\r")  # with which an HTML document may begin
_DATES = {"original_date": True, "extensive_search": True, "max_date": "2100-01-01"}  # trafilatura's, but for the last
_LOGGERS = ("trafilatura", "htmldate", "justext", "courlan", "readability")
_PAGE_START = re.compile(
    r"(?:\s|\ufeff|<!--.{0,2000}?-->|<\?xml[^>]{0,200}>)*<(?:!doctype\s+html|html[\s>])", re.IGNORECASE | re.DOTALL
)
_META_CHARSET = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)
_CHARSET_BYTES = 4096  # of a page in which its charset is looked for; browsers read 1,024
_READ_AS = {  # browsers read pages of these charsets as others that contain them
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
}


class HtmlPage(NamedTuple):
    """A page before extraction: its HTML as bytes or text, and what is known about it from elsewhere."""

    html: bytes | str
    url: str | None = None
    charset: str | None = None
    warc_record: str | None = None


class ExtractedPage(NamedTuple):
    """The article of a page; `metadata` are its title, author, date and url, without those that it does not have.

    `provenance` is a JSON object: what the provenance of the article says about the page.
    """

    text: str
    metadata: dict[str, str]
    provenance: bytes


def is_page(text: str) -> bool:
    """Return True if a text is an HTML document.

    >>> is_page("<!DOCTYPE html><p>One"), is_page("<p>One</p>")
    (True, False)
    """
    return text[:1] in PAGE_STARTS and _PAGE_START.match(text[:5000]) is not None


def extract_page(page: HtmlPage) -> ExtractedPage:
    """Return the article of `page`. Raises `BadRecordError` if there is none, `InputError` without the extra."""
    extract = _trafilatura()
    data = page.html if isinstance(page.html, bytes) else page.html.encode("utf-8", "surrogatepass")
    html = page.html if isinstance(page.html, str) else decode_page(page.html, page.charset)
    try:
        document = extract(html, url=page.url, with_metadata=True, date_extraction_params=dict(_DATES))
    except Exception as error:
        raise BadRecordError(f"its HTML cannot be read ({type(error).__name__}: {error}); leave it out") from error
    parts = (document.text, document.comments) if document else ()
    text = unicodedata.normalize("NFC", "\n".join(part for part in parts if part).strip())
    if not text:
        raise BadRecordError("no article in this page: trafilatura extracts no text from it; leave it out")
    metadata = {name: getattr(document, name) for name in ("title", "author", "date", "url")}
    metadata = {name: str(value) for name, value in metadata.items() if value}
    if page.url:
        metadata["url"] = page.url
    provenance = {EXTRACTED_FROM: HTML_PAGE, "html_sha256": hashlib.sha256(data).hexdigest()}
    provenance |= {"url": metadata["url"]} if "url" in metadata else {}
    provenance |= {"warc_record": page.warc_record} if page.warc_record else {}
    return ExtractedPage(text, metadata, to_json_bytes(provenance))


def keep_page(page: HtmlPage) -> ExtractedPage:
    """Return the HTML of `page` in place of its article, for those who only need to know the fields of a record."""
    return ExtractedPage(page.html if isinstance(page.html, str) else "", {}, b"{}")


def check_html_extra(where: object) -> None:
    """Raise `InputError` about the input `where` if trafilatura is not installed."""
    if find_spec("trafilatura") is None:
        raise InputError(f"{where}: to read HTML pages, {INSTALL_HTML}")


@cache
def _trafilatura() -> Any:
    """Return trafilatura's function. Raises `InputError` if it is not installed."""
    try:
        from trafilatura import bare_extraction  # noqa: PLC0415 - an extra, which takes a second to import
    except ImportError:
        raise InputError(f"to read HTML pages, {INSTALL_HTML}") from None
    for name in _LOGGERS:  # they report each page of which nothing is extracted
        logging.getLogger(name).addHandler(logging.NullHandler())
    return bare_extraction


def decode_page(data: bytes, charset: str | None = None) -> str:
    r"""Return the text of an HTML page.

    A byte order mark decides, then `charset`, of the HTTP header or the settings, then the page's own `meta` tag, then
    UTF-8, then a guess. A charset in which the page does not decode is passed over; if none is left, wrong bytes of the
    first become U+FFFD.

    >>> decode_page(b'<meta charset="iso-8859-2">\xb1'), decode_page("\u0105".encode(), "windows-1250")
    ('<meta charset="iso-8859-2">ą', 'Ä…')
    """
    marked = charset_of_bom(data)
    meta = _META_CHARSET.search(data[:_CHARSET_BYTES])
    names = (marked, charset, meta[1].decode("ascii", "replace") if meta else None, "utf-8")
    known = [codec for codec in map(_codec_of, names) if codec is not None]
    for codec in known:
        try:
            return data.decode(codec).removeprefix("\ufeff")
        except UnicodeDecodeError:
            continue
    guessed = guess_charset(data)
    return data.decode(guessed or known[0], "replace")


def _codec_of(name: str | None) -> str | None:
    """Return the codec by which browsers read a charset; None if there is none of this name."""
    try:
        codec = codecs.lookup(name or "").name
        "".encode(codec)
    except (LookupError, ValueError):
        return None
    return _READ_AS.get(codec, codec)
