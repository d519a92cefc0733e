"""Settings: what decides the result. Validated once, then read everywhere.

How a job is carried out (engine, processes, memory) is not in here: it must never change a byte of output,
so it has no place in the digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from dedup import rules as registry
from dedup.errors import SettingsError

NUM_PERM = 128  # permutations of a signature; datasketch's default
SEED = 1  # datasketch's default
ARTICLE_SHINGLE = 5  # words; over the whole article
PARAGRAPH_SHINGLE = 3  # words

KEEP = ("longest", "first", "earliest", "latest")
FORMATS = ("jsonl", "parquet")
COMPRESSIONS = ("none", "gz", "zst")
ON_ERROR = ("quarantine", "fail")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that decides what comes out.

    `threshold` and `paragraph_threshold` are Jaccard similarities in (0, 1]. `rules` overrides single rules of
    `profile`; after construction it holds the action of every rule, in registry order. Field names are None
    where they are to be guessed, record by record. Raises `SettingsError` with one line for the first thing
    that is wrong.

    >>> Settings(rules={"boilerplate": "flag"}).rules["boilerplate"]
    'flag'
    """

    keep: str = "longest"
    threshold: float = 0.8
    paragraph_threshold: float = 0.8
    profile: str = "default"
    rules: Mapping[str, str] = field(default_factory=dict)
    text_field: str | None = None
    id_field: str | None = None
    date_field: str | None = None
    source_field: str | None = None
    format: str = "jsonl"
    compress: str = "none"
    on_error: str = "quarantine"

    def __post_init__(self) -> None:
        one_of("keep", self.keep, KEEP)
        one_of("profile", self.profile, tuple(registry.PROFILES))
        one_of("format", self.format, FORMATS)
        one_of("compress", self.compress, COMPRESSIONS)
        one_of("on_error", self.on_error, ON_ERROR)
        for name in ("threshold", "paragraph_threshold"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 1:
                raise SettingsError(f"{name}: {value!r} is not a similarity; give a number above 0 and up to 1")
            object.__setattr__(self, name, float(value))
        for name in ("text_field", "id_field", "date_field", "source_field"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, str) and value):
                raise SettingsError(f"{name}: {value!r} is not a field name")
        if self.text_field == "provenance":
            raise SettingsError("text_field: 'provenance' is where this program writes; rename that field first")
        if not isinstance(self.rules, Mapping):
            raise SettingsError("rules: give a table of rule names and actions")
        for name, action in self.rules.items():
            one_of("rule", name, registry.NAMES)
            one_of(f"rule {name}", action, registry.BY_NAME[name].actions)
        object.__setattr__(self, "rules", registry.resolve_actions(self.profile, dict(self.rules)))

    def as_dict(self) -> dict[str, Any]:
        """Plain values, keys in declaration order; what ``run.json`` holds."""
        return asdict(self)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over the canonical JSON of `as_dict`, in hexadecimal."""
        return hashlib.sha256(json.dumps(self.as_dict(), sort_keys=True).encode()).hexdigest()


def one_of(what: str, value: object, allowed: tuple[str, ...]) -> None:
    """Raises `SettingsError`, with a close match or the choices, where `value` is none of `allowed`."""
    if value in allowed:
        return
    near = get_close_matches(str(value), allowed, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; choose from {', '.join(allowed)}"
    raise SettingsError(f"{what}: {value!r} is not known{hint}")
