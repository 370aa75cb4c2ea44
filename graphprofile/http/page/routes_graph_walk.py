"""Walking through the graph: the neighbours of any node, a few at a time, and how many were left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from graphprofile.errors import NotFound
from graphprofile.http.caller import ReadsProfiles, an_id
from graphprofile.http.page.asked import a_text
from graphprofile.http.page.site import object_path, path
from graphprofile.http.problems import invalid
from graphprofile.reading import require_user
from graphprofile.records import iso
from graphprofile.store import Store
from graphprofile.vocabulary import Vocabulary

router = APIRouter(include_in_schema=False)

AT_ONCE = 24
"""Neighbours of one node."""
LOOKED_AT = 20_000
"""Events of one node among which the newest are sought."""
OBJECTS, TAGS, PEOPLE = 12, 7, 5
"""Of a user; together they are AT_ONCE."""

Node = dict[str, Any]


@router.get("/neighbours")
async def neighbours(
    caller: ReadsProfiles,
    kind: Annotated[Literal["user", "item", "content", "tag"], Query()],
    id: Annotated[str, Query(max_length=1100)],
    of: Annotated[str | None, Query(max_length=1100)] = None,
) -> Response:
    """The neighbours of a node as JSON: newest or weightiest first, and how many more there are.

    Args:
        caller: Who asks.
        kind: Of the node.
        id: Of the node; the name of a tag.
        of: Kind of a tag.
    """
    wanted = an_id(id, "query/id")
    if kind == "tag" and not of:
        raise invalid("query/of", "a tag needs its kind")
    tag_kind = a_text(of or "", "query/of")
    gp = caller.service.gp

    def read() -> dict[str, Any]:
        return walk(gp.store, gp.vocabulary, kind, wanted, tag_kind)

    if kind == "user":
        async with caller.audited("profile.read", [wanted]):
            found = await caller.read(read, [wanted])
    else:
        found = await caller.run(read)
    people = [node["id"] for node in found["neighbours"] if node["kind"] == "user"]
    if people:
        caller.note("profile.found", "ok", people)
    return caller.answer(found)


def walk(store: Store, vocabulary: Vocabulary, kind: str, id_: str, of: str = "") -> dict[str, Any]:
    """A node, some of its neighbours and how many were left out.

    Args:
        store: The graph.
        vocabulary: The rules in use.
        kind: user, item, content or tag.
        id_: Of the node; the name of a tag.
        of: Kind of a tag.

    Raises:
        NotFound: There is no such node.
    """
    if kind == "user":
        return _of_user(store, vocabulary, id_)
    if kind == "tag":
        return _of_tag(store, id_, of)
    return _of_object(store, vocabulary, kind, id_)


def _of_user(store: Store, vocabulary: Vocabulary, id_: str) -> dict[str, Any]:
    properties = require_user(store, id_)["properties"]
    events: dict[str, Any] = {"event_types": vocabulary.types, "id": id_, "looked_at": LOOKED_AT}
    objects = store.read("page/walk_from_users", limit=AT_ONCE, **events)[0]
    people = store.read("page/walk_to_users", limit=AT_ONCE, **events)[0]
    tags = store.read("page/walk_to_tags_of_user", id=id_, limit=AT_ONCE)[0]
    room = {"people": min(PEOPLE, len(people["shown"])), "tags": min(TAGS, len(tags["shown"]))}
    room["objects"] = min(AT_ONCE - room["people"] - room["tags"], len(objects["shown"]))
    # What one kind does not need another may take.
    room["tags"] = min(len(tags["shown"]), AT_ONCE - room["people"] - room["objects"])
    found = [
        *(_thing(*one) for one in objects["shown"][: room["objects"]]),
        *(_tag(*one) for one in tags["shown"][: room["tags"]]),
        *(_person(*one) for one in people["shown"][: room["people"]]),
    ]
    totals = objects["total"] + tags["total"] + people["total"]
    return _document(_node("user", id_, name=properties.get("name")), found, totals)


def _of_object(store: Store, vocabulary: Vocabulary, kind: str, id_: str) -> dict[str, Any]:
    plural = {"item": "items", "content": "contents"}[kind]
    rows = store.read(f"page/read_{plural}", id=id_)
    if not rows:
        raise NotFound(f"No {kind} {id_!r}.", "It may have been removed meanwhile.")
    tags = rows[0]["tags"]
    people = store.read(
        f"page/walk_from_{plural}",
        event_types=vocabulary.types,
        id=id_,
        looked_at=LOOKED_AT,
        limit=AT_ONCE,
    )[0]
    some = min(len(tags), max(TAGS, AT_ONCE - len(people["shown"])))
    found = [
        *(_tag(tag_kind, name, None) for tag_kind, name, _ in tags[:some]),
        *(_person(*one) for one in people["shown"][: AT_ONCE - some]),
    ]
    return _document(_node(kind, id_, title=rows[0]["title"]), found, len(tags) + people["total"])


def _of_tag(store: Store, name: str, kind: str) -> dict[str, Any]:
    if not store.read("page/read_tag", kind=kind, tag=name):
        raise NotFound(f"No tag {name!r} of the kind {kind!r}.", "It may have been removed meanwhile.")
    things = store.read("page/walk_from_tag", kind=kind, tag=name, looked_at=LOOKED_AT, limit=AT_ONCE)[0]
    broader = store.read("page/list_broader_tags", kind=kind, tag=name, limit=TAGS)
    narrower = store.read("page/list_narrower_tags", kind=kind, tag=name, limit=TAGS)
    found = [
        *({**_tag(row["kind"], row["tag"], row["events"]), "by": "part of"} for row in broader),
        *({**_tag(row["kind"], row["tag"], row["events"]), "by": "holds"} for row in narrower),
    ]
    total = things["total"] + len(found)
    for label, id_, title, _ in things["shown"][: AT_ONCE - len(found)]:
        found.append({**_node(label.lower(), id_, title=title), "by": "tagged"})
    return _document(_node("tag", name, of=kind), found, total)


def _thing(label: str, id_: str, title: str | None, name: Any, events: int, last_ts: int) -> Node:
    node = _node(label.lower(), id_, name=name) if label == "User" else _node(label.lower(), id_, title=title)
    return {**node, "by": _times(events), "events": events, "last_at": iso(last_ts)}


def _person(id_: str, name: Any, events: int, last_ts: int) -> Node:
    return {**_node("user", id_, name=name), "by": _times(events), "events": events, "last_at": iso(last_ts)}


def _tag(kind: str, name: str, events: int | None) -> Node:
    node = _node("tag", name, of=kind)
    return {**node, "by": "tagged"} if events is None else {**node, "by": _times(events), "events": events}


def _times(events: int) -> str:
    return "1 event" if events == 1 else f"{events:,} events"


def _node(kind: str, id_: str, of: str | None = None, **called: Any) -> Node:
    """A node; what it is called stands under a name that the masks know."""
    named: Mapping[str, Any] = {key: str(value) for key, value in called.items() if value not in (None, "")}
    where = path("tags", of, id_) if of is not None else object_path(kind, id_)
    return {"kind": kind, "id": id_, "of": of, "path": where, **named}


def _document(node: Node, found: list[Node], total: int) -> dict[str, Any]:
    return {"node": node, "neighbours": found, "left_out": max(0, total - len(found))}
