"""Put the text of an article back among its fields, and remember how to find it and to make it a list again.

In the fields of a prepared record, a placeholder stands for the text: null, or the lengths of the items of a list (see
`dedup.read.article_fields.FoundText`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dedup.read.article_fields import PARAGRAPH_SEPARATOR, NoTextError, text_of
from dedup.read.field_paths import get_field, parse_path, set_field
from dedup.read.fields import Fields, from_json, to_json
from dedup.settings import Settings

TEXT_FIELD = "text_field"  # in a provenance: the field of the text, if guessing again would find another
ITEM_LENGTHS = "paragraphs"  # in a provenance: the characters of each item, if the text was a list

_GUESS = Settings()


def put_text(fields: Fields, name: str, cleaned: str) -> dict[str, Any]:
    """Put the cleaned text in place of the placeholder at `name`, and return what its provenance has to remember."""
    remembered: dict[str, Any] = {}
    lengths = item_lengths(fields, name)
    set_field(fields, name, to_json(cleaned))
    if (not cleaned or cleaned.isspace()) and _guessed_name(fields) != name:
        remembered[TEXT_FIELD] = name
    if lengths is not None:
        remembered[ITEM_LENGTHS] = lengths
    return remembered


def put_raw_text(fields: Fields, name: str, raw: str) -> None:
    """Put the raw text in place of the placeholder at `name`, as a list if it was one."""
    set_field(fields, name, to_json(original_value(raw, item_lengths(fields, name))))


def original_value(raw: str, lengths: list[int] | None) -> str | list[str]:
    r"""Return the value of the text field that `raw` was made of: a list of items of these lengths, or the text itself.

    >>> original_value("One.\n\nTwo.", [4, 4])
    ['One.', 'Two.']
    """
    if lengths is None:
        return raw
    items, start = [], 0
    for length in lengths:
        items.append(raw[start : start + length])
        start += length + len(PARAGRAPH_SEPARATOR)
    return items


def replace_value(article: dict[str, Any], name: str, value: object) -> None:
    """Replace the value at `name`, a field or a path, in an article of Python objects; copy what is around it.

    >>> given = {"data": [{"text": "One."}]}
    >>> article = dict(given)
    >>> replace_value(article, "data[0].text", "Two.")
    >>> article, given
    ({'data': [{'text': 'Two.'}]}, {'data': [{'text': 'One.'}]})
    """
    steps = () if name in article else parse_path(name)
    if not steps:
        article[name] = value
        return
    inner: Any = article
    for step in steps[:-1]:
        inner[step] = dict(inner[step]) if isinstance(inner[step], Mapping) else list(inner[step])
        inner = inner[step]
    inner[steps[-1]] = value


def item_lengths(fields: Fields, name: str) -> list[int] | None:
    """Return the lengths that the placeholder at `name` holds; None if the text was no list."""
    placeholder = get_field(fields, name)
    lengths = None if placeholder is None else from_json(placeholder)
    return lengths if isinstance(lengths, list) else None


def _guessed_name(fields: Fields) -> str | None:
    try:
        return text_of(fields, _GUESS)[0]
    except NoTextError:
        return None
