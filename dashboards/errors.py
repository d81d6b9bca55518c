"""Refusals: one JSON shape for programs, one page in both languages for people.

{"error": {"code": …, "message": …, "detail": …}}
"""

from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from dashboards import words
from dashboards.desk import desk_of
from dashboards.i18n import chosen
from dashboards.render import error_page
from wattwitness.domain.errors import (
    InputRefusedError,
    StoreRefusesError,
    StoreUnavailableError,
)

log = structlog.get_logger()
_CODES = {
    400: "bad_request",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    422: "invalid_request",
    500: "internal_error",
    503: "store_unavailable",
}
_FOR_PROGRAMS = ("/api/", "/healthz", "/readyz", "/metrics", "/static/")


def error_body(code: str, message: str, detail: object = None) -> dict[str, Any]:
    """The one shape."""
    return {"error": {"code": code, "message": message, "detail": detail}}


def refusal(
    request: Request,
    status: int,
    code: str,
    message: str,
    detail: object = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The refusal as the caller can read it: JSON for programs, a page for people."""
    if request.url.path.startswith(_FOR_PROGRAMS) or "app" not in request.scope:
        return JSONResponse(error_body(code, message, detail), status, headers)
    return error_page(request, status, code, message, headers)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - how the handler is registered
    code = _CODES.get(error.status_code, f"http_{error.status_code}")
    detail = {"path": request.url.path, "method": request.method}
    return refusal(request, error.status_code, code, str(error.detail), detail, error.headers)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - how it is registered
    problems = [
        {"where": ".".join(str(part) for part in item["loc"]), "problem": item["msg"]}
        for item in error.errors()
    ]
    said = "; ".join(f"{item['where']}: {item['problem']}" for item in problems)
    return refusal(request, 422, _CODES[422], said, problems)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, InputRefusedError)  # noqa: S101 - how it is registered
    # `told` is for the scripts of our own pages
    told = words.refusal(desk_of(request).languages[chosen(request)], error)
    detail = {"remedy": error.remedy, "told": told}
    return refusal(request, 422, _CODES[422], error.message, detail)


async def _not_stored(request: Request, error: Exception) -> Response:
    assert isinstance(error, StoreRefusesError)  # noqa: S101 - how it is registered
    # a NUL in a name, as a rule; the log tells if it is a defect of ours
    log.warning("values_refused", path=request.url.path, reason=error.message)
    return refusal(request, 422, _CODES[422], error.message, {"remedy": error.remedy})


async def _unavailable(request: Request, error: Exception) -> Response:
    assert isinstance(error, StoreUnavailableError)  # noqa: S101 - how it is registered
    detail = {"remedy": error.remedy}
    return refusal(request, 503, _CODES[503], error.message, detail, {"retry-after": "5"})


async def _defect(request: Request, error: Exception) -> Response:
    log.error("request_failed", path=request.url.path, exc_info=error)
    return refusal(request, 500, _CODES[500], "something broke on our side; it was logged")


def add_refusals(app: FastAPI) -> None:
    """Register every way in which a request can be refused."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(InputRefusedError, _refused)
    app.add_exception_handler(StoreRefusesError, _not_stored)
    app.add_exception_handler(StoreUnavailableError, _unavailable)
    app.add_exception_handler(Exception, _defect)
