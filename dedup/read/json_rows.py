"""Encode articles that are Python objects as lines of JSON.

What JSON has no word for becomes text or a list: dates in ISO 8601, decimals with all their digits, bytes in base64,
arrays and sets as lists. Missing values of pandas are null. NaN and infinity stay what they are, as Python writes them.
"""

from __future__ import annotations

import json
import math
from base64 import b64encode
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from functools import partial
from pathlib import PurePath
from typing import Any
from uuid import UUID

from dedup.errors import InputError
from dedup.read.article_fields import find_page, text_of
from dedup.read.fields import parse_fields
from dedup.read.json_errors import BadRecordError
from dedup.settings import Settings

_SCALARS = (str, int, float, bool, list, dict, type(None))
_AS_TEXT = (Decimal, UUID, PurePath, Fraction, timedelta)
_MISSING = {"NAType", "NaTType"}  # the types of pandas.NA and pandas.NaT


def json_line(row: Mapping[Any, Any], place: str) -> bytes:
    """Return `row` as one line of JSON, without a newline; `place` names the article in errors.

    Raises `InputError` for a value that JSON cannot hold.

    >>> from datetime import date
    >>> json_line({"id": 1, "date": date(2026, 3, 11), "text": "Café"}, "article 0").decode()
    '{"id":1,"date":"2026-03-11","text":"Café"}'
    """
    try:
        return _dumps(row, _json_value)
    except (TypeError, ValueError, RecursionError) as error:
        name, value = _culprit(row)
        raise InputError(
            f"{place}: the field {name!r} holds {type_name(value)}, which JSON cannot hold ({error}); "
            "convert it, or leave it out"
        ) from None


def lenient_json_line(row: Mapping[Any, Any], *, allow_nan: bool = False) -> bytes:
    """Return `row` as a line of JSON, with an object of type and text for each value that JSON cannot hold.

    NaN and infinity stay with `allow_nan`.

    >>> lenient_json_line({"id": 1, "extra": 1j}).decode()
    '{"id":1,"extra":{"complex":"1j"}}'
    """
    try:
        return _dumps(row, _json_value_or_text, allow_nan=allow_nan)
    except (TypeError, ValueError, RecursionError):
        encodable = {str(name): _encodable(value, allow_nan=allow_nan) for name, value in row.items()}
        return _dumps(encodable, _json_value_or_text)


def no_text_error(row: Mapping[Any, Any], settings: Settings) -> str | None:
    """Return the quarantine error of an article whose text is no string but a value that JSON shows as another one.

    Such a value is a float that is NaN, bytes, or a date. None if the text is a string, or of a type of JSON.

    >>> no_text_error({"text": float("nan")}, Settings())
    "no text: the value of 'text' is NaN; give a string"
    """
    odd = {name: value for name, value in row.items() if _is_odd(value)}
    if not odd or has_text({name: value for name, value in row.items() if name not in odd}, settings):
        return None
    for name, value in odd.items():
        if has_text({name: "x"}, settings):
            return f"no text: the value of {name!r} is {'NaN' if is_nan(value) else type_name(value)}; give a string"
    return None


def is_missing(value: object) -> bool:
    """Return True if `value` is one of the missing values of pandas: None, NaN, NA or NaT."""
    return value is None or is_nan(value) or type(value).__name__ in _MISSING


def is_nan(value: object) -> bool:
    """Return True if `value` is a float that is not a number."""
    return isinstance(value, float) and math.isnan(value)


def _dumps(row: Mapping[Any, Any], default: Callable[[Any], Any], *, allow_nan: bool = True) -> bytes:
    encode = partial(json.dumps, dict(row), separators=(",", ":"), default=default, allow_nan=allow_nan)
    try:
        return encode(ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:  # a lone surrogate
        return encode().encode("ascii")


def _json_value(value: Any) -> Any:
    """Return a value of JSON for one that the encoder does not know. Raises `TypeError`."""
    if isinstance(value, Enum):
        return value.value
    if type(value).__name__ in _MISSING:
        return None
    if isinstance(value, _AS_TEXT):
        return str(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return b64encode(value).decode("ascii")
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=repr)  # the order of a set differs between processes
    if isinstance(value, Mapping):
        return dict(value)
    for method in ("isoformat", "tolist", "to_list", "to_pylist", "as_py"):  # dates; numpy, pandas, polars, Arrow
        if hasattr(value, method) and not isinstance(value, type):
            return getattr(value, method)()
    raise TypeError("it has no form that JSON knows")


def _json_value_or_text(value: Any) -> Any:
    try:
        return _json_value(value)
    except (TypeError, ValueError):
        return _type_and_text(value)


def _type_and_text(value: object) -> dict[str, str]:
    """Return an object of JSON that stands for any value."""
    try:
        return {type(value).__name__: str(value)}
    except Exception:  # noqa: BLE001 - a class of the caller may raise anything
        return {type(value).__name__: ""}


def _encodable(value: Any, *, allow_nan: bool) -> Any:
    """Return `value`, or type and text if it cannot be encoded at all, such as a list that holds itself."""
    try:
        _dumps({"": value}, _json_value_or_text, allow_nan=allow_nan)
    except (TypeError, ValueError, RecursionError):
        return _type_and_text(value)
    return value


def _culprit(row: Mapping[Any, Any]) -> tuple[object, object]:
    """Return name and value of the first field that cannot be encoded."""
    for name, value in row.items():
        try:
            _dumps({name: value}, _json_value)
        except (TypeError, ValueError, RecursionError):
            return name, value
    return "", row


def _is_odd(value: object) -> bool:
    """Return True if JSON has no value like `value`, so that it would be read as another."""
    return is_nan(value) or not isinstance(value, _SCALARS)


def has_text(row: Mapping[Any, Any], settings: Settings) -> bool:
    """Return True if `row` has a text, by the fields that `settings` name or by guess."""
    try:
        fields = parse_fields(lenient_json_line(row))
        return find_page(fields, settings) is not None or text_of(fields, settings) is not None
    except BadRecordError:
        return False


def type_name(value: object) -> str:
    """Return the name of the type of `value` with its article.

    >>> type_name(5), type_name([])
    ('an int', 'a list')
    """
    name = "None" if value is None else type(value).__name__
    return name if value is None else f"an {name}" if name[0] in "aeio" else f"a {name}"
