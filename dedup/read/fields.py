"""Parse the fields of an input record, and find its text, id, date and host.

A record is a JSON object whose values keep their original bytes, so that all other fields pass through unchanged.
Field names are guessed record by record, never file by file: then the result does not depend on how a corpus is cut
into files.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from urllib.parse import urlsplit

import msgspec

from dedup.read.formats import suffix_of, without_compression
from dedup.settings import Settings

TEXT_FIELDS = ("text", "body", "content", "articleBody")
ID_FIELDS = ("id", "url")
DATE_FIELDS = ("date", "published", "datePublished", "date_published", "published_at", "timestamp")
SOURCE_FIELDS = ("url", "source", "site", "domain", "publisher")
PROVENANCE_FIELD = "provenance"

NULL = msgspec.Raw(b"null")

Fields = dict[str, msgspec.Raw]

_FIELDS_DECODER = msgspec.json.Decoder(Fields)
_JSON_ENCODER = msgspec.json.Encoder()
_JSON_SPACES = frozenset(" \t\n\r")
_VALUE_KINDS = {  # by the first byte
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
    """Return `data` decoded as UTF-8. Raises `BadRecordError` that names the first invalid byte."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadRecordError(f"not UTF-8: byte 0x{data[error.start]:02x} at {error.start}; re-encode it") from None


def parse_fields(line: bytes) -> Fields:
    r"""Return the fields of one line of JSON, in order, each value as its original bytes.

    Raises `BadRecordError` for anything but one JSON object in UTF-8. JSON allows escaped lone surrogates, so they
    stay; it does not allow ``NaN`` and ``Infinity``, so they raise.

    >>> {name: bytes(value) for name, value in parse_fields(b'{"id": 1.0, "text": "a"}').items()}
    {'id': b'1.0', 'text': b'"a"'}
    """
    decoded = decode_text(line)
    try:
        return _FIELDS_DECODER.decode(line)
    except (msgspec.MsgspecError, RecursionError) as error:
        try:
            return _parse_surrogates(decoded)
        except (ValueError, RecursionError):
            raise BadRecordError(_parse_error(line, decoded, error)) from None


def _parse_surrogates(text: str) -> Fields:
    """Return the fields of a JSON object, parsed by the standard library, which accepts lone surrogates."""
    decoder = json.JSONDecoder(parse_constant=_reject_constant)
    fields: Fields = {}
    position = _skip_token("{", text, _skip_space(text, 0))
    while text[position : position + 1] == '"':
        name, position = decoder.raw_decode(text, position)
        start = _skip_token(":", text, _skip_space(text, position))
        _, position = decoder.raw_decode(text, start)
        fields[name] = msgspec.Raw(text[start:position].encode("utf-8"))
        position = _skip_space(text, position)
        if text[position : position + 1] == "}":
            break
        position = _skip_token(",", text, position)
        if text[position : position + 1] != '"':
            raise ValueError(text)
    if _skip_token("}", text, position) != len(text):
        raise ValueError(text)
    return fields


def _skip_token(character: str, text: str, position: int) -> int:
    """Return the offset of the token after `character`. Raises `ValueError` if that is not at `position`."""
    if text[position : position + 1] != character:
        raise ValueError(text)
    return _skip_space(text, position + 1)


def _skip_space(text: str, position: int) -> int:
    """Return the offset of the first character from `position` on that is no JSON space."""
    while text[position : position + 1] in _JSON_SPACES:
        position += 1
    return position


def _parse_error(line: bytes, decoded: str, error: Exception) -> str:
    """Return the message for a line that is not one JSON object; `error` is what the fast parser raised."""
    try:
        json.loads(decoded, parse_constant=_reject_constant)
    except (ValueError, RecursionError):
        return f"not JSON: {_parser_message(error)}; each line must be one article's object"
    return f"not a JSON object but {_json_kind(line)}; each line must be one article's object"


def to_json(value: object) -> msgspec.Raw:
    """Return `value` as JSON; lone surrogates become escapes."""
    return msgspec.Raw(to_json_bytes(value))


def to_json_bytes(value: object) -> bytes:
    """Return `value` as JSON bytes; lone surrogates become escapes."""
    try:
        return _JSON_ENCODER.encode(value)
    except (UnicodeEncodeError, OverflowError, msgspec.MsgspecError):
        return json.dumps(value, separators=(",", ":"), default=_decode_raw).encode("ascii")


def _decode_raw(value: object) -> object:
    """Return the value of JSON bytes inside a value that the fast encoder cannot encode."""
    if isinstance(value, msgspec.Raw):
        return json.loads(bytes(value))
    raise TypeError(f"{type(value).__name__} is not a JSON value")


def from_json(value: msgspec.Raw | bytes) -> object:
    """Return the value of JSON bytes; escaped lone surrogates and large integers included."""
    try:
        return msgspec.json.decode(value)
    except msgspec.MsgspecError:
        return json.loads(bytes(value))


def join_fields(fields: Fields) -> bytes:
    """Return `fields` as one line of JSON, without a newline.

    >>> join_fields(parse_fields(b'{"id": 1.0,  "n": [1,  2]}'))
    b'{"id":1.0,"n":[1,  2]}'
    """
    try:
        return _JSON_ENCODER.encode(fields)
    except UnicodeEncodeError:  # a field name with a lone surrogate
        pairs = (json.dumps(name).encode("ascii") + b":" + bytes(value) for name, value in fields.items())
        return b"{" + b",".join(pairs) + b"}"


def text_of(fields: Fields, settings: Settings) -> tuple[str, str]:
    """Return the name of the text field and the text. Raises `BadRecordError` if there is none."""
    names = (settings.text_field,) if settings.text_field else TEXT_FIELDS
    not_a_string = None
    for name in names:
        if name in fields:
            value = bytes(fields[name])
            if value[:1] == b'"':
                return name, str(from_json(value))
            not_a_string = not_a_string or name
    if not_a_string:
        kind = _json_kind(fields[not_a_string])
        raise BadRecordError(f"field {not_a_string!r} is {kind}, not a text; convert it to a string")
    choices = " or ".join(repr(name) for name in names)
    raise BadRecordError(f"no text: there is no field {choices}; name it with --text-field")


def id_of(fields: Fields, settings: Settings, source: str, record: int) -> tuple[str | None, str]:
    """Return the name of the id field and the article's id; None and ``source#record`` if it has no id."""
    for name in (settings.id_field,) if settings.id_field else ID_FIELDS:
        if name in fields and bytes(fields[name])[:1] not in {b"n", b"{", b"["}:
            value = from_json(fields[name])
            return name, value if isinstance(value, str) else bytes(fields[name]).decode()
    return None, f"{source}#{record}"


def text_file_id(source: str) -> str:
    """Return the id of a ``.txt`` article: its path without suffix.

    >>> text_file_id("2020/03/taji.txt")
    '2020/03/taji'
    """
    name = without_compression(source)
    return name[: -len(".txt")] if suffix_of(name) == ".txt" else name


def host_of(fields: Fields, settings: Settings) -> tuple[str | None, str | None]:
    """Return the name of the source field and its host or other source; both None if no field has one.

    >>> host_of(parse_fields(b'{"url": "https://www.example.com/a"}'), Settings())
    ('url', 'example.com')
    """
    for name in (settings.source_field,) if settings.source_field else SOURCE_FIELDS:
        if name in fields and bytes(fields[name])[:1] == b'"':
            host = normalize_host(str(from_json(fields[name])).strip())
            if host:
                return name, host
    return None, None


def normalize_host(value: str) -> str:
    """Return the host that `value` names, in lower case and without ``www.``; an invalid address stays as it is.

    >>> normalize_host("https://www.Example.com/a")
    'example.com'
    """
    scheme_end = value.find("://")
    if scheme_end >= 0:
        path = value.find("/", scheme_end + 3)
        try:
            value = _hostname(value if path < 0 else value[:path]) or value
        except ValueError:
            return value
    return value.lower().removeprefix("www.")


@lru_cache(1 << 12)
def _hostname(address: str) -> str | None:
    """Return the host of an address without its path. Cached, since few addresses of a corpus differ up to the path."""
    return urlsplit(address).hostname


def date_of(fields: Fields, settings: Settings) -> tuple[str | None, int | None]:
    """Return the name of the date field and the date in microseconds since 1970, UTC; None if it cannot be read.

    Dates are ISO 8601, RFC 2822, or numbers of seconds or milliseconds since 1970. A date without a time zone counts as
    UTC.

    >>> date_of(parse_fields(b'{"date": "1970-01-01T00:00:01Z"}'), Settings())
    ('date', 1000000)
    """
    for name in (settings.date_field,) if settings.date_field else DATE_FIELDS:
        if name in fields:
            return name, _microseconds(from_json(fields[name]))
    return None, None


def _microseconds(value: object) -> int | None:
    """Return the date `value` in microseconds since 1970, UTC; None if it is no date."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        milliseconds = abs(value) >= 1e11  # as seconds it would be after the year 5138
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


def _json_kind(value: msgspec.Raw | bytes) -> str:
    """Return the kind of a JSON value in words, with its article."""
    return _VALUE_KINDS.get(bytes(value).lstrip()[:1], "a number")


def _parser_message(error: Exception) -> str:
    """Return the message of a JSON parser's `error`, without its preamble."""
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, msgspec.ValidationError):
        return "its top level is not an object"
    return str(error).removeprefix("JSON is malformed: ")


def _reject_constant(constant: str) -> None:
    """Raise `ValueError`: JSON has no ``NaN`` and no ``Infinity``."""
    raise ValueError(constant)
