"""Look after an index: what is in it, whether it is whole, and what to take out of it or put together."""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from dedup.arrays import Bools, decode_utf8
from dedup.errors import IndexFolderError
from dedup.index.manifest import ManifestWriter, check_settings, open_writer
from dedup.index.postings import postings_of
from dedup.index.readers import open_index
from dedup.index.segments import Segment, SegmentReader, SegmentWriter, with_known_sources
from dedup.index.session import IndexSession, sum_lines
from dedup.index.stored_articles import paragraphs_of_stored, prepare_stored
from dedup.index.tiers import Chooser, rewrite_segments
from dedup.kernels.backend import SMALL_BYTES, Backend, load_backend
from dedup.match.articles import match_articles
from dedup.match.paragraph_columns import read_paragraph_columns
from dedup.match.paragraphs import match_paragraphs
from dedup.match.policy import DUPLICATE, NEAR_DUPLICATE
from dedup.prepare.corpus import Corpus
from dedup.read.other_corpora import INDEX
from dedup.settings import Settings

_RUN_NAME = re.compile(f"{INDEX}[0-9]+/?")


def index_stats(folder: str | Path) -> dict[str, Any]:
    """Return how many runs, segments, articles and lines of site text are in an index, and how much space they take.

    `share` is the size of all its files over that of the texts in it.
    """
    manifest, readers = open_index(Path(folder))
    text_bytes = sum(segment.text_bytes for segment in manifest.segments)
    size = sum(segment.bytes for segment in manifest.segments)
    return {
        "runs": manifest.runs,
        "segments": len(manifest.segments),
        "articles": sum(segment.articles for segment in manifest.segments),
        "site_text": len(sum_lines(readers)),
        "postings": sum(segment.postings for segment in manifest.segments),
        "text_bytes": text_bytes,
        "bytes": size,
        "share": round(size / text_bytes, 4) if text_bytes else 0.0,
        "settings": manifest.settings,
    }


def verify_index(folder: str | Path) -> list[str]:
    """Return what is wrong with an index: files that changed, numbers that are wrong, postings that do not fit."""
    manifest, readers = open_index(Path(folder))
    settings = _settings_of(manifest.settings)
    backend = _backend_for(manifest.segments)
    problems: list[str] = []
    for reader in readers:
        broken = list(reader.problems())
        problems += broken or _problems_of_contents(reader, settings, backend)
    return problems


def _problems_of_contents(reader: SegmentReader, settings: Settings, backend: Backend) -> Iterator[str]:
    """Yield what is wrong with the articles and postings of a segment whose files are whole."""
    segment = reader.segment
    articles = text_bytes = 0
    hashes, owners = [np.empty(0, np.uint64)], [np.empty(0, np.uint32)]
    for stored in reader.read_all():
        expected = postings_of(prepare_stored(stored, settings, backend), settings, backend)
        hashes.append(expected.hashes)
        owners.append(expected.articles + np.uint32(articles))
        articles += stored.num_rows
        text_bytes += sum(map(len, stored.column("text").to_pylist()))
    postings = sum(map(len, hashes))
    if (articles, text_bytes, postings) != (segment.articles, segment.text_bytes, segment.postings):
        held = f"{articles} articles of {text_bytes} bytes and {postings} postings"
        yield f"{segment.name}: holds {held}, the manifest says otherwise"
    order = np.lexsort((np.concatenate(owners), np.concatenate(hashes)))
    found = reader.postings()
    if not (
        np.array_equal(np.concatenate(hashes)[order], found.hashes)
        and np.array_equal(np.concatenate(owners)[order], found.articles)
    ):
        yield f"{segment.name}: its postings are not those of its articles"


def remove_articles(folder: str | Path, names: Collection[str]) -> int:
    """Take the articles called `names` out of an index; return how many there were.

    A name is an id, ``source#record``, or a run such as ``index/2``, which stands for all articles that the run has
    added. If an article has that id, it is ambiguous, and raises `IndexFolderError`; ``index/2/`` is always the run.
    Their texts are gone from the disk when this returns. What repeats them can survive in a later run. A run
    that is taken out can be repeated. The site text that it found goes, too, unless its segment was merged with others.
    A line of site text that was in a removed article and is in none that stays is erased, whichever run found it.
    """
    runs = {name.rstrip("/") for name in names if _RUN_NAME.fullmatch(name)}
    wanted = {name for name in names if not (_RUN_NAME.fullmatch(name) and name.endswith("/"))}

    def choose(stored: pa.RecordBatch) -> Bools:
        places = zip(*(stored.column(name).to_pylist() for name in ("id", "source", "record")), strict=True)
        stays = [
            decode_utf8(identity) not in wanted and f"{source}#{record}" not in wanted and _run_of(source) not in runs
            for identity, source, record in places
        ]
        return np.array(stays, bool)

    with open_writer(Path(folder), None) as writer:
        manifest = writer.manifest
        settings, backend = _settings_of(manifest.settings), _backend_for(manifest.segments)
        _check_run_names(writer, runs & wanted)
        before = sum(segment.articles for segment in manifest.segments)
        readers = [SegmentReader(writer.folder, segment) for segment in manifest.segments]
        losing = [reader for reader in readers if _has_any(reader, choose)]
        erased = _lines_to_erase(readers, losing, choose)
        kept: list[Segment] = []
        replaced: list[Segment] = []
        for reader in readers:
            segment = reader.segment
            if not segment.is_rewritten and f"{INDEX}{segment.run}" in runs:
                replaced.append(segment)
            elif reader in losing or any(line["text"] in erased for line in reader.lines()):
                kept.append(rewrite_segments(writer, [segment], settings, backend, choose, erased))
                replaced.append(segment)
            else:
                kept.append(segment)
        outputs = {run: digest for run, digest in manifest.outputs.items() if f"{INDEX}{run}" not in runs}
        if replaced or outputs != manifest.outputs:
            writer.replace(manifest._replace(segments=tuple(kept), outputs=outputs))
        for segment in replaced:
            shutil.rmtree(writer.folder / segment.name)
    return before - sum(segment.articles for segment in kept)


def _lines_to_erase(readers: Sequence[SegmentReader], losing: Sequence[SegmentReader], choose: Chooser) -> set[str]:
    """Return the lines of site text that are a paragraph of an article that goes, and of none that `choose` keeps.

    `losing` are the readers of the segments that have articles that go.
    """
    known = {line["text"] for reader in readers for line in reader.lines()}
    going = _paragraphs_among(known, losing, lambda stored: ~choose(stored))
    return going - _paragraphs_among(going, readers, choose)


def _paragraphs_among(lines: Collection[str], readers: Sequence[SegmentReader], choose: Chooser) -> set[str]:
    """Return those of `lines` that are a paragraph of an article that `choose` keeps."""
    found: set[str] = set()
    for reader in readers if lines else ():
        for stored in reader.read_all():
            chosen = choose(with_known_sources(stored, reader.segment))
            found |= paragraphs_of_stored(stored.filter(pa.array(chosen))).intersection(lines)
    return found


def _check_run_names(writer: ManifestWriter, names: Collection[str]) -> None:
    """Raise `IndexFolderError` if one of `names`, each that of a run, is also the id of an article."""
    for segment in writer.manifest.segments if names else ():
        for stored in SegmentReader(writer.folder, segment).read_all(["id", "source", "record"]):
            places = with_known_sources(stored, segment).to_pylist()
            for place in places:
                name = decode_utf8(place["id"])
                if name in names:
                    raise IndexFolderError(
                        f"{writer.folder}: {name} is a run and also the id of an article; remove "
                        f"{place['source']}#{place['record']} for the article, or {name}/ for the run"
                    )


def _run_of(source: str) -> str:
    """Return the run that has added an article, from its source in later runs.

    >>> _run_of("index/2/monday.jsonl")
    'index/2'
    """
    return "/".join(source.split("/", 2)[:2])


def _has_any(reader: SegmentReader, choose: Chooser) -> bool:
    """Return True if a segment has an article that `choose` does not keep."""
    read = reader.read_all(["id", "source", "record"])
    return not all(choose(with_known_sources(stored, reader.segment)).all() for stored in read)


class Compaction(NamedTuple):
    """The number of segments that were there, and the bytes of all segments before and after."""

    segments: int
    bytes_before: int
    bytes_after: int


def compact_index(folder: str | Path) -> Compaction:
    """Make one segment of all segments of an index, and delete the files that are no longer needed."""
    with open_writer(Path(folder), None) as writer:
        segments = writer.manifest.segments
        before = after = sum(segment.bytes for segment in segments)
        if len(segments) > 1:
            settings = _settings_of(writer.manifest.settings)
            merged = rewrite_segments(writer, segments, settings, _backend_for(segments))
            writer.replace(writer.manifest._replace(segments=(merged,)))
            for segment in segments:
                shutil.rmtree(writer.folder / segment.name)
            after = merged.bytes
    return Compaction(len(segments), before, after)


def merge_index(folder: str | Path, other: str | Path) -> int:
    """Add the articles of the index `other` that repeat none of the index in `folder`; return how many there are.

    The articles of `folder` come first, as if those of `other` had been in a later run. `other` stays as it is.
    """
    theirs, readers = open_index(Path(other))
    if Path(other).resolve() == Path(folder).resolve():
        raise IndexFolderError(f"{folder}: cannot be merged with itself; name another index")
    settings = _settings_of(theirs.settings)
    with open_writer(Path(folder), None) as writer:
        check_settings(writer.manifest, settings, writer.folder)
        backend = _backend_for([*theirs.segments, *writer.manifest.segments])
        session = IndexSession(writer, settings)
        new = SegmentWriter(writer.new_folder(), session.run)
        lines = []
        for reader in readers:
            for stored in reader.read_all():
                _add_survivors(new, _with_short_sources(stored, reader.segment), session, backend)
            lines += reader.lines()
        added = new.finish(lines)
        segments = (*writer.manifest.segments, added)
        writer.replace(writer.manifest._replace(runs=session.run, segments=segments))
    return added.articles


def _with_short_sources(stored: pa.RecordBatch, segment: Segment) -> pa.RecordBatch:
    """Return stored articles with their sources in later runs, without what every source of an index begins with."""
    named = with_known_sources(stored, segment)
    place = named.schema.get_field_index("source")
    names = [name.removeprefix(INDEX) for name in named.column(place).to_pylist()]
    return named.set_column(place, named.schema.field(place), pa.array(names, pa.string()))


def _add_survivors(new: SegmentWriter, stored: pa.RecordBatch, session: IndexSession, backend: Backend) -> None:
    """Add to `new` those of some stored articles that repeat none in the index of `session`."""
    settings = session.settings
    corpus = session.before(Corpus([prepare_stored(stored, settings, backend)]), backend)
    articles = match_articles(corpus, settings, backend)
    shared = match_paragraphs(corpus, read_paragraph_columns(corpus, backend), articles, settings, backend)
    copied = np.zeros(corpus.paragraph_offsets[-1], bool)
    copied[shared.copies] = True
    rows = slice(corpus.known_rows, len(corpus))
    kept = np.flatnonzero(articles.kept[rows])
    repeats = np.isin(articles.rules[rows], (DUPLICATE, NEAR_DUPLICATE))
    marked = _with_marks(stored, ~repeats, ~copied[corpus.paragraph_offsets[rows.start] :]).take(pa.array(kept))
    if len(kept):
        new.add(marked, postings_of(prepare_stored(marked, settings, backend), settings, backend))


def _with_marks(stored: pa.RecordBatch, survives: Bools, paragraph_survives: Bools) -> pa.RecordBatch:
    """Return stored articles that survive only where they did before and `survives` says so, as do their paragraphs."""
    columns = {name: stored.column(name) for name in stored.schema.names}
    columns["survives"] = pa.array(np.asarray(columns["survives"]) & survives)
    paragraphs = columns["paragraphs"]
    members = paragraphs.flatten()
    fields = list(members.type)
    arrays = [
        pa.array(np.asarray(members.field("survives")) & paragraph_survives)
        if field.name == "survives"
        else members.field(field.name)
        for field in fields
    ]
    offsets = pa.array(np.asarray(paragraphs.offsets) - np.asarray(paragraphs.offsets)[0])
    columns["paragraphs"] = pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays(arrays, fields=fields))
    return pa.record_batch(list(columns.values()), schema=stored.schema)


def _settings_of(remembered: dict[str, Any]) -> Settings:
    """Return settings with what an index remembers."""
    return Settings(keep="first", **remembered)


def _backend_for(segments: Collection[Segment]) -> Backend:
    """Return the compiled functions for a large index, or the plain ones for a small one."""
    return load_backend(compiled=sum(segment.text_bytes for segment in segments) >= SMALL_BYTES)
