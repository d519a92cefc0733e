"""From a text to its paragraphs, and to its words.

A paragraph is a run of non-blank lines; where a text has no blank line at all, each line is one. Words are
runs of word characters of the folded text; a character of a script written without spaces is a word by
itself. This module refuses to know about bytes, hashes and similarity.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache

# Longest run of combining marks that normalisation is given: canonical ordering is quadratic in it.
# Unicode's Stream-Safe Text Format (UAX 15, section 13) allows 30.
MAX_MARKS = 64

# What one letter of a script without spaces weighs, in words: a Chinese or Japanese word has about two letters, a
# Thai, Lao, Khmer or Burmese one about four.
CJK_LETTER_WEIGHT, SOUTHEAST_ASIAN_LETTER_WEIGHT = 0.5, 0.25
CJK_START = 0x2E80

# Scripts written without spaces between words: Han, kana, Bopomofo, Yi, Thai, Lao, Myanmar, Khmer, Tai.
UNSPACED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Myanmar
    (0x1780, 0x17FF),  # Khmer
    (0x1950, 0x19DF),  # Tai Le, New Tai Lue
    (0x1A20, 0x1AAF),  # Tai Tham
    (0x2E80, 0x2FDF),  # radicals
    (0x3005, 0x3007),  # ideographic iteration mark and zero
    (0x3021, 0x3029),
    (0x3031, 0x30FF),  # hiragana, katakana
    (0x3100, 0x312F),
    (0x31A0, 0x31BF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xA000, 0xA4CF),  # Yi
    (0xA9E0, 0xA9FF),
    (0xAA60, 0xAADF),
    (0xF900, 0xFAFF),
    (0x1AFF0, 0x1B16F),
    (0x20000, 0x3FFFF),
)

_ASCII_FOLD = bytes(
    ord(chr(byte).lower()) if chr(byte).isalnum() or byte == 0x5F else 0x20 for byte in range(128)
) + bytes(128)


def words(text: str) -> list[str]:
    """The words of the comparison key of `text`: folded, word characters only.

    Folding is NFKC, case folding, NFKC again (Unicode's toNFKC_Casefold but for default ignorables). Combining
    marks belong to the word, or to the single-character word, that they follow.

    >>> words("The CAFÉ's ﬁrst 4 oz.")
    ['the', 'café', 's', 'first', '4', 'oz']
    >>> words("北京 2008年")
    ['北', '京', '2008', '年']
    """
    if text.isascii():
        return text.encode("ascii").translate(_ASCII_FOLD).decode("ascii").split()
    folded = _long_marks().sub(lambda run: run.group()[:MAX_MARKS], text)
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", folded).casefold())
    return _words().findall(folded)


def weighted_word_count(found: Iterable[str]) -> float:
    """How many words `found` are to a reader: a letter of a script written without spaces is a part of one.

    >>> size_of(words("four words of English")), size_of(words("北京大学"))
    (4, 2.0)
    """
    return sum(map(word_weight, found))


@lru_cache(maxsize=1 << 16)
def word_weight(word: str) -> float:
    """What one word is to a reader, in words."""
    if word.isascii() or not is_unspaced(word[0]):
        return 1
    return CJK_LETTER_WEIGHT if ord(word[0]) > CJK_START else SOUTHEAST_ASIAN_LETTER_WEIGHT


def is_unspaced(character: str) -> bool:
    """Whether a character is a letter of a script that is written without spaces: a word by itself.

    >>> is_unspaced("京"), is_unspaced("e"), is_unspaced("。")
    (True, False, False)
    """
    code = ord(character)
    for low, high in UNSPACED:
        if low <= code <= high:
            return unicodedata.category(character)[0] == "L"
    return False


@lru_cache(maxsize=1 << 16)
def has_digit(word: str) -> bool:
    """Whether a word has a digit or a numeral of any script."""
    return any(map(str.isnumeric, word))


def comparison_key(text: str) -> str:
    """The words of `text` joined by one space: what two texts are compared by, never output.

    >>> comparison_key("4 oz — “Sugar”")
    '4 oz sugar'
    """
    return " ".join(words(text))


@cache
def _classes() -> tuple[str, str, str]:
    """Regular expression character sets: combining marks, unspaced letters, other word characters."""
    marks: list[int] = []
    unspaced: list[int] = []
    spaced: list[int] = []
    bounds = iter((*UNSPACED, (0x110000, 0x110000)))
    low, high = next(bounds)
    # Nothing but marks, tags and private use is assigned above the third plane.
    for code in (*range(0x40000), *range(0xE0000, 0xE1000)):
        while code > high:
            low, high = next(bounds)
        character = chr(code)
        category = unicodedata.category(character)
        if category[0] == "M":
            marks.append(code)
        elif character.isalnum() or character == "_":
            (unspaced if low <= code <= high and category[0] == "L" else spaced).append(code)
    return _set(marks), _set(unspaced), _set(spaced)


def _set(codes: list[int]) -> str:
    """`codes` (ascending) as the inside of a regular expression's square brackets."""
    ranges: list[str] = []
    start = previous = codes[0]
    for code in (*codes[1:], -1):
        if code != previous + 1:
            ranges.append(f"\\U{start:08x}-\\U{previous:08x}")
            start = code
        previous = code
    return "".join(ranges)


@cache
def _words() -> re.Pattern[str]:
    marks, unspaced, spaced = _classes()
    return re.compile(f"[{unspaced}][{marks}]*|[{spaced}{marks}]+")


@cache
def _long_marks() -> re.Pattern[str]:
    marks, _, _ = _classes()
    return re.compile(f"[{marks}]{{{MAX_MARKS + 1},}}")
