"""Find what repeats in one article: versions of one text, and paragraphs repeated alone.

The words of an article are aligned with themselves (`dedup.fingerprint.self_alignment`). Each chain of equal runs is
judged as two versions of one text (`judgement`), the best first. Of two versions one is dropped, and the search goes on
with what is left, until nothing more is found. The words of each drop are compared with those of its twin
(`drop_plan`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from operator import itemgetter

import numpy as np

from dedup.arrays import I64, Floats
from dedup.fingerprint.self_matches import has_repeated_runs
from dedup.kernels import reference as plain
from dedup.kernels.backend import Backend
from dedup.repeats.article import ArticleParagraphs
from dedup.repeats.candidate import Candidate
from dedup.repeats.chains import Run, chain_size, find_chains, may_be_versions, split_at_widest_gap
from dedup.repeats.drop_plan import DropPlan
from dedup.repeats.judgement import WHOLE_ENOUGH, judge
from dedup.repeats.screen import ChainScreen
from dedup.repeats.single_paragraphs import PARAGRAPH_RULE, find_single_paragraphs
from dedup.repeats.split_paragraphs import ReflowedRepeat, SplitArticle, split
from dedup.repeats.summaries import SUMMARY_WORDS, drop_summaries, has_repeated_edge, may_hold_summary
from dedup.repeats.units import Units
from dedup.rules import OFF
from dedup.settings import Settings

BLOCK_RULE = "repeated-block"
ROUNDS = 8  # dropping a version can bring those of another together
SPLITS = 6  # times that a chain which does not count is cut in two
CUTS = 64  # borders of copies within a line
PRINTED_TWICE = 0.75  # share of the article in both sides of a chain; with 0.6, parts of lists of short articles stay
EDITED_ENDS = 2  # words that differ at an end of an edited copy that follows its source within a line
SETTLED = 16  # pairs of versions, judged last, within which nothing else is looked for


def detect_repeats(
    text: str,
    spans: Sequence[tuple[int, int]],
    keys: Sequence[str],
    settings: Settings,
    *,
    shared_runs: bool | None = None,
    backend: Backend = plain,
    numbers: I64 | None = None,
) -> SplitArticle:
    r"""Return the parts of an article that repeat an earlier or more complete part of it.

    `spans` are the article's paragraphs, in code points, and `keys` their comparison keys; in the answer, paragraphs
    are split where a part of them repeats. The runs ``first..last`` of the answer are disjoint, and none of them has a
    part of a twin. `shared_runs` is the answer of `has_repeated_runs` for all words, where it is known. `backend` is
    the plain one or the compiled one. `numbers`, equal for equal words only, may be given: int64 [words].

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
    article = ArticleParagraphs(text, spans, keys, backend, numbers)
    pieces = SplitArticle(spans, keys, [])
    if want_blocks and shared_runs:
        found = find_versions(article, settings.paragraph_threshold)
        if found:
            pieces = split(text, pieces, found, BLOCK_RULE)
            article = ArticleParagraphs(text, pieces.spans, pieces.keys, backend)
    if want_alone:
        pieces.repeats.extend(
            find_single_paragraphs(article, pieces.repeats, settings.paragraph_threshold, look_for_edited=shared_runs)
        )
        pieces.repeats.sort(key=lambda repeat: repeat.first)
    return pieces


def find_versions(article: ArticleParagraphs, threshold: float) -> list[ReflowedRepeat]:
    """Return the parts of an article that are another version of the rest of it, or of each other."""
    is_exact = threshold >= 1  # then nothing edited can be justified, and every run is judged by itself
    chains = find_chains(article.backend, article.runs, article.sizes)
    screen = ChainScreen(article, article.sizes, np.arange(len(article.numbers)))
    has_candidates = any(
        screen.may_be_candidate(links) if is_exact else _has_candidate(screen, links) for links in chains
    )
    has_edge = may_hold_summary(article)
    if not has_candidates and not has_edge:
        return []
    units = Units.of(article)
    has_edge = has_edge and has_repeated_edge(units, article.runs)
    if not has_candidates and not has_edge:
        return []
    plan = DropPlan(_cut_where_copies_touch(units, article.runs, chains), threshold)
    is_printed_twice = any(_is_article(article, links) for links in chains)
    if has_edge and not is_printed_twice:
        drop_summaries(plan, plan.whole, article.runs)
    for turn in range(ROUNDS):
        is_whole = turn == 0 and not plan.gone.any()
        units = plan.units_that_stay()
        runs = article.runs if is_whole else article.backend.find_runs(units.numbers)
        if is_exact:
            chains = [[Run(*run)] for run in runs.tolist()]
        elif not is_whole:
            chains = find_chains(article.backend, runs, units.sizes)
        if not _drop_in_round(plan, units, chains, is_exact=is_exact):
            break
    if has_edge and is_printed_twice:
        units = plan.units_that_stay()
        drop_summaries(plan, units, article.backend.find_runs(units.numbers))
    return plan.repeats()


def _has_candidate(screen: ChainScreen, links: Sequence[Run], depth: int = 0) -> bool:
    """Return True if a chain, or a part of it that is tried if the chain is not dense, may be versions."""
    if not screen.may_be_versions(links):
        return False
    return screen.may_be_dense(links) or (
        depth < SPLITS and any(_has_candidate(screen, part, depth + 1) for part in _parts(links, screen.sizes))
    )


def _is_article(article: ArticleParagraphs, links: Sequence[Run]) -> bool:
    """Return True if the two sides of a chain are the whole article; then its ends are no summary of the rest."""
    sizes, last = article.sizes, links[-1]
    outside = max(sizes[links[0].source], sizes[-1] - sizes[last.copy + last.length])
    return 2 * chain_size(links, sizes) >= PRINTED_TWICE * float(sizes[-1]) and float(outside) < SUMMARY_WORDS


def _parts(links: Sequence[Run], sizes: Floats) -> list[Sequence[Run]]:
    """Return the parts of a chain, split at its widest gap, that are long enough."""
    if len(links) == 1:
        return []
    return [part for part in split_at_widest_gap(links) if may_be_versions(part, sizes)]


def _drop_in_round(plan: DropPlan, units: Units, chains: Sequence[Sequence[Run]], *, is_exact: bool) -> bool:
    """Drop versions of what stays, the best chains first, and return True if there are any."""
    waiting = [(links, 0) for links in reversed(chains)]
    settled: list[Candidate] = []
    is_changed = False
    screen = ChainScreen(units.article, units.sizes, units.places)
    while waiting and units.article.purse > 0:
        links, depth = waiting.pop()
        if (
            not screen.may_be_versions(links)
            or (is_changed and plan.touches(units, links))
            or any(pair.holds(links) for pair in settled[-SETTLED:])
        ):
            continue
        if screen.may_be_dense(links):
            candidate = Candidate(units, links)
            units.article.purse -= candidate.cost
            if is_exact:
                candidate.keep_equal_units()
            verdict = judge(candidate)
            if verdict.drop is not None and plan.drop(candidate, verdict.drop):
                is_changed = True
                continue
            if verdict.is_settled:
                settled.append(candidate)  # a version goes whole or stays whole
                continue
        if depth < SPLITS:
            waiting += [(part, depth + 1) for part in reversed(_parts(links, units.sizes))]
    return is_changed


def _cut_where_copies_touch(units: Units, runs: I64, chains: Sequence[Sequence[Run]]) -> Units:
    """Let a unit end where a copy begins right behind its source, as in a text printed twice in one line."""
    cuts = _starts_of_equal_copies(units, runs)[:CUTS]
    cuts += [start for links in chains[:CUTS] for start in _start_of_edited_copy(units, links)]
    return units.cut(cuts) if cuts else units


def _starts_of_equal_copies(units: Units, runs: I64) -> list[int]:
    """Return the first words of the copies that directly follow their equal source, the longest copies first."""
    touching = (runs[:, 1] + runs[:, 2] >= runs[:, 0]) & (runs[:, 0] - runs[:, 1] >= WHOLE_ENOUGH)
    cuts: list[int] = []
    for copy, source, length in sorted(runs[touching].tolist(), key=itemgetter(2), reverse=True):
        first = units.borders[bisect_left(units.borders, source)]
        if units.size(source, copy) >= WHOLE_ENOUGH and first < copy:
            cuts += range(first + copy - source, copy + length, copy - source)
    return cuts


def _start_of_edited_copy(units: Units, links: Sequence[Run]) -> list[int]:
    """Return the first word of the copy of a chain if it directly follows its source, except for an edited word.

    The source begins with a unit. The copy begins as many words before the first equal run as the source does, and
    ends as many words behind the last one: otherwise the words between them are in no version.
    """
    first, last = links[0], links[-1]
    begin, end = units.borders[units.unit_at(first.source)], last.copy + last.length
    start, stop = begin + first.copy - first.source, last.source + last.length
    behind = units.borders[units.unit_at(end - 1) + 1] - end
    is_paired = first.source - begin <= EDITED_ENDS and start - stop == behind <= EDITED_ENDS
    return [start] if is_paired and units.size(begin, start) >= WHOLE_ENOUGH else []
