"""Reading and shortening files of JSON lines, plain or gzipped."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Iterate over the rows of a file of JSON lines, plain or gzipped."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def copy_first_lines(source: Path, size: int, out: Path) -> None:
    """Write the first lines of `source` to the plain file `out`, until it has `size` bytes or more."""
    opener = gzip.open if source.suffix == ".gz" else open
    written = 0
    with opener(source, "rb") as lines, out.open("wb") as part:
        for line in lines:
            written += part.write(line)
            if written >= size:
                break
