"""Measure the model of site text on whole pages: how much of the site's text is removed, how much of the articles'.

    python -m benchmarks.quality.pages PAGES

PAGES are JSON lines, plain or gzipped, with ``url``, ``text``, one block a line, and ``gold``, the article's
paragraphs. What a page keeps another copy of is not lost. Pages are grouped by the number of pages of their host.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np
from publicsuffixlist import PublicSuffixList

from benchmarks.markdown_tables import markdown_table
from dedup.arrays import Bools, encode_utf8, pack
from dedup.fingerprint.shingles import hash_words
from dedup.kernels import compiled
from dedup.segment.digests import paragraph_digests
from dedup.segment.words import comparison_key
from dedup.site_text.counts import SiteLines, core_of_articles, count_lines, first_of_copies
from dedup.site_text.score import DROP_SCORE, FLAG_SCORE, score_lines

ARTICLE_LINE, SITE_LINE, NO_LINE = range(3)
FEWEST_PAGES = 3  # of a host that is measured
SIZES = (3, 4, 10, 30)  # pages of a host from which a row of the table starts
# A shorter line may be a part of the article's text by chance; it must be one of its paragraphs.
_PART_WORDS = 6
_PARAGRAPH_WORDS = 8  # a line may have more than a paragraph of the article, of so many words


class Page(NamedTuple):
    """A page: its host, its lines, their comparison keys, and for each line whose it is."""

    host: str
    lines: list[str]
    keys: list[str]
    truth: list[int]


class Loss(NamedTuple):
    """Characters of pages: of the site, of articles, and what is removed of each."""

    site: int = 0
    article: int = 0
    removed: int = 0
    lost: int = 0

    def __add__(self, other: Loss) -> Loss:  # type: ignore[override]
        return Loss(*(first + second for first, second in zip(self, other, strict=True)))


def load_pages(path: Path) -> list[Page]:
    """Return the pages of a file."""
    domains = PublicSuffixList()
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as file:
        records = list(map(json.loads, file))
    pages = []
    for record in records:
        host = urlsplit(record["url"]).hostname or ""
        lines = [line for line in record["text"].split("\n") if line.strip()]
        keys = list(map(comparison_key, lines))
        paragraphs = [comparison_key(line) for line in record["gold"].split("\n") if line.strip()]
        truth = [_truth_of(key, paragraphs) for key in keys]
        pages.append(Page(domains.privatesuffix(host) or host, lines, keys, truth))
    return pages


def _truth_of(key: str, paragraphs: Sequence[str]) -> int:
    """Return whose line the one with this comparison key is, given the keys of the article's paragraphs."""
    if not key:
        return NO_LINE
    if key in paragraphs:
        return ARTICLE_LINE
    whole = f" {' '.join(paragraphs)} "
    if key.count(" ") + 1 >= _PART_WORDS and f" {key} " in whole:
        return ARTICLE_LINE
    longest = (part for part in paragraphs if part.count(" ") + 1 >= _PARAGRAPH_WORDS and 2 * len(part) > len(key))
    return ARTICLE_LINE if any(part in key for part in longest) else SITE_LINE


def site_lines_of(texts: Sequence[str], hosts: Sequence[str]) -> SiteLines:
    """Return the lines of `texts` of the given `hosts`."""
    packed = pack(list(map(encode_utf8, texts)))
    segments = compiled.segment_batch(*packed)
    hashes = compiled.word_hashes(segments.keys, segments.key_offsets)
    forms = compiled.line_forms(*packed, segments, hashes, *hash_words([b""] * len(texts)))
    digests = paragraph_digests(segments, compiled.find_fact_marks(*packed, segments))
    lines = SiteLines(
        borders=segments.borders,
        hosts=np.unique(np.array(hosts), return_inverse=True)[1].astype(np.int64),
        counted=np.ones(len(texts), bool),
        keys=np.frombuffer(b"".join(digests), np.int64)[::2].copy(),
        words=segments.words,
        sizes=segments.sizes,
        forms=forms.forms,
        frames=forms.frames,
    )
    return lines._replace(counted=first_of_copies(lines.hosts, core_of_articles(lines)))


def loss_of(page: Page, dropped: Sequence[bool]) -> Loss:
    """Return what dropping some lines of a page removes and loses; `dropped` has a value for each line."""
    kept = f" {' | '.join(key for key, gone in zip(page.keys, dropped, strict=True) if not gone)} "
    total = Loss()
    for line, key, truth, gone in zip(page.lines, page.keys, page.truth, dropped, strict=True):
        size = len(line.strip())
        if truth == SITE_LINE:
            total += Loss(site=size, removed=size * gone)
        elif truth == ARTICLE_LINE:
            total += Loss(article=size, lost=size * (gone and f" {key} " not in kept))
    return total


def losses_by_size(pages: Sequence[Page], dropped: Bools) -> dict[str, Loss]:
    """Return the losses by the number of pages of the host, and of all; `dropped` is bool [lines of all pages]."""
    host_pages = Counter(page.host for page in pages)
    result: dict[str, Loss] = {_label(size): Loss() for size in (*SIZES, 0)}
    position = 0
    for page in pages:
        stop = position + len(page.lines)
        if host_pages[page.host] >= FEWEST_PAGES:
            loss = loss_of(page, dropped[position:stop].tolist())
            size = max(size for size in SIZES if size <= host_pages[page.host])
            for label in (_label(size), _label(0)):
                result[label] += loss
        position = stop
    return result


def _label(size: int) -> str:
    """Return the label of the hosts from `size` pages on; 0 stands for all."""
    if not size:
        return "all"
    larger = [other for other in SIZES if other > size]
    return f"{size} or more" if not larger else str(size) if larger[0] == size + 1 else f"{size} to {larger[0] - 1}"


def measure(pages: Sequence[Page]) -> str:
    """Return a table of what is removed and lost, by the rule and by counting lines alone."""
    lines = site_lines_of(["\n".join(page.lines) for page in pages], [page.host for page in pages])
    counts = count_lines(lines)
    scores = score_lines(lines, counts)
    rules = {
        "drop": scores >= DROP_SCORE,
        "drop or flag": scores >= FLAG_SCORE,
        "a line on 5 pages": counts.articles >= 5,
        "a line on 3 pages": counts.articles >= 3,
    }
    rows: list[list[Any]] = []
    for name, dropped in rules.items():
        for size, loss in losses_by_size(pages, dropped).items():
            if loss.site:
                shares = f"{loss.removed / loss.site:.1%}", f"{loss.lost / max(loss.article, 1):.2%}"
                rows.append([name, size, *shares, f"{loss.removed / max(loss.removed + loss.lost, 1):.4f}"])
    return markdown_table(["rule", "pages of the host", "site text removed", "article text lost", "precision"], rows)


if __name__ == "__main__":
    print(measure(load_pages(Path(sys.argv[1]))))
