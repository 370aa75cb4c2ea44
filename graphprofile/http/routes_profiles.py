"""Profiles, interests, recommendations, neighbours and reasons."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from graphprofile.comparing import EMBEDDINGS
from graphprofile.errors import NotFound
from graphprofile.filters import split_condition
from graphprofile.fits import Bounds
from graphprofile.http.caller import AsOf, Caller, HowMany, ItemId, ReadsProfiles, UserId, an_id
from graphprofile.http.documents import ProfileDocument, Profiles, Recommendations, Tags
from graphprofile.http.problems import invalid
from graphprofile.profiles import filters_of, moment
from graphprofile.records import Explanation, Feedback, Profile, Recommendation

router = APIRouter(tags=["profiles"])

MOST_PROFILES = 100
KEEP_SECONDS = 300.0
"""How long what a classic method learnt answers at least: events that keep coming do not make it learn all the time."""
Field = Literal["properties", "first_seen", "last_seen", "events", "tags", "embedding"]
Fields = Annotated[
    list[Field] | None,
    Query(description="Only these fields, besides user_id and as_of; may stand there several times."),
]
TagFilter = Annotated[
    list[str], Query(alias="tag", max_length=20, description="With this tag or one below: NAME or KIND:NAME.")
]
Where = Annotated[
    list[str], Query(max_length=20, description="A condition on a property: year>=1990, author=Woolf.")
]
Diversity = Annotated[
    float, Query(ge=0, le=1, description="0 takes the best, 1 the least alike of the best.")
]


def when(as_of: str | None) -> int | None:
    """A time in a query as epoch milliseconds.

    Raises:
        Refusal: It is none.
    """
    try:
        found = moment(as_of)
    except Exception:
        raise invalid("query/as_of", "is no time: write it like 1925-03-01 or 2024-05-06T07:08:09Z") from None
    if found is not None and abs(found) > 1 << 53:
        raise invalid("query/as_of", "is out of range")
    return found


def chosen(profile: Profile, fields: Sequence[str] | None) -> dict[str, Any]:
    """A profile as a document, with the fields asked for."""
    document = profile.to_json()
    if not fields:
        return document
    return {name: value for name, value in document.items() if name in ("user_id", "as_of", *fields)}


@router.get("/profiles/{user_id}", operation_id="read_profile", response_model=ProfileDocument)
async def read_profile(
    user_id: UserId, caller: ReadsProfiles, as_of: AsOf = None, fields: Fields = None
) -> Response:
    """One user: properties, events, interests with their share and lift, and the state of the vector.

    Send the `ETag` of the answer as `If-None-Match` next time: 304 says that nothing has changed.
    """
    user, time = an_id(user_id, "path/user_id"), when(as_of)
    gp = caller.service.gp
    async with caller.audited("profile.read", [user]):
        found = await caller.read(lambda: gp.profile(user, as_of=time), [user])
    return caller.answer(chosen(found, fields), tagged=True)


@router.get("/profiles", operation_id="read_profiles", response_model=Profiles)
async def read_profiles(
    ids: Annotated[
        list[str], Query(alias="id", min_length=1, max_length=MOST_PROFILES, description="Ids of users.")
    ],
    caller: ReadsProfiles,
    as_of: AsOf = None,
    fields: Fields = None,
) -> Response:
    """Several users in one answer; ids of nobody are named, not refused."""
    users = list(dict.fromkeys(an_id(id_, "query/id") for id_ in ids))
    time = when(as_of)
    gp = caller.service.gp

    def read() -> tuple[list[dict[str, Any]], list[str]]:
        profiles, missing = [], []
        for user in users:
            try:
                profiles.append(chosen(gp.profile(user, as_of=time), fields))
            except NotFound:
                missing.append(user)
        return profiles, missing

    async with caller.audited("profile.read", users):
        profiles, missing = await caller.read(read, users)
    return caller.answer({"profiles": profiles, "missing": missing}, tagged=True)


@router.get("/profiles/{user_id}/tags", operation_id="read_tags", response_model=Tags)
async def read_tags(
    user_id: UserId,
    caller: ReadsProfiles,
    as_of: AsOf = None,
    kind: Annotated[str | None, Query(max_length=200, description="Only tags of this kind.")] = None,
    limit: HowMany = 1000,
) -> Response:
    """A user's interests, strongest first."""
    user, time = an_id(user_id, "path/user_id"), when(as_of)
    gp = caller.service.gp
    async with caller.audited("profile.read", [user]):
        found = await caller.read(lambda: gp.profile(user, as_of=time), [user])
    tags = [tag.model_dump() for tag in found.tags if kind is None or tag.kind == kind]
    return caller.answer({"user_id": user, "as_of": found.as_of, "tags": tags[:limit]}, tagged=True)


@router.get("/profiles/{user_id}/recommendations", operation_id="recommend", response_model=Recommendations)
async def recommend(
    user_id: UserId,
    caller: ReadsProfiles,
    k: HowMany = 10,
    kind: Annotated[Literal["item", "content"] | None, Query(description="Only of this kind.")] = None,
    tags: TagFilter = [],  # noqa: B006
    where: Where = [],  # noqa: B006
    available: Annotated[bool, Query(description="Without what is marked as not available.")] = False,
    allow_seen: Annotated[bool, Query(description="Also what the user already has.")] = False,
    diversity: Diversity = 0.0,
    exact: Annotated[bool, Query(description="Look at everything instead of asking the index.")] = False,
    method: Annotated[str | None, Query(max_length=40, description="A classic method instead.")] = None,
) -> Response:
    """What to offer a user, best first, with reasons.

    A classic method (`als`, `item_knn`, `popularity`, `svd`, `user_knn`) learns from all events when it is first asked
    for, one at a time: others get 503 meanwhile. What it learnt answers for five minutes at least; a graph of more than
    `method_events` events is refused.
    """
    user = an_id(user_id, "path/user_id")
    _check_where(caller, where)
    gp = caller.service.gp
    learns = method not in (None, EMBEDDINGS)
    wanted: dict[str, Any] = {"kind": kind, "allow_seen": allow_seen, "diversity": diversity}
    if learns:
        wanted["bounds"] = Bounds(caller.service.options.method_events, KEEP_SECONDS)

    def best() -> list[Recommendation]:
        filters = filters_of(tags, where, available)
        return list(gp.models.recommend(user, k, method=method, exact=exact, filters=filters, **wanted))

    # The index answers at once; whatever looks at more than it gives may take as long as there is to look at.
    looks_at_all = exact or learns or tags or where or available
    async with caller.audited("profile.recommend", [user]):
        found = await caller.read(caller.within_limit(best) if looks_at_all else best, [user])
    return caller.answer({"results": [one.model_dump() for one in found]}, tagged=True)


@router.get("/profiles/{user_id}/similar", operation_id="similar_users", response_model=Recommendations)
async def similar_users(user_id: UserId, caller: ReadsProfiles, k: HowMany = 10) -> Response:
    """The users nearest to a user."""
    user = an_id(user_id, "path/user_id")
    gp = caller.service.gp
    async with caller.audited("profile.similar", [user]):
        found = await caller.read(lambda: gp.similar_users(user, k), [user])
        caller.note("profile.found", "ok", [one.id for one in found])
    return caller.answer({"results": [one.model_dump() for one in found]}, tagged=True)


@router.get("/profiles/{user_id}/explain", operation_id="explain", response_model=Explanation)
async def explain(
    user_id: UserId,
    caller: ReadsProfiles,
    tag: Annotated[str | None, Query(max_length=512, description="NAME or KIND:NAME.")] = None,
    item: Annotated[str | None, Query(max_length=512, description="Id of an item or content.")] = None,
    as_of: AsOf = None,
) -> Response:
    """Why a user has a tag, or why an item would be recommended; give one of the two."""
    user, time = an_id(user_id, "path/user_id"), when(as_of)
    if (tag is None) == (item is None):
        raise invalid("query/tag", "give either tag or item")
    wanted = None if item is None else an_id(item, "query/item")
    gp = caller.service.gp
    async with caller.audited("profile.explain", [user]):
        work = caller.within_limit(lambda: gp.explain(user, tag=tag, item=wanted, as_of=time))
        found = await caller.read(work, [user])
    return caller.answer(found.model_dump(), tagged=True)


@router.get("/profiles/{user_id}/feedback", operation_id="read_feedback", response_model=Feedback)
async def read_feedback(
    user_id: UserId,
    caller: ReadsProfiles,
    as_of: AsOf = None,
    all: Annotated[bool, Query(description="Also where both agree, or there is one of them only.")] = False,
    limit: HowMany = 100,
) -> Response:
    """Where what a user says (ratings, likes, answers) disagrees with what the user does, the strongest first.

    `says` and `does` lie between -1 and 1, `disagreement` between 0 and 1; without `all` those from 0.25 on.
    """
    user, time = an_id(user_id, "path/user_id"), when(as_of)
    gp = caller.service.gp
    async with caller.audited("profile.feedback", [user]):
        found = await caller.read(lambda: gp.feedback(user, as_of=time, all=all, limit=limit), [user])
    return caller.answer(found.model_dump(), tagged=True)


@router.get("/items/{item_id}/similar", operation_id="similar_items", response_model=Recommendations)
async def similar_items(
    item_id: ItemId,
    caller: ReadsProfiles,
    k: HowMany = 10,
    tags: TagFilter = [],  # noqa: B006
    where: Where = [],  # noqa: B006
    available: Annotated[bool, Query(description="Without what is marked as not available.")] = False,
    diversity: Diversity = 0.0,
    exact: Annotated[bool, Query(description="Look at everything instead of asking the index.")] = False,
) -> Response:
    """The items (or content) nearest to one."""
    item = an_id(item_id, "path/item_id")
    _check_where(caller, where)
    gp = caller.service.gp

    def nearest() -> list[Recommendation]:
        return gp.similar_items(
            item, k, tags=tags, where=where, available=available, diversity=diversity, exact=exact
        )

    found = await (caller.bounded if exact or tags or where or available else caller.run)(nearest)
    return caller.answer({"results": [one.model_dump() for one in found]}, tagged=True)


def _check_where(caller: Caller, where: Sequence[str]) -> None:
    caller.refuse_hidden("query/where", [split_condition(one)[0] for one in where])
