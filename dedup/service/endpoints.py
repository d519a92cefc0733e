"""Answer requests about articles with verdicts as JSON; the index works in threads."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from dedup.errors import IndexFolderError, InputError
from dedup.online.online_index import Index
from dedup.service.api_document import api_document
from dedup.service.request_metrics import METRICS_TYPE, RequestMetrics
from dedup.service.responses import json_answer, problem

BODY_SECONDS = 60  # in which a client must have sent the whole request
Answering = Callable[[dict[str, Any]], dict[str, Any]]


class _RefusedError(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: HTTPStatus, text: str) -> None:
        super().__init__(text)
        self.status = status


class Endpoints:
    """The endpoints of `index`; a request may have at most `largest` bytes."""

    def __init__(self, index: Index, metrics: RequestMetrics, largest: int) -> None:
        self.index = index
        self.metrics = metrics
        self.largest = largest

    def application(self) -> Starlette:
        """Return the application that answers requests."""
        return Starlette(
            routes=[
                Route("/query", self._posted(self._verdict("/query", self.index.query)), methods=["POST"]),
                Route("/add", self._posted(self._verdict("/add", self.index.add)), methods=["POST"]),
                Route("/remove", self._posted(self._remove), methods=["POST"]),
                Route("/health", self._health),
                Route("/metrics", self._metrics),
                Route("/openapi.json", _document),
            ],
            exception_handlers={HTTPException: _as_problem},
        )

    def _verdict(self, path: str, ask: Callable[[dict[str, Any]], Any]) -> Answering:
        """Return the function that takes an article and returns a verdict."""

        def answer(article: dict[str, Any]) -> dict[str, Any]:
            with self.metrics.timed(path):
                verdict = ask(article)
            self.metrics.count_verdict(path, verdict)
            contents: dict[str, Any] = verdict.as_dict()
            return contents

        return answer

    def _remove(self, request: dict[str, Any]) -> dict[str, Any]:
        """Remove the articles of an id."""
        name = request.get("id")
        if not isinstance(name, str):
            raise InputError("no id in the request; give that of an article")
        return {"removed": self.index.remove(name)}

    def _posted(self, answer: Answering) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint that takes a JSON object and answers with JSON."""

        async def endpoint(request: Request) -> Response:
            try:
                contents = await self._read_object(request)
                return json_answer(await run_in_threadpool(answer, contents))
            except _RefusedError as error:
                refusal = problem(error.status, str(error))
                if error.status == HTTPStatus.REQUEST_TIMEOUT:
                    refusal.headers["Connection"] = (
                        "close"  # otherwise the server would read the rest as another request
                    )
                return refusal
            except InputError as error:
                return problem(HTTPStatus.BAD_REQUEST, str(error))
            except IndexFolderError as error:
                return problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error))

        return endpoint

    async def _read_object(self, request: Request) -> dict[str, Any]:
        """Return the JSON object of a request. Raises `_RefusedError` if it has none or is too large."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            raise _RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send JSON: Content-Type: application/json")
        try:
            async with asyncio.timeout(BODY_SECONDS):
                data = await self._read_body(request)
        except TimeoutError:
            text = f"the request is not complete after {BODY_SECONDS} seconds; send it again"
            raise _RefusedError(HTTPStatus.REQUEST_TIMEOUT, text) from None
        except ClientDisconnect:  # nobody reads the answer
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "the request is not complete; send it again") from None
        except asyncio.CancelledError:  # the server is stopping
            raise _RefusedError(
                HTTPStatus.SERVICE_UNAVAILABLE, "the server is stopping; send the request again later"
            ) from None
        try:
            contents = json.loads(data)
        except (ValueError, RecursionError):
            contents = None
        if not isinstance(contents, dict):
            raise _RefusedError(HTTPStatus.BAD_REQUEST, "the request is not a JSON object; send one article")
        return contents

    async def _read_body(self, request: Request) -> bytes:
        """Return the body of a request. Raises `_RefusedError` if it is too large."""
        data = bytearray()
        async for chunk in request.stream():
            data += chunk
            if len(data) > self.largest:
                text = f"a request may have {self.largest:,} bytes; start the server with a larger --max-request"
                raise _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text)
        return bytes(data)

    async def _health(self, _request: Request) -> Response:
        """Check that the index answers."""
        try:
            await run_in_threadpool(len, self.index)
        except IndexFolderError:
            return problem(HTTPStatus.SERVICE_UNAVAILABLE, "the index cannot be used")
        return json_answer({"status": "ok"})

    async def _metrics(self, _request: Request) -> Response:
        """Return the metrics."""
        return Response(await run_in_threadpool(self.metrics.as_text), headers={"content-type": METRICS_TYPE})


async def _document(_request: Request) -> Response:
    """Return the OpenAPI document."""
    return json_answer(api_document())


async def _as_problem(_request: Request, error: Exception) -> Response:
    """Return the answer to an unknown path or method."""
    assert isinstance(error, HTTPException)
    answer = problem(error.status_code, f"{error.detail.lower()}; see /openapi.json")
    answer.headers.update(error.headers or {})
    return answer
