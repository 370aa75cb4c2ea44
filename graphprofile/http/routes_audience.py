"""Audiences: how many people meet conditions, and who."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from graphprofile.audience import Audience, properties_of, users_of
from graphprofile.http.caller import Caller, ReadsProfiles, clean_text
from graphprofile.http.documents import AudiencePage
from graphprofile.http.paging import Cursor, Limit, from_cursor, to_cursor

router = APIRouter(tags=["lists"])

EXAMPLES = {
    "all": ["interest tag=Poetry share=0.2"],
    "any": ["property city=Paris", "property city=Rome"],
    "none": ["did event=purchased days=30"],
}


@router.get("/audience", operation_id="read_audience", response_model=AudiencePage)
async def read_audience(
    caller: ReadsProfiles,
    all_of: Annotated[
        list[str],
        Query(
            alias="all",
            max_length=30,
            description="Each must hold: `interest tag=Poetry share=0.2`, `property city=Paris`, "
            "`did event=purchased times=2 days=30`, `seen last since=2024-01-01`, `like user=u1 k=100`, "
            "`vector status=fresh`.",
            examples=EXAMPLES["all"],
        ),
    ] = [],  # noqa: B006
    any_of: Annotated[
        list[str],
        Query(alias="any", max_length=30, description="One must hold.", examples=EXAMPLES["any"]),
    ] = [],  # noqa: B006
    none_of: Annotated[
        list[str],
        Query(alias="none", max_length=30, description="None may hold.", examples=EXAMPLES["none"]),
    ] = [],  # noqa: B006
    count: Annotated[bool, Query(description="Count them all, which takes longer than a page.")] = True,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """People who meet conditions, in the order of their ids, and how many there are."""
    (after,) = from_cursor(cursor, str) if cursor else ("",)
    groups = checked(caller, all_of, any_of, none_of)
    gp = caller.service.gp

    def read() -> tuple[Audience, list[Any], int | None]:
        audience = gp.audience(*groups)
        return audience, audience.page(limit, clean_text(after)), audience.count() if count else None

    async with caller.audited("audience.read", users_of([one for group in groups for one in group])):
        audience, users, total = await caller.bounded(read)
        caller.note("profile.listed", "ok", [user.id for user in users])
    return caller.answer(
        {
            "words": audience.words(),
            "count": total,
            "users": [user.to_json() for user in users],
            "next": to_cursor(users[-1].id) if len(users) == limit else None,
        }
    )


def checked(caller: Caller, *groups: Sequence[str]) -> list[list[str]]:
    """Conditions that this caller may ask.

    Raises:
        Refusal: One is about a property that the caller may not see, or holds what no text may.
        UsageError: One cannot be read.
    """
    read = [[clean_text(one) for one in group] for group in groups]
    caller.refuse_hidden("query/all", properties_of([one for group in read for one in group]))
    return read
