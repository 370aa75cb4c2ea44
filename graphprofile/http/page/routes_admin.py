"""For administrators: who read whom, and which keys there are. Nothing can be changed here."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from graphprofile.http.audit import AuditEntry
from graphprofile.http.caller import Administers, Caller
from graphprofile.http.page.site import fragment, page
from graphprofile.http.paging import Cursor
from graphprofile.http.routes_graph import read_entries

router = APIRouter(include_in_schema=False)

LINES = 50
SUBJECTS = 5
"""Users shown in a line; a list of users is about hundreds."""
User = Annotated[str, Query(max_length=512)]
Key = Annotated[str, Query(max_length=40)]
Since = Annotated[str, Query(max_length=40)]


@router.get("/audit")
async def show_audit(
    caller: Administers, user: User = "", key: Key = "", since: Since = "", cursor: Cursor = None
) -> Response:
    """The audit log, newest first."""
    lines, following = await _lines(caller, user, key, since, cursor)
    keys = await caller.service.workers.run_anyway(caller.service.keys.list)
    return page(
        caller,
        "audit.html",
        title="Audit log",
        section="data",
        lines=lines,
        following=following,
        asked={"about": user, "key_id": key, "since": since},
        keys=[{"id": one.id, "called": one.name} for one in keys],
        days=caller.service.options.audit_days,
    )


@router.get("/audit/lines")
async def more_audit(
    caller: Administers, user: User = "", key: Key = "", since: Since = "", cursor: Cursor = None
) -> Response:
    """The next lines of the table."""
    lines, following = await _lines(caller, user, key, since, cursor)
    return fragment(
        caller,
        "_audit.html",
        lines=lines,
        following=following,
        asked={"about": user, "key_id": key, "since": since},
    )


async def _lines(
    caller: Caller, user: str, key: str, since: str, cursor: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    entries, following = await read_entries(
        caller,
        user=user.strip() or None,
        key=key.strip() or None,
        since=since.strip() or None,
        limit=LINES,
        cursor=cursor,
    )
    return [_line(entry) for entry in entries], following


def _line(entry: AuditEntry) -> dict[str, Any]:
    return {
        **entry.to_json(),
        "subjects": entry.subjects[:SUBJECTS],
        "more": max(0, len(entry.subjects) - SUBJECTS),
    }


@router.get("/keys")
async def show_keys(caller: Administers) -> Response:
    """The keys, without their secrets."""
    async with caller.audited("keys.list"):
        keys = await caller.service.workers.run_anyway(caller.service.keys.list)
    return page(
        caller,
        "keys.html",
        title="Keys",
        section="data",
        keys=[{**one.to_json(), "called": one.name} for one in reversed(keys)],
    )
