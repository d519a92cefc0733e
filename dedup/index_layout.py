"""The layout of an index of earlier runs: the names of its files, and how to recognize one.

`dedup.index` writes and reads them. Input folders are searched for indexes, which are no input.
"""

from __future__ import annotations

import re

MANIFEST, PENDING, LOCK = "index.json", "pending.json", "lock"
SEGMENT_PREFIX = "run-"  # begins the name of the folder of a segment
SEGMENT_NAME = re.compile(rf"{SEGMENT_PREFIX}[0-9]{{6,}}(-[0-9]+)?")
ARTICLES_FILE, POSTINGS_FILE, LINES_FILE = "articles.parquet", "postings.parquet", "site_text.parquet"
