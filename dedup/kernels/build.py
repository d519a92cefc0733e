"""Compile kernels with numba to object code, which `dedup.kernels.library` keeps and loads.

Numba infers types and writes LLVM's intermediate language, one module for each kernel. These are linked into one
module before LLVM optimizes it, so that a part of several kernels is compiled once.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from functools import cache
from types import FunctionType
from typing import Any

import llvmlite.binding as llvm
import numba

from dedup.kernels.declare import KERNELS, Kernel, Parameter, Parameters
from dedup.kernels.library import target_machine

_numba: Any = numba  # without types
_OPTIONS: dict[str, Any] = {"_nrt": False, "error_model": "numpy", "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
_KNOWN_SYMBOLS = ("llvm.", "memcpy", "memset", "memmove")


def compile_kernels(kernels: Sequence[Kernel], compiled: Callable[[str], None]) -> bytes:
    """Return the object code of `kernels`; call `compiled` with the symbol of each that has passed numba."""
    machine = target_machine()
    module = llvm.parse_assembly("")
    for kernel in kernels:
        module.link_in(_module_of(kernel))
        compiled(kernel.symbol)
    symbols = {kernel.symbol for kernel in kernels}
    for value in (*module.functions, *module.global_variables):
        if not value.is_declaration and value.name not in symbols:
            value.linkage = "internal"
    module.triple = machine.triple
    tuning = llvm.create_pipeline_tuning_options(speed_level=3)
    tuning.loop_vectorization = True
    for _ in range(
        2
    ):  # the second time removes the handling of errors, of which the first has found that there are none
        passes = llvm.create_pass_builder(machine, tuning)
        passes.getModulePassManager().run(module, passes)
    unknown = [
        function.name
        for function in module.functions
        if function.is_declaration and not function.name.startswith(_KNOWN_SYMBOLS)
    ]
    if unknown:
        raise RuntimeError(f"kernels call functions that machine code alone does not have: {', '.join(unknown)}")
    return bytes(machine.emit_object(module))


def _module_of(kernel: Kernel) -> Any:
    """Return the module of `kernel`, whose function takes pointers and shapes in place of arrays."""
    hints = kernel.function.__annotations__
    names: list[str] = []
    argument_types: list[Any] = []
    scope: dict[str, Any] = {
        **kernel.function.__globals__,  # for the classes of named tuples
        "carray": _numba.carray,
        "function": _as_numba(kernel.function),
    }

    def expression(parameter: Parameters, hint: Any) -> str:
        """Return the expression that makes an argument of `kernel` from those of the function of the module."""
        name = f"value_{len(names)}"
        if not isinstance(parameter, Parameter):
            fields = [expression(field, "") for field in parameter]
            return f"{hint}({', '.join(fields)})"
        scalar = numba.from_dtype(parameter.dtype)
        if not parameter.dimensions:
            names.append(name)
            argument_types.append(scalar)
            return name
        sizes = [f"{name}_{axis}" for axis in range(parameter.dimensions)]
        names.extend((name, *sizes))
        argument_types.extend((_numba.types.CPointer(scalar), *[_numba.types.intp] * len(sizes)))
        return f"carray({name}, ({', '.join(sizes)},))"

    arguments = [
        expression(parameter, hint) for parameter, hint in zip(kernel.parameters, list(hints.values()), strict=False)
    ]
    call = f"function({', '.join(arguments)})"
    source = f"def entry({', '.join(names)}):\n    {'return ' if kernel.returns != 'void' else ''}{call}\n"
    exec(source, scope)  # noqa: S102 - from the declaration of the kernel alone
    returns = getattr(_numba.types, kernel.returns)
    entry = numba.cfunc(returns(*argument_types), error_model="numpy")(scope["entry"])
    module = llvm.parse_assembly(entry.inspect_llvm())
    module.get_function(entry.native_name).name = kernel.symbol
    for function in module.functions:
        if not function.is_declaration and function.name != kernel.symbol:
            function.linkage = "linkonce_odr"
    return module


@cache
def _as_numba(function: Any) -> Any:
    """Return `function` for numba, with the parts that it calls replaced in the same way."""
    names = function.__globals__
    parts = {
        name: _as_numba(names[name]) for name in function.__code__.co_names if hasattr(names.get(name), "part_options")
    }
    copy = FunctionType(function.__code__, {**names, **parts}, function.__name__, function.__defaults__)
    copy.__module__, copy.__qualname__ = function.__module__, function.__qualname__
    return numba.njit(**_OPTIONS, **getattr(function, "part_options", {}))(copy)


def main(modules: Sequence[str]) -> None:
    """Compile the kernels of `modules`; write the symbol of each to stdout, then the size of the object file and it."""
    output = sys.stdout.buffer
    for module in modules:
        importlib.import_module(module)

    def compiled(symbol: str) -> None:
        output.write(symbol.encode() + b"\n")
        output.flush()

    kernels = [kernel for kernel in KERNELS if kernel.function.__module__ in modules]
    data = compile_kernels(kernels, compiled)
    output.write(f"object {len(data)}\n".encode() + data)
    output.flush()
