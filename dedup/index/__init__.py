"""A persistent index of the articles that stayed, so that later runs are compared with all earlier ones.

The modules in reading order:

- `stored_articles`: the columns of an article that are kept, and all others computed from them again.
- `postings`: hashes that two texts share if one may repeat the other.
- `segment_files`: Parquet files with checksums.
- `segments`: what one run adds, as Parquet files that never change.
- `manifest_files`: the files that hold a manifest, sealed and checked.
- `manifest`: the list of segments, replaced as a whole, and the lock of the one writer.
- `readers`: an index at one moment, while another process may write it.
- `session`: one run over an index: ask it, add to it, and take effect together with an output.
- `upkeep`: statistics, checks, removal of articles, compaction and merging.
"""
