"""The faults of scraped text: bad scans, lost layout, wrong code pages."""

from __future__ import annotations

import codecs
import random
from collections.abc import Callable

LINE_WORDS = 11  # of a printed column
PAGE_PARAGRAPHS = 6
_PAGE_NUMBERS = ("- {} -", "{}", "Page {} of 9", "[page {}]")


# The character that each byte decodes to; the five bytes that Windows-1252 leaves undefined decode as in Latin-1.
_DECODED_AS = "".join(
    bytes([byte]).decode("latin-1" if byte in b"\x81\x8d\x8f\x90\x9d" else "cp1252") for byte in range(256)
)


def mojibake(text: str, layers: int = 1) -> str:
    """Return `text` encoded as UTF-8 and decoded as Windows-1252, `layers` times.

    >>> mojibake("the café’s")
    'the cafÃ©â€™s'
    """
    for _ in range(layers):
        text = codecs.charmap_decode(text.encode("utf-8"), "strict", _DECODED_AS)[0]
    return text


def broken_lines(paragraph: str) -> str:
    """Return a paragraph with the line ends of a printed column."""
    words = paragraph.split(" ")
    return "\n".join([" ".join(words[at : at + LINE_WORDS]) for at in range(0, len(words), LINE_WORDS)])


def add_page_numbers(paragraphs: list[str], draw: random.Random) -> list[str]:
    """Return `paragraphs` with a page number after every `PAGE_PARAGRAPHS` of them."""
    form, pages = draw.choice(_PAGE_NUMBERS), []
    for number, paragraph in enumerate(paragraphs, 1):
        pages.append(paragraph)
        if number % PAGE_PARAGRAPHS == 0:
            pages.append(form.format(number // PAGE_PARAGRAPHS))
    return pages


def column(paragraphs: list[str], draw: random.Random) -> str:
    """Return paragraphs with broken lines and page numbers, separated by blank lines."""
    return "\n\n".join(add_page_numbers([broken_lines(paragraph) for paragraph in paragraphs], draw))


def spread(paragraphs: list[str], draw: random.Random) -> str:
    """Return paragraphs separated by runs of spaces, several on a line, with spaces in place of commas."""
    texts = [paragraph.replace(", ", "  ") for paragraph in paragraphs]
    parts = [part for text in texts for part in (text, _BREAKS[draw.randrange(len(_BREAKS))])]
    return "".join(parts[:-1])


_BREAKS = [*(" " * width for width in (4, 8, 9, 30, 96)), "\n  "]


def lines(paragraphs: list[str], _: random.Random) -> str:
    """Return one line for each paragraph, without blank lines."""
    return "\n".join(paragraphs)


def blocks(paragraphs: list[str], _: random.Random) -> str:
    """Return paragraphs separated by blank lines."""
    return "\n\n".join(paragraphs)


Layout = Callable[[list[str], random.Random], str]
