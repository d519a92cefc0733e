"""A linter and fixer for article corpora: every change a finding, every finding reversible.

The public names are below; `docs/formats.md` says what the files hold. They are imported when first asked for, so that
``dedup --help`` need not load numpy and Arrow.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from dedup.engines.local import LocalEngine
    from dedup.errors import DedupError, EngineError, FindingError, InputError, OutputError, RecordError, SettingsError
    from dedup.findings import Finding, apply, revert
    from dedup.fingerprint.shingles import shingle_hash, shingles
    from dedup.in_memory import Result, clean_articles, signatures
    from dedup.pipeline import check, clean
    from dedup.repairs.repair import repair
    from dedup.settings import Settings
    from dedup.spark import SparkEngine
    from dedup.write.report import Report

__all__ = [
    "DedupError",
    "EngineError",
    "Finding",
    "FindingError",
    "InputError",
    "LocalEngine",
    "OutputError",
    "RecordError",
    "Report",
    "Result",
    "Settings",
    "SettingsError",
    "SparkEngine",
    "apply",
    "check",
    "clean",
    "clean_articles",
    "repair",
    "revert",
    "shingle_hash",
    "shingles",
    "signatures",
]

_HOMES = {
    "dedup.engines.local": ("LocalEngine",),
    "dedup.spark": ("SparkEngine",),
    "dedup.errors": (
        "DedupError",
        "EngineError",
        "FindingError",
        "InputError",
        "OutputError",
        "RecordError",
        "SettingsError",
    ),
    "dedup.findings": ("Finding", "apply", "revert"),
    "dedup.fingerprint.shingles": ("shingle_hash", "shingles"),
    "dedup.in_memory": ("Result", "clean_articles", "signatures"),
    "dedup.pipeline": ("check", "clean"),
    "dedup.repairs.repair": ("repair",),
    "dedup.write.report": ("Report",),
    "dedup.settings": ("Settings",),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            value = getattr(import_module(module), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
