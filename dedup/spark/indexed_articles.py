"""Look up articles in an index and add to it, on Spark: what `dedup.index.session` does on one machine.

The index is a folder that the driver and all workers see. Tasks read its Parquet files themselves: postings by row
group, to be joined with the hashes of new articles, and then the articles that this join finds. The articles of segment
number ``s`` of an index of ``n`` segments count as a file of known articles, ``n - s`` files before all others.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from dedup.arrays import I64, offsets_of
from dedup.errors import IndexFolderError
from dedup.index.postings import PostedBatch, Postings, postings_of
from dedup.index.segments import SegmentReader, with_known_sources
from dedup.index.session import IndexSession, join_batches
from dedup.index.stored_articles import STORED_SCHEMA, prepare_stored, stored_articles
from dedup.index_layout import MANIFEST
from dedup.kernels.backend import load_backend
from dedup.match.policy import DUPLICATE, NEAR_DUPLICATE
from dedup.prepare.columns import bucket_array, list_lengths, prepared_schema
from dedup.settings import Settings
from dedup.spark.arrow_types import cast_bits, flatten_lists, spark_batch, sql_schema
from dedup.spark.prepare import IS_NEW, RECORD_BITS, prepared_columns
from dedup.spark.tables import TableStore

_GROUP_NAME_BYTES = 16  # of the name of a group of hashes
_POSTINGS_AT_ONCE = 1 << 16  # rows of a batch
_POSTING_COLUMNS = {"segment": pa.int32(), "h": pa.int64(), "article": pa.int64()}
# A hash by which an article is looked up: an article of the index is a candidate if it has `needs` hashes of group `g`.
_WANTED_COLUMNS = {"h": pa.int64(), "g": pa.binary(), "needs": pa.int64()}
_STORED_COLUMNS = {
    "aid": pa.int64(),
    **{field.name: field.type for field in STORED_SCHEMA},
    "hashes": pa.list_(pa.int64()),
}
_LOOKUP_COLUMNS = ("words", "digest", "key", "paragraphs")  # and buckets
_STORED_FROM = ("source", "record", "id", "title", "text", "findings", "repeats", "site_text", "paragraphs")


def check_workers_see(session: Any, index: IndexSession, partitions: int) -> None:
    """Raise `IndexFolderError` if a worker does not see the files of the index as the driver does."""
    if not index.readers:
        return
    folder = index.folder.absolute()
    task = partial(_digests_task, path=folder / MANIFEST)
    rows = session.range(partitions, numPartitions=partitions).mapInArrow(task, "digest string").distinct().collect()
    if {row["digest"] for row in rows} != {_digest_of(folder / MANIFEST)}:
        raise IndexFolderError(
            f"{index.folder}: workers do not see this index; put it on a file system that they share with the driver"
        )


def join_index(
    store: TableStore,
    records: Any,
    index: IndexSession,
    settings: Settings,
    known_files: int,
    partitions: int,
    *,
    compiled: bool,
) -> Any:
    """Return the articles of the index that new articles of `records` may repeat, prepared like `records`.

    `known_files` counts the files of other known articles.
    """
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    readers = [SegmentReader(index.folder.absolute(), reader.segment) for reader in index.readers]
    new = records.where(f"{IS_NEW} and error is null and words > 0").select(*_LOOKUP_COLUMNS, "buckets")
    task = partial(_wanted_task, settings=settings, compiled=compiled)
    wanted = store.save("index-wanted", new.mapInArrow(task, sql_schema(_WANTED_COLUMNS)).distinct())
    hits = _read_postings(store.session, readers, partitions).join(wanted, "h").groupBy("segment", "article", "g")
    hits = hits.agg(f.count("*").alias("met"), f.max("needs").alias("needs")).where("met >= needs")
    candidates = store.save("index-candidates", hits.select("segment", "article").distinct())
    candidates = candidates.repartitionByRange(partitions, "segment", "article")
    candidates = candidates.sortWithinPartitions("segment", "article")
    first_file = -known_files - len(readers)
    task = partial(_articles_task, readers=readers, first_file=first_file, settings=settings, compiled=compiled)
    return store.save("index-found", candidates.mapInArrow(task, sql_schema(prepared_columns(settings))))


def save_articles(
    store: TableStore, kept: Any, articles: Any, copies: Any, settings: Settings, partitions: int, *, compiled: bool
) -> None:
    """Save the articles `kept` as the index stores them, in input order, and their postings, ascending.

    `articles` are the verdicts on articles, and `copies` the paragraphs that repeat others, ``a, i``.
    """
    from pyspark.sql import functions as f  # noqa: PLC0415 - an extra

    repeats = articles.where(f"rule in ({DUPLICATE}, {NEAR_DUPLICATE})").selectExpr("aid", "true as is_copy").distinct()
    in_article = copies.groupBy(f.col("a").alias("aid")).agg(f.collect_list("i").alias("copies"))
    rows = kept.where(f"{IS_NEW} and words > 0").select("aid", *_STORED_FROM)
    rows = rows.join(repeats, "aid", "left").join(in_article, "aid", "left")
    rows = rows.repartitionByRange(partitions, "aid").sortWithinPartitions("aid")
    task = partial(_stored_task, settings=settings, compiled=compiled)
    store.save("index-articles", rows.mapInArrow(task, sql_schema(_STORED_COLUMNS)))
    postings = store.number_rows("index-articles").select(f.explode("hashes").alias("h"), "number")
    postings = postings.repartitionByRange(partitions, "h", "number").sortWithinPartitions("h", "number")
    store.save("index-postings", postings)


def write_segment(store: TableStore, index: IndexSession, lines: Iterable[dict[str, Any]], *, compiled: bool) -> None:
    """Write the saved articles and `lines` of site text as the segment of this run.

    One file of a table is in memory at a time.
    """
    writer = index.new_segment()
    for file in store.files("index-articles"):
        table = store.session.read.schema(sql_schema(_STORED_COLUMNS)).parquet(file).drop("hashes").toArrow()
        rows = table.take(pa.array(np.argsort(np.asarray(table.column("aid")), kind="stable"))).combine_chunks()
        for batch in rows.to_batches():
            arrays = [cast_bits(batch.column(field.name), field.type) for field in STORED_SCHEMA]
            writer.add_articles(pa.record_batch(arrays, schema=STORED_SCHEMA))
    segment = writer.finish_sorted(_read_sorted_postings(store), index.sure_lines(lines))
    index.take(segment, load_backend(compiled=compiled))


def _read_sorted_postings(store: TableStore) -> Iterator[Postings]:
    """Yield the saved postings in order, file by file."""
    for file in store.files("index-postings"):
        table = store.session.read.schema("h bigint, number bigint").parquet(file).toArrow()
        hashes, numbers = (np.asarray(table.column(name), np.int64) for name in ("h", "number"))
        order = np.lexsort((numbers, hashes))
        yield Postings(hashes[order].view(np.uint64), numbers[order].astype(np.uint32))


def _digest_of(path: Path) -> str | None:
    """Return the SHA-256 of a file, None if it is not there."""
    return sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def _digests_task(batches: Iterable[pa.RecordBatch], path: Path) -> Iterator[pa.RecordBatch]:
    """Run in a task: read the file at `path`."""
    for batch in batches:
        yield pa.RecordBatch.from_arrays([pa.array([_digest_of(path)] * batch.num_rows, pa.string())], ["digest"])


def _wanted_task(batches: Iterable[pa.RecordBatch], settings: Settings, *, compiled: bool) -> Iterator[pa.RecordBatch]:
    """Run in a task: compute the hashes by which articles are looked up. Equal paragraphs have equal groups."""
    backend = load_backend(compiled=compiled)
    schema = prepared_schema(settings)
    for batch in batches:
        if not batch.num_rows:
            continue
        columns = {name: cast_bits(batch.column(name), schema.field(name).type) for name in _LOOKUP_COLUMNS}
        columns["buckets"] = _buckets(batch.column("buckets"), schema.field("buckets").type)
        posted = PostedBatch(pa.record_batch(list(columns.values()), names=list(columns)), settings, backend)
        values, _, lookup = posted.paragraph_hashes(for_lookup=True)
        alone = np.unique(np.concatenate([*(part for part, _ in posted.parts), values[lookup.needs <= 1]]))
        yield spark_batch(
            {"h": alone.view(np.int64), "g": [None] * len(alone), "needs": np.ones(len(alone), np.int64)},
            _WANTED_COLUMNS,
        )
        several = lookup.needs > 1
        yield _wanted_groups(values[several], lookup.sets[several], lookup.needs[several])


def _wanted_groups(values: Any, sets: I64, needs: I64) -> pa.RecordBatch:
    """Return rows of `_WANTED_COLUMNS` for paragraphs of which several hashes are needed.

    `values`, uint64, are the hashes, `sets` number their paragraphs, and `needs` says how many: int64 [hashes].
    """
    order = np.lexsort((values, sets))
    values, sets, needs = values[order].view(np.int64), sets[order], needs[order]
    starts = np.flatnonzero(np.diff(sets, prepend=-1))
    sizes = np.diff(starts, append=len(sets))
    names = [
        blake2b(values[start : start + size].tobytes(), digest_size=_GROUP_NAME_BYTES).digest()
        for start, size in zip(starts.tolist(), sizes.tolist(), strict=True)
    ]
    groups = pa.array(names, pa.binary()).take(pa.array(np.repeat(np.arange(len(names)), sizes)))
    return spark_batch({"h": pa.array(values), "g": groups, "needs": pa.array(needs)}, _WANTED_COLUMNS)


def _buckets(column: pa.ListArray, kind: pa.DataType) -> pa.Array:
    """Return buckets, as Spark holds them, as a prepared batch has them."""
    rows = np.flatnonzero(np.asarray(column.is_valid()))
    values = np.asarray(column.flatten(), np.int64).astype(np.uint32)
    return bucket_array(values.reshape(len(rows), kind.list_size), rows, len(column))


def _read_postings(session: Any, readers: Sequence[SegmentReader], partitions: int) -> Any:
    """Return the postings of all segments: `_POSTING_COLUMNS`."""
    groups = [(number, group) for number, reader in enumerate(readers) for group in range(reader.posting_groups())]
    table = session.createDataFrame(groups, "segment int, part int")
    table = table.repartition(max(1, min(len(groups), partitions * 8)), "segment", "part")
    return table.mapInArrow(partial(_postings_task, readers=readers), sql_schema(_POSTING_COLUMNS))


def _postings_task(batches: Iterable[pa.RecordBatch], readers: Sequence[SegmentReader]) -> Iterator[pa.RecordBatch]:
    """Run in a task: read row groups of postings."""
    for batch in batches:
        for number, part in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            postings = readers[number].read_posting_group(part)
            for start in range(0, len(postings.hashes), _POSTINGS_AT_ONCE):
                piece = slice(start, start + _POSTINGS_AT_ONCE)
                hashes, articles = postings.hashes[piece].view(np.int64), postings.articles[piece].astype(np.int64)
                numbers = np.full(len(hashes), number, np.int32)
                columns = zip(_POSTING_COLUMNS, map(pa.array, (numbers, hashes, articles)), strict=True)
                yield spark_batch(dict(columns), _POSTING_COLUMNS)


def _articles_task(
    batches: Iterable[pa.RecordBatch],
    readers: Sequence[SegmentReader],
    first_file: int,
    settings: Settings,
    *,
    compiled: bool,
) -> Iterator[pa.RecordBatch]:
    """Run in a task: read articles of the index, and prepare them again."""
    backend = load_backend(compiled=compiled)
    kinds = prepared_columns(settings)
    for batch in batches:
        segments, articles = (np.asarray(column, np.int64) for column in batch.columns)
        for number in np.unique(segments).tolist():
            wanted = np.sort(articles[segments == number])
            aids = wanted + ((first_file + number) << RECORD_BITS)
            reader = readers[number]
            start = 0
            for stored in join_batches([with_known_sources(part, reader.segment) for part in reader.read(wanted)]):
                prepared = prepare_stored(stored, settings, backend)
                columns = {name: prepared.column(name) for name in prepared.schema.names}
                numbers = pa.array(aids[start : start + stored.num_rows])
                start += stored.num_rows
                yield spark_batch({"aid": numbers, "bytes": pa.nulls(stored.num_rows, pa.int64()), **columns}, kinds)


def _stored_task(batches: Iterable[pa.RecordBatch], settings: Settings, *, compiled: bool) -> Iterator[pa.RecordBatch]:
    """Run in a task: make articles as the index stores them, and their postings."""
    backend = load_backend(compiled=compiled)
    schema = prepared_schema(settings)
    for batch in batches:
        if not batch.num_rows:
            continue
        arrays = [cast_bits(batch.column(name), schema.field(name).type) for name in _STORED_FROM]
        articles = pa.record_batch(arrays, names=list(_STORED_FROM))
        borders = offsets_of(list_lengths(articles.column("paragraphs")))
        numbers, copy_borders = flatten_lists(batch.column("copies"))
        survives = np.ones(borders[-1], bool)
        rows = np.repeat(np.arange(batch.num_rows), np.diff(copy_borders))
        survives[borders[rows] + np.asarray(numbers, np.int64)] = False
        stored = stored_articles(articles, ~np.asarray(batch.column("is_copy").is_valid()), survives, settings)
        postings = postings_of(prepare_stored(stored, settings, backend), settings, backend)
        order = np.argsort(postings.articles, kind="stable")
        counts = np.bincount(postings.articles, minlength=batch.num_rows)
        hashes = pa.array(postings.hashes[order].view(np.int64))
        lists = pa.ListArray.from_arrays(pa.array(offsets_of(counts).astype(np.int32)), hashes)
        columns = {name: stored.column(name) for name in STORED_SCHEMA.names}
        yield spark_batch({"aid": batch.column("aid"), **columns, "hashes": lists}, _STORED_COLUMNS)
