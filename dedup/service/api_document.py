"""The OpenAPI document of a server."""

from __future__ import annotations

from typing import Any

from dedup import __version__
from dedup.findings import Finding

_NULLABLE = {"string": ["string", "null"], "integer": ["integer", "null"], "number": ["number", "null"]}
_FINDING_TYPES = {
    **dict.fromkeys(("article", "source", "rule", "action"), "string"),
    "record": "integer",
    "start": "integer",
    "stop": "integer",
}
_OPTIONAL_TYPES = {"twin_start": "integer", "twin_stop": "integer", "twin_record": "integer", "similarity": "number"}


def _finding_schema() -> dict[str, Any]:
    """Return the schema of a finding."""
    types = {
        name: {"type": _FINDING_TYPES.get(name) or _NULLABLE[_OPTIONAL_TYPES.get(name, "string")]}
        for name in Finding._fields
    }
    return {"type": "object", "properties": types, "required": list(types)}


def _verdict_schema() -> dict[str, Any]:
    """Return the schema of a verdict."""
    properties = {
        "article": {"type": "string", "description": "The id of the article."},
        "record": {"type": "integer", "description": "Its number in the index."},
        "kept": {"type": "boolean", "description": "Whether the article is kept."},
        "text": {"type": "string", "description": "The cleaned text."},
        "findings": {"type": "array", "items": {"$ref": "#/components/schemas/Finding"}},
        "rule": {"type": _NULLABLE["string"], "description": "The rule that drops the article."},
        "twin": {"type": _NULLABLE["string"], "description": "The id of the article that it repeats."},
        "twin_source": {"type": _NULLABLE["string"]},
        "twin_record": {"type": _NULLABLE["integer"]},
        "similarity": {"type": _NULLABLE["number"], "description": "The exact Jaccard similarity to the twin."},
        "evidence": {"type": _NULLABLE["string"]},
    }
    return {"type": "object", "properties": properties, "required": list(properties)}


def _answer(description: str, schema: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, "content": content}


_PROBLEMS = {
    "400": _answer("The request holds no valid JSON object.", "Problem"),
    "401": _answer("The token is missing or wrong.", "Problem"),
    "408": _answer("The request was not complete in time.", "Problem"),
    "413": _answer("The request is too large.", "Problem"),
    "415": _answer("The request is not JSON.", "Problem"),
    "503": _answer("The index cannot be used.", "Problem"),
}


def _posting(summary: str, schema: str, answer: dict[str, Any]) -> dict[str, Any]:
    """Return the description of a path that takes JSON."""
    body = {"required": True, "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}}
    return {"post": {"summary": summary, "requestBody": body, "responses": {"200": answer, **_PROBLEMS}}}


def _reading(summary: str, kind: str, schema: dict[str, Any], *, is_open: bool) -> dict[str, Any]:
    """Return the description of a path without a request body."""
    problems = {} if is_open else {"401": _PROBLEMS["401"]}
    answers = {"200": {"description": summary, "content": {kind: {"schema": schema}}}, **problems}
    return {"get": {"summary": summary, "responses": answers, **({"security": []} if is_open else {})}}


def api_document() -> dict[str, Any]:
    """Return the document, as JSON values."""
    article = {
        "type": "object",
        "description": "An article: its text, and any other fields, as a line of JSON Lines has them.",
        "properties": {
            "id": {"description": "Any value; it is compared as text."},
            "text": {"type": ["string", "array"], "items": {"type": "string"}},
        },
        "required": ["text"],
    }
    removal = {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}
    removed = {"type": "object", "properties": {"removed": {"type": "integer"}}, "required": ["removed"]}
    failure = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
    health = {"type": "object", "properties": {"status": {"const": "ok"}}, "required": ["status"]}
    return {
        "openapi": "3.1.0",
        "info": {"title": "dedup serve", "version": __version__, "description": "Ask whether an article is new."},
        "paths": {
            "/query": _posting("Return the verdict on an article.", "Article", _answer("The verdict.", "Verdict")),
            "/add": _posting("Add an article if it is kept.", "Article", _answer("The verdict.", "Verdict")),
            "/remove": _posting("Remove the articles of an id.", "Removal", _answer("Their number.", "Removed")),
            "/health": _reading("The server and the index answer.", "application/json", health, is_open=True),
            "/metrics": _reading("The metrics for Prometheus.", "text/plain", {"type": "string"}, is_open=False),
            "/openapi.json": _reading("This document.", "application/json", {"type": "object"}, is_open=True),
        },
        "components": {
            "schemas": {
                "Article": article,
                "Removal": removal,
                "Removed": removed,
                "Problem": failure,
                "Verdict": _verdict_schema(),
                "Finding": _finding_schema(),
            },
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }
