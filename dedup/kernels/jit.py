"""Compile kernels without the interpreter lock, and cache the machine code for all processes where possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def njit(function: Function) -> Function:
    """Return `function` as a kernel that is compiled when it is first called.

    Numba caches machine code beside the source file. If that folder is not writable, as in the installation of another
    user, it uses the user's cache folder. ``NUMBA_CACHE_DIR`` names another folder. If none is writable, each process
    compiles for itself.
    """
    return _compiled(function)


def inlined(function: Function) -> Function:
    """Return `function` as a kernel that becomes a part of each kernel that calls it."""
    return _compiled(function, inline="always")


def _compiled(function: Function, **options: Any) -> Function:
    """Return `function` as numba compiles it with `options`, cached if possible."""
    try:
        kernel: Function = numba.njit(cache=True, nogil=True, **options)(function)
    except RuntimeError:  # "no locator available": no folder is writable
        kernel = numba.njit(nogil=True, **options)(function)
    return kernel
