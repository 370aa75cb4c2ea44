"""Bodies of requests: JSON or JSON lines, bounded in size by the gate and in depth here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from fastapi import Request

from graphprofile.http.problems import Refusal, invalid

JSON_TYPES = ("application/json",)
LINES_TYPES = ("application/x-ndjson", "application/jsonl", "application/x-jsonlines")
MAX_DEPTH = 16


def media_type(request: Request, allowed: Sequence[str]) -> str:
    """The media type of the body.

    Raises:
        Refusal: It is not one of those allowed.
    """
    packed = request.headers.get("content-encoding", "identity").strip().lower()
    if packed not in ("", "identity"):
        # A few bytes may unpack to any number: what comes is bounded as it comes.
        raise Refusal(415, "unsupported_media_type", "A packed body is not unpacked.", "Send it as it is.")
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in allowed:
        raise Refusal(
            415,
            "unsupported_media_type",
            f"A body of type {given[:80] or 'none'} cannot be read."
            if given.isprintable()
            else "No such type.",
            f"Send {' or '.join(allowed)}.",
        )
    return given


async def read_json(request: Request) -> Any:
    """The body as JSON.

    Raises:
        Refusal: It is no JSON, or too deep.
    """
    media_type(request, JSON_TYPES)
    return _parse(await request.body())


async def read_rows(request: Request, name: str, most: int) -> list[Any]:
    """One object or an array of objects as JSON, or an object a line.

    Args:
        request: The request.
        name: What the rows are, for messages.
        most: How many there may be.

    Raises:
        Refusal: There are none, too many, or no objects.
    """
    kind = media_type(request, (*JSON_TYPES, *LINES_TYPES))
    body = await request.body()
    if kind in LINES_TYPES:
        lines = [line for line in body.split(b"\n") if line.strip()]
        if len(lines) > most:
            raise _too_many(name, most)
        rows: Any = [_parse(line, f"/{number}") for number, line in enumerate(lines)]
    else:
        rows = _parse(body)
        if isinstance(rows, dict):
            rows = [rows]
    if not isinstance(rows, list):
        raise invalid("", f"is neither an object nor an array of {name}")
    if not rows:
        raise invalid("", f"holds no {name}")
    if len(rows) > most:
        raise _too_many(name, most)
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise invalid(f"/{number}", "is no object")
    return rows


def _too_many(name: str, most: int) -> Refusal:
    return Refusal(413, "too_large", f"More than {most:,} {name} in one request.", "Send them in parts.")


def _parse(body: bytes, pointer: str = "") -> Any:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise invalid(pointer, f"is no JSON: {error}") from None
    if _too_deep(document):
        raise invalid(pointer, f"is nested more than {MAX_DEPTH} deep")
    return document


def _too_deep(document: Any) -> bool:
    level = [document]
    for _ in range(MAX_DEPTH + 1):
        level = (
            [
                inner
                for one in level
                for inner in (one.values() if isinstance(one, dict) else one)
                if isinstance(inner, dict | list)
            ]
            if level and isinstance(level[0], dict | list)
            else []
        )
        if not level:
            return False
    return True
