"""Texts in which one thing is repeated many times take linear time: no pattern looks at the rest from each place.

Time is that of this thread, and a text four times as long may take ten times as long: quadratic work takes sixteen.
"""

from __future__ import annotations

import time

import pytest

import dedup

pytestmark = pytest.mark.slow

UNITS = (
    *(
        " ",
        "\n",
        " \n",
        "\n ",
        "\r\n",
        "\t",
        "\u00a0",
        "\u200b",
        "\u00ad",
        "\u0301",
        "a",
        "A",
        "1",
        "é",
        "字",
        "ก",
        "_",
        "-",
    ),
    *(
        ".",
        "…",
        "。",
        ":",
        ",",
        "|",
        " |",
        "•",
        "• ",
        "*",
        "* ",
        "#",
        "=",
        "+",
        "%",
        "$",
        "@",
        "/",
        "\\",
        "~",
        "'",
        "‘",
        '"',
    ),
    *(
        "(",
        "[",
        "{",
        "<",
        ">",
        "&",
        "a ",
        "A ",
        "1 ",
        "Aa ",
        "1.",
        "1,",
        "1:",
        "1/",
        "a.",
        "A.",
        "a-",
        "a@",
        "a'",
        ". ",
        "? ",
    ),
    *(
        "$1",
        "[1]",
        "(a) ",
        "Mr. ",
        "12:30 ",
        "字。",
        "ก ",
        "a\n",
        "the same\n",
        "the same\n\n",
        "http://",
        "www.",
        "&amp;",
    ),
    *("<b>", "</b>", "<a", "<a x=", '<a x="" ', "<!--", "â€", "Ã©", "\ufffd"),
)
FLOOR = 0.5  # seconds that other things may take


def seconds_for(text):
    began = time.thread_time()
    dedup.clean_articles([{"id": "1", "text": text}])
    return time.thread_time() - began


@pytest.mark.parametrize("unit", UNITS, ids=ascii)
def test_a_unit_that_is_repeated_takes_linear_time(unit):
    short, long = (f"x{unit * (length // len(unit))}y" for length in (8_000, 32_000))
    seconds_for(short[:500])
    assert seconds_for(long) < 10 * seconds_for(short) + FLOOR


@pytest.mark.parametrize("letters", ["ab", "abcdefg"])
def test_short_paragraphs_that_repeat_take_little_time(letters):
    lines = [letters[number.bit_count() % len(letters)] for number in range(16_000)]
    assert seconds_for("\n".join(lines)) < 15  # 2 on a busy machine; 20 or more while candidates were aligned
