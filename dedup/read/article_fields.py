"""Find the text, title, id, date and source of an article among its fields.

Names are guessed record by record, never file by file: then the result does not depend on how a corpus is cut into
files. ``field_names.toml`` lists the names.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple, TypeVar

import msgspec

from dedup.read.dates import parse_date
from dedup.read.field_paths import get_field, parse_path
from dedup.read.fields import NULL, Fields, from_json, to_json
from dedup.read.formats import ONE_ARTICLE, format_of_name, suffix_of, without_compression
from dedup.read.hosts import host_of_value
from dedup.read.json_errors import BadRecordError, json_kind
from dedup.settings import Settings

FoundT = TypeVar("FoundT")

PAGE_TEXT = "text"  # the field of a text that was extracted from another field
PARAGRAPH_SEPARATOR = "\n\n"  # joins the items of a text that is a list of strings

_NO_DATE = (b"null", b'""', b"[]", b"{}")


class FieldNames(NamedTuple):
    """Names of fields with one meaning, in the order in which they are tried; see ``field_names.toml``."""

    first: tuple[str, ...]
    names: tuple[str, ...]
    paths: tuple[str, ...]


class NoTextError(BadRecordError):
    """A record without a text; it may be in a field that nobody has named."""


class FoundText(NamedTuple):
    """A text, the name or path of its field, and what stands for it in the fields of a prepared record.

    That is null, or for a list of strings the number of characters of each.
    """

    name: str
    text: str
    placeholder: msgspec.Raw


@cache
def field_names() -> dict[str, FieldNames]:
    """Return the names of the fields of an article by meaning: text, html, title, id, date and source."""
    loaded = tomllib.loads((files("dedup.read") / "field_names.toml").read_text("utf-8"))
    return {
        meaning: FieldNames(*(tuple(lists[key]) for key in FieldNames._fields)) for meaning, lists in loaded.items()
    }


def text_of(fields: Fields, settings: Settings) -> tuple[str, str]:
    """Return the name of the text field and the text. Raises `NoTextError` if there is none.

    >>> from dedup.read.fields import parse_fields
    >>> text_of(parse_fields(b'{"text": "", "article": {"body": "One."}}'), Settings())
    ('article.body', 'One.')
    """
    return find_text(fields, settings)[:2]


def find_text(fields: Fields, settings: Settings) -> FoundText:
    """Return the first text that is not blank, else the first blank one. Raises `NoTextError` if there is none."""
    found = _first(fields, settings.text_field, "text", _full_text_in) or _first(
        fields, settings.text_field, "text", _text_in
    )
    if found is None:
        raise _no_text(fields, settings)
    return found


def find_page(fields: Fields, settings: Settings) -> str | None:
    """Return the value of a field of HTML, for a record without a text; None if there is none.

    A field of the text that is chosen is the only one that counts.
    """
    text = bytes(fields.get(PAGE_TEXT, NULL))  # the field that the text of the page would go to
    if settings.text_field or text[:1] not in {b'"', b"n"}:
        return None
    found = _first(fields, None, "html", _full_text_in)
    return found.text if found else None


def _text_in(name: str, value: msgspec.Raw) -> FoundText | None:
    """Return the text that a value holds: a string or a list of strings; None if it is something else."""
    data = bytes(value)
    if data[:1] == b'"':
        return FoundText(name, str(from_json(data)), NULL)
    if data[:1] != b"[":
        return None
    items = from_json(data)
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        return None
    return FoundText(name, PARAGRAPH_SEPARATOR.join(items), to_json(list(map(len, items))))


def _full_text_in(name: str, value: msgspec.Raw) -> FoundText | None:
    """Return the text that a value holds; None if it is blank."""
    found = _text_in(name, value)
    return None if found is None or not found.text or found.text.isspace() else found


def _no_text(fields: Fields, settings: Settings) -> NoTextError:
    """Return the error that says why there is no text."""
    chosen = settings.text_field
    names = (chosen,) if chosen else tuple(_top_level(tuple(fields), "text"))
    for name in names:
        value = get_field(fields, name)
        if value is not None:
            kind = json_kind(bytes(value))
            advice = "name the text inside it with `text_field`" if kind == "an object" else "convert it to a string"
            return NoTextError(f"field {name!r} is {kind}, not a text; {advice}")
    if chosen:
        return NoTextError(f"no text: there is no field {chosen!r}; name it with `text_field`")
    first, second, *_ = field_names()["text"].first
    return NoTextError(
        f"no text: there is no field {first!r} or {second!r} or of a like name; name it with `text_field`"
    )


def title_of(fields: Fields, text_field: str) -> str | None:
    """Return the title of an article, None if it has none; `text_field` is the field of its text.

    >>> from dedup.read.fields import parse_fields
    >>> title_of(parse_fields(b'{"title": "", "headline": "Alder wins"}'), "text")
    'Alder wins'
    """

    def read_title(name: str, value: msgspec.Raw) -> str | None:
        found = _full_text_in(name, value) if name != text_field and bytes(value)[:1] == b'"' else None
        return found.text if found else None

    return _first(fields, None, "title", read_title)


def id_of(fields: Fields, settings: Settings, source: str, record: int) -> tuple[str | None, str]:
    """Return the name of the id field and the article's id; None and ``source#record`` if it has no id."""
    return _first(fields, settings.id_field, "id", _id_in) or (None, f"{source}#{record}")


def _id_in(name: str, value: msgspec.Raw) -> tuple[str, str] | None:
    data = bytes(value)
    if data[:1] == b'"':
        return name, str(from_json(data))
    return None if data[:1] in {b"n", b"{", b"["} else (name, data.decode())


def host_of(fields: Fields, settings: Settings) -> tuple[str | None, str | None]:
    """Return the name of the source field and its host or other source; both None if no field has one.

    An address in any of the fields comes before the name of a source.

    >>> from dedup.read.fields import parse_fields
    >>> host_of(parse_fields(b'{"url": "https://www.example.com/a"}'), Settings())
    ('url', 'example.com')
    """
    names: list[tuple[str, str]] = []  # of sources that are no address

    def read_host(name: str, value: msgspec.Raw) -> tuple[str, str] | None:
        found = _host_in(name, value)
        if found is None or b"://" in bytes(value):
            return found
        names.append(found)
        return None

    return _first(fields, settings.source_field, "source", read_host) or (names[0] if names else (None, None))


def address_of(fields: Fields, settings: Settings) -> str | None:
    """Return the address of an article's page; None if no field has one.

    >>> from dedup.read.fields import parse_fields
    >>> address_of(parse_fields(b'{"url": "https://www.example.com/a"}'), Settings())
    'https://www.example.com/a'
    """
    name, _ = host_of(fields, settings)
    value = None if name is None else get_field(fields, name)
    return str(from_json(value)).strip() if value is not None and b"://" in bytes(value) else None


def _host_in(name: str, value: msgspec.Raw) -> tuple[str, str] | None:
    """Return `name` and the host or other source that a value is; None if it is none."""
    data = bytes(value)
    host = host_of_value(str(from_json(data)).strip()) if data[:1] == b'"' else ""
    return (name, host) if host else None


def date_of(fields: Fields, settings: Settings) -> tuple[str | None, int | None]:
    """Return the name of the date field and the date in microseconds since 1970, UTC; None if it cannot be read.

    Only `keep` by date needs all forms of dates, so others are not read for the rest.

    >>> from dedup.read.fields import parse_fields
    >>> date_of(parse_fields(b'{"date": "1970-01-01T00:00:01Z"}'), Settings())
    ('date', 1000000)
    """
    dated = _first(fields, settings.date_field, "date", _date_in)
    if dated is None:
        return _first(fields, settings.date_field, "date", lambda name, _: name), None
    name, value = dated
    every_form = settings.keep in {"earliest", "latest"}
    return name, parse_date(value, every_form=every_form, day_first=settings.day_first)


def holds_no_date(value: msgspec.Raw) -> bool:
    """Return True if the value of a date field is empty."""
    return bytes(value) in _NO_DATE


def _date_in(name: str, value: msgspec.Raw) -> tuple[str, object] | None:
    data = bytes(value)
    return None if data in _NO_DATE else (name, from_json(data))


def fields_read(names: tuple[str, ...], settings: Settings) -> list[str]:
    """Return those of `names`, the fields of a record, that may hold the text, title, id, date or source."""
    chosen = (settings.text_field, settings.id_field, settings.date_field, settings.source_field)
    wanted = {str(part).casefold() for name in chosen if name for part in (name, *parse_path(name)[:1])}
    for lists in field_names().values():
        wanted |= {name.casefold() for name in (*lists.first, *lists.names)}
        wanted |= {str(parse_path(path)[0]).casefold() for path in lists.paths}
    return [name for name in names if name.casefold() in wanted]


def _first(
    fields: Fields, chosen: str | None, meaning: str, read: Callable[[str, msgspec.Raw], FoundT | None]
) -> FoundT | None:
    """Return what `read` makes of the likeliest field with this meaning; fields for which it returns None are passed.

    `chosen` is the only field that is looked at, if it is given.
    """
    if chosen:
        value = get_field(fields, chosen)
        return None if value is None else read(chosen, value)
    names = tuple(fields)
    for name in _top_level(names, meaning):
        found = read(name, fields[name])
        if found is not None:
            return found
    for top, paths in _nested(names, meaning):
        data = bytes(fields[top])
        for path in _paths_in(data, top, paths) if data[:1] in {b"{", b"["} else ():
            value = get_field(fields, path)
            found = None if value is None else read(path, value)
            if found is not None:
                return found
    return None


@lru_cache(1 << 12)
def _top_level(names: tuple[str, ...], meaning: str) -> tuple[str, ...]:
    """Return those of `names` that have this meaning, in the order of ``field_names.toml``."""
    lists = field_names()[meaning]
    in_any_case: dict[str, list[str]] = {}
    for name in names:
        in_any_case.setdefault(name.casefold(), []).append(name)
    ordered = [name for name in lists.first if name in names]
    for name in lists.names:
        like = in_any_case.get(name.casefold(), [])
        ordered += [name] * (name in like) + like
    return tuple(dict.fromkeys(ordered))


@lru_cache(1 << 12)
def _nested(names: tuple[str, ...], meaning: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return those of `names` that paths of this meaning begin with, each with its paths."""
    in_any_case = {name.casefold(): name for name in reversed(names)}
    paths_of: dict[str, list[str]] = {}
    for path in field_names()[meaning].paths:
        top = str(parse_path(path)[0]).casefold()
        if top in in_any_case:
            paths_of.setdefault(in_any_case[top], []).append(path)
    return tuple((top, tuple(paths)) for top, paths in paths_of.items())


def _paths_in(value: bytes, top: str, paths: tuple[str, ...]) -> Iterator[str]:
    """Yield those of `paths` that lead to a value in the field `top`, as its own names spell them."""
    decoded = from_json(value)
    for path in paths:
        spelled, inner = top, decoded
        for step in parse_path(path)[1:]:
            if isinstance(step, int):
                if not isinstance(inner, list) or len(inner) <= step:
                    break
                spelled, inner = f"{spelled}[{step}]", inner[step]
            else:
                if not isinstance(inner, dict):
                    break
                like = [name for name in inner if name.casefold() == step.casefold()]
                name = step if step in inner else (like or [""])[0]
                if name not in inner or not name:
                    break
                spelled, inner = f"{spelled}.{name}", inner[name]
        else:
            yield spelled


def text_file_id(source: str) -> str:
    """Return the id of the article that a whole file is: its path without suffix.

    >>> text_file_id("2020/03/taji.txt"), text_file_id("2020/03/taji.html.gz")
    ('2020/03/taji', '2020/03/taji')
    """
    name = without_compression(source)
    return name[: -len(suffix_of(name))] if format_of_name(name) in ONE_ARTICLE else name
