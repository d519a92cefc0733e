"""``python -m dedup`` and the command ``dedup``: take care of signals first, since loading the rest takes a while."""

from typing import NoReturn

from dedup.runtime.descriptors import occupy_closed_descriptors
from dedup.runtime.interruption import end_at_once


def start() -> NoReturn:
    """Run the command line with the arguments of the process, and exit."""
    occupy_closed_descriptors()
    end_at_once()
    from dedup.cli import main  # noqa: PLC0415

    main()


if __name__ == "__main__":
    start()
