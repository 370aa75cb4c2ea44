"""A Cypher text of the caller's own: it reads, within limits of rows, time, bytes and number."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Response

from graphprofile.http.body import read_json
from graphprofile.http.caller import Administers, Caller
from graphprofile.http.documents import CypherAnswer, CypherRequest
from graphprofile.http.problems import RETRY_SECONDS, Refusal, invalid
from graphprofile.store.drawing import LARGEST_SENT

if TYPE_CHECKING:
    from collections.abc import Iterator

router = APIRouter(tags=["console"])

AT_ONCE = 2
PATIENCE_SECONDS = 2.0
LONGEST_TEXT = 100_000
AUDITED_CHARACTERS = 1_000
FIELDS = frozenset({"query", "parameters", "rows", "seconds"})


@router.post(
    "/cypher",
    operation_id="run_cypher",
    response_model=CypherAnswer,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": CypherRequest.model_json_schema()}},
        }
    },
)
async def run_cypher(caller: Administers) -> Response:
    """Run a Cypher query that only reads, for at most so many rows and seconds.

    Nodes, relationships, paths and points are objects with a `kind`; whole numbers beyond 2^53, `NaN` and infinities
    are text. Who runs it must be allowed to see every private property, since a query can show them under any name.
    The audit log keeps the query, not the parameters.
    """
    return await answer_query(caller)


async def answer_query(caller: Caller) -> Response:
    """Run the query in the body of a request.

    Raises:
        Refusal: A field cannot be used, something is hidden from who asks, or too many queries run.
        GraphProfileError: As :meth:`graphprofile.profiles.GraphProfile.query`.
    """
    query, parameters, rows, seconds = _asked(await read_json(caller.request), caller)
    _refuse_unless_all_is_seen(caller)
    store = caller.service.gp.store

    def run() -> tuple[Any, float]:
        patience = time.monotonic() + PATIENCE_SECONDS
        while store.runaways():
            if time.monotonic() < patience:
                # One that was ended just now is seen for a moment more.
                time.sleep(PATIENCE_SECONDS / 10)
                continue
            raise _busy("An earlier query was ended for its time, and the engine still works on it.")
        started = time.perf_counter()
        return caller.service.gp.query(query, parameters, rows=rows, seconds=seconds), started

    async with caller.audited(f"cypher {query[:AUDITED_CHARACTERS]}"):
        with _one_of_few(caller):
            found, started = await caller.run(run)
    return caller.answer(
        {
            "columns": found.columns,
            "rows": found.rows,
            "truncated": found.truncated,
            "milliseconds": round((time.perf_counter() - started) * 1000, 1),
        }
    )


def _asked(body: Any, caller: Caller) -> tuple[str, dict[str, Any], int, float]:
    """Query, parameters, rows and seconds.

    Raises:
        Refusal: A field cannot be used.
    """
    options = caller.service.options
    if not isinstance(body, dict):
        raise invalid("", "is no object")
    for name in body:
        if name not in FIELDS:
            raise invalid("/" + name.replace("~", "~0").replace("/", "~1"), "is not known here")
    query, parameters = body.get("query"), body.get("parameters", {})
    if not isinstance(query, str) or not query.strip():
        raise invalid("/query", "is no text")
    if len(query) > LONGEST_TEXT or "\x00" in query:
        raise invalid("/query", f"is above {LONGEST_TEXT:,} characters, or holds NUL")
    if not isinstance(parameters, dict):
        raise invalid("/parameters", "is no object")
    if _too_large(parameters):
        raise invalid("/parameters", "holds a whole number beyond 64 bits")
    rows = body.get("rows", options.console_rows)
    if not isinstance(rows, int) or isinstance(rows, bool) or rows < 1:
        raise invalid("/rows", "is no whole number above 0")
    seconds = body.get("seconds", options.console_seconds)
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not seconds > 0:
        raise invalid("/seconds", "is no number above 0")
    return query, parameters, min(rows, options.console_rows), min(float(seconds), options.console_seconds)


def _too_large(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_too_large, value.values()))
    if isinstance(value, list):
        return any(map(_too_large, value))
    return isinstance(value, int) and not -LARGEST_SENT - 1 <= value <= LARGEST_SENT


def _refuse_unless_all_is_seen(caller: Caller) -> None:
    """A query can show any property under any name, so nothing may be hidden from who runs it.

    Raises:
        Refusal: Something is.
    """
    if caller.hidden:
        caller.note("cypher", "denied")
        scopes = " ".join(f"--show {name}" for name in sorted(caller.hidden))
        raise Refusal(
            403,
            "forbidden",
            f"A query could show private properties that are hidden here: {', '.join(sorted(caller.hidden))}.",
            f"Use a key that may see them: `graphprofile keys create NAME --scope admin {scopes}`.",
        )


@contextmanager
def _one_of_few(caller: Caller) -> Iterator[None]:
    """Let so many of these queries run at once that others are served beside them.

    Raises:
        Refusal: So many run.
    """
    service = caller.service
    if service.console >= AT_ONCE:
        raise _busy(f"{AT_ONCE} queries run already.")
    service.console += 1
    try:
        yield
    finally:
        service.console -= 1


def _busy(detail: str) -> Refusal:
    return Refusal(503, "busy", detail, "Try again in a moment.", headers={"Retry-After": str(RETRY_SECONDS)})
