"""Learn the scorecards of site text by logistic regression, and write ``dedup/site_text/scorecard.toml``.

    python -m benchmarks.quality.site_text_training FOLDER [--folds 3]

FOLDER holds ``pages.jsonl.gz`` and clean corpora: ``wikipedia_multilingual``, of which pages are made, and
``senate_releases`` and ``license_texts``, in which nothing but what offices print on many releases is site text. With
``--folds``, the pages are split by host instead: each is scored by scorecards learnt without its host, and the losses
are printed; nothing is written. Needs scipy.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import minimize  # type: ignore[import-untyped]

from benchmarks.quality.made_pages import make_pages
from benchmarks.quality.pages import (
    ARTICLE_LINE,
    FEWEST_PAGES,
    NO_LINE,
    SITE_LINE,
    Page,
    load_pages,
    losses_by_size,
    site_lines_of,
)
from dedup.arrays import I64, Bools, Floats
from dedup.site_text.counts import HostCounts, SiteLines, count_lines
from dedup.site_text.score import score_lines
from dedup.site_text.scorecard import Points, Scorecards, add_points
from dedup.site_text.variables import company_variables, line_variables

CARD = Path(__file__).parents[2] / "dedup" / "site_text" / "scorecard.toml"
MADE_SIZES = (3, 3, 3, 3, 4, 4, 4, 6, 6, 9, 9, 15, 30, 60, 150)
LICENCE_HOSTS = 20
SENATE_OFFICES = 8  # one of so many is used
PENALTY, ITERATIONS = 3.0, 60
LINEAR = (
    *("score", "before", "behind", "least", "most", "three_before", "three_behind", "far_before", "far_behind"),
    *("prose_before", "prose_behind", "own_before", "own_behind"),
)

# Where each variable is cut. Those of classes or cells have a step for every number.
STEPS: dict[str, Sequence[int]] = {
    "others": (1, 2, 3, 5, 10, 30, 100),
    "share": (20, 50, 100, 200, 400, 700, 900),
    "frame_others": (1, 2, 3, 5, 10, 30),
    "frame_share": (20, 50, 100, 200, 400, 700, 900),
    "size": (2, 4, 6, 8, 12, 16, 20, 24, 32, 40, 60, 80, 120),
    "capitals": (1, 4, 8, 12, 15),
    "digits": (1, 3, 6, 10),
    "ends": (1, 2, 3, 5),
    "commas": (1, 2, 3, 5),
    "separators": (1, 2, 4),
    "quotes": (1, 2),
    "teaser": (1,),
    "has_at": (1,),
    "has_time": (1,),
    "from_title": (1, 4, 8, 12, 15),
    "of_title": (1, 4, 8, 12, 15),
    "score": (-2000, 0, 2000, 4000),
    "prose_before": (1, 1000),
    "prose_behind": (1, 1000),
    "nearest_before": (2, 3, 4, 6, 10, 20, 60),
    "nearest_behind": (2, 3, 4, 6, 10, 20, 60),
}
CELLS = {
    "first": 17,
    "last": 17,
    "small_host": 20,
    "copies_by_prose": 30,
    "frame_by_size": 16,
    "between": 12,
    "title": 8,
    "quoted_copies": 6,
    "words_of_site": 20,
    "own_sentence": 17,
    "prose_share": 30,
    "place": 36,
    "behind_prose": 12,
    "edge": 20,
}
LINE_NAMES = (*list(CELLS)[:-1], *list(STEPS)[: list(STEPS).index("score")])
COMPANY_NAMES = (*LINEAR, "nearest_before", "nearest_behind", "edge")


class Sample(NamedTuple):
    """The lines of a corpus, their variables and truth, and which lines are learnt from: one value per line.

    `rows` are the lines that are learnt from, int64, and `weights` their weights, floats, which sum up to the share of
    the corpus.
    """

    lines: SiteLines
    counts: HostCounts
    variables: dict[str, I64]
    is_site: Bools
    rows: I64
    weights: Floats


def sample(
    lines: SiteLines, truth: I64, chosen: Bools, share: float, kept: tuple[float, float], rng: np.random.Generator
) -> Sample:
    """Return a random sample of the `chosen` lines of a corpus; `kept` are the shares of article and site lines."""
    counts = count_lines(lines)
    is_site = truth == SITE_LINE
    part = np.where(is_site, kept[1], kept[0])
    rows = np.flatnonzero(chosen & (truth != NO_LINE) & (lines.words > 0) & (rng.random(len(truth)) < part))
    # A long line weighs more than a short one, since characters are counted, but one long line is one example.
    weights = (np.minimum(6 * lines.sizes[rows], 400.0) ** 0.7 + 3) / part[rows]
    variables = line_variables(lines, counts)
    return Sample(lines, counts, variables, is_site, rows, weights * share / weights.sum())


def load_samples(folder: Path, pages: Sequence[Page]) -> list[Sample]:
    """Return the samples of the pages, of made pages and of clean corpora."""
    rng = np.random.default_rng(3)
    lines = site_lines_of(["\n".join(page.lines) for page in pages], [page.host for page in pages])
    truth = np.array([value for page in pages for value in page.truth])
    counts = count_lines(lines)
    variables = line_variables(lines, counts)
    # The truth of some hosts counts comment rules and lists of teasers as the article's: lines on many pages.
    is_doubtful = (truth == ARTICLE_LINE) & (variables["others"] >= 3) & (variables["share"] >= 200)
    is_doubtful &= ~np.isin(variables["title"], (2, 4, 6))
    samples = [sample(lines, truth, ~is_doubtful & (counts.host_articles >= FEWEST_PAGES), 1.0, (1.0, 0.35), rng)]

    texts: dict[str, list[str]] = {}
    for record in _records(folder, "wikipedia_multilingual"):
        texts.setdefault(record["lang"], []).append(record["text"])
    for missing, other in (("fr", "es"), ("pl", "de")):
        texts.setdefault(missing, texts.get(other, []))
    made = make_pages({name: own for name, own in texts.items() if own}, MADE_SIZES)
    lines = site_lines_of([page.text for page in made], [page.host for page in made])
    truth = np.array([SITE_LINE if value else ARTICLE_LINE for page in made for value in page.is_site])
    samples.append(sample(lines, truth, np.ones(len(truth), bool), 0.4, (0.3, 0.3), rng))

    records = _records(folder, "senate_releases")
    offices = set(sorted({record["source"] for record in records})[::SENATE_OFFICES])
    records = [record for record in records if record["source"] in offices]
    lines = site_lines_of([record["text"] for record in records], [record["source"] for record in records])
    variables = line_variables(lines, count_lines(lines))
    recurs = (variables["others"] >= 5) & (variables["share"] >= 50) & (lines.sizes < 25)
    samples.append(sample(lines, np.full(len(recurs), ARTICLE_LINE), ~recurs, 0.1, (0.4, 1.0), rng))

    records = _records(folder, "license_texts")
    hosts = [str(number * LICENCE_HOSTS // len(records)) for number in np.argsort(rng.random(len(records)))]
    lines = site_lines_of([record["text"] for record in records], hosts)
    everything = np.ones(len(lines.words), bool)
    samples.append(sample(lines, np.full(len(everything), ARTICLE_LINE), everything, 0.15, (0.15, 1.0), rng))
    return samples


def _records(folder: Path, name: str) -> list[dict[str, Any]]:
    with gzip.open(folder / f"{name}.jsonl.gz", "rt", encoding="utf-8") as file:
        return list(map(json.loads, file))


def learn(samples: Sequence[Sample]) -> Scorecards:
    """Return the scorecards learnt from the samples."""
    line = _learn_card(samples, [each.variables for each in samples], LINE_NAMES)
    together = []
    for each in samples:
        scores = add_points(line, each.variables)
        together.append({**each.variables, **company_variables(each.lines, each.counts, scores)})
    return Scorecards(line, _learn_card(samples, together, (*LINE_NAMES, *COMPANY_NAMES)))


def _learn_card(
    samples: Sequence[Sample], variables: Sequence[Mapping[str, I64]], names: Sequence[str]
) -> dict[str, Points]:
    """Return a scorecard of the variables `names`; the first one also gives the points that every line has."""
    parts = [
        np.column_stack([column for name in names for column in _columns(name, values[name][each.rows])])
        for each, values in zip(samples, variables, strict=True)
    ]
    truth = np.concatenate([each.is_site[each.rows] for each in samples]).astype(float)
    factors, constant = _regress(np.concatenate(parts), truth, np.concatenate([each.weights for each in samples]))
    card, position = {}, 0
    for name in names:
        steps = STEPS.get(name, ()) if name not in CELLS else range(1, CELLS[name])
        slope = round(1000 * factors[position]) if name in LINEAR else 0
        position += name in LINEAR
        gains = 1000 * factors[position : position + len(steps)]
        position += len(steps)
        points = np.concatenate([[0], gains if name in CELLS else np.cumsum(gains)])
        points += 1000 * constant if name == names[0] else 0
        card[name] = Points(np.array(steps, np.int64), np.round(points).astype(np.int64), slope)
    return card


def _columns(name: str, values: I64) -> list[Any]:
    """Return the columns of a variable: its value in thousands if it is linear, and one for each step or cell."""
    columns: list[Any] = [values / 1000] if name in LINEAR else []
    if name in CELLS:
        return columns + [values == cell for cell in range(1, CELLS[name])]
    return columns + [values >= step for step in STEPS.get(name, ())]


def _regress(columns: Floats, truth: Floats, weights: Floats) -> tuple[Floats, float]:
    """Return the factors of a logistic regression with a ridge penalty on standardized columns, and its constant."""
    mean, spread = columns.mean(axis=0), columns.std(axis=0) + 1e-6
    scaled = np.column_stack([(columns - mean) / spread, np.ones(len(columns))]).astype(np.float32)
    weights = weights / weights.mean()

    def loss(factors: Floats) -> tuple[float, Floats]:
        logits = scaled @ factors.astype(np.float32)
        chance = 1 / (1 + np.exp(-np.clip(logits, -40, 40)))
        total = float((weights * (np.logaddexp(0, logits) - truth * logits)).sum())
        gradient = (scaled.T @ (weights * (chance - truth)).astype(np.float32)).astype(float)
        gradient[:-1] += PENALTY * factors[:-1]
        return total + 0.5 * PENALTY * float((factors[:-1] ** 2).sum()), gradient

    options = {"maxiter": ITERATIONS}
    found = minimize(loss, np.zeros(scaled.shape[1]), jac=True, method="L-BFGS-B", options=options).x
    factors = found[:-1] / spread
    return factors, float(found[-1] - (mean * factors).sum())


def cross_validate(samples: Sequence[Sample], pages: Sequence[Page], folds: int) -> I64:
    """Return the score of each line of the pages, by scorecards learnt from the pages of other hosts."""
    names = sorted({page.host for page in pages})
    fold_of = dict(zip(names, np.random.default_rng(1).permutation(len(names)) % folds, strict=True))
    fold = np.repeat([fold_of[page.host] for page in pages], [len(page.lines) for page in pages])
    own, *others = samples
    scores = np.zeros(len(fold), np.int64)
    for number in range(folds):
        learnt = fold[own.rows] != number
        cards = learn([own._replace(rows=own.rows[learnt], weights=own.weights[learnt]), *others])
        scores = np.where(fold == number, score_lines(own.lines, own.counts, cards), scores)
    return scores


def to_toml(cards: Scorecards) -> str:
    """Return the scorecards as the text of their file."""
    tables = []
    for part, card in cards._asdict().items():
        for name, points in card.items():
            rows = [f"[{part}.{name}]", f"steps = {points.steps.tolist()}", f"points = {points.points.tolist()}"]
            tables.append("\n".join(rows + ([f"slope = {points.slope}"] if points.slope else [])))
    return "\n\n".join([HEADER, *tables]) + "\n"


HEADER = """# Points for lines, in thousandths of log odds: see dedup/site_text/scorecard.py and variables.py.
# Written by `python -m benchmarks.quality.site_text_training`, from 623 news pages of 62 hosts of three pages or more
# (English, Chinese, Polish, Greek, Russian), made pages in ten languages, and clean corpora as counterexamples."""


def main() -> None:
    """Learn from the corpora of a folder."""
    parser = argparse.ArgumentParser(description="Learn the scorecards of site text.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--folds", type=int, default=0)
    options = parser.parse_args()
    pages = load_pages(options.folder / "pages.jsonl.gz")
    samples = load_samples(options.folder, pages)
    if not options.folds:
        CARD.write_text(to_toml(learn(samples)), encoding="utf-8")
        return
    scores = cross_validate(samples, pages, options.folds)
    for threshold in range(2000, 8000, 500):
        for size, loss in losses_by_size(pages, scores >= threshold).items():
            shares = f"{loss.removed / max(loss.site, 1):.3f} removed, {loss.lost / max(loss.article, 1):.4f} lost"
            print(f"{threshold}: hosts of {size}: {shares}")


if __name__ == "__main__":
    main()
