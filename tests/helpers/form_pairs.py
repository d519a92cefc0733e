"""Pairs of similar articles of which it is known if one is a copy of the other."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
from conftest import ROOT

from dedup.match.form_texts import FormTexts
from dedup.match.same_form import form_evidence, have_same_form
from dedup.match.same_story import find_same_story


class FormPair(NamedTuple):
    """Two articles; `is_form` is true if they say other things in the same form, `is_missed` if that is not found."""

    name: str
    first: str
    second: str
    is_form: bool
    is_missed: bool = False


_TEXTS = FormTexts(compiled=False)


@lru_cache(maxsize=20_000)
def _number_of(text, title=None):
    return _TEXTS.add([text], [title])[0]


def evidence_of_form(first, second, title=None, other_title=None):
    """Return what tells that two texts with these titles are of one form, or None."""
    pair = _number_of(first, title), _number_of(second, other_title)
    return form_evidence(_TEXTS, *pair) if all(have_same_form(_TEXTS, pair[0], np.array(pair[1:]))) else None


def tell_same_story(first, second, title=None, other_title=None):
    """Return True if two texts with these titles tell the same story."""
    pair = _number_of(first, title), _number_of(second, other_title)
    return find_same_story(_TEXTS, pair[0], np.array(pair[1:])) == 0


def form_pairs():
    """Return the pairs of ``tests/data/same_form.toml``."""
    with (ROOT / "tests/data/same_form.toml").open("rb") as file:
        cases = tomllib.load(file)
    pairs = []
    for form in cases["form"]:
        texts = [form["text"].format(*facts) for facts in form["fillings"]]
        for number, (first, second) in enumerate(combinations(texts, 2)):
            pairs.append(
                FormPair(
                    f"{form['language']}: {form['name']} {number}",
                    first,
                    second,
                    is_form=True,
                    is_missed=form.get("is_missed", False),
                )
            )
    for copy in cases["copy"]:
        for change in copy["changes"]:
            text = copy["text"]
            for old, new in change.get("replace", []):
                assert old in text, (copy["name"], old)
                text = text.replace(old, new)
            first = change.get("other_before", "") + copy["text"]
            second = change.get("before", "") + text + change.get("after", "")
            pairs.append(
                FormPair(f"{copy['language']}: {copy['name']}: {change['name']}", first, second, is_form=False)
            )
    return pairs
