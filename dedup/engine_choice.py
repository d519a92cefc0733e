"""Find the engine that a name stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dedup.engines.local import LocalEngine
from dedup.settings import invalid

if TYPE_CHECKING:
    from dedup.spark import SparkEngine


def engine_of(engine: str | LocalEngine | SparkEngine) -> LocalEngine | SparkEngine:
    """Return the engine that `engine` names or is. Raises `SettingsError` for anything else."""
    if engine == "spark":
        from dedup.spark import SparkEngine as Spark  # noqa: PLC0415 - needs an extra

        return Spark()
    return local_engine(engine) if isinstance(engine, str) or not hasattr(engine, "job") else engine


def local_engine(engine: str | LocalEngine) -> LocalEngine:
    """Return the local engine that `engine` names or is. Raises `SettingsError` for an unknown name."""
    if isinstance(engine, LocalEngine):
        return engine
    if engine == "local":
        return LocalEngine()
    raise invalid("engine", engine, "not known; use 'local' or 'spark', a LocalEngine or a SparkEngine")
