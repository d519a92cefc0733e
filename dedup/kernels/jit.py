"""Compile kernels without the interpreter lock, and cache the machine code for all processes where possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def njit(function: Function) -> Function:
    """Return `function`, compiled when it is first called.

    Machine code is cached beside the source file, or in the user's cache directory if that cannot be written (as in
    somebody else's installation); ``NUMBA_CACHE_DIR`` names another folder. If nothing can be written, each process
    compiles for itself.
    """
    return _compiled(function)


def inlined(function: Function) -> Function:
    """Return the same for a function that becomes a part of its callers."""
    return _compiled(function, inline="always")


def _compiled(function: Function, **options: Any) -> Function:
    try:
        made: Function = numba.njit(cache=True, nogil=True, **options)(function)
    except RuntimeError:  # "no locator available": there is no folder to write to
        made = numba.njit(nogil=True, **options)(function)
    return made
