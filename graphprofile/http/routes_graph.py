"""What there is: lists of users, items, content and tags, insights, models, status, the audit log."""

from __future__ import annotations

from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Path, Query, Request, Response

from graphprofile import batches, browsing
from graphprofile.errors import ModelError, NotFound
from graphprofile.http.audit import AuditEntry, read_audit
from graphprofile.http.caller import Administers, Caller, ReadsProfiles, an_id, clean_text
from graphprofile.http.documents import (
    AuditPage,
    BatchPage,
    InsightAnswer,
    InsightList,
    ModelDocument,
    ModelList,
    ObjectPage,
    Status,
    TagPage,
    UserPage,
)
from graphprofile.http.insights import ask, find_insight
from graphprofile.http.keys import ADMIN
from graphprofile.http.paging import Cursor, Limit, from_cursor, to_cursor
from graphprofile.http.problems import Refusal, invalid
from graphprofile.insights import list_insights
from graphprofile.records import epoch_ms

router = APIRouter()

Search = Annotated[str, Query(max_length=200, description="Begin of an id, or part of a title or name.")]
DAMAGED = "It cannot be read back. The server's log, or a key with the scope admin, says more."
FOR_ADMIN_ONLY = ("uri", "data_dir")


@router.get("/users", operation_id="list_users", response_model=UserPage, tags=["lists"])
async def list_users(
    caller: ReadsProfiles, q: Search = "", limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Users in the order of their ids, those whose id begins with `q`."""
    (after,) = from_cursor(cursor, str) if cursor else ("",)
    store = caller.service.gp.store
    async with caller.audited("users.list"):
        found = await caller.run(
            lambda: browsing.list_users(store, prefix=clean_text(q), after=clean_text(after), limit=limit)
        )
        caller.note("profile.listed", "ok", [user.id for user in found])
    following = to_cursor(found[-1].id) if len(found) == limit else None
    return caller.answer({"users": [user.to_json() for user in found], "next": following})


@router.get("/items", operation_id="list_items", response_model=ObjectPage, tags=["lists"])
async def list_items(
    caller: ReadsProfiles, q: Search = "", limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Items in the order of their ids, those whose id begins with `q` or whose title holds it."""
    return await _objects(caller, "items", q, limit, cursor)


@router.get("/content", operation_id="list_content", response_model=ObjectPage, tags=["lists"])
async def list_content(
    caller: ReadsProfiles, q: Search = "", limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Content, as for items."""
    return await _objects(caller, "contents", q, limit, cursor)


async def _objects(caller: Caller, plural: str, q: str, limit: int, cursor: str | None) -> Response:
    if q:
        caller.refuse_hidden("query/q", ["title"])
    (after,) = from_cursor(cursor, str) if cursor else ("",)
    store = caller.service.gp.store
    found = await caller.run(
        lambda: browsing.list_objects(
            store, plural, search=clean_text(q), after=clean_text(after), limit=limit
        )
    )
    following = to_cursor(found[-1].id) if len(found) == limit else None
    return caller.answer({"results": [one.to_json() for one in found], "next": following})


@router.get("/tags", operation_id="list_tags", response_model=TagPage, tags=["lists"])
async def list_tags(
    caller: ReadsProfiles, q: Search = "", limit: Limit = 50, cursor: Cursor = None
) -> Response:
    """Tags in the order of their names, those whose name holds `q`."""
    name, kind = from_cursor(cursor, str, str) if cursor else ("", "")
    store = caller.service.gp.store
    found = await caller.run(
        lambda: browsing.list_tags(
            store, search=clean_text(q), after=(clean_text(name), clean_text(kind)), limit=limit
        )
    )
    following = to_cursor(found[-1].name, found[-1].kind) if len(found) == limit else None
    return caller.answer({"tags": [one.to_json() for one in found], "next": following})


@router.get("/insights", operation_id="list_insights", response_model=InsightList, tags=["insights"])
async def insights(caller: ReadsProfiles) -> Response:
    """The questions that can be asked, with their parameters and columns."""
    return caller.answer({"insights": [insight.to_json() for insight in list_insights()]}, tagged=True)


@router.get("/insights/{name}", operation_id="run_insight", response_model=InsightAnswer, tags=["insights"])
async def run_insight(
    name: Annotated[str, Path(description="Of the insight.", examples=["rising_tags"])],
    request: Request,
    caller: ReadsProfiles,
) -> Response:
    """Ask one; its parameters are those of the query, as `GET /v1/insights` lists them."""
    insight = find_insight(name)
    given: dict[str, Any] = {}
    for key, value in request.query_params.multi_items():
        if key in given:
            raise invalid(f"query/{key}", "stands there twice")
        given[key] = clean_text(value)
    return caller.answer({"name": name, "rows": await ask(caller, insight, given)})


@router.get("/models", operation_id="list_models", response_model=ModelList, tags=["models"])
async def list_models(caller: ReadsProfiles) -> Response:
    """The models of the registry, newest first, with their main figures."""
    gp = caller.service.gp
    found = await caller.run(lambda: (gp.models.in_use(), gp.models.list()))
    return caller.answer({"in_use": found[0], "models": without_paths(caller, found[1])})


def without_paths(caller: Caller, models: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Models without what their problems say of the server's folders, unless an administrator asks."""
    if caller.principal.may(ADMIN):
        return models
    return [{**model, "problem": DAMAGED if model["problem"] else None} for model in models]


@router.get("/models/{version}", operation_id="show_model", response_model=ModelDocument, tags=["models"])
async def show_model(
    version: Annotated[str, Path(description="Of the model.")], caller: ReadsProfiles
) -> Response:
    """All that is known of a model."""
    gp = caller.service.gp

    def show() -> dict[str, Any]:
        # A version is a folder's name: only those that are listed are opened.
        if version not in {info["version"] for info in gp.models.list()}:
            raise NotFound(f"No model {version!r}.", "`GET /v1/models` lists those there are.")
        try:
            return {**gp.models.show(version), "version": version}
        except ModelError as error:
            structlog.get_logger().warning("damaged model", version=version, message=error.message)
            (told,) = without_paths(caller, [{"problem": error.message}])
            raise Refusal(409, error.code, f"The model {version} is damaged.", told["problem"]) from error

    return caller.answer(await caller.run(show))


@router.get("/status", operation_id="read_status", response_model=Status, tags=["operations"])
async def status(
    caller: ReadsProfiles,
    batches: Annotated[int, Query(ge=0, le=100, description="How many of the last ones.")] = 5,
    drift: Annotated[bool, Query(description="Measure drift too, which takes a while.")] = False,
) -> Response:
    """Counts, last batches, lag, quarantine, the model and how fresh the vectors are."""
    gp = caller.service.gp
    found = await caller.run(lambda: gp.status(batches, drift=drift))
    if not caller.principal.may(ADMIN):
        found = {name: value for name, value in found.items() if name not in FOR_ADMIN_ONLY}
    return caller.answer(found)


@router.get("/batches", operation_id="list_batches", response_model=BatchPage, tags=["operations"])
async def list_all_batches(caller: ReadsProfiles, limit: Limit = 50, cursor: Cursor = None) -> Response:
    """Every batch there was, newest first, and what became of its rows."""
    found = await read_batches(caller, limit, cursor)
    return caller.answer({"batches": found[0], "next": found[1]})


async def read_batches(
    caller: Caller, limit: int, cursor: str | None
) -> tuple[list[dict[str, Any]], str | None]:
    """A page of batches, and the cursor of the next."""
    before = batches.FIRST
    if cursor:
        at, id_ = from_cursor(cursor, int, str)
        before = _within(int(at)), clean_text(id_)
    store = caller.service.gp.store
    found = await caller.run(lambda: batches.list_batches(store, limit, before))
    return found, to_cursor(*batches.place_of(found[-1])) if len(found) == limit else None


def _within(number: int) -> int:
    """A number of a cursor that engines and SQLite can take.

    Raises:
        Refusal: It is too large.
    """
    if abs(number) > batches.FIRST[0]:
        raise invalid("query/cursor", "is no cursor of this list")
    return number


@router.get("/audit", operation_id="read_audit", response_model=AuditPage, tags=["operations"])
async def audit(
    caller: Administers,
    user: Annotated[str | None, Query(max_length=512, description="Only what is about this user.")] = None,
    key: Annotated[str | None, Query(max_length=40, description="Only what was done with this key.")] = None,
    since: Annotated[str | None, Query(max_length=40, description="Only since then, ISO 8601.")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Who read whom and who wrote what, newest first."""
    found, following = await read_entries(caller, user=user, key=key, since=since, limit=limit, cursor=cursor)
    return caller.answer({"entries": [entry.to_json() for entry in found], "next": following})


async def read_entries(
    caller: Caller,
    *,
    user: str | None,
    key: str | None,
    since: str | None,
    limit: int,
    cursor: str | None,
) -> tuple[list[AuditEntry], str | None]:
    """A page of the audit log, and the cursor of the next; that it was read is put down too."""
    before = _within(int(from_cursor(cursor, int)[0])) if cursor else None
    from_ms = None
    if since is not None:
        try:
            from_ms = epoch_ms(since)
        except (ValueError, OverflowError):
            raise invalid("query/since", "is no time: write it like 2024-05-06T07:08:09Z") from None
        if abs(from_ms) >= 1 << 62:
            raise invalid("query/since", "is out of range")
    service, who = caller.service, None if user is None else an_id(user, "query/user")

    def read() -> list[AuditEntry]:
        service.audit.flush()
        return read_audit(
            service.gp.settings.data_dir,
            user=who,
            key=None if key is None else clean_text(key),
            since=from_ms,
            before=before,
            limit=limit,
        )

    async with caller.audited("audit.read"):
        found = await service.workers.run_anyway(read)
    return found, to_cursor(found[-1].number) if len(found) == limit else None
