"""The words of a text, and the comparison key that they form.

Words are runs of letters, digits and the combining marks after them, of the folded text. A character of a script
written without spaces is a word by itself. This module works on strings only: bytes, hashes and similarities belong to
`dedup.fingerprint`.
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

# Characters that choose how the one before them looks, and enclose it. They are removed before folding, since a reader
# reads the same words without them. Both ends are inclusive.
DECORATIONS = (
    (0x0488, 0x0489),  # enclosing marks
    (0x180B, 0x180D),  # Mongolian variation selectors
    (0x180F, 0x180F),
    (0x1ABE, 0x1ABE),
    (0x20DD, 0x20E0),  # enclosing marks; the last one of this block makes a keycap
    (0x20E2, 0x20E4),
    (0xA670, 0xA672),
    (0xFE00, 0xFE0F),  # variation selectors
    (0xE0100, 0xE01EF),
)
# Trade marks (™, ℠ and their kin): NFKC would make them letters of the word before. They separate words, as ® does.
TRADE_MARKS = (0x2120, 0x2122, 0x1F16A, 0x1F16B, 0x1F16C)

_ASCII_WORD = re.compile(r"[^\W_]+", re.ASCII)
_ASCII_FOLD = bytes(ord(chr(byte).lower()) if chr(byte).isalnum() else 0x20 for byte in range(128)) + bytes(128)


def words(text: str) -> list[str]:
    """Return the words of the comparison key of `text`: folded, word characters only.

    Folding is NFKC, case folding, NFKC again (Unicode's toNFKC_Casefold, but of all default ignorables only variation
    selectors are removed). Combining marks belong to the word, or to the single-character word, that they follow; a
    mark that follows no word, such as that of "´", is part of none.

    >>> words("The CAFÉ's ﬁrst 4 oz.")
    ['the', 'café', 's', 'first', '4', 'oz']
    >>> words("北京 2008年")
    ['北', '京', '2008', '年']
    >>> words("It´s ✔️ Widget™")
    ['it', 's', 'widget']
    """
    if text.isascii():
        return text.encode("ascii").translate(_ASCII_FOLD).decode("ascii").split()
    folded = _decoration().sub(lambda match: " " if match["trade_mark"] else "", text)
    folded = _long_mark_run().sub(lambda run: run.group()[:MAX_MARKS], folded)
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
        elif character.isalnum():
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
    return re.compile(f"[{unspaced}][{marks}]*|[{spaced}][{spaced}{marks}]*")


@cache
def _decoration() -> re.Pattern[str]:
    """Return the pattern of the characters that are replaced before folding; a group says that it is a trade mark."""
    removed = "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in DECORATIONS)
    return re.compile(f"[{removed}]|(?P<trade_mark>[{''.join(map(chr, TRADE_MARKS))}])")


@cache
def _long_mark_run() -> re.Pattern[str]:
    """Return the pattern of more than `MAX_MARKS` combining marks in a row."""
    marks, _, _ = _character_sets()
    return re.compile(f"[{marks}]{{{MAX_MARKS + 1},}}")
