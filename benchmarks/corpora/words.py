"""The vocabulary of a made language, and the frequency of each of its words.

English takes the words, phrases, sentence and paragraph lengths of ``corpus/``. Other languages take those of
``free_text/``: the first articles of the Universal Declaration of Human Rights, which is in the public domain. Both
are far too short for a corpus, so a letter model trained on them adds as many words as a newspaper has. Words are drawn
by Zipf's law in Mandelbrot's form. Chinese and Japanese have no letters to model: their words are one or two of the
common characters that the national standards list first.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

U32 = npt.NDArray[np.uint32]

CORPUS = Path(__file__).parents[2] / "corpus"
FREE_TEXT = Path(__file__).with_name("free_text")
LANGUAGES = ("en", *sorted(path.stem for path in FREE_TEXT.glob("*.txt")))

WORDS = 40_000  # of English, without the names that `prose` makes
FEWER_WORDS = 12_000  # of a language with a sample of a sentence or two
NUMBERS = 3_000
SHIFT = 2.7  # of ranks in Mandelbrot's law, for English
QUANTILES = 1 << 20  # equal parts of the cumulated frequencies, so that a draw is one look-up
UNSPACED = {"ja", "th", "zh"}
# Codec and rows of the characters that GB 2312 and JIS X 0208 list first, as the most common.
_IDEOGRAPHS = {"zh": ("gb2312", range(0xB0, 0xD7)), "ja": ("euc_jp", range(0xB0, 0xCF))}
_ACCENTED = ["café", "résumé", "naïve", "São", "Zürich", "façade", "Müller", "piñata", "Málaga", "jalapeño"]
_ACCENTED_RANK = 2000  # of the first of these, which makes one word in 800 accented

# The forms of a word, in the order of `Language.forms`.
PLAIN, CAPITAL, COMMA, STOP, POSSESSIVE, STEM, MISREAD = range(7)
_WORD = re.compile(r"[^\s\d,.;:!?()\[\]@&$%\"“”।،/–—-]+")  # combining marks belong to the word
_MISREADINGS = (("rn", "m"), ("m", "rn"), ("l", "1"), ("o", "0"), ("e", "c"), ("h", "b"), ("i", "l"))


class Language(NamedTuple):
    """The words of a language in all their forms, and the distributions to draw from."""

    name: str
    forms: list[str]  # [form * size + word], each with the space that follows
    size: int
    common: U32  # words by frequency: `QUANTILES` entries to draw from uniformly
    numbers: tuple[int, int]  # first and last word + 1
    phrases: tuple[int, int]
    sentences: U32  # words in each sentence of the sample
    paragraphs: U32  # sentences in each paragraph of the sample


@cache
def language(name: str) -> Language:
    """Return the language `name`: ``en`` or one of ``free_text/``. Equal calls give equal languages."""
    draw = random.Random(f"words of {name}")
    sample = _sample(name)
    sample_words = [] if name in UNSPACED else _WORD.findall(sample)
    distinct = set(sample_words)
    ranked = Counter(word.lower() if word.lower() in distinct else word for word in sample_words)
    made_words = _ideographic_words(name, sample, draw) if name in _IDEOGRAPHS else _letter_words(name, sample, draw)
    words = list(dict.fromkeys([*(word for word, _ in ranked.most_common()), *made_words]))
    if name == "en":
        words[_ACCENTED_RANK:_ACCENTED_RANK] = _ACCENTED
    parts = words, [_draw_number(draw) for _ in range(NUMBERS)], _recurring_phrases(sample_words) or words[:50]
    borders = np.cumsum([len(part) for part in parts]).tolist()
    all_words = [word for part in parts for word in part]
    shares = np.cumsum(1 / (np.arange(1, len(words) + 1) + SHIFT))
    common = np.searchsorted(shares / shares[-1], (np.arange(QUANTILES) + 0.5) / QUANTILES)
    sentences, paragraphs = _lengths(sample, name)
    return Language(
        name=name,
        forms=[make(word) for make in _form_makers(name) for word in all_words],
        size=len(all_words),
        common=common.astype(np.uint32),
        numbers=(borders[0], borders[1]),
        phrases=(borders[1], borders[2]),
        sentences=sentences,
        paragraphs=paragraphs,
    )


def _sample(name: str) -> str:
    if name == "en":
        return "\n\n".join(path.read_text(encoding="utf-8") for path in sorted(CORPUS.glob("*.txt")))
    return (FREE_TEXT / f"{name}.txt").read_text(encoding="utf-8").strip()


def _form_makers(name: str) -> list[Callable[[str], str]]:
    """Return the function that makes each form of a word, in the order of the forms."""
    space = "" if name in UNSPACED else " "
    comma, stop = {
        "zh": ("，", "。"),
        "ja": ("、", "。"),
        "ar": ("، ", ". "),
        "hi": (", ", "। "),
        "th": (" ", " "),
    }.get(name, (", ", ". "))
    owner = "’s" if name == "en" else ""
    return [
        lambda word: word + space,
        lambda word: word[:1].upper() + word[1:] + space,
        lambda word: word + comma,
        lambda word: word + stop,
        lambda word: word + owner + space,
        lambda word: word[:1].upper() + word[1:5],
        lambda word: _misread(word) + space,
    ]


def _misread(word: str) -> str:
    """Return `word` as text recognition reads it from a bad scan."""
    for true, seen in _MISREADINGS:
        if true in word[1:]:
            return word[0] + word[1:].replace(true, seen, 1)
    return word


def _draw_number(draw: random.Random) -> str:
    """Draw a number as newspapers print it: a count, a price, a percentage or a year."""
    value = draw.choice([1, 10, 100, 1000]) * draw.random() + 2
    shape = draw.choice(["{:.0f}", "{:.0f}", "{:.1f}", "${:.0f}", "${:.1f}", "{:.0f}%", "20{:02.0f}", "{:,.0f}"])
    return shape.format(value % 30 if shape.startswith("20") else value * 10 if "," in shape else value)


def _recurring_phrases(words: list[str]) -> list[str]:
    """Return the runs of three and two words that occur in the sample more than once."""
    runs = Counter(" ".join(words[at : at + size]) for size in (3, 2) for at in range(len(words) - size + 1))
    return [run for run, count in runs.most_common() if count > 1]


def _lengths(sample: str, name: str) -> tuple[U32, U32]:
    """Return the words of each sentence and the sentences of each paragraph of the sample, both uint32.

    Samples of one paragraph take those of English.
    """
    if name in UNSPACED:
        return np.array([6, 9, 12, 15, 20], np.uint32), _lengths(_sample("en"), "en")[1]
    if name != "en":
        return _lengths(_sample("en"), "en")
    texts = [text for text in sample.split("\n\n") if text.strip()]
    sentences = [[len(part.split()) for part in re.split(r"(?<=[.?!][\s\"”])\s*", text)] for text in texts]
    words = [count for row in sentences for count in row if count > 2]
    return np.array(words, np.uint32), np.array([max(1, sum(n > 2 for n in row)) for row in sentences], np.uint32)


def _letter_words(name: str, sample: str, draw: random.Random) -> list[str]:
    """Make words by a Markov model of the letters of the sample, the short first, as Zipf found.

    The state of the model is one letter, for English two.
    """
    order, most = (2, WORDS) if name == "en" else (1, FEWER_WORDS)
    after: defaultdict[str, list[str]] = defaultdict(list)
    for word in _WORD.findall(sample.lower()):
        marked = "^" * order + word + "$"
        for at in range(len(marked) - order):
            after[marked[at : at + order]].append(marked[at + order])
    ranks: dict[str, float] = {}
    for _ in range(most * 6):
        state, word = "^" * order, ""
        while len(word) < 14 and (letter := draw.choice(after[state])) != "$":
            word, state = word + letter, (state + letter)[-order:]
        if len(word) > 2:
            ranks.setdefault(word, len(word) + draw.gauss(0, 2.5))
        if len(ranks) == most:
            break
    return sorted(ranks, key=ranks.__getitem__)


def _ideographic_words(name: str, sample: str, draw: random.Random) -> list[str]:
    """Make words of one or two characters, those of the sample first."""
    codec, rows = _IDEOGRAPHS[name]
    common = [bytes([row, cell]).decode(codec, "ignore") for row in rows for cell in range(0xA1, 0xFF)]
    common = [character for character in common if character]
    draw.shuffle(common)
    characters = [character for character in sample if character.isalpha()]
    pairs = ["".join(pair) for pair in pairwise(characters)]
    weights = [1 / (rank + SHIFT) for rank in range(len(common))]
    firsts, seconds = (draw.choices(common, weights, k=FEWER_WORDS) for _ in range(2))
    return [*characters, *pairs, *(one + two for one, two in zip(firsts, seconds, strict=True))]
