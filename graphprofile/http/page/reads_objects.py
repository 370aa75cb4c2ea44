"""What the pages of items, content and tags read; everything is bounded, and says where a bound was reached."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from difflib import get_close_matches
from typing import Any

from graphprofile.errors import NotFound
from graphprofile.records import SYSTEM_PROPERTIES, iso, plain
from graphprofile.report_parts.buckets import count_by_time
from graphprofile.store import Store
from graphprofile.vocabulary import Vocabulary

MOST_EVENTS = 50_000
"""Events of one thing that are counted: a fraction of a second on either engine."""
MOST_OBJECTS = 2_000
"""Things with one tag that are looked at."""
MOST_PEOPLE = 50_000
"""People with one tag that are looked at."""
SHOWN = 10
TAGS_SHOWN = 40
PLURALS = {"item": "items", "content": "contents"}


def read_object(store: Store, kind: str, id_: str, model: str | None) -> dict[str, Any]:
    """An item, or a piece of content.

    Raises:
        NotFound: There is none; names what begins alike.
    """
    plural = PLURALS[kind]
    rows = store.read(f"page/read_{plural}", id=id_)
    if not rows:
        raise NotFound(f"No {kind} {id_!r}.", _near(store, plural, id_))
    row = rows[0]
    found = row["properties"]
    by_kind: dict[str, list[str]] = defaultdict(list)
    for tag_kind, name, _ in row["tags"]:
        by_kind[tag_kind].append(name)
    properties = plain(
        {name: value for name, value in found.items() if value is not None},
        SYSTEM_PROPERTIES | {"title", "text"},
    )
    return {
        "kind": kind,
        "id": row["id"],
        "title": row["title"],
        "text": found.get("text"),
        "properties": properties,
        "tags": [{"kind": tag_kind, "tags": names} for tag_kind, names in sorted(by_kind.items())],
        "vector": _vector(found, row["dimensions"], model),
    }


def _vector(found: dict[str, Any], dimensions: int | None, model: str | None) -> dict[str, Any]:
    """The status of an object's vector: those do not change while their model is in use."""
    of = found.get("embedding_model")
    place = "embedding"
    if found.get("embedding_before_model") == model != of:
        of, place = model, "embedding_before"
    status = "missing" if of is None else "fresh" if of == model else "stale"
    return {
        "status": status,
        "model": of,
        "computed_at": iso(found.get(f"{place}_at")),
        "dimensions": dimensions,
    }


def _near(store: Store, plural: str, id_: str) -> str:
    for length in (4, 2, 1):
        rows = store.read(f"page/find_{plural}_by_id", prefix=id_[:length], limit=200)
        near = get_close_matches(id_, [row["id"] for row in rows], n=3, cutoff=0.5)
        if near:
            return f"Did you mean {', '.join(near)}?"
    return "Check the id, or load the events that name it."


def read_audience(store: Store, vocabulary: Vocabulary, kind: str, id_: str) -> dict[str, Any]:
    """How many people had to do with an object, by type of event, and when."""
    plural, types, names = PLURALS[kind], vocabulary.types, vocabulary.name_of
    people = store.read(f"page/count_people_of_{plural}", event_types=types, id=id_, looked_at=MOST_EVENTS)
    days = store.read(f"page/count_days_of_{plural}", event_types=types, id=id_, looked_at=MOST_EVENTS)
    found = count_by_time(
        [(names.get(row["type"], row["type"]), row["day"], row["precision"], row["events"]) for row in days]
    )
    return {
        "by_type": [
            {
                "event": names.get(row["type"], row["type"]),
                "events": row["events"],
                "people": row["people"],
                "first_at": iso(row["first_ts"]),
                "last_at": iso(row["last_ts"]),
            }
            for row in people
        ],
        "over_time": asdict(found) if found and found.dates else None,
        "counted": MOST_EVENTS if sum(row["events"] for row in people) >= MOST_EVENTS else None,
    }


def read_tag(store: Store, vocabulary: Vocabulary, kind: str, name: str) -> dict[str, Any]:
    """A tag with its place in the hierarchy and what is going on with it.

    Raises:
        NotFound: There is none; names tags alike.
    """
    rows = store.read("page/read_tag", kind=kind, tag=name)
    if not rows:
        raise NotFound(f"No tag {name!r} of the kind {kind!r}.", _near_tags(store, name))
    row = rows[0]
    own = {key: value for key, value in row["properties"].items() if value is not None and key != "name"}
    broader = store.read("page/list_broader_tags", kind=kind, tag=name, limit=TAGS_SHOWN)
    narrower = store.read("page/list_narrower_tags", kind=kind, tag=name, limit=TAGS_SHOWN + 1)
    days = store.read(
        "page/count_days_of_tag",
        event_types=vocabulary.types,
        kind=kind,
        tag=name,
        most_objects=MOST_OBJECTS,
        looked_at=MOST_EVENTS,
    )
    found = count_by_time([("events", row["day"], row["precision"], row["events"]) for row in days])
    return {
        "kind": kind,
        "tag": name,
        "events": row["events"],
        "direct": row["direct"],
        "properties": plain(own, SYSTEM_PROPERTIES),
        "broader": broader,
        "narrower": narrower[:TAGS_SHOWN],
        "more_narrower": len(narrower) > TAGS_SHOWN,
        "over_time": asdict(found) if found and found.dates else None,
        "counted": MOST_EVENTS if sum(row["events"] for row in days) >= MOST_EVENTS else None,
    }


def _near_tags(store: Store, name: str) -> str:
    rows = store.read("profile/suggest_tags", prefix=name[:2].lower())
    near = get_close_matches(name, [row["name"] for row in rows], n=3, cutoff=0.5)
    listed = dict.fromkeys(f"{row['kind']}:{row['name']}" for row in rows if row["name"] in near)
    return f"Did you mean {', '.join(listed)}?" if near else "The search lists the tags there are."


def read_tagged(store: Store, vocabulary: Vocabulary, kind: str, name: str) -> dict[str, Any]:
    """The things with a tag that have the most events, and the people most interested in it."""
    limits = {"looked_at": MOST_OBJECTS, "most_events": MOST_EVENTS, "limit": SHOWN}
    objects = [
        {**row, "kind": object_kind}
        for object_kind, plural in PLURALS.items()
        for row in store.read(
            f"page/list_{plural}_of_tag", event_types=vocabulary.types, kind=kind, tag=name, **limits
        )
    ]
    people = store.read(
        "page/list_users_of_tag",
        kind=kind,
        tag=name,
        half_life_days=vocabulary.half_life_long_days,
        looked_at=MOST_PEOPLE,
        limit=SHOWN,
    )
    return {
        "objects": sorted(objects, key=lambda row: (-row["events"], row["id"]))[:SHOWN],
        "people": [
            {"id": row["id"], "name": row["name"], "events": row["events"], "last_at": iso(row["last_ts"])}
            for row in people
        ],
    }
