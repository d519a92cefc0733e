"""Read the inputs of a run again, and compare their sizes and digests with those that ``run.json`` has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from dedup.inspect.article_rows import Mismatch
from dedup.inspect.output import Output
from dedup.read.inputs import find_inputs
from dedup.read.records import RecordReader
from dedup.read.selection import choose_records


def check_inputs(output: Output, inputs: Sequence[str | Path]) -> Iterator[Mismatch]:
    """Yield the differences between the files of `inputs`, as they are now, and the inputs of the run.

    `inputs` are those that ``dedup clean`` was given. Raises `InputError` if one of them cannot be read.
    """
    settings = replace(output.settings, sample=None)  # of which all records are read, too
    files = find_inputs(list(inputs), input_format=settings.input_format, ignore=output.path)
    records = choose_records(RecordReader(files, settings), settings, output.path)
    for _ in records:
        pass
    now = {entry["source"]: entry for entry in records.inputs}
    stated: dict[str, dict[str, Any]] = {entry["source"]: entry for entry in output.run["inputs"]}
    yield from (Mismatch(name, "is not among these inputs") for name in stated if name not in now)
    yield from (Mismatch(name, "was no input of the run") for name in now if name not in stated)
    for name in (name for name in stated if name in now):
        for key in sorted(stated[name].keys() | now[name].keys()):
            was, is_now = stated[name].get(key), now[name].get(key)
            if was != is_now:
                yield Mismatch(name, f"its {key} was {was}, and is {is_now} now")
