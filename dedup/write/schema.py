"""Define the Arrow schemas of the tables with fixed columns; ``docs/formats.md`` explains these."""

from __future__ import annotations

import pyarrow as pa

FINDINGS_SCHEMA = pa.schema(
    [
        ("article", pa.string()),
        ("source", pa.string()),
        ("record", pa.int64()),
        ("rule", pa.string()),
        ("action", pa.string()),
        ("start", pa.int64()),
        ("stop", pa.int64()),
        ("original", pa.string()),
        ("replacement", pa.string()),
        ("twin", pa.string()),
        ("twin_start", pa.int64()),
        ("twin_stop", pa.int64()),
        ("similarity", pa.float64()),
        ("twin_source", pa.string()),
        ("twin_record", pa.int64()),
        ("evidence", pa.string()),
    ]
)

QUARANTINE_SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("record", pa.int64()),
        ("error", pa.string()),
        ("raw", pa.string()),
        ("encoding", pa.string()),
    ]
)

SITE_TEXT_SCHEMA = pa.schema(
    [
        ("host", pa.string()),
        ("text", pa.string()),
        ("articles", pa.int64()),
        ("share", pa.float64()),
        ("dropped", pa.int64()),
        ("source", pa.string()),
        ("record", pa.int64()),
        ("start", pa.int64()),
        ("stop", pa.int64()),
    ]
)
