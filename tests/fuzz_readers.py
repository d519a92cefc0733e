"""Read files that atheris changes, guided by the lines of the readers that run: ``fuzz_readers.py -runs=1000``.

It needs the package `atheris`, and takes the options of libFuzzer, such as ``-max_total_time=60``. An input on which
the program fails is written to a file whose name begins with `crash-`; it belongs into `SEEDS` of `test_fuzz.py`, or
into a test of the reader.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["dedup.read"]):
    from dedup.errors import DedupError
    from dedup.read.inputs import find_inputs
    from dedup.read.records import RecordReader

from test_fuzz import SEEDS

NAMES = sorted(SEEDS)


def read_all(data: bytes) -> None:
    """Read `data`, whose first byte chooses the name of the file; an error of ours is an answer."""
    name = NAMES[data[0] % len(NAMES)] if data else NAMES[0]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data[1:])
        try:
            for batch in RecordReader(find_inputs([path])):
                batch.validate(full=True)
        except DedupError as error:
            if "\n" in str(error):
                raise


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as seeds:
        for number, seed in enumerate(NAMES):
            (Path(seeds) / seed).write_bytes(bytes([number]) + SEEDS[seed])
        atheris.Setup([*sys.argv, seeds], read_all)
        atheris.Fuzz()
