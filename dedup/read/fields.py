"""Parse an input record into its fields: a JSON object whose values keep their original bytes.

All other fields pass through unchanged, because the values are never decoded. `dedup.read.article_fields` says which
fields hold the text, id, date and source.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from math import isfinite

import msgspec

from dedup.read.charset import decode_text
from dedup.read.json_errors import BadRecordError, duplicate_key, parse_error, skip_space

PROVENANCE_FIELD = "provenance"

NULL = msgspec.Raw(b"null")
NOT_FINITE = frozenset({b"NaN", b"Infinity", b"-Infinity"})  # numbers that Python writes, although JSON has no word

Fields = dict[str, msgspec.Raw]

_FIELDS_DECODER = msgspec.json.Decoder(Fields)
_JSON_ENCODER = msgspec.json.Encoder()
_PYTHON_DECODER = json.JSONDecoder(parse_int=str, parse_float=str)  # numbers of any length


def parse_fields(line: bytes) -> Fields:
    r"""Return the fields of one line of JSON, in order, each value as its original bytes.

    Raises `NotUtf8Error` for bytes that are not UTF-8, and `BadRecordError` for anything else but one JSON object. Two
    things that Python writes are read, too: escaped lone surrogates, and ``NaN``, ``Infinity`` and ``-Infinity``.

    >>> {name: bytes(value) for name, value in parse_fields(b'{"id": 1.0, "text": "a"}').items()}
    {'id': b'1.0', 'text': b'"a"'}
    """
    decoded = decode_text(line)
    try:
        return _FIELDS_DECODER.decode(line)
    except (msgspec.MsgspecError, RecursionError) as error:
        try:
            return dict(_parse_like_python(decoded))
        except (ValueError, RecursionError):
            raise BadRecordError(parse_error(decoded, error)) from None


def check_keys(line: bytes, fields: Fields, joined_bytes: int) -> None:
    """Raise `BadRecordError` if a key occurs twice in `line`, of which `fields` hold only the last value.

    `joined_bytes` is the length of `join_fields`. Most lines are either as long, or longer by the spaces that Python
    writes; only others are parsed again.

    >>> check_keys(b'{"id": 1, "id": 2}', parse_fields(b'{"id": 1, "id": 2}'), 8)
    Traceback (most recent call last):
    dedup.read.json_errors.BadRecordError: duplicate key "id": only one value can stay; rename or remove one
    """
    spaces = len(line) - joined_bytes
    if spaces and spaces != 2 * len(fields) - 1:
        name = duplicate_key(name for name, _ in _parse_like_python(line.decode("utf-8")))
        if name is not None:
            key = json.dumps(name, ensure_ascii=False)
            raise BadRecordError(f"duplicate key {key}: only one value can stay; rename or remove one")


def _parse_like_python(text: str) -> list[tuple[str, msgspec.Raw]]:
    """Return the fields of a JSON object, parsed by the standard library; a key that occurs twice is there twice."""
    fields: list[tuple[str, msgspec.Raw]] = []
    position = _skip_token("{", text, skip_space(text, 0))
    while text[position : position + 1] == '"':
        name, position = _PYTHON_DECODER.raw_decode(text, position)
        start = _skip_token(":", text, skip_space(text, position))
        _, position = _PYTHON_DECODER.raw_decode(text, start)
        fields.append((name, msgspec.Raw(text[start:position].encode("utf-8"))))
        position = skip_space(text, position)
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
    return skip_space(text, position + 1)


def to_json(value: object) -> msgspec.Raw:
    """Return `value` as JSON; lone surrogates become escapes."""
    return msgspec.Raw(to_json_bytes(value))


def to_json_bytes(value: object) -> bytes:
    """Return `value` as JSON bytes; lone surrogates become escapes, and a number that is not finite stays one."""
    if type(value) is float and not isfinite(value):
        return json.dumps(value).encode("ascii")  # the fast encoder would write null
    try:
        return _JSON_ENCODER.encode(value)
    except (UnicodeEncodeError, OverflowError, msgspec.MsgspecError):
        return _encode_slowly(value)


def _encode_slowly(value: object) -> bytes:
    """Return a value that the fast encoder cannot encode as JSON bytes; `Raw` values inside stay as they are."""
    if isinstance(value, msgspec.Raw):
        return bytes(value)
    if isinstance(value, Mapping):
        return b"{" + b",".join(_encode_slowly(name) + b":" + _encode_slowly(value[name]) for name in value) + b"}"
    if isinstance(value, (list, tuple)):
        return b"[" + b",".join(map(_encode_slowly, value)) + b"]"
    return json.dumps(value).encode("ascii")


def from_json(value: msgspec.Raw | bytes) -> object:
    """Return the value of JSON bytes; escaped lone surrogates and large integers included."""
    try:
        return msgspec.json.decode(value)
    except msgspec.MsgspecError:
        return json.loads(bytes(value), parse_int=_parse_integer)


def _parse_integer(digits: str) -> int | Decimal:
    """Return the number that `digits` are; a `Decimal` where Python makes no integer of so many."""
    try:
        return int(digits)
    except ValueError:
        return Decimal(digits)


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
