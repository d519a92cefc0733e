"""Count the work of a call in operations, which no other program on the machine can change."""

from __future__ import annotations

import sys


def count_calls(task):
    """Return how many functions `task` calls, those of C included."""
    count = 0

    def profile(_frame, event, _argument):
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        task()
    finally:
        sys.setprofile(before)
    return count
