"""`verify --inputs` compares each record with its row: what was left out, added or changed is named."""

from __future__ import annotations

import csv
import hashlib
import json
import zipfile

import pytest
from conftest import read_jsonl, write_jsonl
from helpers.news import news
from helpers.outputs import write_sealed_run

import dedup
from dedup import Settings
from dedup.inspect.verify import verify
from dedup.output_layout import RUN_FILE

STRANGE = [
    {"id": "list", "text": ["The first paragraph of a list.", "The second one, which is longer."]},
    {"id": "nested", "article": {"body": "A text that is a part of another value.", "n": 1.50}},
    {"id": "numbers", "text": "Numbers of all kinds.", "n": [1e22, 1.0, -0.0, 12345678901234567890, None, True]},
    {
        "id": "escapes",
        "text": "caf\u00e9 \u2028 \ud83d\ude00 \u0000 end",
        "title": 'A "title"\n',
        "provenance": {"a": 1},
    },
]
LAYOUTS = {
    "jsonl": Settings(),
    "csv": Settings(format="csv"),
    "parquet in shards": Settings(format="parquet", shard_size=4_000),
    "few fields": Settings(output_fields=("title",)),
    "a sample": Settings(sample=7),
    "the first": Settings(limit=6),
}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A folder of files of several formats, with records that cannot be read."""
    folder = tmp_path_factory.mktemp("in")
    path = write_jsonl(folder / "news.jsonl", [*news(count=9), *STRANGE])
    lines = path.read_bytes().splitlines()
    lines[3:3] = [b'{"id": 1, "text": ', b"", b"not json", b'{"text": "caf\xe9"}', b'{"text": "\xff\xfe broken \xc3"']
    path.write_bytes(b"\n".join(lines) + b"\n")
    (folder / "plain.txt").write_bytes("A text of its own.\r\n\r\nWith two paragraphs: caf\xe9.".encode("latin-1"))
    with (folder / "table.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "text", "n"], ["c1", "A text, in a table.", "1"], ["c2", "", "2"]])
    with zipfile.ZipFile(folder / "packed.zip", "w") as archive:
        archive.writestr("a.jsonl", '{"id": "z", "text": "A text in an archive."}\n')
    return folder


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_records_of_any_input_are_those_of_the_output(tmp_path, source, layout):
    dedup.clean(source, tmp_path / "out", LAYOUTS[layout])
    assert verify(tmp_path / "out", inputs=[source]).mismatches == []


def delete_first(rows):
    del rows[0]


def change_title(rows):
    rows[1]["title"] = "Another title"


def change_text(rows):
    row = next(row for row in rows if not row["provenance"]["findings"] and row["provenance"]["source"] == "news.jsonl")
    row["text"] = row["text"].replace("e", "i", 1)
    row["provenance"]["sha256"] = hashlib.sha256(row["text"].encode()).hexdigest()


def change_raw(rows):
    rows[0]["raw"] += " "


def change_error(rows):
    rows[0]["error"] = "not an article"


def repeat_with_next_number(rows):
    rows.append({**rows[-1], "record": rows[-1]["record"] + 1})


@pytest.mark.fault(
    "a row left out, added or changed, with all digests computed again", "`verify --inputs` names the record"
)
@pytest.mark.parametrize(
    ("table", "change", "message"),
    [
        ("articles", delete_first, "is in no table of the output"),
        ("articles", change_title, "its field 'title' is not that of its record"),
        ("articles", change_text, "its text is not that of its record"),
        ("quarantine", delete_first, "is in no table of the output"),
        ("quarantine", change_raw, "its quarantined bytes are not those of its record"),
        ("quarantine", change_error, "its error is "),
        ("quarantine", repeat_with_next_number, "is a row of the output, but not a record of its input"),
    ],
)
def test_a_row_that_is_not_that_of_its_record_is_named_even_if_all_digests_fit(
    tmp_path, source, table, change, message
):
    out = tmp_path / "out"
    dedup.clean(source, out)
    rows = read_jsonl(out / f"{table}.jsonl")
    change(rows)
    write_jsonl(out / f"{table}.jsonl", rows)
    write_sealed_run(out, json.loads((out / RUN_FILE).read_text()))
    assert any(mismatch.what.startswith(message) for mismatch in verify(out, inputs=[source]).mismatches)


def test_inputs_in_another_order_are_named_as_such(tmp_path, source):
    first, second = source / "news.jsonl", source / "table.csv"
    dedup.clean([first, second], tmp_path / "out")
    assert verify(tmp_path / "out", inputs=[first, second]).mismatches == []
    [mismatch] = verify(tmp_path / "out", inputs=[second, first]).mismatches
    assert "another order" in mismatch.what
