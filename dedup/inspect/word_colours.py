"""Colour the words that differ: in the lines of a diff, and in a text beside its twin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text

from dedup.inspect.visible import visible
from dedup.inspect.word_diff import DIFFERS, OMITTED, TextPiece, diff_words

OLD_LINE, NEW_LINE = "red", "green"
OLD_WORDS, NEW_WORDS = "bold red reverse", "bold green reverse"

_HEADERS = {"---": "bold", "+++": "bold", "@@ ": "cyan"}
_RUN_LINES = 200  # of a run of removed and added lines that are compared word by word


def coloured_diff(lines: Iterable[str]) -> Iterator[Text]:
    """Yield the lines of unified diffs for a terminal: coloured, with control characters made visible.

    Where added lines follow removed ones, the words that differ are marked.
    """
    removed: list[str] = []
    added: list[str] = []
    for line in lines:
        sign = "" if line[:3] in _HEADERS else line[:1]
        if (removed or added) and (sign not in {"-", "+"} or (sign == "-" and added) or len(removed) > _RUN_LINES):
            yield from _coloured_run(removed, added)
            removed, added = [], []
        if sign == "-":
            removed.append(line[1:])
        elif sign == "+":
            added.append(line[1:])
        else:
            yield Text(_visible_line(line), _HEADERS.get(line[:3], ""))
    yield from _coloured_run(removed, added)


def coloured_words(pieces: Iterable[TextPiece], style: str, differing: str) -> Text:
    """Return a text in pieces, of which those that differ have a style of their own; invisible characters are shown."""
    text = Text()
    for piece in pieces:
        shown = "\n".join(map(visible, piece.text.split("\n")))
        text.append(shown, differing if piece.kind == DIFFERS else "dim" if piece.kind == OMITTED else style)
    return text


def _coloured_run(removed: Sequence[str], added: Sequence[str]) -> Iterator[Text]:
    """Yield removed lines and then added ones; the words that differ are marked if there are both."""
    if removed and added and len(added) <= _RUN_LINES:
        words = diff_words("\n".join(removed), "\n".join(added), context=None)
        yield from _signed_lines(words.before, "-", OLD_LINE, OLD_WORDS)
        yield from _signed_lines(words.after, "+", NEW_LINE, NEW_WORDS)
        return
    for sign, style, lines in (("-", OLD_LINE, removed), ("+", NEW_LINE, added)):
        for line in lines:
            yield Text(sign + _visible_line(line), style)


def _signed_lines(pieces: Iterable[TextPiece], sign: str, style: str, differing: str) -> Iterator[Text]:
    """Yield the lines of a text in pieces, each after a sign."""
    line = Text(sign, style)
    for piece in pieces:
        words = differing if piece.kind == DIFFERS else style
        first, *others = piece.text.split("\n")
        line.append(_visible_line(first), words)
        for part in others:
            yield line
            line = Text(sign, style).append(_visible_line(part), words)
    yield line


def _visible_line(line: str) -> str:
    """Return a line with its invisible characters made visible; tabs stay."""
    return "\t".join(map(visible, line.split("\t")))
