"""Suggest the right name for a wrong one: a synonym first, then the closest spelling.

Spelling alone suggests ``longest`` for ``newest``, which means something else.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

# What people write, and the names that they may mean: values, options without their dashes, settings and commands.
_SYNONYMS: dict[str, tuple[str, ...]] = {
    "min-length": ("min-words",),
    "newest": ("latest",),
    "most-recent": ("latest",),
    "recent": ("latest",),
    "last": ("latest",),
    "oldest": ("earliest",),
    "original": ("first",),
    "biggest": ("longest",),
    "largest": ("longest",),
    "most-complete": ("longest",),
    "json": ("jsonl", "json"),
    "ndjson": ("jsonl",),
    "jsonlines": ("jsonl",),
    "pq": ("parquet",),
    "gzip": ("gz",),
    "zstd": ("zst",),
    "zstandard": ("zst",),
    "uncompressed": ("none",),
    "skip": ("quarantine",),
    "ignore": ("off", "quarantine"),
    "continue": ("quarantine", "resume"),
    "stop": ("fail",),
    "abort": ("fail",),
    "raise": ("fail",),
    "remove": ("drop",),
    "delete": ("drop",),
    "discard": ("drop",),
    "report": ("flag",),
    "warn": ("flag",),
    "mark": ("flag",),
    "disable": ("off",),
    "disabled": ("off",),
    "false": ("off",),
    "no": ("off",),
    "repair": ("fix", "clean"),
    "correct": ("fix",),
    "safe": ("lossless",),
    "training": ("corpus",),
    "threads": ("jobs",),
    "workers": ("jobs",),
    "processes": ("jobs",),
    "cores": ("jobs",),
    "cpus": ("jobs",),
    "num-workers": ("jobs",),
    "parallel": ("jobs",),
    "mem": ("memory",),
    "ram": ("memory",),
    "max-memory": ("memory",),
    "output": ("out",),
    "output-dir": ("out",),
    "destination": ("out",),
    "overwrite": ("force",),
    "replace": ("force",),
    "yes": ("force",),
    "similarity": ("threshold",),
    "jaccard": ("threshold",),
    "min-similarity": ("threshold",),
    "head": ("limit",),
    "max-records": ("limit",),
    "n": ("limit",),
    "random": ("sample",),
    "random-state": ("seed",),
    "silent": ("quiet",),
    "preview": ("dry-run",),
    "simulate": ("dry-run",),
    "configuration": ("config",),
    "settings": ("config",),
    "text-column": ("text-field",),
    "text-key": ("text-field",),
    "content": ("text-field",),
    "id-column": ("id-field",),
    "id-key": ("id-field",),
    "compression": ("compress",),
    "spark-url": ("master",),
    "run": ("clean",),
    "dedup": ("clean",),
    "dedupe": ("clean",),
    "deduplicate": ("clean",),
    "fix": ("clean",),
    "lint": ("check",),
    "test": ("check", "verify"),
    "show": ("explain",),
    "why": ("explain",),
    "list": ("explain",),
    "compare": ("diff",),
    "undo": ("restore",),
    "revert": ("restore",),
    "validate": ("verify",),
    "calibrate": ("tune",),
    "completions": ("completion",),
}


def suggest(word: str, names: Iterable[str]) -> str | None:
    """Return the one of `names` that `word` probably means, None if none is near.

    Case, ``-`` and ``_`` make no difference. A synonym wins over a similar spelling.

    >>> suggest("newest", ["longest", "latest"]), suggest("Text_Feild", ["text-field"]), suggest("x", ["jobs"])
    ('latest', 'text-field', None)
    """
    by_form = {_form(name): name for name in names}
    form = _form(word)
    if form in by_form:
        return by_form[form]
    for synonym in _SYNONYMS.get(form, ()):
        if synonym in by_form:
            return by_form[synonym]
    near = get_close_matches(form, by_form, n=1)
    return by_form[near[0]] if near else None


def hint(word: str, names: Iterable[str]) -> str:
    """Return the end of an error about an unknown name: the name that is meant, or all names.

    >>> hint("zstd", ("none", "gz", "zst")), hint("?", ("none", "gz"))
    ("did you mean 'zst'?", 'choose from none, gz')
    """
    names = list(names)
    near = suggest(word, names)
    return f"did you mean {near!r}?" if near else f"choose from {', '.join(names)}"


def _form(name: str) -> str:
    return name.strip().lower().replace("_", "-")
