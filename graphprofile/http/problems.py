"""Errors as problem documents (RFC 9457); the one place where errors become status codes."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field

from graphprofile.errors import (
    AuthenticationFailed,
    BatchRefused,
    BatchTakenOver,
    Busy,
    EngineError,
    EngineUnavailable,
    GraphProfileError,
    ModelError,
    NotFound,
    NoVectorIndex,
    QueryTimeout,
    QueryTooLarge,
    RegistryCorrupt,
    RetriesExhausted,
    SourceError,
    StoreMismatch,
    UsageError,
)

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:graphprofile:problem:"
RETRY_SECONDS = 2

_STATUS: tuple[tuple[type[GraphProfileError], int], ...] = (
    (NotFound, 404),
    (UsageError, 422),
    (SourceError, 422),
    (BatchRefused, 422),
    (QueryTimeout, 422),
    (QueryTooLarge, 422),
    (Busy, 503),
    (EngineUnavailable, 503),
    (RetriesExhausted, 503),
    (AuthenticationFailed, 503),
    (BatchTakenOver, 503),
    (NoVectorIndex, 503),
    (StoreMismatch, 503),
    (EngineError, 500),
    (ModelError, 409),
)


class FieldError(BaseModel):
    """One thing wrong with a request."""

    pointer: str = Field(description="JSON pointer into the body, or query/NAME, path/NAME, header/NAME.")
    detail: str


class ProblemDocument(BaseModel):
    """A problem document (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "urn:graphprofile:problem:not_found",
                "title": "Not Found",
                "status": 404,
                "detail": "No user 'u9'.",
                "code": "not_found",
                "hint": "Did you mean u1, u2?",
                "request_id": "0af7651916cd43dd8448eb211c80319c",
            }
        }
    )

    type: str
    title: str
    status: int
    detail: str
    code: str
    hint: str | None = None
    instance: str | None = None
    request_id: str | None = None
    errors: list[FieldError] | None = None


class Refusal(Exception):
    """A request that is answered with a problem document.

    Args:
        status: Of the answer.
        code: Stable, for programs.
        detail: What is wrong.
        hint: What to do next.
        errors: (pointer, what is wrong) of each field.
        headers: Further headers of the answer.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        hint: str | None = None,
        *,
        errors: Sequence[tuple[str, str]] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.hint = status, code, detail, hint
        self.errors, self.headers = errors, headers or {}


def invalid(pointer: str, detail: str, hint: str | None = None) -> Refusal:
    """A field that cannot be used."""
    return Refusal(422, "usage", detail, hint, errors=[(pointer, detail)])


def refusal_of(error: GraphProfileError) -> Refusal:
    """The answer to one of our own errors."""
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
    headers = {"Retry-After": str(RETRY_SECONDS)} if status == 503 else {}
    if isinstance(error, Busy):
        return Refusal(status, error.code, error.message, error.hint, headers=headers)
    if status == 503:
        # What the engine said may name addresses and folders of the server.
        known: dict[type[GraphProfileError], str] = {
            EngineUnavailable: "The graph engine does not answer.",
            RetriesExhausted: "Other writers were in the way for too long.",
        }
        detail = known.get(type(error), "The graph cannot be used just now.")
        return Refusal(status, error.code, detail, "Try again; the server's log says more.", headers=headers)
    if isinstance(error, RegistryCorrupt):
        # What is wrong with which file names folders of the server.
        detail = "The model, or what is written down of it, is damaged and cannot be read back."
        return Refusal(status, error.code, detail, "Whoever runs the server puts another one into use.")
    if status == 500:
        return Refusal(status, error.code, "The server failed.", "The server's log says more.")
    return Refusal(status, error.code, error.message, error.hint)


def problem_bytes(
    status: int,
    code: str,
    detail: str,
    hint: str | None = None,
    *,
    instance: str | None = None,
    request_id: str | None = None,
    errors: Sequence[tuple[str, str]] = (),
) -> bytes:
    """A problem document."""
    document: dict[str, Any] = {
        "type": TYPE_PREFIX + code,
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    for name, value in (("hint", hint), ("instance", instance), ("request_id", request_id)):
        if value is not None:
            document[name] = value
    if errors:
        document["errors"] = [{"pointer": pointer, "detail": text} for pointer, text in errors]
    try:
        return orjson.dumps(document)
    except TypeError:
        # Half characters of what was asked for.
        cleaned = {
            name: value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
            for name, value in document.items()
        }
        cleaned.pop("errors", None)
        return orjson.dumps(cleaned)
