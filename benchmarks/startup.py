"""Time and memory of the smallest jobs, of the first start of a larger job, which compiles, and of later ones.

The smallest jobs are ``--help``, the version, and the sample articles of ``corpus/``. A warm start is all that a larger
job does before and beside its work: it imports modules, loads machine code and tables, and matches a few sample lines.
On a busy machine, compare CPU seconds, which include those of child processes.

python -m benchmarks.startup [--runs 9] [--write]
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.contenders import ENVIRONMENT, ROOT, clean_command, report_failure
from benchmarks.processes import measure_command
from benchmarks.stored_results import save_results

WARM_START, FIRST_START = "warm start of a larger job", "first start: dedup warm-up"
_WARM_START = """
from dedup import cli, pipeline
from dedup.cli.quick_start import leave_out_pandas
from dedup.kernels.backend import load_backend
from dedup.settings import Settings

leave_out_pandas()
pipeline._warm_up_matching(Settings(), load_backend(compiled=True))
"""


def _cpu_seconds() -> float:
    """Return the CPU seconds of all child processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    """Print the medians, and save them with ``--write``."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--write", action="store_true", help="save the figures in results/startup.json")
    options = parser.parse_args()
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "dedup --help": [sys.executable, "-m", "dedup", "--help"],
            "dedup --version": [sys.executable, "-m", "dedup", "--version"],
            "dedup clean corpus": clean_command(ROOT / "corpus", out, ["--force"]),
            WARM_START: [sys.executable, "-c", _WARM_START],
            FIRST_START: [sys.executable, "-m", "dedup", "warm-up", "--quiet"],
        }
        for name, command in commands.items():
            is_first = name == FIRST_START
            if not is_first:
                measure_command(command, environment=ENVIRONMENT)  # fills the file cache
            measurements, cpu_seconds = [], []
            for run in range(min(options.runs, 3) if is_first else options.runs):
                cache = {"NUMBA_CACHE_DIR": str(Path(folder) / f"cache-{run}")} if is_first else {}
                before = _cpu_seconds()
                measurements.append(measure_command(command, Path(folder), ENVIRONMENT | cache))
                cpu_seconds.append(_cpu_seconds() - before)
            if any(report_failure(name, measurement) for measurement in measurements):
                sys.exit(1)
            seconds = [measurement.seconds for measurement in measurements]
            figures[name] = {
                "seconds": round(statistics.median(seconds), 3),
                "CPU seconds": round(statistics.median(cpu_seconds), 3),
                "all seconds": [round(each, 3) for each in seconds],
                "largest process MB": round(statistics.median(measurement.largest for measurement in measurements)),
            }
            print(name, figures[name]["seconds"], "CPU:", figures[name]["CPU seconds"])
    if options.write:
        print(save_results("startup", figures).name, file=sys.stderr)


if __name__ == "__main__":
    main()
