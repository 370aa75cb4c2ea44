"""What comes in: events, and descriptions of users, items and content."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from graphprofile.http.body import read_json, read_rows
from graphprofile.http.caller import Caller, ItemId, UserId, WritesEvents, an_id
from graphprofile.http.documents import EventsAnswer, UpsertAnswer
from graphprofile.http.keys import READ_PROFILES
from graphprofile.http.problems import invalid
from graphprofile.ingest.live import LiveBatch, Verdict, check_descriptions_of, check_rows
from graphprofile.ingest.outcomes import ACCEPTED, CONFLICT, DUPLICATE, LATE, REJECTED
from graphprofile.records import Kind

router = APIRouter(tags=["writing"])

EVENT = {
    "type": "object",
    "description": "An event in the generic columns; further fields become properties of the event.",
    "properties": {
        "event_id": {"type": "string", "description": "Makes sending it again harmless."},
        "user_id": {"type": "string"},
        "event_type": {"type": "string", "description": "A name of the vocabulary."},
        "object_id": {"type": "string"},
        "object_kind": {
            "type": "string",
            "description": "item, content or user; item where nothing is said.",
        },
        "timestamp": {"description": "ISO 8601, or a number: seconds below 1e11, milliseconds above."},
        "value": {"description": "What the vocabulary takes it for: an amount, a rating."},
    },
    "additionalProperties": True,
    "example": {
        "event_id": "e1",
        "user_id": "u1",
        "event_type": "viewed",
        "object_id": "i1",
        "timestamp": "2024-05-06T07:08:09Z",
    },
}
ROW = {"type": "object", "additionalProperties": True}


def _body(row: dict[str, Any], *, lines: bool = True) -> dict[str, Any]:
    schema = {"oneOf": [row, {"type": "array", "items": row, "minItems": 1}]}
    content: dict[str, Any] = {"application/json": {"schema": schema}}
    if lines:
        content["application/x-ndjson"] = {"schema": {"type": "string"}}
    return {"requestBody": {"required": True, "content": content}}


@router.post("/events", operation_id="post_events", response_model=EventsAnswer, openapi_extra=_body(EVENT))
async def post_events(
    caller: WritesEvents,
    dry_run: Annotated[bool, Query(description="Check and look up only.")] = False,
) -> Response:
    """One event, or thousands: what became of each, in their order.

    An accepted event is in the graph when this answers, and in the profile's tags and vector at the next read.
    Sending the same again is harmless: it is a `duplicate`.
    """
    rows = await read_rows(caller.request, "events", caller.service.options.max_events)
    gp, stream = caller.service.gp, caller.service.stream
    checked = await caller.run(lambda: check_rows(rows, gp.vocabulary))
    subjects = sorted(set(checked.events["user_id"].to_list()))
    batch: str | None = None
    async with caller.audited("events.check" if dry_run else "events.write", subjects):
        if dry_run:
            (verdicts,) = (
                await caller.run(lambda: LiveBatch(gp.store, gp.vocabulary).write([checked], dry_run=True))
            ).verdicts
        elif checked.events.height:
            # Not given up where the sender goes away: what is on its way is written.
            batch, verdicts = await asyncio.shield(asyncio.wrap_future(stream.submit(checked)))
        else:
            verdicts = [checked.refused[line] for line in range(1, checked.rows + 1)]
            stream.note(checked)
    counts = Counter(verdict.outcome for verdict in verdicts)
    for outcome, count in counts.items():
        if not dry_run:
            caller.service.metrics.events.labels(outcome).inc(count)
    return caller.answer(
        {
            "batch": batch,
            "dry_run": dry_run,
            "accepted": counts[ACCEPTED] + counts[LATE],
            "late": counts[LATE],
            "duplicates": counts[DUPLICATE],
            "conflicts": counts[CONFLICT],
            "rejected": counts[REJECTED],
            "events": [_shown(verdict, caller) for verdict in verdicts],
        }
    )


def _shown(verdict: Verdict, caller: Caller) -> dict[str, Any]:
    document: dict[str, Any] = {"event_id": verdict.event_id, "outcome": verdict.outcome}
    if verdict.reason is not None:
        reason = verdict.reason
        if verdict.outcome == CONFLICT and not caller.principal.may(READ_PROFILES):
            # The stored version is somebody's event: who only writes learns that it differs, not what it is.
            reason = "conflict: it is already there with other content; the stored one stays"
        document["field"], document["reason"] = verdict.field, reason
    return document


def _describes(kind: Kind) -> None:
    """The route that takes many descriptions of one kind."""

    @router.post(
        f"/{kind}", operation_id=f"describe_{kind}", response_model=UpsertAnswer, openapi_extra=_body(ROW)
    )
    async def describe_many(caller: WritesEvents) -> Response:
        """Describe many: rows with `user_id`, `item_id` or `content_id` and properties.

        Per property the description with the latest `updated_at` wins. The interests of those whom an item's new
        tags touch follow shortly after.
        """
        rows = await read_rows(caller.request, kind, caller.service.options.max_events)
        return await _describe(caller, kind, rows)


_DESCRIBED: tuple[Kind, ...] = ("users", "items", "content")
for _kind in _DESCRIBED:
    _describes(_kind)


@router.put(
    "/users/{user_id}",
    operation_id="describe_user",
    response_model=UpsertAnswer,
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": ROW}}}},
)
async def describe_user(user_id: UserId, caller: WritesEvents) -> Response:
    """Describe one user; properties that are not named stay."""
    return await _describe_one(caller, "users", "user_id", an_id(user_id, "path/user_id"))


@router.put(
    "/items/{item_id}",
    operation_id="describe_item",
    response_model=UpsertAnswer,
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": ROW}}}},
)
async def describe_item(item_id: ItemId, caller: WritesEvents) -> Response:
    """Describe one item; properties that are not named stay, `tags` replaces its tags."""
    return await _describe_one(caller, "items", "item_id", an_id(item_id, "path/item_id"))


@router.put(
    "/content/{item_id}",
    operation_id="describe_one_content",
    response_model=UpsertAnswer,
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": ROW}}}},
)
async def describe_content(item_id: ItemId, caller: WritesEvents) -> Response:
    """Describe one piece of content; as for items."""
    return await _describe_one(caller, "content", "content_id", an_id(item_id, "path/item_id"))


async def _describe_one(caller: Caller, kind: Kind, column: str, id_: str) -> Response:
    row = await read_json(caller.request)
    if not isinstance(row, dict):
        raise invalid("", "is no object")
    if row.get(column, id_) != id_:
        raise invalid(f"/{column}", "differs from the id in the path")
    return await _describe(caller, kind, [{**row, column: id_}], refuse=True)


async def _describe(
    caller: Caller, kind: Kind, rows: list[dict[str, Any]], *, refuse: bool = False
) -> Response:
    stream = caller.service.stream
    checked = await caller.run(lambda: check_descriptions_of(kind, rows))
    if refuse and checked.refused:
        refused = checked.refused[0]
        raise invalid(f"/{refused.field}", refused.reason)
    ids = sorted({row.id for row in checked.rows})
    subjects = ids if kind == "users" else []
    async with caller.audited(f"{kind}.write", subjects):
        batch, applied, unchanged, late_refused = (
            await asyncio.shield(asyncio.wrap_future(stream.describe(checked)))
            if checked.rows
            else (None, 0, 0, [])
        )
    return caller.answer(
        {
            "batch": batch,
            "applied": applied,
            "unchanged": unchanged + checked.repeats,
            "rejected": [
                {"row": one.line - 1, "field": one.field, "reason": one.reason}
                for one in [*checked.refused, *late_refused]
            ],
        }
    )
