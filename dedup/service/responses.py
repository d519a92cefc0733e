"""Answers in JSON."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from starlette.responses import Response


def json_answer(contents: Any, status: int = HTTPStatus.OK) -> Response:
    """Return an answer in ASCII, so that it can hold the lone surrogates of a text."""
    return Response(json.dumps(contents).encode("ascii"), status, media_type="application/json")


def problem(status: int, text: str) -> Response:
    """Return the answer to a request that is rejected or wrong."""
    return json_answer({"error": text}, status)
