"""Sweeps over each constant that decides: what is found and what is lost at other values.

One constant changes at a time, and all others keep their values. Constants of the rules within an article are measured
on doubled bodies and on untouched articles, those of `boilerplate` and `shared-paragraph` on planted lines, and the
threshold on syndicated copies.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pyarrow as pa

from benchmarks.quality import boilerplate, corpora, doubling, syndication
from benchmarks.quality.corpora import Article
from benchmarks.quality.score import Made, Score, constant, share, total
from benchmarks.quality.untouched import is_sentence
from dedup import Settings
from dedup.fingerprint import minhash
from dedup.kernels.backend import load_backend
from dedup.match import articles as match
from dedup.match import boilerplate as lines_rule
from dedup.match import boilerplate_text, site_text
from dedup.match import paragraphs as shared
from dedup.match.paragraph_columns import read_paragraph_columns
from dedup.prepare import batch as prepare
from dedup.prepare.corpus import Corpus
from dedup.read.fields import to_json_bytes
from dedup.read.formats import JSON_LINES as LINES_KIND
from dedup.read.records import RECORD_SCHEMA
from dedup.repeats import (
    article,
    candidate,
    chains,
    detect,
    drop_plan,
    headings,
    judgement,
    names,
    single_paragraphs,
    split_paragraphs,
    summaries,
    units,
    versions,
    vetoes,
)
from dedup.repeats.detect import BLOCK_RULE
from dedup.segment.paragraphs import paragraphs
from dedup.segment.words import comparison_key

WITHIN: tuple[ModuleType, ...] = (
    article,
    candidate,
    chains,
    detect,
    drop_plan,
    headings,
    judgement,
    names,
    single_paragraphs,
    split_paragraphs,
    summaries,
    units,
    versions,
    vetoes,
)
ACROSS: tuple[ModuleType, ...] = (lines_rule, boilerplate_text, shared, prepare)
NEVER = 10**6
BLOCKS: dict[str, tuple[float, ...]] = {
    "ENOUGH": (20, 80),
    "WHOLE_ENOUGH": (10, 40),
    "TEASER": (8, NEVER),
    "APART": (0, 120),
    "APART_LONE": (0, 30),
    "APART_SHARE": (0.0, 1.0),
    "FAR_LINES": (3, NEVER),
    "FAR_WORDS": (50, 200),
    "STATED": (15,),
    "SOME_STATED": (NEVER,),
    "EDGE_LINES": (2,),
    "DENSE": (0.6, 0.9),
    "SPARSE": (0.3, 0.7),
    "SOLID": (0.8,),
    "CHOSEN": (0.1, 0.5),
    "PROSE": (6, 15),
    "PIECE": (20, 80),
    "LONG_WORDS": (50, NEVER),
    "MATCHED": (0.7,),
    "END_MATCHED": (0.5, 0.9),
    "LOST": (0.0, 0.1),
    "RUN_SIZE": (8,),
    "SLIDE": (0,),
    "FAR_SIZE": (50,),
    "HEAD_SHARED": (0.2, 0.5),
    "LABEL_WORDS": (0,),
    "SUMMARY": (2, NEVER),
    "JUMPS": (0.25, 0.75),
}
EVERY_WAY = "all of them"
WITHOUT = {
    f"not {way.words} words {way.where} in {way.articles} and {way.share:.1%}": (
        *lines_rule.WAYS[:at],
        *lines_rule.WAYS[at + 1 :],
    )
    for at, way in enumerate(lines_rule.WAYS)
}
LINES: dict[str, tuple[Any, ...]] = {
    "WAYS": (EVERY_WAY, *WITHOUT),
    "PLACED": (0.6, 0.7, 0.8, 0.9, 1.0),
    "BEYOND": (0, 1, 2, 3),
    "STACKED": (0.3, 0.5, 0.8, NEVER),
    "FIELD": (0.0, 0.5, 0.8, 0.9, 0.95),
    "FEWEST_WORDS": (1, 2, 3, 4),
    "SHARED_WORDS": (3, 5, 8, 12),
}
THRESHOLDS = (0.6, 0.7, 0.75, 0.8, 0.85, 0.9)
PARAGRAPH_THRESHOLDS = (0.7, 0.75, 0.8, 0.85, 0.9)
BAND_RECALLS = (0.5, 0.9, 0.99, 0.999, 0.9999)
# All at once, these values accept more blocks than any single change: articles without a block then need no sweep.
LOOSE = {
    "ENOUGH": 20,
    "WHOLE_ENOUGH": 10,
    "TEASER": 8,
    "APART": 120,
    "APART_LONE": 30,
    "APART_SHARE": 1.0,
    "FAR_LINES": 2,
    "FAR_WORDS": 50,
    "STATED": 15,
    "SOME_STATED": 60,
    "SOME_PARAGRAPHS": 4,
    "EDGE_LINES": 2,
    "DENSE": 0.6,
    "SPARSE": 0.3,
    "DENSE_MANY": 0.75,
    "SOLID": 0.8,
    "CHOSEN": 0.1,
    "WHOLE": 0.8,
    "LINES_WORDS": 50,
    "PROSE": 6,
    "LONG_WORDS": 50,
    "LONG_LINES": 2,
    "MATCHED": 0.4,
    "END_MATCHED": 0.5,
    "LOST": 0.1,
    "NEAR_SIZE": 12,
    "FAR_SIZE": 25,
    "EDGE_SIZE": 12,
    "HEAD_WORDS": 0,
    "SUMMARY": 2,
    "SUMMARY_PROSE": 1,
    "SUMMARY_WORDS": 20,
    "SUMMARY_LINE": 80,
    "SUMMARY_EDGE": 6,
    "JUMPS": 0.25,
    "JUMP_WORDS": 1,
    "PRINTS": 4,
}


class Material(NamedTuple):
    """The material for blocks: made articles by variant, with their paragraphs, and untouched articles."""

    made: dict[str, tuple[list[Made], list[doubling.Cut]]]
    untouched: list[tuple[str, list[tuple[int, int]], list[str]]]
    characters: int  # of the whole corpus from which the untouched articles were selected


def material(path: Path, articles: Sequence[Article], seed: int) -> Material:
    """Return the material of one corpus; of untouched articles only those that have a block under `LOOSE`."""
    made = {}
    for label in sorted(doubling.VARIANTS.keys() - {doubling.THIRTY_COPIES}):
        doubled = doubling.make(articles, label, "\n\n", seed)
        made[label] = (doubled, doubling.cut(doubled))
    untouched = []
    characters = 0
    loose = Settings(paragraph_threshold=min(PARAGRAPH_THRESHOLDS))
    with ExitStack() as changed:
        for name, value in LOOSE.items():
            changed.enter_context(constant(WITHIN, name, value))
        for row in corpora.rows(path):
            spans = paragraphs(row["text"])
            keys = [comparison_key(row["text"][start:stop]) for start, stop in spans]
            characters += len(row["text"])
            if any(each.rule == BLOCK_RULE for each in detect.detect_repeats(row["text"], spans, keys, loose).repeats):
                untouched.append((row["text"], spans, keys))
    return Material(made, untouched, characters)


def blocks(measured: Material, name: str, value: float) -> dict[str, Any]:
    """Return sums over one corpus with one constant changed: scores by variant, characters cut from untouched ones."""
    if name == "paragraph_threshold":
        return _score_blocks(measured, Settings(paragraph_threshold=value))
    with constant(WITHIN, name, value):
        return _score_blocks(measured, Settings())


def _score_blocks(measured: Material, chosen: Settings) -> dict[str, Any]:
    sums = {}
    for label, (made, keys) in measured.made.items():
        scores = doubling.through_blocks(made, keys, chosen)
        sums[label] = list(total(scores))
    cut = articles_cut = 0
    for text, spans, paragraph_keys in measured.untouched:
        pieces = detect.detect_repeats(text, spans, paragraph_keys, chosen)
        found_blocks = [repeat for repeat in pieces.repeats if repeat.rule == BLOCK_RULE]
        cut += sum(pieces.spans[block.last][1] - pieces.spans[block.first][0] for block in found_blocks)
        articles_cut += bool(found_blocks)
    return {"made": sums, "cut": cut, "articles": articles_cut, "characters": measured.characters}


def pooled_blocks(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return one row of a table, from the sums of all corpora."""
    made: dict[str, Score] = {}
    for part in parts:
        for label, sums in part["made"].items():
            made[label] = total([made.get(label, Score(0, 0, 0, 0)), Score(*sums)])
    found = {label: share(score.found, score.injected) or 0.0 for label, score in made.items() if score.injected}
    worst = min(found, key=lambda label: found[label])
    lost, real = sum(score.lost for score in made.values()), sum(score.real for score in made.values())
    return {
        "found": round(sum(found.values()) / len(found), 6),
        "worst": found[worst],
        "worst variant": worst,
        "lost": share(lost, real),
        "untouched cut": share(sum(part["cut"] for part in parts), sum(part["characters"] for part in parts)),
        "untouched articles": sum(part["articles"] for part in parts),
    }


def _changed_constant(name: str, value: Any) -> AbstractContextManager[None]:
    """Set one constant of lines and shared paragraphs while the block runs; the values of `WAYS` are labels."""
    return constant(ACROSS, name, {EVERY_WAY: lines_rule.WAYS, **WITHOUT}[value] if name == "WAYS" else value)


def lines(planted: boilerplate.Planted, name: str, value: object) -> dict[str, list[int]]:
    """Return the characters of planted texts with one constant changed.

    By kind of text: those of the copies that count, those dropped, and those flagged.
    """
    with _changed_constant(name, value):
        scores, real = boilerplate.run(planted, Settings(), hosts=True)
    sums: dict[str, list[int]] = {"real": [real.real, real.lost, 0]}
    for score in scores:
        kind = score.line.kind.split(" ")[0]
        counts = sums.setdefault(kind, [0, 0, 0])
        sums[kind] = [counts[0] + score.characters, counts[1] + score.dropped, counts[2] + score.flagged]
    return sums


def lines_untouched(path: Path) -> dict[str, list[list[Any]]]:
    """Return the characters removed as boilerplate from an untouched corpus, by constant.

    The rows are value, characters removed, those of them in lines like sentences, and characters of all kept articles.
    The corpus is prepared once, because counting paragraphs again is cheap. Hosts are known if the corpus names them.
    """
    chosen = Settings(rules={"shared-paragraph": "off"})
    lines_read = [to_json_bytes(row) for row in corpora.rows(path)]
    count = len(lines_read)
    columns: list[Any] = [["-"] * count, [LINES_KIND] * count, range(count), lines_read, *[[None] * count] * 3]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, RECORD_SCHEMA, strict=True)]
    backend = load_backend(compiled=True)
    corpus = Corpus([prepare.prepare(pa.record_batch(arrays, schema=RECORD_SCHEMA), chosen, backend)])
    articles = match.match_articles(corpus, chosen, backend)
    columns_read = read_paragraph_columns(corpus, backend)
    texts = [row["text"] for row in corpora.rows(path)]
    kept = sum(len(text) for text, stays in zip(texts, articles.kept.tolist(), strict=True) if stays)
    result: dict[str, list[list[Any]]] = {}
    for name, values in LINES.items():
        for value in values if name != "SHARED_WORDS" else ():
            with _changed_constant(name, value):
                lines = site_text.find_site_text(corpus, columns_read, chosen, backend)
            cut = sentences = 0
            starts, stops = corpus.read_paragraphs("raw_start", "raw_stop", numbers=lines.numbers)
            spans = zip(lines.articles.tolist(), starts.tolist(), stops.tolist(), strict=True)
            for row, start, stop in spans:
                cut += stop - start
                sentences += (stop - start) * is_sentence(texts[row][start:stop])
            result.setdefault(name, []).append([value, cut, sentences, kept])
    return result


def thresholds(articles: Sequence[Article], value: float, seed: int) -> dict[str, list[int]]:
    """Return copies dropped, copies, and unjustified drops, by variant, at one threshold."""
    sums = {}
    for label in syndication.MAKERS:
        run = syndication.run(articles, label, seed, Settings(threshold=value))
        sums[label] = [sum(pair.dropped for pair in run.pairs), len(run.pairs), run.unjustified]
    return sums


def band_recall(articles: Sequence[Article], value: float, seed: int) -> list[int]:
    """Return pairs at the threshold or above, those found, and the bands, with bands chosen for another recall."""
    with constant((minhash,), "RECALL_AT_THRESHOLD", value):
        chosen = Settings()
        bands = minhash.bands(chosen.threshold)
        pairs = found = 0
        for label in ("one paragraph cut", "2 % of words edited", "truncated to 90 %"):
            for pair in syndication.run(articles, label, seed, chosen).pairs:
                pairs += pair.similarity >= chosen.threshold
                found += pair.dropped and pair.similarity >= chosen.threshold
    return [pairs, found, *bands]


def block_values() -> list[tuple[str, float]]:
    """Return every constant of blocks with each value to try, the current one included."""
    values_by_name = [(name, value) for name, values in BLOCKS.items() for value in sorted({*values, current(name)})]
    return values_by_name + [("paragraph_threshold", value) for value in PARAGRAPH_THRESHOLDS]


def current(name: str) -> Any:
    """Return the current value of a constant."""
    if name in {"paragraph_threshold", "threshold"}:
        return getattr(Settings(), name)
    if name == "WAYS":
        return EVERY_WAY
    module = next(module for module in (*WITHIN, *ACROSS, minhash) if hasattr(module, name))
    return getattr(module, name)
