"""Answer the requests of a browser with pages and with JSON."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from importlib.resources import files
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from dedup.errors import DedupError
from dedup.output_layout import REVIEW_FILE
from dedup.view.contents import Contents
from dedup.view.deciding import Deciding
from dedup.view.pages import page_templates
from dedup.view.reviews import DecidedElsewhereError, Reviews
from dedup.view.runs import CurrentRun, NotThereError

Endpoint = Callable[[Request], Awaitable[Response]]

STATIC = {"view.js": "text/javascript", "view.css": "text/css", "icon.svg": "image/svg+xml"}
_INDEX_SECONDS = 0.2  # that a page waits for it


class View:
    """The pages of the output at `path`; `work` is a temporary folder, and `by` the name that decisions get."""

    def __init__(self, path: Path, work: Path, by: str) -> None:
        self.reviews = Reviews(path / REVIEW_FILE, by)
        self.current = CurrentRun(path, work)
        self.contents = Contents(self.current, self.reviews)
        self.deciding = Deciding(self.current, self.reviews)
        self._templates = page_templates()

    def close(self) -> None:
        """Close the database."""
        self.current.close()

    def application(self) -> Starlette:
        """Return the application that answers requests."""
        contents = self.contents
        without_index = {
            "/": contents.overview,
            "/site-text": contents.site_text,
            "/quarantine": contents.quarantine,
            "/history": contents.history,
        }
        with_index = {
            "/findings": contents.findings,
            "/articles": contents.articles,
            "/article/{number:int}": contents.article,
            "/groups": contents.groups,
            "/group/{number:int}": contents.group,
        }
        routes = [Route(path, self._page(make, needs_index=False)) for path, make in without_index.items()]
        routes += [Route(path, self._page(make, needs_index=True)) for path, make in with_index.items()]
        routes += [
            Route("/state", _json_endpoint(self.deciding.state), methods=["GET"]),
            Route("/decide", _json_endpoint(self.deciding.decide), methods=["POST"]),
            Route("/undo", _json_endpoint(self.deciding.undo), methods=["POST"]),
            Route("/static/{name}", _static),
        ]
        return Starlette(routes=routes)

    def _page(self, make: Callable[[Mapping[str, str]], dict[str, Any]], *, needs_index: bool) -> Endpoint:
        """Return the endpoint of a page; one that needs the index says how far it is until it is there."""

        def answer(request: Request) -> Response:
            parameters = {
                name: str(value) for name, value in (*request.query_params.items(), *request.path_params.items())
            }
            try:
                if needs_index and not self.current.get().index.wait(_INDEX_SECONDS):
                    return self._render({"template": "reading.html"}, request)
                return self._render(make(parameters), request)
            except NotThereError as error:
                return self._problem(request, error, HTTPStatus.NOT_FOUND)
            except DedupError as error:
                return self._problem(request, error, HTTPStatus.BAD_REQUEST)

        async def endpoint(request: Request) -> Response:
            return await run_in_threadpool(answer, request)

        return endpoint

    def _problem(self, request: Request, error: Exception, status: HTTPStatus) -> Response:
        return self._render({"template": "problem.html", "problem": str(error)}, request, status)

    def _render(self, values: dict[str, Any], request: Request, status: HTTPStatus = HTTPStatus.OK) -> Response:
        run = self.current.get()
        shared = {
            "page": request.url.path,
            "version": self.reviews.standing().version,
            "progress": run.index.progress,
            "ready": run.index.is_ready,
            "name": run.output.path.name,
            "query": dict(request.query_params),
        }
        return HTMLResponse(self._templates.get_template(values["template"]).render({**shared, **values}), status)


def _json_endpoint(make: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Endpoint:
    """Return the endpoint that answers JSON with JSON."""

    def answer(body: Mapping[str, Any]) -> Response:
        try:
            return JSONResponse(make(body))
        except DecidedElsewhereError as error:
            return JSONResponse({"error": str(error)}, HTTPStatus.CONFLICT)
        except DedupError as error:
            return JSONResponse({"error": str(error)}, HTTPStatus.BAD_REQUEST)

    async def endpoint(request: Request) -> Response:
        if request.method != "POST":
            return await run_in_threadpool(answer, {})
        if request.headers.get("content-type", "").partition(";")[0] != "application/json":
            return JSONResponse({"error": "give JSON"}, HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        try:
            body = json.loads(await request.body())
        except ValueError:
            body = None
        if not isinstance(body, dict):
            return JSONResponse({"error": "not a JSON object"}, HTTPStatus.BAD_REQUEST)
        return await run_in_threadpool(answer, body)

    return endpoint


async def _static(request: Request) -> Response:
    """Return a file of this package; no other file can be named."""
    name = request.path_params["name"]
    if name not in STATIC:
        return Response("", HTTPStatus.NOT_FOUND)
    return Response((files("dedup.view") / "static" / name).read_bytes(), media_type=STATIC[name])
