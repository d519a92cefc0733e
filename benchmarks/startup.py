"""How long the smallest jobs take: ``--help``, the version, and the two articles of ``corpus/``.

python benchmarks/startup.py [--runs 9] [--write]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import contenders
import machine
from processes import measured


def main() -> None:
    """Prints medians, and with ``--write`` keeps them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--write", action="store_true", help="keep the figures in results/startup.json")
    given = parser.parse_args()
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "dedup --help": [sys.executable, "-m", "dedup", "--help"],
            "dedup --version": [sys.executable, "-m", "dedup", "--version"],
            "dedup clean corpus": contenders.clean(contenders.ROOT / "corpus", out, ["--force"]),
        }
        for name, command in commands.items():
            measured(command, environment=contenders.ENVIRONMENT)
            done = [measured(command, Path(folder), contenders.ENVIRONMENT) for _ in range(given.runs)]
            if any(contenders.failed(name, each) for each in done):
                sys.exit(1)
            seconds = [each.seconds for each in done]
            figures[name] = {
                "seconds": round(statistics.median(seconds), 3),
                "all seconds": [round(each, 3) for each in seconds],
                "largest process MB": round(statistics.median(each.largest for each in done)),
            }
            print(name, figures[name]["seconds"])
    if given.write:
        print(machine.keep("startup", figures).name, file=sys.stderr)


if __name__ == "__main__":
    main()
