"""The first page: search while one types, and what the graph holds at a glance."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from graphprofile.batches import list_batches
from graphprofile.browsing import typical_user
from graphprofile.counts import count_nodes
from graphprofile.http.caller import Caller, ReadsProfiles
from graphprofile.http.page.asked import MOST_TEXT, a_text
from graphprofile.http.page.site import fragment, is_fragment, page
from graphprofile.profiles import GraphProfile
from graphprofile.reading import watermark
from graphprofile.records import iso
from graphprofile.store import Store

router = APIRouter(include_in_schema=False)

FOUND = 8
"""So many of a kind are shown."""
LOOKED_AT = 25_000
"""Names are compared one by one: so many of a kind while one types, a fraction of a second. Ids have an index."""
LOOKED_FURTHER_AT = 250_000
"""So many where the search was sent off; seconds."""
OVERVIEW_SECONDS = 120
COUNTED = 1_000_000
"""Above so many rows events are not counted: the embedded engine looks at each."""
BIGGEST_TAGS = 14
BATCHES = 5

Searched = Annotated[str, Query(max_length=MOST_TEXT)]


@router.get("/")
async def home(caller: ReadsProfiles, q: Searched = "") -> Response:
    """The search, and below it what the graph holds."""
    searched = a_text(q, "query/q")
    part = is_fragment(caller.request)
    looked_at = LOOKED_AT if part else LOOKED_FURTHER_AT
    found = await _search(caller, searched, looked_at) if searched else None
    counts = await node_counts(caller)
    shown: dict[str, Any] = {"found": found, "q": searched, "counts": counts, "looked_at": looked_at}
    if part:
        return fragment(caller, "_search_found.html", typing=True, **shown)
    title = f"{searched} · Search" if searched else "Search"
    return page(caller, "home.html", title=title, section="search", typing=False, **shown)


@router.get("/overview")
async def overview(caller: ReadsProfiles) -> Response:
    """What the graph holds: read once in a while, whoever asks."""
    found = await caller.service.kept.get(
        "overview", OVERVIEW_SECONDS, lambda: caller.run(lambda: _overview(caller.service.gp))
    )
    counts = await node_counts(caller)
    if found["typical"]:
        async with caller.audited("users.list"):
            caller.note("profile.listed", "ok", [found["typical"]["id"]])
    if is_fragment(caller.request):
        return fragment(caller, "_overview.html", counts=counts, **found)
    return page(caller, "overview.html", title="At a glance", section="search", counts=counts, **found)


async def node_counts(caller: Caller) -> dict[str, int]:
    """How many nodes of each label there are."""
    return await caller.run(lambda: count_nodes(caller.service.gp.store))


def _overview(gp: GraphProfile) -> dict[str, Any]:
    store, types = gp.store, gp.vocabulary.types
    in_use = next((row["version"] for row in store.read("embed/read_model")), None)
    rows = int(store.read("status/sum_applied")[0]["rows"] or 0)
    counted = store.read("status/count_events", event_types=types)[0]["events"] if rows <= COUNTED else None
    people = next(
        (row for row in store.read("status/count_vectors", model=in_use or "") if row["label"] == "User"), {}
    )
    tags = store.read("report/list_tags", limit=BIGGEST_TAGS)
    return {
        "state": {
            "events": counted,
            "rows": rows,
            "watermark": iso(watermark(store)),
            "model": in_use,
            "people": {name: people.get(name) or 0 for name in ("fresh", "stale", "missing")},
            "waiting": store.read("status/count_due")[0]["users"],
            "batches": list_batches(store, BATCHES),
        },
        "typical": typical_user(store, types),
        "biggest": [{"kind": row["kind"], "tag": row["name"], "events": row["events"]} for row in tags],
    }


async def _search(caller: Caller, searched: str, looked_at: int) -> dict[str, Any]:
    """What goes by a text: people, items, content and tags."""
    store = caller.service.gp.store
    by_name, by_title = "name" not in caller.hidden, "title" not in caller.hidden
    async with caller.audited("users.list"):
        found = await caller.bounded(
            lambda: search(store, searched, looked_at, by_name=by_name, by_title=by_title)
        )
        caller.note("profile.listed", "ok", [one["id"] for one in found["users"]])
    return found


def search(
    store: Store, searched: str, looked_at: int = LOOKED_AT, *, by_name: bool = True, by_title: bool = True
) -> dict[str, Any]:
    """People, items, content and tags that go by a text.

    Args:
        store: The graph.
        searched: Begin of an id, or part of a name or title.
        looked_at: Names, titles and tags of each kind that are compared.
        by_name: Whether names of people are looked at.
        by_title: Whether titles are.
    """
    found: dict[str, Any] = {}
    for kind, plural, field, allowed in (
        ("users", "users", "name", by_name),
        ("items", "items", "title", by_title),
        ("content", "contents", "title", by_title),
    ):
        found[kind] = find_objects(store, plural, field, searched, looked_at, by_text=allowed)[:FOUND]
    found["tags"] = find_tags(store, searched, FOUND, looked_at)
    found["searched"] = {"users": by_name, "items": by_title, "content": by_title, "tags": True}
    return found


def find_objects(
    store: Store, plural: str, field: str, searched: str, looked_at: int, *, by_text: bool
) -> list[dict[str, Any]]:
    """Users, items or contents by the begin of their ids, and by part of their name or title.

    Args:
        store: The graph.
        plural: Which of them.
        field: ``name`` or ``title``.
        searched: The text.
        looked_at: So many names or titles are compared.
        by_text: Whether they are looked at.
    """
    small, rows = searched.lower(), []
    for prefix in dict.fromkeys((searched, small, searched.upper())):
        rows += store.read(f"page/find_{plural}_by_id", prefix=prefix, limit=FOUND)
    rows.sort(key=lambda row: (row["id"].lower() != small, row["id"]))
    if by_text:
        query = f"page/find_{plural}_by_{field}"
        others = store.read(query, search=small, looked_at=looked_at, limit=3 * FOUND)
        rows += sorted(others, key=lambda row: _place(row[field], small))
    return list({row["id"]: row for row in rows}.values())


def find_tags(store: Store, searched: str, limit: int, looked_at: int = LOOKED_AT) -> list[dict[str, Any]]:
    """Tags by part of their name."""
    return store.read("page/find_tags", search=searched.lower(), looked_at=looked_at, limit=limit)


def _place(text: Any, searched: str) -> tuple[int, int, str]:
    """Where a find stands: those that begin so first, then those where a word does, the shorter ones first."""
    small = str(text).lower()
    begins = 0 if small.startswith(searched) else 1 if f" {searched}" in small else 2
    return begins, len(small), small
