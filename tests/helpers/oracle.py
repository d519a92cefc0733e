"""The oracle of the tests of matching: the loop of the design, written plainly on datasketch's own index.

`dedup.match.survivors` must equal it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from datasketch import MinHash, MinHashLSH

from dedup.fingerprint.minhash import bands
from dedup.match.form_names import SHORT_FORM
from dedup.segment.facts import Mark, fact_marks_and_digits
from dedup.segment.paragraphs import paragraphs
from dedup.segment.words import words
from dedup.settings import NUM_PERM, SEED

Match = tuple[int, float]  # twin, similarity


def shingle_set(text: str, n: int) -> set[tuple[str, ...]]:
    """Return the shingles of `text` as tuples of `n` words."""
    text_words = words(text)
    return {tuple(text_words[start : start + n]) for start in range(len(text_words) - n + 1)}


def jaccard(first: str, second: str, n: int) -> float:
    """Return the exact Jaccard similarity of two texts; 1.0 if their words are equal."""
    if words(first) == words(second):
        return 1.0
    first_set, second_set = shingle_set(first, n), shingle_set(second, n)
    return len(first_set & second_set) / len(first_set | second_set) if first_set and second_set else 0.0


def marks(text: str) -> tuple[Mark, ...]:
    """Return the facts of the paragraphs of `text`, with the number of digits in the text before each."""
    found: list[Mark] = []
    digits = 0
    for start, stop in paragraphs(text):
        of_paragraph, count = fact_marks_and_digits(text[start:stop])
        found += [mark._replace(place=mark.place + digits) for mark in of_paragraph]
        digits += count
    return tuple(found)


def survivors(
    texts: Sequence[str],
    signatures: np.ndarray,
    order: Sequence[int],
    n: int,
    threshold: float,
    evidence_of_form: Callable[..., str | None] = lambda *_: None,
    same_story_threshold: float | None = None,
    is_same_story: Callable[..., bool] = lambda *_: False,
    titles: Sequence[str | None] = (),
) -> tuple[dict[int, Match], dict[int, Match]]:
    """Return the dropped texts with their twins, by number in `texts`, and the flagged ones.

    `signatures` are those of `texts`, uint32 [texts, NUM_PERM]; `order` are their numbers by priority, highest first.
    `evidence_of_form` says of two texts that match, and the titles of both, how they differ if they are of one form,
    and are no copies. From `same_story_threshold` up to `threshold`, texts match if `is_same_story` says so. `titles`
    are those of the texts.
    """
    least = threshold if same_story_threshold is None else same_story_threshold
    index = MinHashLSH(num_perm=NUM_PERM, params=bands(least))
    titles = titles or (None,) * len(texts)
    by_words: dict[tuple[tuple[str, ...], tuple[Mark, ...], str | None], int] = {}
    dropped: dict[int, Match] = {}
    flagged: dict[int, Match] = {}
    rank = {number: place for place, number in enumerate(order)}
    for number in order:
        key = tuple(words(texts[number]))
        if not key:
            continue
        form = key, marks(texts[number]), titles[number] if len(key) < SHORT_FORM else None
        candidates = set()

        def pair(other: int, number: int = number) -> tuple[str | None, ...]:
            return texts[number], texts[other], titles[number], titles[other]

        if form in by_words:
            candidates.add(by_words[form])
        sketch = MinHash(NUM_PERM, SEED, hashvalues=signatures[number], scheme="affine32", permutations=_PERMUTATIONS)
        if len(key) >= n:
            candidates |= set(index.query(sketch))
        verified = [(jaccard(texts[number], texts[other], n), -rank[other], other) for other in candidates]
        matches = [match for match in verified if match[0] >= threshold]
        copied = [match for match in matches if evidence_of_form(*pair(match[2])) is None]
        below = [match for match in verified if least <= match[0] < threshold]
        copied += [match for match in below if is_same_story(*pair(match[2]))]
        if copied:
            similarity, _, twin = max(copied)
            dropped[number] = (twin, similarity)
        else:
            if matches:
                similarity, _, twin = max(matches)
                flagged[number] = (twin, similarity)
            by_words[form] = number
            if len(key) >= n:
                index.insert(number, sketch)
    return dropped, flagged


_PERMUTATIONS = MinHash(NUM_PERM, SEED).permutations
