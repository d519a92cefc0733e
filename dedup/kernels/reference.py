"""The backend in plain Python and numpy: the definitions, which small jobs use.

It has the functions of `dedup.kernels.backend.Backend`, like the compiled `dedup.kernels.compiled`.
"""

from __future__ import annotations

from dedup.fingerprint.minhash import bucket_signatures, minhash_signatures
from dedup.fingerprint.minimizers import find_minimizers
from dedup.fingerprint.prefix_hashes import ordered_shingle_sets, prefix_hashes
from dedup.fingerprint.self_alignment import chain_runs, find_runs, pair_paragraphs
from dedup.fingerprint.self_matches import screen_self_repeats
from dedup.fingerprint.shingles import word_hashes
from dedup.fingerprint.similarity import compiled, jaccard_similarities, shingle_hash_sets
from dedup.fingerprint.versions import choose_members, pair_words
from dedup.repairs.screen import find_furniture_lines, find_suspect_lines, rules_that_may_apply
from dedup.segment.batch import find_fact_marks, join_keys, segment_batch
from dedup.segment.sentences import split_sentences
from dedup.site_text.line_forms import line_forms

__all__ = [
    "bucket_signatures",
    "chain_runs",
    "choose_members",
    "compiled",
    "find_fact_marks",
    "find_furniture_lines",
    "find_minimizers",
    "find_runs",
    "find_suspect_lines",
    "jaccard_similarities",
    "join_keys",
    "line_forms",
    "minhash_signatures",
    "ordered_shingle_sets",
    "pair_paragraphs",
    "pair_words",
    "prefix_hashes",
    "rules_that_may_apply",
    "screen_self_repeats",
    "segment_batch",
    "shingle_hash_sets",
    "split_sentences",
    "word_hashes",
]
