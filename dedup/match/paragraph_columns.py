"""What matching needs of every paragraph of a corpus, read from prepared batches."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from dedup.arrays import I64, Bools, Floats, decode_utf8
from dedup.fingerprint.similarity import Comparer
from dedup.match.buckets import find_first_equal
from dedup.prepare.columns import digest_values, integer_values, join_chunks
from dedup.prepare.corpus import Corpus
from dedup.prepare.store import PreparedBatch, load_batch


class ParagraphColumns(NamedTuple):
    """What matching needs of every paragraph, in order of appearance.

    `articles` is the row of its article, and `keys` the first paragraph of equal key and facts: int64
    [paragraphs].
    `words` is int32, `sizes` the weighted number of words, `needed` the role within its article: int8. `hosts` numbers
    the host of each article, int64 [articles], and `host_names` has their names.
    """

    articles: I64
    words: npt.NDArray[np.int32]
    keys: I64
    sizes: Floats
    needed: npt.NDArray[np.int8]
    hosts: I64
    host_names: list[str | None]  # the last stands for articles without a host

    def count_articles(self, which: Bools) -> I64:
        """Return the number of articles in `which`, bool [articles], of each host: int64 [hosts]."""
        return np.bincount(self.hosts[which], minlength=len(self.host_names)).astype(np.int64)

    def without(self, numbers: I64) -> ParagraphColumns:
        """Return the columns after the paragraphs `numbers`, int64, have lost their words."""
        words, sizes = self.words.copy(), self.sizes.copy()
        words[numbers] = sizes[numbers] = 0
        return self._replace(words=words, sizes=sizes)


def read_paragraph_columns(corpus: Corpus, comparer: Comparer) -> ParagraphColumns:
    """Return the columns of all paragraphs of `corpus`."""
    table = corpus.read_columns("host")
    encoded = join_chunks(table["host"]).dictionary_encode()
    names = [None if name is None else decode_utf8(name) for name in encoded.dictionary.to_pylist()]
    hosts = integer_values(encoded.indices, len(names))
    words, sizes, needed = corpus.read_paragraphs("words", "size", "needed")
    digests = lambda: (digest_values(digest) for (digest,) in corpus.iter_paragraphs("digest"))  # noqa: E731 - once for each pass
    return ParagraphColumns(
        articles=np.repeat(np.arange(len(corpus), dtype=np.int64), np.diff(corpus.paragraph_offsets)),
        words=words,
        keys=find_first_equal(digests, len(words), comparer, corpus.budget),
        sizes=sizes,
        needed=needed,
        hosts=hosts,
        host_names=[*names, None],
    )


def read_raw_texts(corpus: Corpus, columns: ParagraphColumns, numbers: I64) -> list[str]:
    """Return the raw text of the paragraphs `numbers`, int64 [paragraphs], in their order."""
    texts = [""] * len(numbers)
    order = np.argsort(numbers, kind="stable")
    articles = columns.articles[numbers[order]]
    starts, stops = corpus.read_paragraphs("raw_start", "raw_stop", numbers=numbers[order])

    def read_piece(part: tuple[int, PreparedBatch, int, int]) -> None:
        _, piece, first_row, stop_row = part
        low, high = np.searchsorted(articles, (first_row, stop_row)).tolist()
        if low == high:
            return
        raw_texts = load_batch(piece, ["text"]).column(0)
        previous, raw = -1, ""
        for place in range(low, high):
            if articles[place] != previous:
                previous = int(articles[place])
                raw = decode_utf8(raw_texts[previous - first_row].as_py())
            texts[order[place]] = raw[starts[place] : stops[place]]

    for _ in corpus.budget.map(read_piece, corpus.numbered_batches()):
        pass
    return texts
