"""What people get wrong the first time, each with what they are told: the message names the cause and what to do.

A mistake is an input (the contents of files by name), settings, and parts of the one line that must be shown. Some end
the run with an error, some are told beside a result, and some are no mistake at all: they just work.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from conftest import read_jsonl

import dedup
from dedup import InputError, LocalEngine, Settings, SettingsError

PROSE = "The mayor opened the new bridge on Tuesday, two years after the old one was closed."
GOOD = json.dumps({"id": "good", "text": "Another article, which can be read."})
COPY = {"text": PROSE}


@dataclass
class Mistake:
    """A mistake: `files` by name, `settings`, and `says`, parts of the message; `quarantined` records are left out."""

    label: str
    files: dict[str, bytes | list[Any]]
    says: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    quarantined: int = 0


def lines(*rows):
    """Rows as JSON lines; bytes and texts are lines already."""
    encoded = [row if isinstance(row, bytes) else (row if isinstance(row, str) else json.dumps(row)).encode()
               for row in rows]  # fmt: skip
    return b"\n".join(encoded) + b"\n"


ERRORS = [
    Mistake(
        "the text has a name of one's own",
        {"x.jsonl": [{"headline": "Bridge opens today for all", "para": PROSE}] * 3},
        ("x.jsonl#0: 3 of the first 3 records have no text in a field of a usual name",
         "'para' (83 characters) or 'headline' (26 characters) looks like it: add `text_field=para`"),
    ),
    Mistake(
        "the text is deep inside",
        {"x.jsonl": [{"hit": {"doc": {"lines": [PROSE, PROSE]}}}]},
        ("'hit.doc.lines' (168 characters) looks like it: add `text_field=hit.doc.lines`",),
    ),
    Mistake(
        "the text is in a list of objects",
        {"x.jsonl": [{"parts": [{"para": PROSE}, {"para": PROSE}]}]},
        ("add `text_field=parts[0].para`",),
    ),
    Mistake(
        "a typo in the option",
        {"x.jsonl": [COPY, COPY]},
        ("x.jsonl#0: 2 of the first 2 records have no text in the field 'txet'", "add `text_field=text`"),
        {"text_field": "txet"},
    ),
    Mistake(
        "capitals in the option",
        {"x.jsonl": [COPY]},
        ("no text in the field 'Text'", "add `text_field=text`"),
        {"text_field": "Text"},
    ),
    Mistake(
        "a path to an object",
        {"x.jsonl": [{"article": {"para": PROSE}}]},
        ("no text in the field 'article'", "add `text_field=article.para`"),
        {"text_field": "article"},
    ),
    Mistake(
        "metadata without any text",
        {"x.jsonl": [{"id": 1, "url": "http://a/1"}, {"id": 2, "url": "http://a/2"}]},
        ("no other field looks like text; each record needs one, named with `text_field`",),
    ),
    Mistake(
        "a page of HTML for JSON lines",
        {"x.jsonl": b"<html>\n<body>Not found</body>\n</html>\n"},
        ("x.jsonl#0: nothing could be read: all 3 records are bad", "not JSON", "`max_bad`"),
    ),
    Mistake(
        "Python's repr for JSON",
        {"x.jsonl": b"{'text': 'One.'}\n{'text': 'Two.'}\n"},
        ("nothing could be read", "single quotes at 1; JSON takes double quotes: write it with json.dumps"),
    ),
    Mistake(
        "mostly broken records",
        {"x.jsonl": [GOOD, b"{", b"{", b"{"]},
        ("x.jsonl#1: 75% of 4 records are bad, 3 of them: not JSON", "allow more with `max_bad`"),
    ),
    Mistake(
        "a picture that is called txt",
        {"a.txt": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4},
        ("a.txt#0: nothing could be read: all 1 records are bad", "not UTF-8: byte 0x89 at 0"),
    ),
    Mistake(
        "a stricter limit",
        {"x.jsonl": [GOOD, GOOD, GOOD, b"{"]},
        ("x.jsonl#3: 25% of 4 records are bad, 1 of them: not JSON",),
        {"max_bad": 0.1},
    ),
]  # fmt: skip

SETTINGS_ERRORS = [
    ("a percentage as a number", {"max_bad": 50}, "`max_bad=50`: not a share of records; give a number from 0 to 1"),
    ("a share as text", {"max_bad": "50%"}, "`max_bad='50%'`: not a share of records"),
    ("no truth value", {"day_first": "yes"}, "`day_first='yes'`: neither true nor false"),
    ("the provenance as text", {"text_field": "provenance.previous"}, "this program writes there"),
    ("a list of fields", {"text_field": ["title", "text"]}, "`text_field=['title', 'text']`: not a field name"),
]

QUARANTINED = [
    Mistake("a key twice", {"x.jsonl": [b'{"id": 1, "text": "a", "id": 2}', GOOD]},
            ('duplicate key "id": only one value can stay; rename or remove one',), quarantined=1),
    Mistake("a comment", {"x.jsonl": [b'{"text": "a"} // the first', GOOD]},
            ("not JSON: a comment at 14; remove it",), quarantined=1),
    Mistake("a comment inside", {"x.jsonl": [b'{"text": /* here */ "a"}', GOOD]},
            ("not JSON: a comment at 9; remove it",), quarantined=1),
    Mistake("a trailing comma", {"x.jsonl": [b'{"text": "a", }', GOOD]},
            ("not JSON: a trailing comma at 12; remove it",), quarantined=1),
    Mistake("a trailing comma in a list", {"x.jsonl": [b'{"text": "a", "tags": ["b",]}', GOOD]},
            ("not JSON: a trailing comma at 26; remove it",), quarantined=1),
    Mistake("None for null", {"x.jsonl": [b'{"text": "a", "date": None}', GOOD]},
            ("not JSON: a word that JSON does not know at 22; write null, true or false",), quarantined=1),
    Mistake("a list of numbers as text", {"x.jsonl": [{"text": [1, 2]}, GOOD]},
            ("field 'text' is a list, not a text; convert it to a string",), quarantined=1),
    Mistake("an unknown object as text", {"x.jsonl": [{"text": {"words": PROSE}}, GOOD]},
            ("field 'text' is an object, not a text; name the text inside it with `text_field`",), quarantined=1),
    Mistake("UTF-8 with one stray byte", {"x.jsonl": ['{"text": "naïve caf'.encode() + b'\xe9"}', GOOD]},
            ("not UTF-8: byte 0xe9 at 20; re-encode it; the rest is UTF-8",), quarantined=1),
    Mistake("UTF-8 cut inside a character", {"a.txt": "Un été à côté".encode()[:-1], "x.jsonl": [GOOD]},
            ("not UTF-8: byte 0xc3 at 16; re-encode it; the rest is UTF-8",), quarantined=1),
]  # fmt: skip

WORKS = [
    ("cp1252", {"x.jsonl": lines(json.dumps({"text": "Le café est fermé."}, ensure_ascii=False).encode("cp1252"))},
     "Le café est fermé."),
    ("UTF-16 with a mark", {"a.txt": "Été".encode("utf-16")}, "Été"),
    ("UTF-16 without a mark", {"a.txt": "One plain line.".encode("utf-16-le")}, "One plain line."),
    ("NaN, as Python writes it", {"x.jsonl": lines({"text": "One.", "score": float("nan")})}, "One."),
    ("an escaped half of a pair", {"x.jsonl": lines({"text": "One.", "note": "\ud83d"})}, "One."),
    ("large integers", {"x.jsonl": lines({"text": "One.", "n": 10**40})}, "One."),
    ("capitals", {"x.jsonl": lines({"TEXT": "One."})}, "One."),
    ("a list of paragraphs", {"x.jsonl": lines({"text": ["One.", "Two."]})}, "One.\n\nTwo."),
    ("an empty text beside a full one", {"x.jsonl": lines({"text": "", "content": "One."})}, "One."),
    ("text of Elasticsearch", {"x.jsonl": lines({"_id": "1", "_source": {"text": "One."}})}, "One."),
]  # fmt: skip


def write(folder, files):
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else lines(*content))
    return folder


@pytest.mark.parametrize("mistake", ERRORS, ids=lambda mistake: mistake.label)
def test_a_mistake_ends_the_run_with_one_line_that_says_what_to_do(tmp_path, mistake):
    source = write(tmp_path / "in", mistake.files)
    for run in (
        lambda settings: dedup.clean(source, tmp_path / "out", settings, engine=LocalEngine(jobs=1)),
        lambda settings: list(dedup.check(source, settings, engine=LocalEngine(jobs=1))),
    ):
        with pytest.raises(InputError) as caught:
            run(Settings(**mistake.settings))
        assert "\n" not in str(caught.value)
        for part in mistake.says:
            assert part in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("label", "options", "message"), SETTINGS_ERRORS)
def test_a_setting_that_makes_no_sense_is_refused_at_once(label, options, message):
    with pytest.raises(SettingsError) as caught:
        Settings(**options)
    assert message in str(caught.value), label


@pytest.mark.parametrize("mistake", QUARANTINED, ids=lambda mistake: mistake.label)
def test_a_bad_record_says_what_is_wrong_with_it_and_others_are_cleaned(tmp_path, mistake):
    report = dedup.clean(write(tmp_path / "in", mistake.files), tmp_path / "out", engine=LocalEngine(jobs=1))
    rows = read_jsonl(tmp_path / "out" / "quarantine.jsonl")
    assert len(rows) == mistake.quarantined
    assert report.counts["kept"] == 1
    for part in mistake.says:
        assert part in rows[0]["error"]


@pytest.mark.parametrize(("label", "files", "text"), WORKS)
def test_what_people_have_just_works(tmp_path, label, files, text):
    dedup.clean(write(tmp_path / "in", files), tmp_path / "out", engine=LocalEngine(jobs=1))
    [row] = read_jsonl(tmp_path / "out" / "articles.jsonl")
    cleaned = next(value for value in (row.get("_source") or row).values() if value in {text, text + "\n"})
    assert cleaned.removesuffix("\n").removeprefix("\ufeff") == text, label


def test_the_guess_and_empty_inputs_are_told_before_the_work(tmp_path):
    files = {"a.jsonl": lines({"Link": "http://a/1", "maintext": PROSE}), "b.jsonl": b"", "c.txt": b"One."}
    told = []
    source = write(tmp_path / "in", files)
    dedup.clean(source, tmp_path / "out", engine=LocalEngine(jobs=1), notice=told.append)
    assert told == ["fields: text from maintext, id from Link, source from Link", "an input holds no records: b.jsonl"]


def test_whoever_tolerates_bad_records_gets_what_can_be_read(tmp_path):
    source = write(tmp_path / "in", {"x.jsonl": [b"{", {"para": 5}, GOOD]})
    report = dedup.clean(source, tmp_path / "out", Settings(max_bad=1), engine=LocalEngine(jobs=1))
    assert (report.counts["kept"], report.counts["quarantined"]) == (1, 2)
