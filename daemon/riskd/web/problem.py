"""Refusals as problem details (RFC 9457), one sentence each."""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from riskd.errors import RiskdError
from riskd.web.headers import HEADERS

MEDIA_TYPE = "application/problem+json"
ANYWHERE = (401, 403, 421, 429, 503)  # refusals that any route may come to: by the guard, or where the store is away
POSTED = (400, 411, 413)  # and what may be wrong with a body
DOCUMENT = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"const": "about:blank"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "what is wrong and what to do, one sentence"},
    },
}


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What the interface's description says of refusals."""
    content = {MEDIA_TYPE: {"schema": DOCUMENT}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """A response of type application/problem+json; ``detail`` says what is wrong and what to do."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return Response(json.dumps(body), status, headers, MEDIA_TYPE)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = error.detail
    if detail == HTTPStatus(error.status_code).phrase:  # raised by the router, which knows no sentence
        detail = f"{request.url.path[:200]}: {detail.lower()}"
    return problem(error.status_code, detail, dict(error.headers or {}))


async def _invalid(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:]) or "request"
    return problem(422, f"{where} = {str(first.get('input'))[:80]!r}: {first['msg'].lower()}")


async def _unavailable(_request: Request, error: Exception) -> Response:
    return problem(503, str(error))


async def _failed(_request: Request, _error: Exception) -> Response:
    return problem(500, "the request failed inside riskd; its log says why", HEADERS)  # made outside the guard


def explain_refusals(app: FastAPI) -> None:
    """Make every refusal of ``app`` a problem document: wrong path, wrong value, expected error, bug."""
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(RiskdError, _unavailable)
    app.add_exception_handler(Exception, _failed)
