"""One run over an index: compare new articles with all that earlier runs have kept, and add those that stay.

Of the articles in the index, only the candidates are read: those that share a posting with a new one. They become the
known articles of the run (`dedup.prepare.corpus.Corpus`), so that matching is the same as against another corpus.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from dedup.arrays import I64, Bools
from dedup.decide.verdicts import Verdicts
from dedup.errors import IndexFolderError
from dedup.findings import DROP
from dedup.index.manifest import ManifestWriter, hash_of_run, open_writer
from dedup.index.postings import lookup_of, postings_of
from dedup.index.readers import open_index
from dedup.index.segments import Segment, SegmentReader, SegmentWriter, known_source, with_known_sources
from dedup.index.stored_articles import prepare_stored, stored_articles
from dedup.index.tiers import merge_small_segments
from dedup.kernels.backend import SMALL_BYTES, Backend, load_backend
from dedup.match.known_lines import KnownLine, line_digests
from dedup.match.policy import BOILERPLATE, DUPLICATE, NEAR_DUPLICATE
from dedup.output_layout import RUN_FILE, read_run_file
from dedup.prepare.columns import integer_values
from dedup.prepare.corpus import Corpus
from dedup.prepare.store import load_batch
from dedup.read.other_corpora import INDEX
from dedup.runtime.paths import is_in_folder, path_from
from dedup.settings import Settings

# Bytes of candidates that plain functions prepare in the time in which compiled ones are loaded: 0.3 s of one core.
_SMALL_CANDIDATES = SMALL_BYTES // 4
# Bytes of candidates that are prepared together. Of an index of 8,000 press releases, 490 candidates in 50 row groups
# take 0.36 s one group after the other, and 0.10 s at once.
_JOINED_BYTES = 8 << 20
_QUERY_COLUMNS = ("words", "digest", "buckets", "key", "paragraphs")


class IndexSession:
    """A run that asks an index, and adds to it; `writer` holds its lock."""

    def __init__(self, writer: ManifestWriter, settings: Settings) -> None:
        self.writer = writer
        self.settings = settings
        self.folder = writer.folder
        self.run = writer.manifest.runs + 1
        self._added: Segment | None = None
        self._backend: Backend | None = None

    @property
    def readers(self) -> list[SegmentReader]:
        """The readers of all segments, in the order of their articles."""
        return [SegmentReader(self.folder, segment) for segment in self.writer.manifest.segments]

    @property
    def text_bytes(self) -> int:
        """The bytes of text in the index."""
        return sum(segment.text_bytes for segment in self.writer.manifest.segments)

    def known_lines(self) -> list[KnownLine]:
        """Return the lines of site text that earlier runs have found, with the sums of their counts."""
        return sum_lines(self.readers)

    def check_inputs(self, out: Path, inputs: Sequence[Mapping[str, Any]]) -> None:
        """Raise `IndexFolderError` if this run would mistake articles of `inputs` for some of the index.

        That is so if one has the source of an article there, as twins are named by their source, and if the run would
        replace `out`, the output that has these articles.
        """
        own = {str(entry["source"]) for entry in inputs if str(entry["source"]).startswith(INDEX)}
        for reader in self.readers if own else ():
            clash = own & reader.sources()
            if clash:
                raise IndexFolderError(
                    f"{self.folder}: an input and a source in this index have the name {min(clash)}; rename the folder"
                )
        self._check_not_added(out, inputs)

    def _check_not_added(self, out: Path, inputs: Sequence[Mapping[str, Any]]) -> None:
        """Raise `IndexFolderError` if `out`, which would be replaced, is the output of an indexed run over `inputs`.

        All articles that the output has kept are in the index. So each would be dropped as a duplicate of itself, and
        would be in no output. An input of the same name counts, whatever is in it now: a file that has grown still has
        those articles. Inputs of other names are a new batch, which may replace an earlier output.
        """
        digest = hash_of_run(out)
        run = next((name for name, known in self.writer.manifest.outputs.items() if known == digest), None)
        replaced = read_run_file(out) if run is not None else None
        if replaced is None or not replaced["counts"]["kept"]:
            return
        common = {entry["source"] for entry in inputs} & {entry["source"] for entry in replaced["inputs"]}
        if common:
            raise IndexFolderError(
                f"{out}: its articles, of {min(common)}, are in {self.folder} as run {run}, and would be dropped as "
                f"duplicates of themselves; first run dedup index remove {self.folder} {INDEX}{run}, or name another "
                "output, which gets the new articles"
            )

    def before(self, corpus: Corpus, backend: Backend) -> Corpus:
        """Return `corpus` behind the indexed articles that its new articles may repeat."""
        if not self.readers:
            return corpus
        new = (load_batch(batch, _QUERY_COLUMNS) for _, batch in corpus.new_batches())
        wanted = lookup_of(new, self.settings, backend)
        found = [
            with_known_sources(stored, reader.segment)
            for reader in self.readers
            for stored in reader.read(reader.lookup(wanted))
        ]
        if not found:
            return corpus
        backend = load_backend(compiled=backend.compiled or sum(stored.nbytes for stored in found) >= _SMALL_CANDIDATES)
        batches = [prepare_stored(stored, self.settings, backend) for stored in join_batches(found)]
        return Corpus(
            [*batches, *corpus.prepared_batches],
            corpus.budget,
            known_batches=len(batches) + corpus.known_batches,
            keeps_files=corpus.keeps_files,
        )

    def add(self, verdicts: Verdicts, backend: Backend) -> None:
        """Write the articles of a decided run that stay as a new segment, which takes effect later."""
        corpus, articles = verdicts.corpus, verdicts.articles
        marks = survival_marks(verdicts)
        writer = self.new_segment()
        for number, batch in corpus.new_batches():
            rows = slice(*corpus.starts[number : number + 2])
            prepared = load_batch(batch)
            has_words = integer_values(prepared.column("words")) > 0
            kept = np.flatnonzero(articles.kept[rows] & has_words)
            borders = corpus.paragraph_offsets[rows.start : rows.stop + 1]
            survives = np.concatenate(
                [np.empty(0, bool), *(marks.paragraphs[borders[row] : borders[row + 1]] for row in kept.tolist())]
            )
            chosen = stored_articles(prepared.take(pa.array(kept)), marks.articles[rows][kept], survives, self.settings)
            again = prepare_stored(chosen, self.settings, backend)
            writer.add(chosen, postings_of(again, self.settings, backend))
        self.take(writer.finish(self.sure_lines(row._asdict() for row in verdicts.site_text.table)), backend)

    def sure_lines(self, rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield the rows of the table of site text whose lines later runs treat as site text.

        If the rule drops, a line that it has dropped from no article is not certain to be site text, and is left out.
        """
        is_dropping = self.settings.rules[BOILERPLATE] == DROP
        return (row for row in rows if row["dropped"] or not is_dropping)

    def new_segment(self) -> SegmentWriter:
        """Return the writer of the segment of this run."""
        return SegmentWriter(self.writer.new_folder(), self.run)

    def take(self, segment: Segment, backend: Backend) -> None:
        """Accept the written segment of this run; `backend` is for merging it with others later."""
        self._added, self._backend = segment, backend

    def run_entry(self, out: Path) -> dict[str, Any]:
        """Return what ``run.json`` says: the path to the index from the folder `out`, and the number of the run."""
        return {"given": path_from(out, os.path.realpath(self.folder)), "run": self.run}

    def stage(self, folder: Path, out: Path) -> None:
        """Make ready what `add` has written: it takes effect when the result in `folder` takes its place at `out`."""
        earlier = self.writer.manifest
        segments = earlier.segments + ((self._added,) if self._added else ())
        outputs = {**earlier.outputs, str(self.run): hash_of_run(folder) or ""}
        manifest = earlier._replace(runs=self.run, segments=segments, outputs=outputs)
        self.writer.stage(manifest, out, folder / RUN_FILE)

    def commit(self) -> None:
        """Let the run take effect, and merge small segments where there are many."""
        self.writer.commit()
        if self._backend is not None:
            merge_small_segments(self.writer, self.settings, self._backend)


def join_batches(batches: Sequence[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the rows of `batches`, in order, in batches of up to `_JOINED_BYTES`; a larger one stays as it is."""
    waiting: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        if waiting and size + batch.nbytes > _JOINED_BYTES:
            yield pa.concat_batches(waiting)
            waiting, size = [], 0
        waiting.append(batch)
        size += batch.nbytes
    if waiting:
        yield pa.concat_batches(waiting)


class SurvivalMarks(NamedTuple):
    """The articles and paragraphs that later texts are compared with: bool [articles] and bool [paragraphs]."""

    articles: Bools
    paragraphs: Bools


def survival_marks(verdicts: Verdicts) -> SurvivalMarks:
    """Return marks of the articles that are not flagged as duplicates, and of the paragraphs that are not copies."""
    paragraphs = np.ones(verdicts.corpus.paragraph_offsets[-1], bool)
    paragraphs[verdicts.paragraphs.copies] = False
    return SurvivalMarks(~np.isin(verdicts.articles.rules, (DUPLICATE, NEAR_DUPLICATE)), paragraphs)


@contextmanager
def index_session(
    folder: str | Path | None, settings: Settings, out: Path | None = None
) -> Iterator[IndexSession | None]:
    """Yield the session of a run on the index in `folder`; None without one.

    `out` is the output of the run. Raises `IndexFolderError` if one of the two would be inside the other.
    """
    if folder is None:
        yield None
        return
    if out is not None and (is_in_folder(out, folder) or is_in_folder(folder, out)):
        raise IndexFolderError(
            f"{folder}: the index and the output {out} are not separate; name two folders, neither inside the other"
        )
    with open_writer(Path(folder), settings) as writer:
        yield IndexSession(writer, settings)


def sum_lines(readers: Sequence[SegmentReader]) -> list[KnownLine]:
    """Return the lines of site text of all segments, each once for each host, with the sums of their counts."""
    counts: dict[tuple[str | None, str], tuple[int, int]] = {}
    for reader in readers:
        for row in reader.lines():
            key = row["host"], row["text"]
            articles, total = counts.get(key, (0, 0))
            counts[key] = (
                articles + row["articles"],
                total + max(row["articles"], round(row["articles"] / row["share"])),
            )
    digests = line_digests([text for _, text in counts])
    return [
        KnownLine(host, digest, articles, total)
        for ((host, _), (articles, total)), digest in zip(counts.items(), digests, strict=True)
    ]


def find_indexed(folder: Path, keys: set[tuple[str, int]]) -> Iterator[pa.RecordBatch]:
    """Yield the stored articles of an index with these sources, as later runs name them, and record numbers."""
    for reader in open_index(folder).readers:
        segment = reader.segment
        numbers: list[int] = []
        first = 0
        for batch in reader.read_all(["source", "record"]):
            places = zip(batch.column("source").to_pylist(), batch.column("record").to_pylist(), strict=True)
            numbers += [
                first + row
                for row, (source, record) in enumerate(places)
                if (known_source(segment, source), record) in keys
            ]
            first += batch.num_rows
        wanted: I64 = np.array(numbers, np.int64)
        for stored in reader.read(wanted):
            yield with_known_sources(stored, segment)
