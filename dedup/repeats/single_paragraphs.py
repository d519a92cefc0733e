"""Find single paragraphs that repeat outside of blocks: refrains, questions asked again, headings of tables."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from dedup.fingerprint.self_matches import LONE_PARAGRAPH_WORDS
from dedup.repeats.article import ArticleParagraphs, set_jaccard, shingle_set
from dedup.repeats.split_paragraphs import Repeat

PARAGRAPH_RULE = "repeated-paragraph"
CANDIDATES = 3  # similar paragraphs tried as twins of one paragraph; 1 and 6 find the same in the press releases


def find_single_paragraphs(
    article: ArticleParagraphs, blocks: Sequence[Repeat], threshold: float, *, look_for_edited: bool
) -> list[Repeat]:
    """Return the paragraphs that repeat outside of `blocks`; the twin of a block is never among them."""
    gone = {index for block in blocks for index in range(block.first, block.last + 1)}
    needed = {index for block in blocks for index in range(block.twin_first, block.twin_last + 1)}
    similar = _similar_paragraphs(article) if look_for_edited else {}
    first_of: dict[str, int] = {}
    twins: dict[int, int] = {}
    for index, one in enumerate(article.ids):
        if (
            index in gone
            or len(article.words[index]) < LONE_PARAGRAPH_WORDS
            or article.size(index) < LONE_PARAGRAPH_WORDS
        ):
            continue
        twin = None
        if index not in needed:
            twin = first_of.get(one)
            candidates = [other for other in similar.get(index, ()) if other not in gone and other not in twins]
            if twin is None:
                twin = _best_twin(article, index, candidates, threshold)
        if twin is None:
            first_of.setdefault(one, index)
        else:
            twins[index] = twin
    return [repeat for run in _runs_of(twins) for repeat in _repeats_of(article, run, threshold)]


def _similar_paragraphs(article: ArticleParagraphs) -> dict[int, list[int]]:
    """Return for a paragraph up to `CANDIDATES` earlier ones that share half of their words with it, best first."""
    borders = article.borders
    shared: dict[int, Counter[int]] = {}
    for copy, source, length in article.runs.tolist():
        cuts = {0, length}  # where a paragraph begins on either side
        for side in (copy, source):
            cuts.update(
                place - side for place in borders[bisect_right(borders, side) : bisect_left(borders, side + length)]
            )
        for start, stop in pairwise(sorted(cuts)):
            index, twin = (bisect_right(borders, side + start) - 1 for side in (copy, source))
            if twin < index:
                shared.setdefault(index, Counter())[twin] += stop - start
    return {
        index: [twin for twin, count in both.most_common(CANDIDATES) if 2 * count >= _fewer_words(article, index, twin)]
        for index, both in shared.items()
    }


def _fewer_words(article: ArticleParagraphs, index: int, twin: int) -> int:
    return min(len(article.words[index]), len(article.words[twin]))


def _best_twin(article: ArticleParagraphs, index: int, candidates: Sequence[int], threshold: float) -> int | None:
    """Return the candidate that is most similar to a paragraph, with the same names and numbers; ties: the first."""
    best: tuple[float, int] | None = None
    for twin in candidates:
        article.purse -= len(article.words[index]) + len(article.words[twin])
        if article.purse <= 0:
            break
        similarity = _run_similarity(article, [(index, twin)])
        texts = (article.text[slice(*article.spans[paragraph])] for paragraph in (index, twin))
        if similarity >= threshold and (best is None or (similarity, -twin) > best) and article.agree(*texts):
            best = similarity, -twin
    return None if best is None else -best[1]


def _run_similarity(article: ArticleParagraphs, run: Sequence[tuple[int, int]]) -> float:
    """Return the exact Jaccard similarity of a run of paragraphs to the run of their twins."""
    one, two = ([word for pair in run for word in article.words[pair[side]]] for side in (0, 1))
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
    is_equal = all(article.ids[index] == article.ids[twin] for index, twin in run)
    span = article.spans[twin_first][0], article.spans[twin_last][1]
    evidence = f"{what} again" if is_equal else f"{what} again, with changes"
    return [Repeat(PARAGRAPH_RULE, first, last, twin_first, twin_last, *span, similarity, evidence)]
