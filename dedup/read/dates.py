"""Read dates in the forms that articles have them in."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

# Offsets of the time zone names of RFC 2822 in seconds; other names count as UTC, since most mean several zones.
_ZONES = {
    name: 3600 * hours
    for name, hours in {
        "UTC": 0, "GMT": 0, "UT": 0, "Z": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6,
        "PST": -8, "PDT": -7, "CET": 1, "CEST": 2, "BST": 1,
    }.items()
}  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_TEXT = re.compile(r"-?\d{9,14}(\.\d+)?")
# Two dates that differ in year, month, day and weekday: what a text leaves open differs between them.
_FILLED_FROM = (datetime(2001, 1, 1), datetime(2004, 12, 31))  # noqa: DTZ001 - the zone is part of the text
_SIGNS = re.compile(r"[|•·]|\bat\b|\bon\b", re.IGNORECASE)


def parse_date(value: object, *, every_form: bool = True, day_first: bool = False) -> int | None:
    """Return the date `value` in microseconds since 1970, UTC; None if it is no date.

    Dates are ISO 8601, RFC 2822, or numbers of seconds or milliseconds since 1970. With `every_form`, other forms are
    read as dateutil reads them: ``01/02/2024`` has the month first unless `day_first`. A date without a time zone, or
    with the name of an unknown one, counts as UTC. What lacks a year, month or day is no date.

    >>> parse_date("January 1, 1970"), parse_date("Posted 3")
    (0, None)
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        milliseconds = abs(value) >= 1e11  # as seconds it would be after the year 5138
        return int(value * (1_000 if milliseconds else 1_000_000)) if abs(value) < 1e14 else None
    if not isinstance(value, str):
        return None
    try:
        return _microseconds(datetime.fromisoformat(value.strip()))
    except (ValueError, OverflowError):
        try:
            return _microseconds(parsedate_to_datetime(value))
        except (ValueError, TypeError, IndexError, ArithmeticError):
            return _parse_any_form(value.strip(), day_first) if every_form else None


def _microseconds(moment: datetime) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


@lru_cache(1 << 14)
def _parse_any_form(text: str, day_first: bool) -> int | None:
    """Return the date in `text`, which dateutil reads; None if it is none, or leaves its day open."""
    if _EPOCH_TEXT.fullmatch(text):
        return parse_date(float(text) if "." in text else int(text))
    from dateutil.parser import parse  # noqa: PLC0415 - rarely used

    moments = []
    for default in _FILLED_FROM:
        try:
            moment = parse(_SIGNS.sub(" ", text), default=default, dayfirst=day_first, tzinfos=_zone_offset)
            moments.append(_microseconds(moment))
        except (ValueError, ArithmeticError, TypeError, AttributeError, IndexError, RecursionError):
            return None
    return moments[0] if moments[0] == moments[1] else None


def _zone_offset(name: str | None, offset: int | None) -> int:
    """Return the offset of a time zone in seconds, as dateutil asks for it."""
    return _ZONES.get((name or "").upper(), 0) if offset is None else offset
