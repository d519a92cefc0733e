"""datatrove's four MinHash stages as in its example: 14 buckets of 8 hashes, two workers. No repair."""

from __future__ import annotations

from pathlib import Path

import protocol  # type: ignore[import-not-found]  # beside this script, which runs by its path
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import (
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
    MinhashDedupSignature,
)
from datatrove.pipeline.dedup.minhash import MinhashConfig
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter
from datatrove.utils.hashing import HashConfig
from datatrove.utils.typeshelper import Languages

WORKERS = 2


def lay(source: Path, work: Path) -> None:
    """Write two files, because a task of the executor reads whole files."""
    protocol.write_halves(source, work / "in")


def run(_: Path, work: Path) -> None:
    """Run the stages one after the other."""
    config = MinhashConfig(hash_config=HashConfig(precision=64), num_buckets=14, hashes_per_bucket=8)
    reader = JsonlReader(str(work / "in"), glob_pattern="*.jsonl")
    signatures, buckets, removed = (str(work / name) for name in ("signatures", "buckets", "removed"))
    writer = JsonlWriter(str(work / "out"), compression=None)
    stages = [
        ([reader, MinhashDedupSignature(signatures, config=config, language=Languages.english)], WORKERS),
        ([MinhashDedupBuckets(signatures, buckets, config=config)], config.num_buckets),
        ([MinhashDedupCluster(buckets, removed, config=config)], 1),
        ([reader, MinhashDedupFilter(removed), writer], WORKERS),
    ]
    for number, (pipeline, tasks) in enumerate(stages):
        logs = str(work / "logs" / str(number))
        LocalPipelineExecutor(pipeline, tasks=tasks, workers=WORKERS, logging_dir=logs).run()


def kept(_: Path, work: Path) -> list[str]:
    """Return the ids in its output."""
    return [row["id"] for path in sorted((work / "out").glob("*.jsonl")) for row in protocol.read_rows(path)]


if __name__ == "__main__":
    protocol.main(run, kept, lay)
