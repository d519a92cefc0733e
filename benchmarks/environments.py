"""One virtual environment for each peer, built once with the versions that its ``peers/NAME.txt`` pins.

python -m benchmarks.environments [NAME ...]
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
PEER_NAMES = tuple(sorted(path.stem for path in PEERS.glob("*.txt")))
MINUTES = 15  # limit for installing an environment; a resolver without a result by then will not find one


@cache
def interpreter_of(name: str) -> Path | None:
    """Return the interpreter of a peer's environment, and build the environment if necessary.

    Returns None, and prints the reason in one line, if the environment cannot be built.
    """
    folder, requirements = ENVIRONMENTS / name, (PEERS / f"{name}.txt").read_text(encoding="utf-8")
    interpreter, installed = folder / "bin" / "python", folder / "requirements.txt"
    if installed.exists() and installed.read_text(encoding="utf-8") == requirements:
        return interpreter
    print(f"{name}: building its environment", file=sys.stderr)
    try:
        venv.create(folder, with_pip=True, clear=True)
        install = [str(interpreter), "-m", "pip", "install", "--quiet", "-r", str(PEERS / f"{name}.txt")]
        subprocess.run(install, check=True, timeout=60 * MINUTES, capture_output=True, text=True)
    except (subprocess.SubprocessError, OSError) as error:
        lines = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
        print(f"{name}: skipped, its environment cannot be built: {lines[-1] if lines else error}", file=sys.stderr)
        return None
    installed.write_text(requirements, encoding="utf-8")
    return interpreter


def installed_versions(name: str) -> dict[str, str]:
    """Return the installed version of each package that a peer's requirements name."""
    interpreter = interpreter_of(name)
    if interpreter is None:
        return {}
    listing = subprocess.run(
        [str(interpreter), "-m", "pip", "list", "--format=json"], check=True, capture_output=True, text=True
    )
    installed = {row["name"].lower().replace("_", "-"): row["version"] for row in json.loads(listing.stdout)}
    lines = (PEERS / f"{name}.txt").read_text(encoding="utf-8").split("\n")
    packages = [line.split("=")[0].split("<")[0].split(">")[0] for line in lines if line and not line.startswith("#")]
    return {package: installed[package] for package in packages if package in installed}


def main() -> None:
    """Build the environments named on the command line, or all, and print their versions."""
    for name in sys.argv[1:] or PEER_NAMES:
        print(f"{name}: {installed_versions(name) or 'skipped'}")


if __name__ == "__main__":
    main()
