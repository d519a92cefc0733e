"""How kernels are compiled: without the lock of the interpreter, and once for all processes where a cache can be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def njit(function: Function) -> Function:
    """`function`, compiled when it is first called.

    Machine code is kept beside the source file, or where that cannot be written (an installation of somebody else's),
    in the user's cache directory; ``NUMBA_CACHE_DIR`` names another. Where nothing can be written, each process
    compiles for itself.
    """
    return _compiled(function)


def inlined(function: Function) -> Function:
    """The same for a function that is to become a part of those that call it."""
    return _compiled(function, inline="always")


def _compiled(function: Function, **options: Any) -> Function:
    try:
        made: Function = numba.njit(cache=True, nogil=True, **options)(function)
    except RuntimeError:  # "no locator available": there is no folder to write to
        made = numba.njit(nogil=True, **options)(function)
    return made
