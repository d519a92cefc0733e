"""Find single paragraphs that repeat outside of blocks: refrains, questions asked again, headings of tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from dedup.arrays import Bools
from dedup.fingerprint.self_matches import LONE_PARAGRAPH_WORDS
from dedup.repeats.article import ArticleParagraphs, set_jaccard, shingle_set
from dedup.repeats.split_paragraphs import Repeat

PARAGRAPH_RULE = "repeated-paragraph"
CANDIDATES = 3  # similar paragraphs tried as twins of one paragraph; 1 and 6 find the same in the press releases


def find_single_paragraphs(
    article: ArticleParagraphs, blocks: Sequence[Repeat], threshold: float, *, look_for_edited: bool
) -> list[Repeat]:
    """Return the paragraphs that repeat outside of `blocks`; the twin of a block is never among them."""
    sizes = np.minimum(np.diff(article.borders), np.diff(article.sizes[article.borders]))
    lone: list[int] = np.flatnonzero(sizes >= LONE_PARAGRAPH_WORDS).tolist()
    similar = _similar_paragraphs(article, sizes >= LONE_PARAGRAPH_WORDS) if look_for_edited and lone else {}
    if not similar and len({article.keys[index] for index in lone}) == len(lone):
        return []
    gone = {index for block in blocks for index in range(block.first, block.last + 1)}
    needed = {index for block in blocks for index in range(block.twin_first, block.twin_last + 1)}
    first_of: dict[str, int] = {}
    twins: dict[int, int] = {}
    for index in lone:
        if index in gone:
            continue
        twin = None
        if index not in needed:
            twin = first_of.get(article.id_of(index))
            if twin is None and index in similar:
                candidates = [other for other in similar[index] if other not in gone and other not in twins]
                twin = _best_twin(article, index, candidates, threshold)
        if twin is None:
            first_of.setdefault(article.id_of(index), index)
        else:
            twins[index] = twin
    return [repeat for run in _runs_of(twins) for repeat in _repeats_of(article, run, threshold)]


def _similar_paragraphs(article: ArticleParagraphs, is_lone: Bools) -> dict[int, list[int]]:
    """Return for a paragraph up to `CANDIDATES` earlier ones that share half of their words with it, best first.

    `is_lone` says which paragraphs are looked at: bool [paragraphs].
    """
    shared: dict[int, Counter[int]] = {}
    pieces = article.backend.pair_paragraphs(article.runs, np.array(article.borders))
    for index, twin, count in pieces[is_lone[pieces[:, 0]]].tolist():
        shared.setdefault(index, Counter())[twin] += count
    similar: dict[int, list[int]] = {}
    for index, both in shared.items():
        for twin, count in both.most_common(CANDIDATES):
            if 2 * count >= min(article.word_count(index), article.word_count(twin)):
                similar.setdefault(index, []).append(twin)
    return similar


def _best_twin(article: ArticleParagraphs, index: int, candidates: Sequence[int], threshold: float) -> int | None:
    """Return the candidate that is most similar to a paragraph, with the same names and numbers; ties: the first."""
    best: tuple[float, int] | None = None
    for twin in candidates:
        article.purse -= article.word_count(index) + article.word_count(twin)
        if article.purse <= 0:
            break
        if article.keys[index] == article.keys[twin]:
            similarity = 1.0
        else:
            shingles = article.shingles_of(index), article.shingles_of(twin)
            if len(min(shingles, key=len)) / len(max(shingles, key=len)) < threshold:
                continue
            similarity = set_jaccard(*shingles)
        texts = (article.text[slice(*article.spans[paragraph])] for paragraph in (index, twin))
        if similarity >= threshold and (best is None or (similarity, -twin) > best) and article.agree(*texts):
            best = similarity, -twin
    return None if best is None else -best[1]


def _run_similarity(article: ArticleParagraphs, run: Sequence[tuple[int, int]]) -> float:
    """Return the exact Jaccard similarity of a run of paragraphs to the run of their twins."""
    if all(article.keys[index] == article.keys[twin] for index, twin in run):
        return 1.0
    one, two = ([word for pair in run for word in article.words_of(pair[side])] for side in (0, 1))
    return 1.0 if one == two else set_jaccard(shingle_set(one), shingle_set(two))


def _runs_of(twins: dict[int, int]) -> list[list[tuple[int, int]]]:
    """Return pairs of a paragraph and its twin, as runs in which both go on without a gap."""
    runs: list[list[tuple[int, int]]] = []
    for index, twin in sorted(twins.items()):
        if runs and (index - 1, twin - 1) == runs[-1][-1]:
            runs[-1].append((index, twin))
        else:
            runs.append([(index, twin)])
    return runs


def _repeats_of(article: ArticleParagraphs, run: list[tuple[int, int]], threshold: float) -> list[Repeat]:
    """Return a run as one repeat, or each of its paragraphs if they are not similar enough together."""
    similarity = _run_similarity(article, run)
    if similarity < threshold:
        return [repeat for pair in run for repeat in _repeats_of(article, [pair], 0)]
    (first, twin_first), (last, twin_last) = run[0], run[-1]
    what = f"paragraph {twin_first + 1}" if first == last else f"paragraphs {twin_first + 1}-{twin_last + 1}"
    is_equal = all(article.id_of(index) == article.id_of(twin) for index, twin in run)
    span = article.spans[twin_first][0], article.spans[twin_last][1]
    evidence = f"{what} again" if is_equal else f"{what} again, with changes"
    return [Repeat(PARAGRAPH_RULE, first, last, twin_first, twin_last, *span, similarity, evidence)]
