"""What happens to a text between the newsroom and the crawl: bad scans, lost layout, wrong code pages."""

from __future__ import annotations

import codecs
import random
from collections.abc import Callable

LINE_WORDS = 11  # of a printed column
PAGE_PARAGRAPHS = 6
_PAGES = ("- {} -", "{}", "Page {} of 9", "[page {}]")


# What each byte is read as; the five that Windows-1252 leaves free stand for themselves.
_READ_AS = "".join(
    bytes([byte]).decode("latin-1" if byte in b"\x81\x8d\x8f\x90\x9d" else "cp1252") for byte in range(256)
)


def mojibake(text: str, layers: int = 1) -> str:
    """`text` written as UTF-8 and read as Windows-1252, `layers` times.

    >>> mojibake("the café’s")
    'the cafÃ©â€™s'
    """
    for _ in range(layers):
        text = codecs.charmap_decode(text.encode("utf-8"), "strict", _READ_AS)[0]
    return text


def broken_lines(paragraph: str) -> str:
    """The lines of a printed column."""
    words = paragraph.split(" ")
    return "\n".join([" ".join(words[at : at + LINE_WORDS]) for at in range(0, len(words), LINE_WORDS)])


def pages(paragraphs: list[str], draw: random.Random) -> list[str]:
    """`paragraphs` with the numbers of the pages they were printed on."""
    form, told = draw.choice(_PAGES), []
    for number, paragraph in enumerate(paragraphs, 1):
        told.append(paragraph)
        if number % PAGE_PARAGRAPHS == 0:
            told.append(form.format(number // PAGE_PARAGRAPHS))
    return told


def column(paragraphs: list[str], draw: random.Random) -> str:
    """Paragraphs between blank lines, each in broken lines, with page numbers."""
    return "\n\n".join(pages([broken_lines(paragraph) for paragraph in paragraphs], draw))


def spread(paragraphs: list[str], draw: random.Random) -> str:
    """Paragraphs on lines of several, between runs of spaces, with spaces for commas."""
    told = [paragraph.replace(", ", "  ") for paragraph in paragraphs]
    parts = [part for paragraph in told for part in (paragraph, _BREAKS[draw.randrange(len(_BREAKS))])]
    return "".join(parts[:-1])


_BREAKS = [*(" " * width for width in (4, 8, 9, 30, 96)), "\n  "]


def lines(paragraphs: list[str], _: random.Random) -> str:
    """A line for each paragraph, none blank."""
    return "\n".join(paragraphs)


def blocks(paragraphs: list[str], _: random.Random) -> str:
    """Paragraphs between blank lines."""
    return "\n\n".join(paragraphs)


Layout = Callable[[list[str], random.Random], str]
