"""Cut a text into pieces for a page: what each finding marks, and which words differ from the twin's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from dedup.findings import FIX, FLAG, Finding
from dedup.inspect.word_diff import CHARACTERS_COMPARED, DIFFERS, TextPiece, diff_words

SLICE = 40_000  # characters of a text on one page
_INSERTED_SHOWN = 2_000  # characters of a replacement


class TextMark(NamedTuple):
    """A span of a text, what it is ("fix", "drop", "flag", "twin" or "differs"), and the place of its finding."""

    start: int
    stop: int
    kind: str
    place: int | None = None


class MarkedPiece(NamedTuple):
    """A piece of a text with the kinds of its marks.

    `place` is that of the finding that it belongs to, `is_first` says that the finding begins here, and `inserted` is
    the text that a fix puts in its place, after its last piece.
    """

    text: str
    kinds: frozenset[str] = frozenset()
    place: int | None = None
    is_first: bool = False
    inserted: str = ""


class TextSlice(NamedTuple):
    """A part of a text as pieces: from `start` to `stop` of `length` characters."""

    start: int
    stop: int
    length: int
    pieces: list[MarkedPiece]

    @property
    def before(self) -> int | None:
        """Where the slice before this one starts; None if this is the first one."""
        return max(0, self.start - SLICE) if self.start else None

    @property
    def after(self) -> int | None:
        """Where the next slice starts; None if this is the last one."""
        return self.stop if self.stop < self.length else None


def marks_of(findings: Sequence[Finding], length: int) -> list[TextMark]:
    """Return the marks of the findings of an article of `length` characters, but for flags about all of it."""
    return [
        TextMark(finding.start, finding.stop, finding.action, place)
        for place, finding in enumerate(findings)
        if finding.action != FLAG or (finding.start, finding.stop) != (0, length)
    ]


def differing_marks(
    text: str, span: tuple[int, int], twin: str, twin_span: tuple[int, int]
) -> tuple[list[TextMark], list[TextMark]]:
    """Return marks of the words in a span that differ from those of its twin, for both texts; none for long ones."""
    one, other = text[slice(*span)], twin[slice(*twin_span)]
    if max(len(one), len(other)) > CHARACTERS_COMPARED:
        return [], []
    words = diff_words(one, other, context=None)
    return list(_differing_spans(words.before, span[0])), list(_differing_spans(words.after, twin_span[0]))


def _differing_spans(pieces: Iterable[TextPiece], start: int) -> Iterator[TextMark]:
    for piece in pieces:
        if piece.kind == DIFFERS:
            yield TextMark(start, start + len(piece.text), DIFFERS)
        start += len(piece.text)


def slice_text(text: str, start: int, marks: Sequence[TextMark], findings: Sequence[Finding] = ()) -> TextSlice:
    """Return the slice of `text` that begins at `start`, in pieces between the borders of `marks`.

    >>> [piece.text for piece in slice_text("one two", 0, [TextMark(4, 7, "flag", 0)]).pieces]
    ['one ', 'two']
    """
    start = max(0, min(start, len(text)))
    stop = min(len(text), start + SLICE)
    inside = [
        mark for mark in marks if (mark.start < stop and start < mark.stop) or start <= mark.start == mark.stop < stop
    ]
    inside.sort(key=lambda mark: mark.start)
    borders = sorted({start, stop, *(min(max(edge, start), stop) for mark in inside for edge in mark[:2])})
    pieces: list[MarkedPiece] = []
    active: list[TextMark] = []
    waiting = inside[::-1]
    for low, high in zip(borders, borders[1:] or [stop], strict=False):
        while waiting and waiting[-1].start <= low:
            active.append(waiting.pop())
        active = [mark for mark in active if mark.stop > low or mark.start == mark.stop == low]
        of_finding = [mark for mark in active if mark.place is not None]
        chosen = next((mark for mark in of_finding if mark.kind != FLAG), of_finding[-1] if of_finding else None)
        inserted = ""
        if chosen is not None and chosen.kind == FIX and chosen.stop <= high and chosen.place is not None and findings:
            inserted = (findings[chosen.place].replacement or "")[:_INSERTED_SHOWN]
        pieces.append(
            MarkedPiece(
                text[low:high],
                frozenset(mark.kind for mark in active),
                None if chosen is None else chosen.place,
                chosen is not None and chosen.start == low,
                inserted,
            )
        )
        active = [mark for mark in active if mark.stop > high]
    return TextSlice(start, stop, len(text), pieces)
