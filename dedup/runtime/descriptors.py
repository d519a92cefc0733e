"""Standard streams that the caller has closed: no file of a job may take their place, and what is lost is an error."""

from __future__ import annotations

import os
import sys


def occupy_closed_descriptors() -> None:
    """Open the null device where standard input, output or error is closed.

    Else the next file that is opened, such as an output, gets its number, and receives what is written there. Standard
    output is opened for reading, so that writing data to it fails; messages to standard error disappear.
    """
    for number, mode in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_RDWR)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # the lowest free number, which is this one
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 - open to the end
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
