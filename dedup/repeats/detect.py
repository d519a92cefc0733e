"""Find what repeats in one article: repeated blocks, and paragraphs repeated alone.

Runs are judged, not paragraphs. Three measures decide whether a chain of equal, edited and truncated paragraphs is a
block: the amount of prose in it, the unmatched text inside the copies, and the distance between the copies. Short
paragraphs (headings, speaker labels, rows, verse) are no evidence, but are dropped with an accepted block. Of two
copies the more complete one stays, else the first. A paragraph without a twin always stays, and so does a twin. In the
end the words of every block are compared with those of its twin, and a block below the threshold stays.

This module decides nothing about actions and sees one article only.
"""

from __future__ import annotations

from collections.abc import Sequence

from dedup.fingerprint.self_matches import has_repeated_runs
from dedup.kernels import reference as plain
from dedup.kernels.backend import Backend
from dedup.repeats.article import ArticleParagraphs
from dedup.repeats.blocks import BLOCK_RULE, find_blocks
from dedup.repeats.justify import Repeat
from dedup.repeats.reflowed import enough_repeats, may_hold_prose, reflowed_repeats
from dedup.repeats.single_paragraphs import PARAGRAPH_RULE, find_single_paragraphs
from dedup.repeats.split_paragraphs import ReflowedRepeat, SplitArticle, split
from dedup.rules import OFF
from dedup.segment.words import words
from dedup.settings import Settings

FEW = 12  # dropped paragraphs up to which it is tried to find them as a part of a summary or a reflowed copy instead


def detect_repeats(
    text: str,
    spans: Sequence[tuple[int, int]],
    keys: Sequence[str],
    settings: Settings,
    *,
    shared_runs: bool | None = None,
    backend: Backend = plain,
) -> SplitArticle:
    r"""Return the parts of an article that repeat an earlier or more complete part of it.

    `spans` are the article's paragraphs, in code points, and `keys` their comparison keys; in the answer, paragraphs
    are split where a part of them repeats. The runs ``first..last`` of the answer are disjoint, and none of them has a
    part of a twin. `shared_runs` is the answer of `has_repeated_runs` for all words, where it is known. `backend` is
    the plain one or the compiled one.

    >>> from dedup.segment.paragraphs import paragraphs
    >>> from dedup.segment.words import comparison_key
    >>> body = [f"Paragraph {name} tells at some length what only it has to tell." for name in "abcd"]
    >>> text = "\n\n".join(["Title", *body, "Read more", *body])
    >>> spans = paragraphs(text)
    >>> keys = [comparison_key(text[slice(*span)]) for span in spans]
    >>> for repeat in detect_repeats(text, spans, keys, Settings()).repeats:
    ...     print(repeat.rule, repeat.first, repeat.last, repeat.twin_first, repeat.twin_last, repeat.evidence)
    repeated-block 6 9 1 4 paragraphs 2-5 again
    """
    count = len(keys)
    want_blocks, want_alone = settings.rules[BLOCK_RULE] != OFF, settings.rules[PARAGRAPH_RULE] != OFF
    all_differ = len(set(keys)) == count
    if shared_runs is None:
        shared_runs = has_repeated_runs(" ".join(keys).split())
    if (all_differ and not shared_runs) or not (want_blocks or want_alone):
        return SplitArticle(spans, keys, [])
    article = ArticleParagraphs(text, spans, keys, backend)
    pieces = SplitArticle(spans, keys, [])
    if want_blocks and shared_runs:
        found, again = _choose_blocks_and_copies(article, settings.paragraph_threshold)
        pieces = SplitArticle(spans, keys, found)
        if again:
            pieces = split(text, pieces, again, BLOCK_RULE)
            article = ArticleParagraphs(text, pieces.spans, pieces.keys, backend)
    if want_alone:
        pieces.repeats.extend(
            find_single_paragraphs(article, pieces.repeats, settings.paragraph_threshold, look_for_edited=shared_runs)
        )
        pieces.repeats.sort(key=lambda repeat: repeat.first)
    return pieces


def _choose_blocks_and_copies(
    article: ArticleParagraphs, threshold: float
) -> tuple[list[Repeat], list[ReflowedRepeat]]:
    """Return the blocks of paragraphs and the reflowed copies that drop most together.

    Blocks that hinder a reflowed copy are left out where the article loses more characters without them.
    """
    found = find_blocks(article, threshold)
    cut_short = {one for one in found if one.similarity < 1}
    alive = _kept_paragraphs(article, found)
    if not ((found or may_hold_prose(article, alive)) and enough_repeats(article, alive)):
        if not cut_short:
            return found, []
        again, hindered = list[ReflowedRepeat](), frozenset[int]()
    else:
        again, hindered = _find_reflowed(article, found, threshold)
    best = found, again
    hinders = {one for one in found if not hindered.isdisjoint(range(one.twin_first, one.twin_last + 1))}
    few = sum(one.last - one.first + 1 for one in found) <= FEW
    ways = dict.fromkeys(map(frozenset, (hinders, cut_short, found))) if hinders or cut_short or few else ()
    for without in ways:
        fewer = [one for one in found if one not in without]
        if not without or _most_words_dropped(article, fewer) + len(best[0]) + len(best[1]) < _count_dropped_words(
            article, *best
        ):
            continue
        more, _ = _find_reflowed(article, fewer, threshold)
        fewer += [one for one in found if one in without and _is_compatible(article, one, more)]
        best = max(best, (fewer, more), key=lambda both: _count_dropped_characters(article, *both))
    return best


def _is_compatible(article: ArticleParagraphs, one: Repeat, again: Sequence[ReflowedRepeat]) -> bool:
    """Return True if a block may be dropped beside reflowed copies: neither drops what the other keeps."""
    start, stop = article.spans[one.first][0], article.spans[one.last][1]
    return not any(
        (reprint.start < stop and start < reprint.stop)
        or (reprint.twin_start < stop and start < reprint.twin_stop)
        or (reprint.start < one.twin_stop and one.twin_start < reprint.stop)
        for reprint in again
    )


def _most_words_dropped(article: ArticleParagraphs, fewer: Sequence[Repeat]) -> int:
    """Return at most how many words can be dropped if only the blocks `fewer` are: theirs, and what then repeats.

    Where that is fewer than are dropped already, it is not tried. The caller adds a word for each run dropped already:
    where runs come together, what is between them is dropped too.
    """
    own = sum(article.borders[one.last + 1] - article.borders[one.first] for one in fewer)
    return own + sum(match.length for match in article.self_matches(_kept_paragraphs(article, fewer)).matches)


def _count_dropped_words(article: ArticleParagraphs, found: Sequence[Repeat], again: Sequence[ReflowedRepeat]) -> int:
    """Return how many words are dropped."""
    whole = sum(article.borders[one.last + 1] - article.borders[one.first] for one in found)
    return whole + sum(len(words(article.text[one.start : one.stop])) for one in again)


def _kept_paragraphs(article: ArticleParagraphs, found: Sequence[Repeat]) -> list[int]:
    gone = {index for one in found for index in range(one.first, one.last + 1)}
    return [index for index in range(len(article.keys)) if index not in gone]


def _find_reflowed(
    article: ArticleParagraphs, found: Sequence[Repeat], threshold: float
) -> tuple[list[ReflowedRepeat], frozenset[int]]:
    needed = {index for one in found for index in range(one.twin_first, one.twin_last + 1)}
    return reflowed_repeats(article, _kept_paragraphs(article, found), needed, threshold)


def _count_dropped_characters(
    article: ArticleParagraphs, found: Sequence[Repeat], again: Sequence[ReflowedRepeat]
) -> int:
    """Return how many characters are dropped."""
    whole = sum(article.spans[one.last][1] - article.spans[one.first][0] for one in found)
    return whole + sum(one.stop - one.start for one in again)
