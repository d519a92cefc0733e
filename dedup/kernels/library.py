"""Load the machine code of all kernels from one file in a cache folder; compile it first where there is none.

The name of the file is a digest of everything that the code depends on: the kernels themselves, the versions of what
compiles them, and the processor. So the folder of the package makes no difference, and a changed kernel is compiled
again. A file is complete or absent; a damaged one is compiled again. Loading needs LLVM, but neither numba nor the
compiler's other libraries.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import version
from itertools import accumulate, pairwise
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import llvmlite.binding as llvm
import numpy as np

from dedup.kernels import (  # noqa: F401 - all modules that declare kernels
    buckets,
    contained,
    encoding_lines,
    facts,
    form_names,
    line_forms,
    page_furniture_lines,
    prefix_hashes,
    repair_screen,
    segments,
    self_alignment,
    self_repeat_screen,
    sentences,
    set_index,
    set_overlap,
    shingles,
    survivors,
    versions,
    vocabulary,
    word_edits,
    word_profiles,
    written_words,
)
from dedup.kernels.cache_folders import cache_folders, write_whole
from dedup.kernels.compilation import compile_in_processes
from dedup.kernels.declare import KERNELS, Kernel

CompileProgress = Callable[[int, int], None]  # kernels compiled so far, and in all

_FORMAT = 1  # of the file; changes with the way in which `dedup.kernels.build` calls and compiles kernels
_FILES_KEPT = 8  # in a cache folder: other processors that share it, other versions
_DIGEST_BYTES = 64  # in hexadecimal digits, before the content of a file

_lock = threading.Lock()
_engines: list[Any] = []  # of LLVM, with the code of all kernels, once it is loaded


def load_kernels(progress: CompileProgress | None = None) -> None:
    """Load the machine code of all kernels, once in a process; compile it first if no cache folder has it.

    `progress` is called only if the code must be compiled. Raises `EngineError` if that fails.
    """
    with _lock:
        if not _engines:
            _engines.append(_load(_read_cached() or _compile_and_cache(progress)))


def bind(kernel: Kernel) -> Callable[..., Any]:
    """Return the machine code of `kernel` as a function of addresses, sizes and numbers."""
    load_kernels()
    arguments: list[Any] = []
    for parameter in kernel.flat_parameters:
        if parameter.dimensions:
            arguments += [ctypes.c_void_p, *[ctypes.c_ssize_t] * parameter.dimensions]
        else:
            arguments.append(np.ctypeslib.as_ctypes_type(parameter.dtype))
    returns = None if kernel.returns == "void" else np.ctypeslib.as_ctypes_type(np.dtype(kernel.returns))
    address = _engines[0].get_function_address(kernel.symbol)
    return ctypes.CFUNCTYPE(returns, *arguments)(address)


def cached_file() -> Path | None:
    """Return the file that holds the machine code of this installation, or None if there is none."""
    return next((folder / _file_name() for folder in cache_folders() if _read(folder / _file_name())), None)


def _load(objects: Sequence[bytes]) -> Any:
    """Return an engine of LLVM that holds the code of `objects`."""
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target_machine())
    for data in objects:
        engine.add_object_file(llvm.ObjectFileRef.from_data(data))
    engine.finalize_object()
    return engine


@cache
def target_machine() -> Any:
    """Return LLVM's description of this processor, for code that is loaded at any address."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        reloc="static" if target.name.startswith("x86") else "default",
        codemodel="jitdefault",
        jit=True,
    )


def _read_cached() -> list[bytes] | None:
    """Return the object files of the first cache folder that has them, or None."""
    return next(filter(None, (_read(folder / _file_name()) for folder in cache_folders())), None)


def _read(path: Path) -> list[bytes] | None:
    """Return the object files in the file `path`, or None if it is missing or damaged."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    content = data[_DIGEST_BYTES:]
    if hashlib.sha256(content).hexdigest().encode() != data[:_DIGEST_BYTES]:
        return None
    header, _, code = content.partition(b"\n")
    return [code[start:stop] for start, stop in pairwise(accumulate(json.loads(header), initial=0))]


def _compile_and_cache(progress: CompileProgress | None) -> list[bytes]:
    """Return the object files of all kernels, after writing them to the first cache folder that can be written.

    Of several processes that need them at once, one compiles and the others wait.
    """
    if progress:
        progress(0, len(KERNELS))
    with _locked_folder() as folder:
        cached = _read_cached()
        if cached:
            return cached
        objects = compile_in_processes(KERNELS, progress)
        if folder is not None:
            content = json.dumps([len(each) for each in objects]).encode() + b"\n" + b"".join(objects)
            with suppress(OSError):
                write_whole(folder / _file_name(), hashlib.sha256(content).hexdigest().encode() + content)
                _remove_old_files(folder)
    return objects


@contextmanager
def _locked_folder() -> Iterator[Path | None]:
    """Yield the first cache folder that can be written, locked against other processes; None if there is none.

    The system unlocks it when the process ends, however it does.
    """
    for folder in cache_folders():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file = (folder / "kernels.lock").open("wb")
        except OSError:
            continue
        with file:
            with suppress(ImportError, OSError):  # not Unix, or a file system without locks
                import fcntl  # noqa: PLC0415

                fcntl.flock(file, fcntl.LOCK_EX)
            yield folder
        return
    yield None


def _remove_old_files(folder: Path) -> None:
    """Remove all but the newest few files of machine code in `folder`."""
    files = sorted(folder.glob("kernels-*.bin"), key=lambda path: path.stat().st_mtime_ns)
    for path in files[:-_FILES_KEPT]:
        path.unlink(missing_ok=True)


@cache
def _file_name() -> str:
    """Return the name of the file of machine code for these kernels, these versions and this processor."""
    parts: list[Any] = [_FORMAT, sys.version, *map(version, ("numba", "llvmlite"))]
    parts += [llvm.get_process_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()]
    seen: set[Any] = set()
    for kernel in sorted(KERNELS, key=lambda kernel: kernel.symbol):  # not in the order of imports
        parts += [kernel.symbol, kernel.parameters, kernel.returns]
        _describe(kernel.function, seen, parts)
    digest = hashlib.sha256("\n".join(map(repr, parts)).encode()).hexdigest()
    return f"kernels-{digest[:20]}.bin"


def _describe(function: Any, seen: set[Any], parts: list[Any]) -> None:
    """Add to `parts` what the machine code of `function` depends on: its bytecode, and the globals that it names."""
    if function in seen:
        return
    seen.add(function)
    code: CodeType = function.__code__
    if any(isinstance(value, (CodeType, frozenset)) for value in code.co_consts):
        raise TypeError(f"{function.__qualname__}: a kernel cannot have functions or sets inside")
    parts += [function.__qualname__, code.co_code, code.co_consts, code.co_names, code.co_varnames]
    parts.append(getattr(function, "part_options", None))
    for name in code.co_names:
        value = function.__globals__.get(name)
        if hasattr(value, "part_options"):
            _describe(value, seen, parts)
        elif isinstance(value, (int, np.generic)):
            parts.append((name, type(value).__name__, int(value)))
        elif value is not None and not isinstance(value, (ModuleType, type)) and value is not Any:
            raise TypeError(f"{function.__qualname__}: a kernel cannot depend on {name}, {value!r}")
