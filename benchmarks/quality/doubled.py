"""Score doubled bodies while the detector is developed: one row for each variant, in a minute or two.

    python -m benchmarks.quality.doubled FOLDER [--corpora news ...] [--articles 60] [--variants "any word edited" ...]

Without `--pipeline`, `dedup.repeats` alone is scored, which is what decides. `found` and `lost` are shares of
characters, `harmed` and `shredded` are numbers of articles.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.quality import corpora, doubling, untouched
from benchmarks.quality.corpora import Article
from benchmarks.quality.numbers_text import percent
from benchmarks.quality.score import Made, Score, share, total
from dedup import Settings

THIRTY_COPIES_ARTICLES = 10


def draw(folder: Path, names: Sequence[str], count: int, seed: int) -> list[Article]:
    """Return clean articles of the named corpora, of all corpora if none is named."""
    articles: list[Article] = []
    for path in corpora.corpora(folder):
        if not names or corpora.name(path) in names:
            articles += corpora.clean(path, count, seed)
    return articles


def score_articles(made: Sequence[Made], *, pipeline: bool) -> list[Score]:
    """Return the score of each article, by the whole pipeline or by the rules within an article alone."""
    if pipeline:
        return doubling.through_pipeline(made, Settings())
    return doubling.through_blocks(made, doubling.cut(made), Settings())


def print_untouched(folder: Path, names: Sequence[str]) -> None:
    """Print what the whole pipeline removes from the untouched articles of the named corpora, by rule."""
    for path in corpora.corpora(folder):
        if not names or corpora.name(path) in names:
            figures = untouched.measure(path, Settings(), hosts=True)
            cut = ", ".join(f"{rule} {percent(of['share'], 4)}" for rule, of in figures["cut"].items())
            print(
                f"untouched {corpora.name(path)}: {figures['articles']} articles, removed "
                f"{percent(figures['cut by all'], 4)} ({cut}), not redundant {percent(figures['cut besides'], 4)}"
            )


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--corpora", nargs="*", default=["news"], metavar="NAME", help="all if none is named")
    parser.add_argument("--articles", type=int, default=60, help="clean articles of each corpus")
    parser.add_argument("--variants", nargs="*", choices=doubling.VARIANTS, default=list(doubling.VARIANTS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pipeline", action="store_true", help="run every rule, as `quality.run` does")
    parser.add_argument("--show", choices=("harmed", "shredded"), help="print the ids of these articles")
    parser.add_argument("--untouched", action="store_true", help="then print what is removed from untouched articles")
    options = parser.parse_args(arguments)
    articles = draw(options.folder, options.corpora, options.articles, options.seed)
    print(f"{'variant':42}{'articles':>9}{'found':>10}{'lost':>10}{'harmed':>8}{'shredded':>10}{'seconds':>9}")
    for label in options.variants:
        some = articles[: THIRTY_COPIES_ARTICLES if label == doubling.THIRTY_COPIES else None]
        for suffix, joint in doubling.JOINTS.items():
            made = doubling.make(some, label, joint, options.seed)
            began = time.perf_counter()
            scores = score_articles(made, pipeline=options.pipeline)
            took = time.perf_counter() - began
            sums = total(scores)
            found, lost = percent(share(sums.found, sums.injected)), percent(share(sums.lost, sums.real), 4)
            harmed = sum(one.lost > 0 for one in scores)
            print(f"{label + suffix:42}{len(made):9}{found:>10}{lost:>10}{harmed:8}{sums.shredded:10}{took:9.1f}")
            if options.show:
                shown = [one.id for one, of in zip(made, scores, strict=True) if getattr(of, _FIELDS[options.show])]
                print("".join(f"    {name}\n" for name in shown), end="")
    if options.untouched:
        print_untouched(options.folder, options.corpora)


_FIELDS = {"harmed": "lost", "shredded": "shredded"}

if __name__ == "__main__":
    main()
