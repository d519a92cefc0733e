"""The backend in machine code: the kernels, which large jobs use.

It has the functions of `dedup.kernels.backend.Backend`, like the plain `dedup.kernels.reference`.
"""

from __future__ import annotations

from dedup.kernels.encoding_lines import find_suspect_lines
from dedup.kernels.facts import find_fact_marks
from dedup.kernels.line_forms import line_forms
from dedup.kernels.page_furniture_lines import find_furniture_lines
from dedup.kernels.prefix_hashes import ordered_shingle_sets, prefix_hashes
from dedup.kernels.repair_screen import rules_that_may_apply
from dedup.kernels.segments import join_keys, segment_batch
from dedup.kernels.self_alignment import chain_runs, find_runs, pair_paragraphs
from dedup.kernels.self_repeat_screen import screen_self_repeats
from dedup.kernels.sentences import split_sentences
from dedup.kernels.shingles import (
    bucket_signatures,
    find_minimizers,
    jaccard_similarities,
    minhash_signatures,
    shingle_hash_sets,
    word_hashes,
)
from dedup.kernels.versions import choose_members, pair_words

compiled = True  # see `dedup.fingerprint.similarity.Comparer`

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
