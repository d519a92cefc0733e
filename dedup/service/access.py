"""Check the token of each request and, on the loopback interface, the host that it names.

On the loopback interface, any page in a browser can send requests to the server, and a hostile name server can resolve
its own name to this machine (DNS rebinding). So a request must carry the token, which no page knows, and name this
host.
"""

from __future__ import annotations

import secrets
from collections.abc import MutableMapping
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from dedup.service.request_metrics import RequestMetrics
from dedup.service.responses import problem
from dedup.view.guard import HEADERS, AsgiApp, Receive, Scope, Send

OPEN_PATHS = ("/health", "/openapi.json")  # reveal nothing about articles


class TokenGuard:
    """An application that passes on requests with the `token`; unless `hosts` is None, they must name one of these."""

    def __init__(self, app: AsgiApp, token: str, hosts: frozenset[str] | None, metrics: RequestMetrics) -> None:
        self.app = app
        self.token = token
        self.hosts = hosts
        self.metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            return

        async def send_guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                self.metrics.count_answer(scope["path"], message["status"])
                extra = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", ()), *extra]}
            await send(message)

        await (self._refusal(scope) or self.app)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        """Return the answer to a request that is rejected; None if it is accepted."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if self.hosts is not None and headers.get("host", "") not in self.hosts:
            return problem(HTTPStatus.MISDIRECTED_REQUEST, "this server answers only at the address that it printed")
        kind, _, given = headers.get("authorization", "").partition(" ")
        is_known = kind.lower() == "bearer" and secrets.compare_digest(given.strip().encode(), self.token.encode())
        if not is_known and scope["path"] not in OPEN_PATHS:
            answer = problem(HTTPStatus.UNAUTHORIZED, "send the token: Authorization: Bearer TOKEN")
            answer.headers["WWW-Authenticate"] = "Bearer"
            return answer
        return None
