"""Serve an index over HTTP until the process is interrupted."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path

from dedup.errors import SettingsError
from dedup.online.online_index import Index
from dedup.settings import Settings
from dedup.view.serve import LOOPBACK, listening

SERVE_PORT = 8644
LARGEST_REQUEST = 4 << 20  # bytes; the longest article of the corpora of docs/quality.md has 0.1 MB
_STOPPING_SECONDS = 10  # for requests that are being answered when the process is interrupted
_INSTALL_SERVE = "install the extra serve: run pip install '.[serve]' in a checkout of this project"


def check_serve_libraries() -> None:
    """Raise `SettingsError` if a library of the extra `serve` is not installed."""
    for name in ("starlette", "uvicorn", "prometheus_client"):
        if find_spec(name) is None:
            raise SettingsError(f"a server needs {name}; {_INSTALL_SERVE}")


def serve_index(
    place: str | Path,
    settings: Settings,
    *,
    host: str,
    port: int,
    token: str | None,
    largest: int,
    announce: Callable[[str, str], None],
) -> None:
    """Serve the index at `place` until the process is interrupted.

    `port` 0 takes a free one. Without a `token`, the server makes a new one. It calls `announce` with the address and
    the token as soon as it answers. A request may have at most `largest` bytes. Raises `IndexFolderError` if `place` is
    not an index, `OutputError` if the port is taken, and `SettingsError` if a library is missing.
    """
    check_serve_libraries()
    import uvicorn  # noqa: PLC0415 - an extra

    from dedup.service.access import TokenGuard  # noqa: PLC0415
    from dedup.service.endpoints import Endpoints  # noqa: PLC0415
    from dedup.service.request_metrics import RequestMetrics  # noqa: PLC0415

    with listening(port, host) as listener, Index(place, settings) as index:
        token, bound = token or secrets.token_urlsafe(24), listener.getsockname()[1]
        metrics = RequestMetrics(index)
        shown = f"[{host}]" if ":" in host else host
        hosts = frozenset(f"{name}:{bound}" for name in (shown, LOOPBACK, "localhost")) if _is_loopback(host) else None
        config = uvicorn.Config(
            TokenGuard(Endpoints(index, metrics, largest).application(), token, hosts, metrics),
            log_level="error",
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=_STOPPING_SECONDS,
        )
        announce(f"http://{shown}:{bound}/", token)
        uvicorn.Server(config).run(sockets=[listener])


def _is_loopback(host: str) -> bool:
    """Return True if only this machine can reach `host`."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
