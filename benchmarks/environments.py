"""An environment of its own for each peer, with the versions its ``peers/NAME.txt`` pins, built once.

python benchmarks/environments.py [NAME ...]
"""

from __future__ import annotations

import json
import subprocess
import sys
import venv
from functools import cache
from pathlib import Path

PEERS = Path(__file__).with_name("peers")
BUILD = Path(__file__).parents[1] / "build"
ENVIRONMENTS = BUILD / "bench-envs"
NAMES = tuple(sorted(path.stem for path in PEERS.glob("*.txt")))
MINUTES = 15  # for an environment; a resolver that has found nothing by then will not


@cache
def python(name: str) -> Path | None:
    """The interpreter of a peer's environment, made if need be; None, and a line that says why, if it cannot be."""
    folder, wanted = ENVIRONMENTS / name, (PEERS / f"{name}.txt").read_text(encoding="utf-8")
    interpreter, mark = folder / "bin" / "python", folder / "requirements.txt"
    if mark.exists() and mark.read_text(encoding="utf-8") == wanted:
        return interpreter
    print(f"{name}: making its environment", file=sys.stderr)
    try:
        venv.create(folder, with_pip=True, clear=True)
        install = [str(interpreter), "-m", "pip", "install", "--quiet", "-r", str(PEERS / f"{name}.txt")]
        subprocess.run(install, check=True, timeout=60 * MINUTES, capture_output=True, text=True)
    except (subprocess.SubprocessError, OSError) as error:
        told = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        print(f"{name}: left out, its environment cannot be made here: {told[-1] if told else error}", file=sys.stderr)
        return None
    mark.write_text(wanted, encoding="utf-8")
    return interpreter


def versions(name: str) -> dict[str, str]:
    """The versions of what a peer's requirements name, as installed."""
    interpreter = python(name)
    if interpreter is None:
        return {}
    listed = subprocess.run(
        [str(interpreter), "-m", "pip", "list", "--format=json"], check=True, capture_output=True, text=True
    )
    found = {row["name"].lower().replace("_", "-"): row["version"] for row in json.loads(listed.stdout)}
    lines = (PEERS / f"{name}.txt").read_text(encoding="utf-8").split("\n")
    wanted = [line.split("=")[0].split("<")[0].split(">")[0] for line in lines if line and not line.startswith("#")]
    return {each: found[each] for each in wanted if each in found}


def main() -> None:
    """Makes the environments named, or all."""
    for name in sys.argv[1:] or NAMES:
        print(f"{name}: {versions(name) or 'left out'}")


if __name__ == "__main__":
    main()
