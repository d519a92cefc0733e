"""Keep the number of segments of an index small: neighbours of one size become one, as in a log-structured merge tree.

So an index of n runs has about 8 log n segments, and an article is written about log n times in all.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

import numpy as np
import pyarrow as pa

from dedup.arrays import Bools
from dedup.index.manifest import ManifestWriter
from dedup.index.postings import postings_of
from dedup.index.segments import Segment, SegmentReader, SegmentWriter, with_known_sources
from dedup.index.stored_articles import prepare_stored
from dedup.kernels.backend import Backend
from dedup.settings import Settings

FAN_OUT = 8  # neighbouring segments of one size become one

Chooser = Callable[[pa.RecordBatch], Bools]


def size_class(segment: Segment) -> int:
    """Return the size of a segment, in powers of `FAN_OUT`."""
    return int(np.log(max(segment.articles, 1)) / np.log(FAN_OUT))


def merge_small_segments(writer: ManifestWriter, settings: Settings, backend: Backend) -> None:
    """Merge the last segments of the index of `writer` while `FAN_OUT` neighbours are no larger than the last."""
    while True:
        segments = writer.manifest.segments
        last = segments[-FAN_OUT:]
        if len(last) < FAN_OUT or max(map(size_class, last)) > size_class(last[-1]):
            return
        merged = rewrite_segments(writer, last, settings, backend)
        writer.replace(writer.manifest._replace(segments=(*segments[:-FAN_OUT], merged)))


def rewrite_segments(
    writer: ManifestWriter,
    segments: Sequence[Segment],
    settings: Settings,
    backend: Backend,
    choose: Chooser | None = None,
    erased_lines: Collection[str] = (),
) -> Segment:
    """Write one segment with the articles of `segments`, in order, that `choose` keeps, and return it.

    `choose` takes stored articles, with the sources that they have in later runs, and returns which stay: bool
    [articles]. Lines of site text stay, except those of the texts `erased_lines`.
    """
    part = 1
    while writer.new_folder(f"-{part}").exists():
        part += 1
    new = SegmentWriter(writer.new_folder(f"-{part}"), segments[-1].run)
    lines = []
    for segment in segments:
        reader = SegmentReader(writer.folder, segment)
        for stored in reader.read_all():
            named = with_known_sources(stored, segment)
            chosen = named if choose is None else named.filter(pa.array(choose(named)))
            if chosen.num_rows:
                new.add(chosen, postings_of(prepare_stored(chosen, settings, backend), settings, backend))
        lines += [line for line in reader.lines() if line["text"] not in erased_lines]
    return new.finish(lines)
