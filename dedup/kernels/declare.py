"""Declare functions that are compiled to machine code, and call that code.

A kernel is a Python function on arrays and numbers. It is called like one: the machine code comes from
`dedup.kernels.library`, which needs numba only to compile, once after an installation. Kernels allocate nothing and
raise nothing, so their machine code needs neither the interpreter nor the run-time library of numba. They run without
the interpreter lock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any, NamedTuple, TypeVar

import numpy as np

Function = TypeVar("Function", bound=Callable[..., Any])


class Parameter(NamedTuple):
    """A number or an array that a kernel takes; `shape` is the number of dimensions, 0 for a number."""

    dtype: np.dtype[Any]
    dimensions: int
    is_written: bool


# What a kernel takes: a parameter, or those of the fields of a named tuple.
Parameters = Parameter | tuple["Parameters", ...]

_TOKEN = re.compile(r"[()]|(\+?)(\w+)(?:\[([:,]*)\])?")


class Kernel:
    """A function of machine code. Arrays of another type or layout are converted, except those that it writes to."""

    def __init__(self, function: Callable[..., Any], parameters: str, returns: str) -> None:
        self.function = function
        self.parameters = read_parameters(parameters)
        self.returns = returns
        self.symbol = f"{function.__module__}.{function.__name__}".replace(".", "_")
        self.flat_parameters = tuple(flatten(self.parameters))
        self._code: Callable[..., Any] | None = None

    def __call__(self, *values: Any) -> Any:
        """Run the machine code. Raises `TypeError` for arrays of a wrong kind."""
        if self._code is None:
            # By name, since that module imports all modules that declare kernels.
            code: Callable[..., Any] = import_module("dedup.kernels.library").bind(self)
            self._code = code
        arguments: list[Any] = []
        arrays = []  # converted ones must live until the end of the call
        for parameter, value in zip(self.flat_parameters, flatten(values), strict=True):
            if parameter.dimensions:
                array = value
                if array.dtype != parameter.dtype or array.ndim != parameter.dimensions or not array.flags.c_contiguous:
                    array = self._converted(array, parameter)
                arrays.append(array)
                arguments.append(array.__array_interface__["data"][0])
                arguments.extend(array.shape)
            else:
                arguments.append(value)
        return self._code(*arguments)

    def _converted(self, array: Any, parameter: Parameter) -> Any:
        """Return `array` in the type and the layout of `parameter`."""
        if parameter.is_written or array.ndim != parameter.dimensions:
            raise TypeError(f"{self.symbol}: {array.dtype}{list(array.shape)} where it takes {parameter}")
        return np.ascontiguousarray(array.astype(parameter.dtype, casting="same_kind", copy=False))


KERNELS: list[Kernel] = []  # all that the imported modules declare


def kernel(parameters: str, returns: str = "void") -> Callable[[Function], Function]:
    """Return a decorator that makes a function a kernel that Python can call.

    `parameters` are the types, such as ``int64``, ``uint8[:]`` or ``int64[:,:]``. A ``+`` marks arrays that the kernel
    writes to; parentheses hold the fields of a named tuple. A kernel returns nothing or an int64.
    """

    def declare(function: Function) -> Function:
        declared: Any = Kernel(function, parameters, returns)
        KERNELS.append(declared)
        result: Function = declared
        return result

    return declare


def part(function: Function) -> Function:
    """Return `function` as a part of the kernels that call it."""
    function.part_options = {}  # type: ignore[attr-defined]
    return function


def inlined(function: Function) -> Function:
    """Return `function` as a part that numba inlines before it infers types, for small functions of any type."""
    function.part_options = {"inline": "always"}  # type: ignore[attr-defined]
    return function


def flatten(values: Any) -> Iterator[Any]:
    """Yield `values`, with the fields of named tuples in their place."""
    for value in values:
        if isinstance(value, tuple) and not isinstance(value, Parameter):
            yield from flatten(value)
        else:
            yield value


def read_parameters(text: str) -> tuple[Parameters, ...]:
    """Return the parameters that `text` describes.

    >>> [(parameter.dtype.name, parameter.dimensions, parameter.is_written) for parameter in
    ...  read_parameters("int64, +uint8[:,:]")]
    [('int64', 0, False), ('uint8', 2, True)]
    """
    open_tuples: list[list[Parameters]] = [[]]
    for match in _TOKEN.finditer(text):
        if match[0] == "(":
            open_tuples.append([])
        elif match[0] == ")":
            fields = tuple(open_tuples.pop())
            open_tuples[-1].append(fields)
        else:
            dimensions = 0 if match[3] is None else match[3].count(":")
            open_tuples[-1].append(Parameter(np.dtype(match[2]), dimensions, bool(match[1])))
    [parameters] = open_tuples
    return tuple(parameters)
