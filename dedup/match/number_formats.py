"""Tell a number in the format of another language from another number: “6.3” and “6,3”, “40,000” and “40 000”."""

from __future__ import annotations

import re

from dedup.segment.facts import BETWEEN, ROLE_BIT, Mark, fact_marks, fact_marks_and_digits

_THOUSANDS = "'’ \u00a0\u2009\u202f"  # marks that stand between thousands only
_FORMATTED_NUMBER = re.compile(rf"(?<!\d)\d++(?:(?:[.,'’]|[{_THOUSANDS[2:]}](?=\d{{3}}(?!\d)))\d++)+")
_DIGITS = re.compile(r"\d+")
_ROLE_MASK = 0xFF


def have_other_facts(first: str, second: str) -> bool:
    """Return True if the facts of two texts of equal words differ in more than the formats of numbers.

    >>> have_other_facts("up 6.3 to 40,000", "up 6,3 to 40 000"), have_other_facts("up 1,204", "up 1.204")
    (False, True)
    """
    marks, others = fact_marks(first), fact_marks(second)
    if marks == others:
        return False
    inside = _places_inside_equal_numbers(first, second)
    return _without_formats(marks, inside) != _without_formats(others, inside)


def have_equal_value(first: str, second: str) -> bool:
    """Return True if there is one value, and no other, that both numbers can have.

    >>> have_equal_value("1,234.5", "1.234,5"), have_equal_value("1,204", "1.204"), have_equal_value("5,5", "5.6")
    (True, False, False)
    """
    return len(_values(first) & _values(second)) == 1


def _values(number: str) -> set[tuple[str, str]]:
    """Return the values that a number can have, each as the digits before and behind the decimal mark."""
    groups, marks = _DIGITS.findall(number), _DIGITS.split(number)[1:-1]
    values = set()
    if _are_thousands(groups, marks):
        values.add(("".join(groups), ""))
    if marks[-1] not in _THOUSANDS and marks[-1] not in marks[:-1] and _are_thousands(groups[:-1], marks[:-1]):
        values.add(("".join(groups[:-1]), groups[-1]))
    return values


def _are_thousands(groups: list[str], marks: list[str]) -> bool:
    """Return True if `marks` stand between thousands: one kind of them, with three digits behind each."""
    if not marks:
        return True
    are_equal = len(set(marks)) == 1 and all(len(group) == len("000") for group in groups[1:])
    return are_equal and len(groups[0]) <= len("000") and groups[0][0] != "0"


def _places_inside_equal_numbers(first: str, second: str) -> set[int]:
    """Return the places of marks, as `Mark` counts them, inside numbers of equal value in both texts."""
    others = _numbers(second)
    inside: set[int] = set()
    for place, number in _numbers(first).items():
        other = others.get(place, "")
        digits = sum(map(len, _DIGITS.findall(number)))
        if sum(map(len, _DIGITS.findall(other))) == digits and (number == other or have_equal_value(number, other)):
            inside.update(range(place + 1, place + digits))
    return inside


def _numbers(text: str) -> dict[int, str]:
    """Return the numbers of `text` with marks inside, by the number of digits before each."""
    numbers: dict[int, str] = {}
    digits = position = 0
    for match in _FORMATTED_NUMBER.finditer(text):
        digits += fact_marks_and_digits(text[position : match.start()])[1]
        numbers[digits] = match[0]
        position = match.start()
    return numbers


def _without_formats(marks: list[Mark], inside: set[int]) -> list[Mark]:
    """Return `marks` without those between two digits at the places `inside`."""
    return [mark for mark in marks if mark.place not in inside or mark.code >> ROLE_BIT & _ROLE_MASK != BETWEEN]
