"""What the fields of one input record mean: its text, id, date and host.

A record is a JSON object whose values stay as the bytes that came in, so that whatever is not ours passes
through untouched. Field names are guessed record by record, never file by file: then the answer does not
depend on how a corpus is cut into files.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import msgspec

from dedup.settings import Settings

TEXT_FIELDS = ("text", "body", "content", "articleBody")
ID_FIELDS = ("id", "url")
DATE_FIELDS = ("date", "published", "datePublished", "date_published", "published_at", "timestamp")
SOURCE_FIELDS = ("url", "source", "site", "domain", "publisher")
PROVENANCE = "provenance"

NULL = msgspec.Raw(b"null")

Fields = dict[str, msgspec.Raw]

_DECODER = msgspec.json.Decoder(Fields)
_ENCODER = msgspec.json.Encoder()
_SPACES = frozenset(" \t\n\r")
_KINDS = {
    b'"': "a string",
    b"{": "an object",
    b"[": "a list",
    b"t": "true",
    b"f": "false",
    b"n": "null",
}


class BadRecordError(ValueError):
    """An input record that cannot be an article; its message goes into the quarantine file."""


def decode_text(data: bytes) -> str:
    """`data`, read as UTF-8. Raises `BadRecordError` that says which byte is not."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRecordError(f"not UTF-8: byte 0x{data[error.start]:02x} at {error.start}; re-encode it") from None


def parse_fields(line: bytes) -> Fields:
    r"""The fields of one line of JSON, in order, values as the bytes that came in.

    Raises `BadRecordError` for anything but one JSON object in UTF-8. Escaped lone surrogates, which JSON allows,
    are kept; ``NaN`` and ``Infinity``, which it does not, are refused.

    >>> {name: bytes(value) for name, value in parse(b'{"id": 1.0, "text": "a"}').items()}
    {'id': b'1.0', 'text': b'"a"'}
    """
    decoded = decode_text(line)
    try:
        return _DECODER.decode(line)
    except (msgspec.MsgspecError, RecursionError) as error:
        try:
            return _slowly(decoded)
        except (ValueError, RecursionError):
            raise BadRecordError(_problem(line, decoded, error)) from None


def _slowly(text: str) -> Fields:
    """The fields of a JSON object as the standard library reads it, which takes lone surrogates; values as they are."""
    decoder = json.JSONDecoder(parse_constant=_refuse)
    fields: Fields = {}
    position = _expect("{", text, _after_space(text, 0))
    while text[position : position + 1] == '"':
        name, position = decoder.raw_decode(text, position)
        start = _expect(":", text, _after_space(text, position))
        _, position = decoder.raw_decode(text, start)
        fields[name] = msgspec.Raw(text[start:position].encode("utf-8"))
        position = _after_space(text, position)
        if text[position : position + 1] == "}":
            break
        position = _expect(",", text, position)
        if text[position : position + 1] != '"':
            raise ValueError(text)
    if _expect("}", text, position) != len(text):
        raise ValueError(text)
    return fields


def _expect(character: str, text: str, position: int) -> int:
    """Where the next token stands, behind `character` at `position`."""
    if text[position : position + 1] != character:
        raise ValueError(text)
    return _after_space(text, position + 1)


def _after_space(text: str, position: int) -> int:
    while text[position : position + 1] in _SPACES:
        position += 1
    return position


def _problem(line: bytes, decoded: str, error: Exception) -> str:
    """Why a line is no article, and what to do."""
    try:
        json.loads(decoded, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return f"not JSON: {_plain(error)}; each line must be one article's object"
    return f"not a JSON object but {_kind(line)}; each line must be one article's object"


def to_json(value: object) -> msgspec.Raw:
    """`value` as JSON; lone surrogates become escapes."""
    return msgspec.Raw(to_json_bytes(value))


def to_json_bytes(value: object) -> bytes:
    """`value` as JSON bytes; lone surrogates become escapes."""
    try:
        return _ENCODER.encode(value)
    except (UnicodeEncodeError, OverflowError, msgspec.MsgspecError):
        return json.dumps(value, separators=(",", ":"), default=_spell_out).encode("ascii")


def _spell_out(value: object) -> object:
    """The plain value of JSON bytes inside a value that the fast encoder refused."""
    if isinstance(value, msgspec.Raw):
        return json.loads(bytes(value))
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def from_json(value: msgspec.Raw | bytes) -> object:
    """The value that JSON bytes say; escaped lone surrogates and large integers included."""
    try:
        return msgspec.json.decode(value)
    except msgspec.MsgspecError:
        return json.loads(bytes(value))


def join_fields(fields: Fields) -> bytes:
    """One line of JSON, without its line end.

    >>> join(parse(b'{"id": 1.0,  "n": [1,  2]}'))
    b'{"id":1.0,"n":[1,  2]}'
    """
    try:
        return _ENCODER.encode(fields)
    except UnicodeEncodeError:  # a field name with a lone surrogate
        pairs = (json.dumps(name).encode("ascii") + b":" + bytes(value) for name, value in fields.items())
        return b"{" + b",".join(pairs) + b"}"


def text_of(fields: Fields, settings: Settings) -> tuple[str, str]:
    """The name of the text field and the text. Raises `BadRecordError` where there is none."""
    names = (settings.text_field,) if settings.text_field else TEXT_FIELDS
    found = None
    for name in names:
        if name in fields:
            value = bytes(fields[name])
            if value[:1] == b'"':
                return name, str(from_json(value))
            found = found or name
    if found:
        raise BadRecordError(f"field {found!r} is {_kind(fields[found])}, not a text; convert it to a string")
    wanted = " or ".join(repr(name) for name in names)
    raise BadRecordError(f"no text: there is no field {wanted}; name it with --text-field")


def id_of(fields: Fields, settings: Settings, source: str, record: int) -> tuple[str | None, str]:
    """The name of the id field and the article's id; without one, None and ``source#record``."""
    for name in (settings.id_field,) if settings.id_field else ID_FIELDS:
        if name in fields and bytes(fields[name])[:1] not in {b"n", b"{", b"["}:
            value = from_json(fields[name])
            return name, value if isinstance(value, str) else bytes(fields[name]).decode()
    return None, f"{source}#{record}"


def text_file_id(source: str) -> str:
    """The id of a ``.txt`` article: its path without suffix.

    >>> text_file_id("2020/03/taji.txt")
    '2020/03/taji'
    """
    path = PurePosixPath(source)
    while path.suffix.lower() in {".gz", ".zst", ".txt"}:
        stem = path.with_suffix("")
        if path.suffix.lower() == ".txt":
            return str(stem)
        path = stem
    return str(path)


def host_of(fields: Fields, settings: Settings) -> tuple[str | None, str | None]:
    """The name of the source field and the host or source it says; both None where nothing is known.

    >>> host_of(parse(b'{"url": "https://www.example.com/a"}'), Settings())
    ('url', 'example.com')
    """
    for name in (settings.source_field,) if settings.source_field else SOURCE_FIELDS:
        if name in fields and bytes(fields[name])[:1] == b'"':
            host = _host(str(from_json(fields[name])).strip())
            if host:
                return name, host
    return None, None


def _host(value: str) -> str:
    place = value.find("://")
    if place >= 0:
        path = value.find("/", place + 3)
        try:
            value = _hostname(value if path < 0 else value[:path]) or value
        except ValueError:
            return value
    return value.lower().removeprefix("www.")


@lru_cache(1 << 12)
def _hostname(address: str) -> str | None:
    """The host of an address without its path: few addresses of a corpus differ up to there."""
    return urlsplit(address).hostname


def date_of(fields: Fields, settings: Settings) -> tuple[str | None, int | None]:
    """The name of the date field and the date in microseconds since 1970, UTC; None where it cannot be read.

    ISO 8601, RFC 2822, and numbers of seconds or milliseconds since 1970 are read. A date without a time zone
    counts as UTC.

    >>> date_of(parse(b'{"date": "1970-01-01T00:00:01Z"}'), Settings())
    ('date', 1000000)
    """
    for name in (settings.date_field,) if settings.date_field else DATE_FIELDS:
        if name in fields:
            return name, _microseconds(from_json(fields[name]))
    return None, None


def _microseconds(value: object) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        milliseconds = abs(value) >= 1e11  # seconds would lie behind the year 5138
        return int(value * (1_000 if milliseconds else 1_000_000)) if abs(value) < 1e14 else None
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value.strip())
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
        except (ValueError, TypeError, IndexError):
            return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _kind(value: msgspec.Raw | bytes) -> str:
    return _KINDS.get(bytes(value).lstrip()[:1], "a number")


def _plain(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, msgspec.ValidationError):
        return "its top level is not an object"
    return str(error).removeprefix("JSON is malformed: ")


def _refuse(constant: str) -> None:
    raise ValueError(constant)
