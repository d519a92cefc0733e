"""Serve the pages of an output on the loopback interface until the person stops it."""

from __future__ import annotations

import getpass
import secrets
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from dedup.errors import OutputError, SettingsError
from dedup.inspect.output import open_output

LOOPBACK = "127.0.0.1"
_INSTALL_VIEW = "install the extra view: run pip install '.[view]' in a checkout of this project"


def check_view_libraries() -> None:
    """Raise `SettingsError` if a library of the extra `view` is not installed."""
    for name in ("starlette", "uvicorn", "jinja2", "duckdb"):
        if find_spec(name) is None:
            raise SettingsError(f"a view needs {name}; {_INSTALL_VIEW}")


def user_name() -> str:
    """Return the name of the person at this machine, which decisions get; empty if the system does not tell."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def serve(path: Path, port: int, by: str, announce: Callable[[str], None]) -> None:
    """Serve the output at `path` on the loopback interface until the process is interrupted.

    `port` 0 takes a free one. `announce` is called with the address as soon as the server answers there; it has a
    token, without which nothing is served. Raises `OutputError` if `path` is no output or the port is taken.
    """
    check_view_libraries()
    open_output(path)
    import uvicorn  # noqa: PLC0415 - an extra

    from dedup.view.app import View  # noqa: PLC0415
    from dedup.view.guard import Guard  # noqa: PLC0415

    with listening(port) as listener, tempfile.TemporaryDirectory(prefix="dedup-view-") as work:
        token, bound = secrets.token_urlsafe(24), listener.getsockname()[1]
        view = View(path.resolve(), Path(work), by)
        config = uvicorn.Config(
            Guard(view.application(), bound, token),
            log_level="error",
            access_log=False,
            server_header=False,
            lifespan="off",
        )
        try:
            announce(f"http://{LOOPBACK}:{bound}/?token={token}")
            uvicorn.Server(config).run(sockets=[listener])
        finally:
            view.close()


@contextmanager
def listening(port: int, host: str = LOOPBACK) -> Iterator[socket.socket]:
    """Yield a socket that listens at `host`, by default on the loopback interface alone."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except socket.gaierror as error:
            raise OutputError(f"host {host}: {error.strerror}; name an address of this machine") from None
        except OSError as error:
            raise OutputError(f"port {port}: {error.strerror}; name another `port`, or 0 for a free one") from None
        listener.listen(128)
        yield listener
