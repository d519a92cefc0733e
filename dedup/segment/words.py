"""The words of a text, and the comparison key that they form.

Words are runs of word characters of the folded text. A character of a script written without spaces is a word by
itself. This module works on strings only: bytes, hashes and similarities belong to `dedup.fingerprint`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache

# The longest run of combining marks passed to normalization: canonical ordering takes time quadratic in its length.
# Unicode's Stream-Safe Text Format (UAX 15, section 13) allows 30.
MAX_MARKS = 64

# The weight of one letter of a script written without spaces, in words: a Chinese or Japanese word has about two
# letters; a Thai, Lao, Khmer or Burmese word has about four.
CJK_LETTER_WEIGHT, SOUTHEAST_ASIAN_LETTER_WEIGHT = 0.5, 0.25
CJK_START = 0x2E80  # letters of unspaced scripts above this code point weigh `CJK_LETTER_WEIGHT`

# Code point ranges of scripts written without spaces between words: Han, kana, Bopomofo, Yi, Thai, Lao, Myanmar,
# Khmer, Tai. Both ends are inclusive.
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

_ASCII_WORD = re.compile(r"\w+", re.ASCII)
_ASCII_FOLD = bytes(
    ord(chr(byte).lower()) if chr(byte).isalnum() or byte == 0x5F else 0x20 for byte in range(128)
) + bytes(128)


def words(text: str) -> list[str]:
    """Return the words of the comparison key of `text`: folded, word characters only.

    Folding is NFKC, case folding, NFKC again (Unicode's toNFKC_Casefold except for default ignorables). Combining
    marks belong to the word, or to the single-character word, that they follow.

    >>> words("The CAFÉ's ﬁrst 4 oz.")
    ['the', 'café', 's', 'first', '4', 'oz']
    >>> words("北京 2008年")
    ['北', '京', '2008', '年']
    """
    if text.isascii():
        return text.encode("ascii").translate(_ASCII_FOLD).decode("ascii").split()
    folded = _long_mark_run().sub(lambda run: run.group()[:MAX_MARKS], text)
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", folded).casefold())
    return _word_pattern().findall(folded)


def word_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of the words of `text` as it is written, in code points.

    >>> list(word_spans("The CAFÉ's"))
    [(0, 3), (4, 8), (9, 10)]
    """
    pattern = _ASCII_WORD if text.isascii() else _word_pattern()
    return (match.span() for match in pattern.finditer(text))


def weighted_word_count(key_words: Iterable[str]) -> float:
    """Return the length of `key_words` as a reader counts words: letters of unspaced scripts count as parts of words.

    >>> weighted_word_count(words("four words of English")), weighted_word_count(words("北京大学"))
    (4, 2.0)
    """
    return sum(map(word_weight, key_words))


@lru_cache(maxsize=1 << 16)
def word_weight(word: str) -> float:
    """Return the weight of one word of a comparison key, in words as a reader counts them."""
    if word.isascii() or not is_unspaced(word[0]):
        return 1
    return CJK_LETTER_WEIGHT if ord(word[0]) > CJK_START else SOUTHEAST_ASIAN_LETTER_WEIGHT


def is_unspaced(character: str) -> bool:
    """Return True if a character is a letter of a script written without spaces, and so a word by itself.

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
    """Return True if a word contains a digit or a numeral of any script."""
    return any(map(str.isnumeric, word))


def comparison_key(text: str) -> str:
    """Return the words of `text` joined by one space.

    Texts are compared by their keys. A key never becomes output.

    >>> comparison_key("4 oz — “Sugar”")
    '4 oz sugar'
    """
    return " ".join(words(text))


@cache
def _character_sets() -> tuple[str, str, str]:
    """Return regular expression character sets: combining marks, unspaced letters, other word characters."""
    marks: list[int] = []
    unspaced: list[int] = []
    spaced: list[int] = []
    ranges = iter((*UNSPACED, (0x110000, 0x110000)))
    low, high = next(ranges)
    # Above the third plane only marks, tags and private use are assigned.
    for code in (*range(0x40000), *range(0xE0000, 0xE1000)):
        while code > high:
            low, high = next(ranges)
        character = chr(code)
        category = unicodedata.category(character)
        if category[0] == "M":
            marks.append(code)
        elif character.isalnum() or character == "_":
            (unspaced if low <= code <= high and category[0] == "L" else spaced).append(code)
    return _set_pattern(marks), _set_pattern(unspaced), _set_pattern(spaced)


def _set_pattern(codes: list[int]) -> str:
    """Return the inside of a regular expression's square brackets that matches `codes`, which are ascending."""
    ranges: list[str] = []
    start = previous = codes[0]
    for code in (*codes[1:], -1):
        if code != previous + 1:
            ranges.append(f"\\U{start:08x}-\\U{previous:08x}")
            start = code
        previous = code
    return "".join(ranges)


@cache
def _word_pattern() -> re.Pattern[str]:
    """Return the pattern of one word of a folded text."""
    marks, unspaced, spaced = _character_sets()
    return re.compile(f"[{unspaced}][{marks}]*|[{spaced}{marks}]+")


@cache
def _long_mark_run() -> re.Pattern[str]:
    """Return the pattern of more than `MAX_MARKS` combining marks in a row."""
    marks, _, _ = _character_sets()
    return re.compile(f"[{marks}]{{{MAX_MARKS + 1},}}")
