"""Let only the person at this machine in: the right host, origin and token, and headers that forbid scripts of others.

The server listens on the loopback interface alone. Even so, any page in the browser can send requests there, and a
hostile name server can make its own name mean this machine. So each request must name this host and carry the token of
the address that was printed, and one that changes something must come from a page of this server.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qs

from starlette.responses import PlainTextResponse, RedirectResponse, Response

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
AsgiApp = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_BODY = 64 << 10  # bytes of a request

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Guard:
    """An application that passes on only requests of the person who has started the server.

    `port` is the one that it listens on, `token` the secret of the address that was printed.
    """

    def __init__(self, app: AsgiApp, port: int, token: str) -> None:
        self.app = app
        self.token = token
        self.cookie = f"dedup-view-{port}"
        self.hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return

        async def send_guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                extra = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
                message = {**message, "headers": [*message.get("headers", ()), *extra]}
            await send(message)

        answer = self._refusal(scope)
        await (answer or self.app)(scope, receive, send_guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        """Return the answer to a request that is not passed on; None if it is."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get("host", "")
        if host not in self.hosts:
            return PlainTextResponse("This server answers only at the address that dedup view printed.\n", 421)
        origin = headers.get("origin")
        is_reading = scope["method"] in {"GET", "HEAD"}
        if (origin is not None and origin != f"http://{host}") or (origin is None and not is_reading):
            return PlainTextResponse("This request does not come from a page of this server.\n", 403)
        if headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
            return PlainTextResponse("This request does not come from a page of this server.\n", 403)
        if not is_reading and int(headers.get("content-length") or LARGEST_BODY + 1) > LARGEST_BODY:
            return PlainTextResponse("This request is too large.\n", 413)
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if given and self._is_token(given):
            answer = RedirectResponse(scope["path"], 303)
            answer.set_cookie(self.cookie, self.token, httponly=True, samesite="strict")
            return answer
        if not self._is_token(_cookies(headers.get("cookie", "")).get(self.cookie, "")):
            return PlainTextResponse("Open the address that dedup view printed: it has a token.\n", 403)
        return None

    def _is_token(self, given: str) -> bool:
        return secrets.compare_digest(given.encode(), self.token.encode())


def _cookies(header: str) -> dict[str, str]:
    """Return the cookies of a request by name."""
    try:
        return {name: morsel.value for name, morsel in SimpleCookie(header).items()}
    except CookieError:
        return {}
