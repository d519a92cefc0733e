"""Name the known articles that are twins, on Spark: the table of `dedup.decide.known_twins`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa

from dedup.decide.known_twins import TWIN_COLUMNS, KnownTwin, twins_of_batch
from dedup.spark.arrow_types import spark_batch, sql_schema
from dedup.spark.tables import TableStore, union_all

_TWIN_TABLE = "known-twins"
_ROW_COLUMNS = {
    "aid": pa.int64(),
    "article": pa.string(),
    "source": pa.string(),
    "record": pa.int64(),
    "sha256": pa.string(),
    "site_text": pa.list_(pa.string()),
}


def save_known_twins(store: TableStore, records: Any, articles: Any, paragraphs: Any, partitions: int) -> None:
    """Save the table of the known articles of `records` that the verdicts `articles` or `paragraphs` name as twins."""
    twins = union_all([articles.selectExpr("twin as aid"), paragraphs.selectExpr("twin_a as aid")])
    twins = records.join(twins.where("aid < 0").distinct(), "aid").select("aid", *TWIN_COLUMNS)
    twins = twins.repartitionByRange(partitions, "aid").sortWithinPartitions("aid")
    store.save(_TWIN_TABLE, twins.mapInArrow(_twins_task, sql_schema(_ROW_COLUMNS)))


def read_known_twins(store: TableStore) -> Iterator[KnownTwin]:
    """Yield the saved rows in the order of their articles; one file of the table is in memory at a time."""
    for file in store.files(_TWIN_TABLE):
        table = store.session.read.schema(sql_schema(_ROW_COLUMNS)).parquet(file)
        for row in sorted(table.collect(), key=lambda row: int(row["aid"])):
            yield KnownTwin(row["article"], row["source"], row["record"], row["sha256"], tuple(row["site_text"]))


def _twins_task(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Run in a task: read the texts of twins."""
    for batch in batches:
        if batch.num_rows:
            twins = [twin._asdict() for twin in twins_of_batch(batch.select(TWIN_COLUMNS))]
            columns = {name: [twin[name] for twin in twins] for name in _ROW_COLUMNS if name != "aid"}
            yield spark_batch({"aid": batch.column("aid"), **columns}, _ROW_COLUMNS)
