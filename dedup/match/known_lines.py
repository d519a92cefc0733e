"""Find the lines that earlier runs have found to be site text, so that what an index has learnt holds from then on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from dedup.arrays import I64, Bools, encode_utf8, pack
from dedup.match.boilerplate import Evidence
from dedup.match.paragraph_columns import ParagraphColumns
from dedup.prepare.columns import digest_values
from dedup.prepare.corpus import Corpus
from dedup.segment.batch import find_fact_marks, segment_batch
from dedup.segment.digests import paragraph_digests


class KnownLine(NamedTuple):
    """A line that earlier runs have found to be site text: its host, None for all, its digest, and their counts.

    `digest` is that of a paragraph with the text of the line. `articles` of `total` articles of the host had it.
    """

    host: str | None
    digest: bytes
    articles: int
    total: int


class KnownLineMatches(NamedTuple):
    """The paragraphs that are equal to a known line: one value per line.

    `numbers` are those of the paragraphs: int64 [lines]. `in_host` says which lines are of their host, and not of all:
    bool [lines]. `evidence` says what was counted.
    """

    numbers: I64
    in_host: Bools
    evidence: Evidence


def find_known_lines(
    corpus: Corpus, paragraphs: ParagraphColumns, known_lines: Sequence[KnownLine]
) -> KnownLineMatches:
    """Return the lines of `corpus` that are equal to a known one of their host, or of all hosts."""
    by_digest = lines_by_digest(known_lines)
    numbers: list[int] = []
    found: list[KnownLine] = []
    wanted = np.frombuffer(b"".join(by_digest), np.uint64).reshape(-1, 2)[:, 0]
    first_number = 0
    for (column,) in corpus.iter_paragraphs("digest") if by_digest else ():
        values = digest_values(column)
        halves = np.ascontiguousarray(values).view(np.uint64).reshape(-1, 2)[:, 0]
        for place in np.flatnonzero(np.isin(halves, wanted)).tolist():
            number = first_number + place
            host = paragraphs.host_names[paragraphs.hosts[paragraphs.articles[number]]]
            lines = by_digest.get(values[place].tobytes(), {})
            known = lines.get(host) or lines.get(None)
            if known is not None and paragraphs.words[number]:
                numbers.append(number)
                found.append(known)
        first_number += len(values)
    evidence = [evidence_of_known_line(line) for line in found]
    return KnownLineMatches(
        np.array(numbers, np.int64),
        np.array([line.host is not None for line in found], bool),
        Evidence.of(evidence, np.arange(len(found))),
    )


def evidence_of_known_line(line: KnownLine) -> str:
    """Return the evidence of a paragraph that is equal to a known line."""
    return f"in {line.articles} of {line.total} earlier articles"


def lines_by_digest(lines: Sequence[KnownLine]) -> dict[bytes, dict[str | None, KnownLine]]:
    """Return known lines by their digest, and then by their host."""
    by_digest: dict[bytes, dict[str | None, KnownLine]] = {}
    for line in lines:
        by_digest.setdefault(line.digest, {})[line.host] = line
    return by_digest


def line_digests(texts: Sequence[str]) -> list[bytes]:
    """Return the digest of each line in `texts`, as a paragraph has it."""
    packed = pack([encode_utf8(f"{text}\n\nx") for text in texts])  # with a blank line, it is one paragraph
    segments = segment_batch(*packed)
    digests = paragraph_digests(segments, find_fact_marks(*packed, segments))
    return [digests[first] for first in segments.borders[:-1].tolist()]
