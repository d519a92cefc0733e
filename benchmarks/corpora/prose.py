"""The articles of one language: paragraphs of sentences of words, made in batches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from benchmarks.corpora.words import CAPITAL, COMMA, MISREAD, POSSESSIVE, QUANTILES, STEM, STOP, Language

I64 = npt.NDArray[np.int64]

# Shares of the words of corpus/: before a comma, with a possessive s, names that occur once, numbers.
SHARES = {COMMA: 0.044, POSSESSIVE: 0.004, STEM: 0.017}
NUMBER_SHARE = 0.012
QUOTED_SHARE = 0.16  # of the paragraphs of corpus/
# Not measured: the share of words in recurring phrases, and the share that a bad scan misreads.
PHRASE_SHARE = 0.05
MISREAD_SHARE = 0.015
PARAGRAPHS = (2.6, 0.6, 3, 90)  # log-normal, median 13 (corpus/ has 11 and, without repeats, 22); minimum, maximum


def make_articles(
    language: Language, draw: np.random.Generator, count: int, *, misread: bool = False
) -> Iterator[list[str]]:
    """Yield the paragraphs of each of `count` articles; with `misread`, some words have the errors of a bad scan."""
    mean, spread, fewest, most = PARAGRAPHS
    paragraphs = np.clip(np.exp(draw.normal(mean, spread, count)), fewest, most).astype(np.int64)
    sentences = draw.choice(language.paragraphs, int(paragraphs.sum())).astype(np.int64)
    lengths = draw.choice(language.sentences, int(sentences.sum())) * draw.uniform(0.7, 1.3, int(sentences.sum()))
    stops = np.cumsum(np.maximum(lengths.astype(np.int64), 4))
    words = _draw_words(language, draw, stops, misread=misread)
    quoted = (draw.random(len(sentences)) < QUOTED_SHARE).tolist()
    borders = [0, *stops[np.cumsum(sentences) - 1].tolist()]
    at = 0
    for number in paragraphs.tolist():
        body = []
        for place in range(at, at + number):
            text = "".join(words[borders[place] : borders[place + 1]]).rstrip()
            body.append(f"“{text}”" if quoted[place] else text)
        yield body
        at += number


def _draw_words(language: Language, draw: np.random.Generator, stops: I64, *, misread: bool) -> list[str]:
    """Return the words of consecutive sentences, each in its form and with the space that follows.

    `stops` (int64, one for each sentence) are the positions behind the last word of each sentence.
    """
    total = int(stops[-1])
    chosen = language.common[draw.integers(0, QUANTILES, total, np.uint32)].astype(np.int64)
    for share, (first, last) in ((NUMBER_SHARE, language.numbers), (PHRASE_SHARE, language.phrases)):
        at = draw.integers(0, total, int(total * share))
        chosen[at] = draw.integers(first, last, len(at))
    forms = np.zeros(total, np.int64)
    for form, share in SHARES.items() | ({(MISREAD, MISREAD_SHARE)} if misread else set()):
        forms[draw.integers(0, total, int(total * share))] = form
    forms[stops - 1] = STOP
    forms[np.concatenate(([0], stops[:-1]))] = CAPITAL
    chosen += forms * language.size
    return list(map(language.forms.__getitem__, chosen.tolist()))
