"""Measure pages with the whole pipeline: site text removed, articles' text lost, articles merged, copies found.

    python -m benchmarks.quality.whole_pages FOLDER [--seed 1] [--show 20]

FOLDER holds corpora as for `quality.run`: real pages in ``pages.jsonl.gz``, and clean articles to put into made frames.
Each measurement is one run of the command ``dedup clean`` with its defaults. The figures and the page are written as
`quality.run` writes them. With ``--show``, they are only printed, with the lines that are most often lost and missed.

How characters are counted. Each line of a page is the site's, the article's, or neither. *Removed* are the characters
of the site's lines in `drop` findings, and *flagged* those in findings of `boilerplate` and `page-furniture` that stay.
*Lost* are the characters of the article's lines in `drop` findings, unless the page keeps the words of the whole line
elsewhere. Pages that are dropped as a whole count neither way. An article is *merged* if it is dropped for a page with
another article. Of n pages with one article, n - 1 are copies: those that are dropped for a page with the same article
are *found*, and those that are flagged for one are *reported*.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.json_lines import read_rows
from benchmarks.quality import corpora
from benchmarks.quality.framed_pages import frame_articles
from benchmarks.quality.pages import ARTICLE_LINE, SITE_LINE, load_pages
from benchmarks.quality.score import jaccard, share, shingles
from benchmarks.quality.stored import read_results, store_results
from dedup.segment.words import comparison_key

SIZES = ((1, "1–2"), (3, "3"), (4, "4–9"), (10, "10–49"), (50, "50 or more"))  # pages of a host from which a row starts
SAME, DIFFERENT = 0.8, 0.5  # similarity of the texts of two real pages from which, and below which
PLANTED_COPIES = 120  # pages added to the real ones: an article of them in the frame of another page
MADE_FROM = {"pages": 858, "wikipedia_multilingual": 700, "senate_releases": 500}  # the most articles of each corpus
LANGUAGES = {"English": "en", "Chinese": "zh", "Polish": "pl", "Greek": "el", "Russian": "ru"}
ROOT = Path(__file__).parents[2]
FILE = "pages.jsonl.gz"  # the real pages


class KnownPage(NamedTuple):
    """A page of known truth: its url, its host, the kind of host, its lines, whose each is, and its article's number.

    Pages with one article have the same number; `unclear` are the numbers that may be the same article or not.
    """

    url: str
    host: str
    kind: str
    lines: list[str]
    truth: list[int]
    article: int
    unclear: frozenset[int] = frozenset()


class Tally(NamedTuple):
    """Counts of some pages: characters, then articles."""

    pages: int = 0
    site: int = 0
    removed: int = 0
    flagged: int = 0
    article: int = 0
    lost: int = 0
    merged: int = 0
    copies: int = 0
    found: int = 0
    reported: int = 0

    def __add__(self, other: Tally) -> Tally:  # type: ignore[override]
        return Tally(*(first + second for first, second in zip(self, other, strict=True)))


class Outcome(NamedTuple):
    """What a run of the command says of one page: spans that are dropped, and flagged as site text, and its twin.

    `twin` is the number of the page that it is dropped for, or flagged for if `is_flag`; None if it is neither.
    """

    dropped: list[tuple[int, int]]
    flagged: list[tuple[int, int]]
    twin: int | None = None
    is_flag: bool = False


def real_pages(path: Path) -> list[KnownPage]:
    """Return the pages of a file; those whose articles are similar have one number."""
    urls = [row["url"] for row in read_rows(path)]
    sets = [shingles(row["gold"]) for row in read_rows(path)]
    number = list(range(len(sets)))
    unclear: list[set[int]] = [set() for _ in sets]
    holders: dict[Any, list[int]] = {}
    for row, grams in enumerate(sets):
        shared = Counter(other for gram in grams for other in holders.get(gram, ()))
        for other, count in sorted(shared.items()):
            if count >= DIFFERENT / 2 * min(len(grams), len(sets[other])):
                if jaccard(grams, sets[other]) >= SAME:
                    number[row] = number[other]
                else:
                    unclear[row].add(number[other])
                    unclear[other].add(row)
        for gram in grams:
            holders.setdefault(gram, []).append(row)
    return [
        KnownPage(url, page.host, "real", page.lines, page.truth, number[row], frozenset(unclear[row]))
        for row, (url, page) in enumerate(zip(urls, load_pages(path), strict=True))
    ]


def with_copies(pages: Sequence[KnownPage], seed: int) -> list[KnownPage]:
    """Return pages and, behind them, `PLANTED_COPIES` more: the article of one in the frame of another.

    Every second frame is of the same host.
    """
    rng = random.Random(f"{seed} copies")
    sizes = Counter(page.host for page in pages)
    framed = [page for page in pages if sizes[page.host] >= 3 and ARTICLE_LINE in page.truth]
    used = {page.article for page in pages if sum(other.article == page.article for other in pages) > 1}
    copies: list[KnownPage] = []
    while len(copies) < PLANTED_COPIES:
        page, frame = rng.sample(framed, 2)
        body = [line for line, owner in zip(page.lines, page.truth, strict=True) if owner == ARTICLE_LINE]
        is_long = sum(map(len, body)) >= 600
        if page.article in used or not is_long or (page.host == frame.host) != bool(len(copies) % 2):
            continue
        used.add(page.article)
        parts: list[tuple[str, int]] = []
        for line, owner in zip(frame.lines, frame.truth, strict=True):
            if owner == ARTICLE_LINE:
                parts += [(own, ARTICLE_LINE) for own in body]
                body = []
            else:
                parts.append((line, owner))
        lines, truth = map(list, zip(*parts, strict=True))
        url = f"{frame.url}?copy={len(copies)}"
        copies.append(KnownPage(url, frame.host, "copied", lines, truth, page.article, page.unclear))
    return [*pages, *copies]


def made_pages(folder: Path, seed: int) -> list[KnownPage]:
    """Return the clean articles of a folder in made frames."""
    articles: dict[str, list[corpora.Article]] = {}
    for name, count in MADE_FROM.items():
        path = folder / f"{name}.jsonl.gz"
        languages = {str(row["id"]): row.get("lang", "en") for row in corpora.rows(path)}
        for article in corpora.clean(path, count, seed):
            language = languages[article.id]
            articles.setdefault(LANGUAGES.get(language, language), []).append(article)
    counts: Counter[str] = Counter()
    pages = []
    for page in frame_articles(articles, seed=seed):
        url = f"https://www.{page.host}/{counts[page.host]}.html"
        counts[page.host] += 1
        pages.append(KnownPage(url, page.host, page.kind, page.lines, page.truth, page.article))
    return pages


def run_command(pages: Sequence[KnownPage], arguments: Sequence[str] = ()) -> list[Outcome]:
    """Return what ``dedup clean`` says of each of the pages."""
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "pages.jsonl", Path(folder) / "out"
        with source.open("w", encoding="utf-8") as file:
            for number, page in enumerate(pages):
                row = {"id": str(number), "url": page.url, "text": "\n".join(page.lines)}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        command = [sys.executable, "-m", "dedup", "clean", str(source), "-o", str(out), *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        subprocess.run(command, check=True, capture_output=True, env=environment)
        outcomes = [Outcome([], []) for _ in pages]
        for finding in read_rows(out / "provenance.jsonl"):
            record = finding["record"]
            outcomes[record] = _with_finding(outcomes[record], finding)
        return outcomes


def _with_finding(outcome: Outcome, row: dict[str, Any]) -> Outcome:
    """Return `outcome` with one more finding, a row of the provenance."""
    rule, action, span = row["rule"], row["action"], (row["start"], row["stop"])
    if rule.endswith("-article") and row["twin_record"] is not None:
        if action == "drop" or outcome.twin is None:
            return outcome._replace(twin=row["twin_record"], is_flag=action != "drop")
    elif action == "drop":
        outcome.dropped.append(span)
    elif action == "flag" and rule in ("boilerplate", "page-furniture"):
        outcome.flagged.append(span)
    return outcome


class JudgedLine(NamedTuple):
    """What became of a line: its characters, those of them that are dropped, flagged, and lost."""

    size: int
    dropped: int
    flagged: int
    lost: int


def judge_page(page: KnownPage, outcome: Outcome) -> list[JudgedLine]:
    """Return what became of each line of a page, spaces around it aside."""
    spans = list(pairwise(accumulate((len(line) + 1 for line in page.lines), initial=0)))
    is_dropped, is_flagged = (
        _marks(spans[-1][1] if spans else 0, marked) for marked in (outcome.dropped, outcome.flagged)
    )
    kept = [
        comparison_key("".join(c for c, gone in zip(line, is_dropped[start:], strict=False) if not gone))
        for line, (start, _) in zip(page.lines, spans, strict=True)
    ]
    kept_text = f" {' | '.join(kept)} "
    judged = []
    for line, (start, _) in zip(page.lines, spans, strict=True):
        begin = start + len(line) - len(line.lstrip())
        stop = begin + len(line.strip())
        dropped = sum(is_dropped[begin:stop])
        flagged = sum(is_flagged[at] and not is_dropped[at] for at in range(begin, stop))
        is_kept = not dropped or f" {comparison_key(line)} " in kept_text
        judged.append(JudgedLine(stop - begin, dropped, flagged, 0 if is_kept else dropped))
    return judged


def _marks(size: int, spans: Sequence[tuple[int, int]]) -> bytearray:
    """Return 1 for each of `size` places that is in one of `spans`."""
    marks = bytearray(size)
    for start, stop in spans:
        marks[start:stop] = b"\1" * (min(stop, size) - start)
    return marks


def tally_pages(
    pages: Sequence[KnownPage], outcomes: Sequence[Outcome], label: Callable[[KnownPage], str]
) -> dict[str, Tally]:
    """Return the counts of pages by label."""
    copies = _copies(pages, outcomes)
    tallies: dict[str, Tally] = {}
    for number, (page, outcome) in enumerate(zip(pages, outcomes, strict=True)):
        name = label(page)
        tally = _tally_page(pages, page, outcome)._replace(copies=number in copies)
        tallies[name] = tallies.get(name, Tally()) + tally
    return tallies


def _is_twin(pages: Sequence[KnownPage], page: KnownPage, outcome: Outcome) -> bool:
    """Return True if a page is dropped or flagged for a page with the same article."""
    return outcome.twin is not None and pages[outcome.twin].article == page.article


def _copies(pages: Sequence[KnownPage], outcomes: Sequence[Outcome]) -> set[int]:
    """Return the numbers of the pages that are copies: all pages with one article but the one that stays."""
    groups: dict[int, list[int]] = {}
    for number, page in enumerate(pages):
        groups.setdefault(page.article, []).append(number)

    def rank(number: int) -> tuple[int, int]:
        outcome = outcomes[number]
        return (outcome.is_flag, -number) if _is_twin(pages, pages[number], outcome) else (2, -number)

    return {number for group in groups.values() for number in sorted(group, key=rank)[:-1]}


def _tally_page(pages: Sequence[KnownPage], page: KnownPage, outcome: Outcome) -> Tally:
    is_dropped = outcome.twin is not None and not outcome.is_flag
    is_twin = _is_twin(pages, page, outcome)
    is_unclear = outcome.twin is not None and pages[outcome.twin].article in page.unclear
    tally = Tally(
        pages=1,
        merged=is_dropped and not is_twin and not is_unclear,
        found=is_dropped and is_twin,
        reported=outcome.is_flag and is_twin,
    )
    if is_dropped:
        return tally
    for owner, line in zip(page.truth, judge_page(page, outcome), strict=True):
        if owner == SITE_LINE:
            tally += Tally(site=line.size, removed=line.dropped, flagged=line.flagged)
        elif owner == ARTICLE_LINE:
            tally += Tally(article=line.size, lost=line.lost)
    return tally


def size_label(pages: Sequence[KnownPage]) -> Callable[[KnownPage], str]:
    """Return a function that labels pages by the number of pages of their host."""
    counts = Counter(page.host for page in pages)
    return lambda page: next(name for least, name in reversed(SIZES) if counts[page.host] >= least)


def figures(tallies: dict[str, Tally], order: Sequence[str]) -> list[dict[str, Any]]:
    """Return a row of figures for each label that has pages."""
    rows = []
    for name in order:
        if name in tallies:
            tally = tallies[name]
            rows.append(
                {
                    "group": name,
                    "pages": tally.pages,
                    "site characters": tally.site,
                    "removed": share(tally.removed, tally.site),
                    "flagged": share(tally.flagged, tally.site),
                    "article characters": tally.article,
                    "lost": share(tally.lost, tally.article),
                    "precision": share(tally.removed, tally.removed + tally.lost),
                    "merged": tally.merged,
                    "copies": tally.copies,
                    "found": tally.found,
                    "reported": tally.reported,
                }
            )
    return rows


def measure(pages: Sequence[KnownPage], outcomes: Sequence[Outcome]) -> dict[str, list[dict[str, Any]]]:
    """Return the figures of pages by size of host, with one row for all of three pages or more, and by kind of host."""
    by_size = tally_pages(pages, outcomes, size_label(pages))
    large = [tally for name, tally in by_size.items() if name != SIZES[0][1]]
    by_size["3 or more"] = sum(large, Tally())
    by_kind = tally_pages(pages, outcomes, lambda page: page.kind)
    return {
        "by size": figures(by_size, [*(name for _, name in SIZES), "3 or more"]),
        "by kind": figures(by_kind, sorted(by_kind)),
    }


def show(pages: Sequence[KnownPage], outcomes: Sequence[Outcome], count: int) -> None:
    """Print the lines that are most often lost, and the site's lines that stay, by characters."""
    sizes = Counter(page.host for page in pages)
    lost: Counter[tuple[str, str]] = Counter()
    missed: Counter[tuple[str, str]] = Counter()
    for page, outcome in zip(pages, outcomes, strict=True):
        if (outcome.twin is None or outcome.is_flag) and sizes[page.host] >= 3:
            where = f"{page.host} {page.kind} {sizes[page.host]}"
            for text, owner, line in zip(page.lines, page.truth, judge_page(page, outcome), strict=True):
                if owner == ARTICLE_LINE:
                    lost[where, text] += line.lost
                elif owner == SITE_LINE:
                    missed[where, text] += line.size - line.dropped
        elif outcome.twin is not None and not outcome.is_flag:
            twin = pages[outcome.twin]
            if twin.article != page.article and twin.article not in page.unclear:
                print("merged", page.url, twin.url)
    for title, counter in (("lost", lost), ("missed", missed)):
        print(f"--- {title}")
        for (where, text), size in counter.most_common(count):
            print(size, where, repr(text[:160]))


PAGES: dict[str, Callable[[Path, int], list[KnownPage]]] = {
    "real": lambda folder, _: real_pages(folder / FILE),
    "real with copies": lambda folder, seed: with_copies(real_pages(folder / FILE), seed),
    "made": made_pages,
}


def main() -> None:
    """Measure the pages of a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=0)
    parser.add_argument("--only", nargs="*", choices=PAGES, default=list(PAGES))
    options = parser.parse_args()
    results = {}
    for name in options.only:
        pages = PAGES[name](options.folder, options.seed)
        outcomes = run_command(pages)
        results[name] = measure(pages, outcomes)
        print(name, *(row for rows in results[name].values() for row in rows), sep="\n")
        if options.show:
            show(pages, outcomes, options.show)
    if not options.show:
        store_results({"whole pages": read_results().get("whole pages", {}) | results})


if __name__ == "__main__":
    main()
