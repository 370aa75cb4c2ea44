"""The page of a user, and the parts of it that are loaded when they are wanted."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from graphprofile.errors import NoModel
from graphprofile.http.caller import ReadsProfiles, UserId, an_id
from graphprofile.http.page import reads_user
from graphprofile.http.page.asked import EventName, When, a_text, a_time, shown_name
from graphprofile.http.page.routes_search import node_counts
from graphprofile.http.page.site import is_fragment, page, part
from graphprofile.http.paging import Cursor
from graphprofile.http.problems import invalid
from graphprofile.reading import require_user
from graphprofile.records import Profile, Recommendation, iso

router = APIRouter(include_in_schema=False)

RECOMMENDED = 8
SIMILAR = 6


@router.get("/users/{user_id}")
async def show_user(user_id: UserId, caller: ReadsProfiles, as_of: When = None) -> Response:
    """One user: who they are, what they like, what they did."""
    user, time = an_id(user_id, "path/user_id"), a_time(as_of)
    gp = caller.service.gp

    def read() -> tuple[Profile, dict[str, Any]]:
        profile = gp.profile(user, as_of=time)
        past = profile.embedding is None
        events, tags = reads_user.over_time(gp.store, gp.vocabulary, profile, time)
        return profile, {
            "past": past,
            "kinds": reads_user.interests(gp.store, gp.computed_rules, profile, past=past),
            "events_over_time": events,
            "tags_over_time": tags,
            "timeline": reads_user.timeline(
                gp.store, gp.vocabulary, user, event=None, until=time, cursor=None
            ),
            "feedback": reads_user.apart(gp, profile, time),
            "half_lives": [gp.computed_rules.half_life_short_days, gp.computed_rules.half_life_long_days],
        }

    async with caller.audited("profile.read", [user]):
        profile, more = await caller.read(read, [user])
    return page(
        caller,
        "user.html",
        title=shown_name(caller, profile.properties, user),
        section="search",
        profile=profile,
        asked=_day(time),
        event=None,
        **more,
    )


@router.get("/users/{user_id}/events")
async def show_events(
    user_id: UserId,
    caller: ReadsProfiles,
    as_of: When = None,
    event: EventName = None,
    cursor: Cursor = None,
) -> Response:
    """A page of the timeline."""
    user, time = an_id(user_id, "path/user_id"), a_time(as_of)
    gp = caller.service.gp
    wanted = a_text(event, "query/event") if event else None

    # What follows goes below what is there; a chosen type takes its place, with how many there are of each.
    below = cursor is not None and is_fragment(caller.request)

    def read() -> tuple[dict[str, int], dict[str, Any]]:
        if below:
            require_user(gp.store, user)
        counts = {} if below else gp.profile(user, as_of=time).events
        return counts, reads_user.timeline(
            gp.store, gp.vocabulary, user, event=wanted, until=time, cursor=cursor
        )

    async with caller.audited("profile.read", [user]):
        counts, found = await caller.read(read, [user])
    return part(
        caller,
        "_events.html" if below else "_timeline.html",
        title="Events",
        back=("user", user),
        timeline=found,
        profile={"user_id": user, "events": counts},
        asked=_day(time),
        event=wanted,
    )


@router.get("/users/{user_id}/why")
async def explain(
    user_id: UserId,
    caller: ReadsProfiles,
    tag: Annotated[str | None, Query(max_length=1100)] = None,
    item: Annotated[str | None, Query(max_length=512)] = None,
    as_of: When = None,
) -> Response:
    """Why a user has a tag, or why something is recommended."""
    user, time = an_id(user_id, "path/user_id"), a_time(as_of)
    if (tag is None) == (item is None):
        raise invalid("query/tag", "give either tag or item")
    named = None if tag is None else a_text(tag, "query/tag")
    wanted = None if item is None else an_id(item, "query/item")
    gp = caller.service.gp
    async with caller.audited("profile.explain", [user]):
        work = caller.within_limit(lambda: gp.explain(user, tag=named, item=wanted, as_of=time))
        found = await caller.read(work, [user])
    shown: dict[str, Any] = {"why": reads_user.reasons(found)}
    return part(caller, "_why.html", title="Why?", back=("user", user), **shown)


@router.get("/users/{user_id}/recommended")
async def recommended(
    user_id: UserId,
    caller: ReadsProfiles,
    kind: Annotated[Literal["item", "content", ""], Query()] = "",
) -> Response:
    """What to offer a user, with reasons."""
    user = an_id(user_id, "path/user_id")
    gp = caller.service.gp

    def read() -> list[Recommendation] | None:
        require_user(gp.store, user)
        try:
            return gp.recommend(user, RECOMMENDED, kind=kind or None)
        except NoModel:
            return None

    async with caller.audited("profile.recommend", [user]):
        found = await caller.read(read, [user])
    counts = await node_counts(caller)
    both = bool(counts.get("Item") and counts.get("Content"))
    shown: dict[str, Any] = {"user_id": user, "results": found, "kind": kind, "both": both}
    return part(caller, "_recommended.html", title="What to offer", back=("user", user), **shown)


@router.get("/users/{user_id}/similar")
async def similar(user_id: UserId, caller: ReadsProfiles) -> Response:
    """The users nearest to a user."""
    user = an_id(user_id, "path/user_id")
    gp = caller.service.gp

    def read() -> list[dict[str, Any]] | None:
        require_user(gp.store, user)
        try:
            found = gp.similar_users(user, SIMILAR)
        except NoModel:
            return None
        names = {
            row["id"]: row["name"]
            for row in gp.store.read("page/read_names", user_ids=[one.id for one in found])
        }
        return [{**one.to_json(), "name": names.get(one.id)} for one in found]

    async with caller.audited("profile.similar", [user]):
        found = await caller.read(read, [user])
        caller.note("profile.found", "ok", [one["id"] for one in found or ()])
    return part(caller, "_similar_users.html", title="Similar people", back=("user", user), results=found)


def _day(time: int | None) -> str | None:
    """The time asked for, as the field of a form takes it."""
    return None if time is None else iso(time)
