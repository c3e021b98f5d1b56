"""Errors as `application/problem+json` (RFC 9457): type, title, status, detail, code, and errors per field.

An expected error shows its own sentence. An unexpected one shows nothing of itself: it is logged, and the
answer carries a reference to that line.
"""

import secrets
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException as FrameworkError
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fillbook.kernel.errors import FillbookError

MEDIA_TYPE = "application/problem+json"

log = structlog.get_logger(__name__)

_CODES = {
    400: "bad_request",
    401: "not_signed_in",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "body_too_large",
    415: "unsupported_media_type",
    503: "not_available",
}


class FieldFault(BaseModel):
    """What is wrong with one field; `loc` is the path to it in the body, or in the query."""

    loc: list[str | int]
    msg: str


class Problem(BaseModel):
    """RFC 9457. `code` is stable; `detail` tells the person what to do."""

    type: str = Field(examples=["urn:fillbook:not_found"])
    title: str = Field(examples=["Not found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no such order."])
    code: str = Field(examples=["not_found"])
    errors: list[FieldFault] | None = None


PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {
        "description": "The request cannot be used as it is.",
        "content": {MEDIA_TYPE: {}},
        "model": Problem,
    }
}


def problem(
    status: int,
    code: str,
    detail: str,
    faults: Sequence[tuple[Sequence[str | int], str]] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    document: dict[str, Any] = {
        "type": f"urn:fillbook:{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "code": code,
    }
    if faults:
        document["errors"] = [{"loc": list(loc), "msg": message} for loc, message in faults]
    return Response(orjson.dumps(document), status, dict(headers or {}), MEDIA_TYPE)


def problem_of(error: FillbookError) -> Response:
    faults = [(error.loc, error.detail)] if error.loc else []
    headers = {"WWW-Authenticate": "Bearer"} if error.status == HTTPStatus.UNAUTHORIZED else {}
    return problem(error.status, error.code, error.detail, faults, headers)


def install_problems(app: FastAPI) -> None:
    """Answer every error of an application in this form."""
    app.add_exception_handler(FillbookError, _expected)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(FrameworkError, _of_framework)


async def _expected(request: Request, error: Exception) -> Response:
    assert isinstance(error, FillbookError)
    return problem_of(error)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(fault["type"] == "json_invalid" for fault in found):
        where = next(fault["loc"][-1] for fault in found if fault["type"] == "json_invalid")
        return problem(400, "malformed_json", f"The body is not valid JSON (at character {where}).")
    faults = [(_without_place(fault["loc"]), fault["msg"]) for fault in found]
    named = ", ".join(str(loc[-1]) for loc, _ in faults if loc)
    return problem(422, "invalid", f"Please correct: {named or 'the body'}.", faults)


def _without_place(loc: Sequence[str | int]) -> tuple[str | int, ...]:
    """Without the leading `body`, `query`, `path`: clients map the rest onto their fields."""
    return tuple(loc[1:]) if loc and loc[0] in ("body", "query", "path", "header") else tuple(loc)


async def _of_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, FrameworkError)
    code = _CODES.get(error.status_code, "error")
    detail = {
        404: f"There is nothing at {request.url.path}.",
        405: f"{request.method} is not possible at {request.url.path}.",
    }.get(error.status_code, str(error.detail))
    return problem(error.status_code, code, detail, headers=error.headers)


class UnexpectedErrors:
    """The outermost layer: whatever escapes becomes a 500 that tells nothing, and a log line that tells all."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        has_started = False

        async def send_noting_start(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self._app(scope, receive, send_noting_start)
        except Exception:
            reference = secrets.token_hex(4)
            log.exception(
                "request_failed", reference=reference, method=scope["method"], path=_masked(scope["path"])
            )
            if has_started:
                raise
            response = problem(
                500,
                "internal_error",
                f"Something went wrong here, not in your request. The log has it under {reference}.",
            )
            await response(scope, receive, send)


def _masked(path: str) -> str:
    """A webhook key may stand in the path."""
    return "/api/webhook/***" if path.startswith("/api/webhook/") else path


class BodyLimit:
    """No request body above the limit reaches the application; `exempt` paths limit themselves."""

    def __init__(self, app: ASGIApp, limit_bytes: int, exempt: tuple[str, ...] = ()) -> None:
        self._app = app
        self._limit_bytes = limit_bytes
        self._exempt = exempt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(self._exempt or ("\0",)):
            await self._app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self._limit_bytes:
            await self._refuse(scope, receive, send)
            return
        seen = 0

        async def receive_counting() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._limit_bytes:
                # The one exception that passes unchanged through the framework's reading of bodies.
                raise HTTPException(413, _too_large(self._limit_bytes))
            return message

        await self._app(scope, receive_counting, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = problem(
            413, "body_too_large", _too_large(self._limit_bytes), headers={"Connection": "close"}
        )
        await response(scope, receive, send)


def _too_large(limit_bytes: int) -> str:
    return f"The body is larger than {limit_bytes} bytes. Send less at once."
