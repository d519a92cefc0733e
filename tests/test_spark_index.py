"""Spark looks up known articles, in other corpora and in an index, as one machine does; these tests need no Spark."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from pathlib import Path

import pyarrow as pa
import pytest
from conftest import write_jsonl
from helpers.spark_cases import tangled

import dedup
from dedup import Settings
from dedup.errors import IndexFolderError, InputError
from dedup.index.postings import lookup_of
from dedup.index.session import index_session
from dedup.kernels import reference
from dedup.match.known_passages import FEWEST_PASSAGE_WORDS, find_known_passages
from dedup.prepare.batch import prepare
from dedup.prepare.corpus import Corpus
from dedup.read.fields import to_json_bytes
from dedup.read.objects import JsonRecord, record_batch
from dedup.spark.arrow_types import spark_batch
from dedup.spark.indexed_articles import _LOOKUP_COLUMNS, _postings_task, _wanted_task, check_workers_see
from dedup.spark.job import job_identity
from dedup.spark.known_passages import _compare_task, _items_task, _runs_task
from dedup.spark.listing import list_with_known


@pytest.fixture(scope="module")
def indexed(tmp_path_factory):
    """The folder of an index of 80 articles, in two segments, and 80 articles that were made from the same texts."""
    folder = tmp_path_factory.mktemp("indexed")
    rows = tangled(5, 160)
    for number, part in enumerate((rows[:50], rows[50:80])):
        dedup.clean(write_jsonl(folder / f"{number}.jsonl", part), folder / f"out{number}", index=folder / "seen")
    return folder / "seen", rows[80:]


@pytest.mark.parametrize("threshold", [0.5, 0.8, 1.0])
def test_a_join_of_postings_finds_the_candidates_that_a_lookup_finds(indexed, threshold):
    folder, rows = indexed
    records = [JsonRecord(to_json_bytes(row), None) for row in rows]
    settings = Settings(paragraph_threshold=threshold)
    new = prepare(record_batch(records, 0), settings)
    names = (*_LOOKUP_COLUMNS, "buckets")
    sent = spark_batch(
        {name: new.column(name) for name in names}, {name: new.schema.field(name).type for name in names}
    )
    parts = [sent.slice(0, 0), sent.slice(0, 31), sent.slice(31, 30), sent.slice(61)]
    wanted = defaultdict(set)
    for batch in _wanted_task(parts, settings, compiled=False):
        for row in batch.to_pylist():
            wanted[row["h"]].add((row["g"], row["needs"]))
    with index_session(folder, Settings()) as session:
        readers = session.readers
        groups = [(number, part) for number, reader in enumerate(readers) for part in range(reader.posting_groups())]
        segments = {"segment": [number for number, _ in groups], "part": [part for _, part in groups]}
        counts = Counter()
        for batch in _postings_task([pa.record_batch(segments)], readers):
            for row in batch.to_pylist():
                counts.update((row["segment"], row["article"], *group) for group in wanted.get(row["h"], ()))
        found = {(segment, article) for (segment, article, _, needs), count in counts.items() if count >= needs}
        lookup = lookup_of([new], settings, reference)
        expected = {(number, article) for number, reader in enumerate(readers) for article in reader.lookup(lookup)}
    assert found == expected
    assert 10 < len(expected) < 80


class Cluster:
    """A session whose workers see the files below the folder `root`."""

    def __init__(self, root):
        self.root = root
        self.rows = []

    def range(self, count, **_options):
        self.count = count
        return self

    def mapInArrow(self, task, _schema):  # noqa: N802 - Spark's own name
        moved = self.root / Path(task.keywords["path"]).relative_to("/")
        batches = task.func([pa.record_batch({"id": list(range(self.count))})], moved)
        self.rows = [row for batch in batches for row in batch.to_pylist()]
        return self

    def distinct(self):
        return self

    def collect(self):
        return self.rows


def test_an_index_that_workers_do_not_see_is_one_line(indexed, tmp_path):
    with index_session(indexed[0], Settings()) as session:
        check_workers_see(Cluster(Path("/")), session, 3)
        with pytest.raises(IndexFolderError, match="workers do not see this index; put it on a file system"):
            check_workers_see(Cluster(tmp_path), session, 3)
    with index_session(tmp_path / "new", Settings()) as session:
        check_workers_see(None, session, 3)  # there is nothing to see


@pytest.fixture
def files(tmp_path):
    for name in ("new/a.jsonl", "new/b.jsonl", "old/c.jsonl", "old/d.jsonl"):
        write_jsonl(tmp_path / name, [{"text": name}])
    return tmp_path


def test_known_files_come_first_with_numbers_below_zero_and_the_hosts_of_one_run(files):
    listing = list_with_known(None, [files / "new"], [files / "old"], files / "out")
    named = [(file.file, file.name, file.host) for file in listing.files]
    assert named == [(-2, "c.jsonl", "c"), (-1, "d.jsonl", "d"), (0, "a.jsonl", "a"), (1, "b.jsonl", "b")]
    assert listing.known_paths == (str(files / "old"),)
    with pytest.raises(InputError, match="`against`: standard input is for the articles to clean"):
        list_with_known(None, [files / "new"], ["-"], files / "out")


def test_tables_of_a_job_with_other_known_articles_are_not_reused(files):
    def identity(against, index=None):
        return job_identity(list_with_known(None, [files / "new"], against, files / "out"), Settings(), index)

    with index_session(files / "seen", Settings()) as session:
        first = identity([], session)
    dedup.clean(files / "old", files / "out1", index=files / "seen")
    with index_session(files / "seen", Settings()) as session:
        identities = [identity([]), identity([files / "old"]), identity([files / "old" / "c.jsonl"]), first]
        identities.append(identity([], session))
        assert identity([], session) == identities[-1]
    assert len(set(identities)) == len(identities)
    assert identity([files / "old"]) == identities[1]


def prepared(rows, settings):
    records = [JsonRecord(to_json_bytes({"id": str(number), "text": text}), None) for number, text in enumerate(rows)]
    return prepare(record_batch(records, 0), settings)


@pytest.mark.parametrize("seed", range(6))
def test_joined_runs_of_words_find_the_passages_that_one_machine_finds(seed):
    source = random.Random(seed)
    settings = Settings(passage_words=source.choice([5, 8, 13]), rules={"known-passage": "flag"})
    sentences = [" ".join(f"w{source.randrange(40)}" for _ in range(source.randint(4, 20))) for _ in range(12)]
    texts = [" ".join(source.choices(sentences, k=source.randint(1, 4))) for _ in range(60)]
    known, new = prepared(texts[:20] + sentences[:5], settings), prepared(texts[20:], settings)
    expected = find_known_passages(Corpus([known, new], known_batches=1), settings)

    def long_enough(batch, first):
        words = batch.column("words").to_pylist()
        rows = [
            {"aid": first + row, "key": key, "n": min(words[row], settings.passage_words), "words": words[row]}
            for row, key in enumerate(batch.column("key").to_pylist())
        ]
        return [row for row in rows if row["words"] >= FEWEST_PASSAGE_WORDS]

    items, articles = long_enough(known, 0), long_enough(new, len(known))
    lengths = sorted({row["n"] for row in items})
    sent = [
        [pa.RecordBatch.from_pylist([{name: row[name] for name in names} for row in rows])]
        for rows, names in ((items, ("aid", "key", "n")), (articles, ("aid", "key")))
    ]
    known_runs, new_runs = (
        [row for batch in _runs_task(batches, lengths, compiled=False) for row in batch.to_pylist()] for batches in sent
    )
    holders = defaultdict(set)
    for run in known_runs:
        holders[run["n"], run["h"]].add(run["aid"])
    keys = {row["aid"]: row["key"] for row in items + articles}
    met = sorted({(run["aid"], item) for run in new_runs for item in holders[run["n"], run["h"]]})
    rows = [{"aid": aid, "item": item, "key": keys[aid], "item_key": keys[item]} for aid, item in met]
    compared = _compare_task([pa.RecordBatch.from_pylist(rows)], settings.passage_words, settings.passage_share)
    pairs = [row for batch in compared for row in batch.to_pylist()]
    best = {}
    for pair in pairs:
        if pair["similarity"] is not None:
            chosen = pair["share"], -pair["item"], pair["similarity"]
            best[pair["aid"]] = max(best.get(pair["aid"], chosen), chosen)
    assert best
    assert [(row, -best[row][1], best[row][0], best[row][2]) for row in sorted(best)] == list(
        zip(*(column.tolist() for column in expected[:4]), strict=True)
    )
    pairs.sort(key=lambda pair: (pair["item"], -pair["share"], pair["aid"]))
    batches = [pa.RecordBatch.from_pylist(pairs[start : start + 7]) for start in range(0, len(pairs), 7)]
    summed = {row["item"]: row for batch in _items_task(batches) for row in batch.to_pylist()}
    for item in expected.items:
        found = summed.pop(item.row, {"found": 0, "articles": 0, "places": []})
        places = [(place["aid"], place["share"]) for place in found["places"]]
        assert (found["found"] / item.words, found["articles"], places) == item[2:]
    assert not summed
