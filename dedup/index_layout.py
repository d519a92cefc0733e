"""The layout of an index of earlier runs: the names of its files, and how to recognize one.

`dedup.index` writes and reads them. Input folders are searched for indexes, which are no input.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

MANIFEST, PENDING, LOCK = "index.json", "pending.json", "lock"
SEGMENT_PREFIX = "run-"  # begins the name of the folder of a segment
SEGMENT_NAME = re.compile(rf"{SEGMENT_PREFIX}[0-9]{{6,}}(-[0-9]+)?")
ARTICLES_FILE, POSTINGS_FILE, LINES_FILE = "articles.parquet", "postings.parquet", "site_text.parquet"


def is_index(folder: Path) -> bool:
    """Return True if `folder` is an index: its manifest says so, or all that is in it is what a run writes there.

    So it is one before its first run has succeeded, when it may have a lock and a segment, but no manifest.
    """
    files = {MANIFEST, PENDING, LOCK}
    try:
        if (folder / LOCK).exists():
            names = {entry.name.removesuffix(".partial") for entry in folder.iterdir()} - files
            if all(map(SEGMENT_NAME.fullmatch, names)):
                return True
        return is_manifest((folder / MANIFEST).read_bytes())
    except OSError:
        return False


def is_manifest(content: bytes) -> bool:
    """Return True if `content` is that of the manifest of an index."""
    try:
        return "dedup_index" in dict(json.loads(content))
    except (ValueError, TypeError, RecursionError):
        return False
