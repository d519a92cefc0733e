"""The exceptions of this package, each carrying one line: where, what, what to do next.

    DedupError
    ├── SettingsError    an option, rule, profile or configuration file that makes no sense
    ├── InputError       an input that cannot be opened, or holds no article
    ├── RecordError      a bad record met under ``on_error="fail"``
    ├── OutputError      a destination that exists, is not ours, or cannot be written
    ├── PieceError       a file of the working folder that is damaged or gone
    ├── EngineError      what an engine needs and does not find: a package, Java, a cluster
    └── FindingError     findings that do not fit the text they are applied to

Only the command line turns one of these into a printed line and an exit status.
"""

from __future__ import annotations


class DedupError(Exception):
    """Base of every error this package raises on purpose."""


class SettingsError(DedupError, ValueError):
    """An option, rule, profile or configuration file that makes no sense."""


class InputError(DedupError):
    """An input that cannot be opened, or holds no article."""


class RecordError(DedupError):
    """A bad record met under ``on_error="fail"``."""


class OutputError(DedupError):
    """A destination that exists, is not ours, or cannot be written."""


class WorkFileError(DedupError):
    """A file of the working folder that is damaged or gone."""


class EngineError(DedupError):
    """What an engine needs and does not find: a package, Java, a cluster."""


class FindingError(DedupError, ValueError):
    """Findings that do not fit the text they are applied to."""
