"""The exceptions of this package. Each message is one line that says where, what, and what to do next.

    DedupError
    ├── SettingsError    a setting, rule, profile or configuration file that makes no sense
    ├── InputError       an input that cannot be opened, or holds no article
    ├── RecordError      a bad record met under ``on_error="fail"``
    ├── OutputError      a destination that exists, is not an output of this package, or cannot be written
    ├── WorkFileError    a file of the working folder that is damaged or missing
    ├── IndexFolderError an index that is damaged, locked, of other settings, or no index
    ├── EngineError      something that an engine needs is missing: a package, Java, a cluster
    └── FindingError     findings that do not fit the text they are applied to

A message names a parameter of the Python API in backticks, with its value where that matters: `text_field`,
`on_error="fail"`. The command line shows the option instead: ``--text-field``, ``--on-error fail``. Only the command
line turns an error into a printed line and an exit status.
"""

from __future__ import annotations

RESUME_NOTE = "`resume=True` continues from what is finished"  # on an error that has left the work done so far


class DedupError(Exception):
    """Base of every error that this package raises on purpose."""


class SettingsError(DedupError, ValueError):
    """A setting, rule, profile or configuration file that makes no sense."""


class InputError(DedupError):
    """An input that cannot be opened, or holds no article."""


class RecordError(DedupError):
    """A bad record met under ``on_error="fail"``."""


class OutputError(DedupError):
    """A destination that exists, is not an output of this package, or cannot be written."""


class WorkFileError(DedupError):
    """A file of the working folder that is damaged or missing."""


class IndexFolderError(DedupError):
    """An index that is damaged, being written, made with other settings, or no index at all."""


class EngineError(DedupError):
    """Something that an engine needs is missing: a package, Java, a cluster."""


class FindingError(DedupError, ValueError):
    """Findings that do not fit the text they are applied to."""
