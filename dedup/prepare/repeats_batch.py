"""The rules within an article for a batch: a screen chooses the texts that may repeat themselves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dedup.arrays import U64, decode_utf8, encode_utf8, offsets_of, pack
from dedup.findings import Finding
from dedup.fingerprint.self_matches import REPEATED_RUNS
from dedup.kernels.backend import Backend
from dedup.prepare.one_text import AnalyzedText
from dedup.repeats.detect import detect_repeats
from dedup.repeats.split_paragraphs import SplitArticle
from dedup.segment.batch import Segments
from dedup.settings import Settings


def analyze_texts(
    repaired: Sequence[tuple[str, list[Finding]]], settings: Settings, backend: Backend
) -> list[AnalyzedText]:
    """Return the result of `dedup.prepare.one_text.analyze_repaired` for each of many repaired texts.

    `repaired` are the texts, each with the findings of the text level that led to it.
    """
    texts = [text for text, _ in repaired]
    segments = backend.segment_batch(*pack(list(map(encode_utf8, texts))))
    hashes = backend.word_hashes(segments.keys, segments.key_offsets)
    repeats = find_batch_repeats(texts, segments, hashes, settings, backend)
    analyzed = []
    for number, (text, findings) in enumerate(repaired):
        article = repeats.get(number)
        if article is None:
            rows = slice(int(segments.borders[number]), int(segments.borders[number + 1]))
            spans = list(zip(segments.starts[rows].tolist(), segments.stops[rows].tolist(), strict=True))
            article = SplitArticle(spans, _keys_of(segments, number, rows), [])
        analyzed.append(AnalyzedText(text, findings, *article))
    return analyzed


def find_batch_repeats(
    texts: Sequence[str], segments: Segments, hashes: U64, settings: Settings, backend: Backend
) -> dict[int, SplitArticle]:
    """Return the repeats within each text that has some, by the number of the text.

    Only texts that a screen selects are searched. `hashes` are those of all words of `segments`: uint64 [words]. They
    number the words. A drop is justified by the words themselves, so a collision of hashes never drops anything.
    """
    articles: dict[int, SplitArticle] = {}
    flags = backend.screen_self_repeats(hashes, segments)
    words = offsets_of(segments.words)
    for text in np.flatnonzero(flags).tolist():
        rows = slice(int(segments.borders[text]), int(segments.borders[text + 1]))
        spans = list(zip(segments.starts[rows].tolist(), segments.stops[rows].tolist(), strict=True))
        keys = _keys_of(segments, text, rows)
        article = detect_repeats(
            texts[text],
            spans,
            keys,
            settings,
            shared_runs=bool(flags[text] & REPEATED_RUNS),
            backend=backend,
            numbers=hashes[words[rows.start] : words[rows.stop]].view(np.int64),
        )
        if article.repeats:
            articles[text] = article
    return articles


def _keys_of(segments: Segments, text: int, rows: slice) -> list[str]:
    """Return the keys of the paragraphs `rows` of `text`.

    They are decoded together; decoding each alone takes twice as long.
    """
    start, stop = segments.key_offsets[text : text + 2].tolist()
    data = segments.keys[start:stop]
    joined = decode_utf8(data.tobytes())
    key_starts, key_stops = segments.key_starts[rows] - start, segments.key_stops[rows] - start
    if len(joined) < len(data):
        characters = offsets_of((data & 0xC0) != 0x80)  # before each byte
        key_starts, key_stops = characters[key_starts], characters[key_stops]
    return [joined[first:last] for first, last in zip(key_starts.tolist(), key_stops.tolist(), strict=True)]
