"""Time and memory of the smallest jobs: ``--help``, the version, and the sample articles of ``corpus/``.

python -m benchmarks.startup [--runs 9] [--write]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

from benchmarks.contenders import ENVIRONMENT, ROOT, clean_command, report_failure
from benchmarks.processes import measure_command
from benchmarks.stored_results import save_results


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
        }
        for name, command in commands.items():
            measure_command(command, environment=ENVIRONMENT)  # fills the file cache
            measurements = [measure_command(command, Path(folder), ENVIRONMENT) for _ in range(options.runs)]
            if any(report_failure(name, measurement) for measurement in measurements):
                sys.exit(1)
            seconds = [measurement.seconds for measurement in measurements]
            figures[name] = {
                "seconds": round(statistics.median(seconds), 3),
                "all seconds": [round(each, 3) for each in seconds],
                "largest process MB": round(statistics.median(measurement.largest for measurement in measurements)),
            }
            print(name, figures[name]["seconds"])
    if options.write:
        print(save_results("startup", figures).name, file=sys.stderr)


if __name__ == "__main__":
    main()
