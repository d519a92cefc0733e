"""The marks of numbers that a reader sees and a comparison key hides: sign, currency, percent, decimal point, range.

A key keeps words alone, so "+2.5 %" and "-2,5" have one key. Here the text between two words, a gap, is looked at again
where one of them is a number. Each mark in it is a fact about the number before or behind it, or about both. The place
of a mark is the number of digits before it, which is equal in texts with equal keys. So marks compare texts that are
written differently: case, quotes, the width of characters, spaces, kinds of dashes and the punctuation of sentences
have no marks.

Marks also tell "C++", "C#" and "C" apart. A fraction is written out: "½" has the mark of "1/2", and "2½" those of "1/2"
raised behind "2".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from typing import NamedTuple

from dedup.segment.fact_characters import (
    BREAK,
    DASH,
    FRACTION,
    IGNORED,
    INNER,
    LETTER,
    LINE_END,
    NO_WORD,
    OR_EQUAL,
    PLAIN_DIGIT,
    PLUS,
    POINT,
    SHARP,
    SIGN,
    SLASH,
    SPACE,
    SUBSCRIPT,
    SUPERSCRIPT,
    UNIT,
    Character,
    classify,
)
from dedup.segment.words import words

# Roles of marks: before or after a number, between two, after a word, and of digits raised or lowered behind others. A
# code is the mark's character, its role from `ROLE_BIT` on, and for `OF_WORD` the last letter from `LETTER_BIT` on.
OF_NUMBER, AFTER_NUMBER, BETWEEN, OF_WORD, RAISED = range(5)
ROLE_BIT, LETTER_BIT = 24, 32
TWO_NUMBERS, JOINED_NUMBERS, TOUCHING = range(
    3
)  # how two numbers stand: as two, as one with a mark inside, with nothing between


class Mark(NamedTuple):
    """A mark of a text: the number of digits before its place, and its code."""

    place: int
    code: int


def fact_marks(text: str) -> list[Mark]:
    """Return the marks of `text`, in ascending order.

    >>> fact_marks("In 2020, 3 of 4 fell."), fact_marks("-5 %") == fact_marks("−5%") != fact_marks("5%")
    ([], True)
    """
    return fact_marks_and_digits(text)[0]


def fact_marks_and_digits(text: str) -> tuple[list[Mark], int]:
    """Return the marks of `text`, in ascending order, and the number of its digits."""
    scan = _Scan(text)
    return sorted(scan.marks), scan.place


def facts(text: str) -> tuple[str, ...]:
    """Return the numbers of `text` as a reader sees them, and words with a mark, in order; () if none has a mark.

    Texts with equal comparison keys say the same if these are equal.

    >>> facts("In 2020, it fell by −2.5 % to $1,204 (€5–7 less) in C++.")
    ('2020', '-2.5%', '1,204$', '5€–7', 'c++')
    >>> facts("In 2020, 3 fell."), facts("2½"), facts("21/2")
    ((), ('2 1/2',), ('21/2',))
    """
    scan = _Scan(text)
    return tuple(scan.show()) if scan.marks else ()


def numbers_and_facts(text: str) -> list[str]:
    """Return what `facts` does, also if no number has a mark.

    >>> numbers_and_facts("In 2020, 3 fell.")
    ['2020', '3']
    """
    return _Scan(text).show()


class _Symbols(dict[int, str]):
    """The characters of `_GAP_AND_WORD` by code point, computed when first met."""

    def __missing__(self, code: int) -> str:
        character = classify(chr(code))
        symbol = "A" if character.kind == LETTER and character.digits else _KIND_SYMBOLS[character.kind]
        self[code] = symbol
        return symbol


_KIND_SYMBOLS = "       +   +a01234"  # by kind; "A" is a letter that folds to digits, too
_GAP_AND_WORD = re.compile("([^aA0-4]*)([aA]+|[0-4]|$)")
_SPAN = re.compile("[A0-4+](?:[^aA0-4]*+[A0-4])*+[^aA0-4]*+a*+")  # numbers up to the next word
_symbols = _Symbols()
_ASCII_SYMBOLS = bytes(ord(_symbols[code]) for code in range(128)) + bytes(128)
_character = cache(classify)


def _symbols_of(text: str) -> str:
    """Return `text` with a symbol of `_GAP_AND_WORD` in place of each character."""
    if text.isascii():
        return text.encode("ascii").translate(_ASCII_SYMBOLS).decode("ascii")
    return text.translate(_symbols)


def _word_start(symbols: str, start: int, stop: int) -> int:
    """Return where the last word of ``symbols[start:stop]`` starts, or `start` if there is none."""
    while stop > start and symbols[stop - 1] in " +":
        stop -= 1
    while stop > start and symbols[stop - 1] == "a":
        stop -= 1
    return stop


class _Scan:
    """One pass over a text.

    `marks` are its marks. `items` are its marked words, and its numbers: the places and digits of their parts.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.marks: list[Mark] = []
        self.items: list[str | list[tuple[int, str]]] = []
        self.place = 0  # digits so far
        self.group = 0  # the place at which the number before the gap starts
        self.left = NO_WORD  # kind of the last character before the gap
        self.word = ""  # the letters before the gap
        self.marked = ""  # the last marked word
        symbols = _symbols_of(text)
        stop = 0
        for span in _SPAN.finditer(symbols):  # to read every word would take ten times as long
            start = _word_start(symbols, stop, span.start())
            if start > stop:
                self.left = NO_WORD
            stop = span.end()
            for token in _GAP_AND_WORD.finditer(symbols, start, stop):
                self._read(token.start(), token[1], token.start(2), token.end())

    def _read(self, start: int, gap: str, first: int, stop: int) -> None:
        """Read a gap from `start` to `first`, of which `gap` has the symbols, and a digit or letters up to `stop`."""
        right = _character(self.text[first]) if first < stop else Character(NO_WORD, 0, 0)
        stands = TWO_NUMBERS if gap else TOUCHING
        between = self.text[start:first]
        if (
            gap
            and between != " "
            and (right.kind >= PLAIN_DIGIT or self.left >= PLAIN_DIGIT or (self.left and "+" in gap))
        ):
            stands = _GapReader(self, list(map(_character, between)), right.kind).read()
        if right.kind >= PLAIN_DIGIT:
            self._read_digit(self.text[first], right, stands)
            self.word = ""
        elif first < stop:
            is_longer = self.left == LETTER and not gap
            self.word, self.marked = (self.word if is_longer else "") + self.text[first:stop], ""
            self.place += sum(_character(letter).digits for letter in self.text[first:stop])
        if first < stop:
            self.left = right.kind

    def _read_digit(self, digit: str, character: Character, stands: int) -> None:
        follows = self.left >= PLAIN_DIGIT
        if follows and stands == TOUCHING and (character.kind != self.left or character.kind == FRACTION):
            self.add(self.place, RAISED, character.kind)
        if not follows or stands == TWO_NUMBERS:
            self.group = self.place
            self.items.append([])
        number = self.items[-1]
        assert isinstance(number, list), "a number is open"
        numerator, _, denominator = unicodedata.normalize("NFKC", digit).partition("⁄")
        number.append((self.place, numerator))
        if character.kind == FRACTION:
            self.add(self.place + character.code, BETWEEN, ord("/"))
            number.append((self.place + character.code, denominator))
        self.place += character.digits

    def add(self, place: int, role: int, character: int) -> None:
        """Add a mark."""
        letter = 0
        if role == OF_WORD:
            letter = _character(self.word[-1]).code
            is_more = bool(self.items) and self.items[-1] is self.marked  # the second plus of "C++"
            self.marked = (self.marked if is_more else " ".join(words(self.word))) + chr(character)
            self.items[len(self.items) - is_more :] = [self.marked]
        self.marks.append(Mark(place, character & (OR_EQUAL - 1) | role << ROLE_BIT | letter << LETTER_BIT))
        if character & OR_EQUAL:
            self.add(place, role, ord("="))

    def show(self) -> list[str]:
        """Return `items` as `facts` shows them: numbers with a mark between them are one."""
        of_place: dict[tuple[int, int], str] = {}  # the characters of the marks, by place and role
        for place, code in sorted(self.marks):
            role = code >> ROLE_BIT & 0xFF
            of_place[place, role] = of_place.get((place, role), "") + chr(code & (OR_EQUAL - 1))
        shown: list[str] = []
        for item in self.items:
            if isinstance(item, str):
                shown.append(item)
            elif (item[0][0], BETWEEN) in of_place and shown:
                shown[-1] += _show_number(item, of_place)
            else:
                shown.append(_show_number(item, of_place))
        return shown


_RAISED = {SUPERSCRIPT: "^", SUBSCRIPT: "_"} | dict.fromkeys((PLAIN_DIGIT, SUBSCRIPT + 1, FRACTION), " ")
_CLAUSE_ENDS = (BREAK, POINT)  # of a sentence or clause, and of what a mark can belong to


def _show_number(parts: Sequence[tuple[int, str]], of_place: Mapping[tuple[int, int], str]) -> str:
    """Return a number with its marks; `parts` are the places and digits of its parts."""
    signs = of_place.get((parts[0][0], OF_NUMBER), "")
    shown = signs.replace(".", "") + ("." if "." in signs else "")
    for place, digits in parts:
        raised = "".join(_RAISED[ord(kind)] for kind in of_place.get((place, RAISED), ""))
        shown += of_place.get((place, BETWEEN), "").replace("-", "–") + raised + digits
    return shown + of_place.get((parts[0][0], AFTER_NUMBER), "")


class _GapReader:
    """The characters between two words, one of which is a number or marked; marks are added to `scan`.

    `right` is the kind of the character behind the gap.
    """

    def __init__(self, scan: _Scan, gap: Sequence[Character], right: int) -> None:
        self.scan = scan
        self.gap = gap
        self.solid = [character for character in gap if character.kind not in (IGNORED, INNER)]
        self.before, self.behind = scan.left >= PLAIN_DIGIT, right >= PLAIN_DIGIT  # numbers
        self.left, self.right = scan.left, right
        self.is_attached = scan.left != NO_WORD  # whether nothing but marks is between the word before and here
        self.is_broken = False  # whether one of `_CLAUSE_ENDS` is
        self.starts_line = scan.left == NO_WORD

    def read(self) -> int:
        """Add the marks, and return how the numbers beside the gap stand."""
        stands = self._joint() if self.before and self.behind else None
        if stands is not None:
            return stands
        only = self.solid[0].kind if len(self.solid) == 1 else NO_WORD
        if self.before and self.right in (SUPERSCRIPT, SUBSCRIPT) and only in (DASH, PLUS):  # 10⁻²
            self.scan.add(self.scan.place, RAISED, self.right)
        self._read_each()
        return TWO_NUMBERS

    def _joint(self) -> int | None:
        """Add the mark that makes one number, or none, of two; return how they stand, None if there is more."""
        inner = [character.code for character in self.gap if character.kind == INNER]
        joint = [character.code for character in self.solid] or inner
        if not joint:
            return TOUCHING
        if not self.solid and len(inner) > 1:
            return TWO_NUMBERS  # formatting
        if len(joint) > 1 and set(joint) == {ord(".")}:
            joint = [ord("…")]
        if len(joint) > 1 or (self.solid and self.solid[0].kind != POINT):
            return None
        self.scan.add(self.scan.place, BETWEEN, joint[0])
        return TWO_NUMBERS if joint[0] == ord("…") else JOINED_NUMBERS

    def _read_each(self) -> None:
        """Add the marks that belong to one number, or stand between two that stay two."""
        lead = self._leading_point()
        places: dict[int, int] = {character.kind: at for at, character in enumerate(self.gap) if at != lead}
        self.last_end = max(places.get(kind, -1) for kind in _CLAUSE_ENDS)
        self.last_loose = max(self.last_end, places.get(SPACE, -1), places.get(LINE_END, -1))
        self.last_split = max(self.last_loose, *(places.get(kind, -1) for kind in (DASH, PLUS, SLASH)))
        previous = Character(SPACE, 0, 0)
        for at, character in enumerate(self.gap):
            if at == lead:
                self.scan.add(self.scan.place, OF_NUMBER, ord("."))
            elif character.kind not in (IGNORED, INNER):
                following = self.gap[at + 1] if at + 1 < len(self.gap) else Character(LETTER, 0, 0)
                self._read_character(at, character, previous, following)
                previous = character

    def _leading_point(self) -> int:
        """Return where a decimal point is that has no digit before it, or -1."""
        last_two = [character.code == ord(".") for character in self.solid[-2:]]
        if self.behind and (last_two == [False, True] or (last_two == [True] and self.left == NO_WORD)):
            return max(at for at, character in enumerate(self.gap) if character.code == ord("."))
        return -1

    def _read_character(self, at: int, character: Character, previous: Character, following: Character) -> None:
        kind, code = character.kind, character.code
        if kind in (SPACE, LINE_END, *_CLAUSE_ENDS):
            self.is_attached = False
            self.is_broken |= kind in _CLAUSE_ENDS
            self.starts_line = kind == LINE_END or (kind == SPACE and self.starts_line)
            return
        if self.starts_line and following.kind in (SPACE, LINE_END) and (kind in (DASH, PLUS) or code == ord(">")):
            return  # a bullet, or a sign of quotation
        self.starts_line = False
        if kind == UNIT:
            self._read_unit(at, code)
        elif kind == SIGN:
            self._read_sign(at, code, is_rule=character in (previous, following))
        elif kind == PLUS:
            self._read_plus(at, code)
        elif kind == SHARP:
            self._read_sharp(at, code)
        else:
            if kind == SLASH:
                self._join(at, code)
            elif previous.kind != DASH:
                self._read_dash(at, code)
            self.is_attached = False

    def _read_unit(self, at: int, code: int) -> None:
        """Add a currency or another unit to the number that it touches, else to the one before it."""
        is_of_next = not self.before or self.is_broken or (at > self.last_split and not self.is_attached)
        if self.behind and at > self.last_end and is_of_next:
            self.scan.add(self.scan.place, AFTER_NUMBER, code)
        elif self.before and not self.is_broken:
            self.scan.add(self.scan.group, AFTER_NUMBER, code)
        self.is_attached &= self.left != LETTER

    def _read_sign(self, at: int, code: int, *, is_rule: bool) -> None:
        if self.behind and at > self.last_end and not is_rule:
            self.scan.add(self.scan.place, OF_NUMBER, code)
        elif self.before and self.is_attached and not is_rule:
            self.scan.add(self.scan.group, AFTER_NUMBER, code)
        self.is_attached = False

    def _read_dash(self, at: int, code: int) -> None:
        if self.behind and at > self.last_loose and not self.is_attached:
            self.scan.add(self.scan.place, OF_NUMBER, code)
        else:
            self._join(at, code)

    def _read_plus(self, at: int, code: int) -> None:
        touches_next = at > self.last_loose and self.right != NO_WORD
        if self.is_attached and (not touches_next or (self.left == LETTER and self.behind)):
            if self.before:
                self.scan.add(self.scan.group, AFTER_NUMBER, code)
            else:
                self.scan.add(self.scan.place, OF_WORD, code)
            return
        self._read_dash(at, code)
        self.is_attached = False

    def _read_sharp(self, at: int, code: int) -> None:
        """Add a sharp to the letter that it touches: "C#" is a language or a note, "#5" only a rank."""
        is_single = self.left == LETTER and len(self.scan.word) == 1
        if is_single and self.is_attached and not (at > self.last_loose and self.right):
            self.scan.add(self.scan.place, OF_WORD, code)

    def _join(self, at: int, code: int) -> None:
        if self.before and self.behind and not self.is_broken and at > self.last_end:
            self.scan.add(self.scan.place, BETWEEN, code)
