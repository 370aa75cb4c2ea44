"""Pages of users, items, content and tags, in the order of their ids: for people who look around."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphprofile.records import SYSTEM_PROPERTIES, Document, plain

if TYPE_CHECKING:
    from graphprofile.store import Store

FIRST = ""
TYPICAL_EVENTS = 60
"""Events of somebody to look at: enough to see something, few enough to see it."""
USERS_LOOKED_AT = 1_000


class ListedUser(Document):
    """A user in a list."""

    id: str
    properties: dict[str, Any]


class ListedObject(Document):
    """An item, or a piece of content, in a list; ``tags`` are ``kind:name``."""

    id: str
    title: str | None
    properties: dict[str, Any]
    tags: list[str]


class ListedTag(Document):
    """A tag in a list, with the events behind everybody's interests in it."""

    kind: str
    name: str
    events: int


def list_users(store: Store, *, prefix: str = "", after: str = FIRST, limit: int = 50) -> list[ListedUser]:
    """Users whose ids begin with a text, after an id."""
    rows = store.read("browse/list_users", prefix=prefix, after=after, limit=limit)
    return [ListedUser(id=row["id"], properties=_own(row["properties"])) for row in rows]


def typical_user(store: Store, event_types: Sequence[str]) -> dict[str, Any] | None:
    """Somebody to look at, as ``id`` and ``name``: of the first users, whoever's number of events is nearest to 60."""
    found = store.read(
        "page/choose_user", event_types=event_types, events=TYPICAL_EVENTS, looked_at=USERS_LOOKED_AT
    )
    return found[0] if found else None


def list_objects(
    store: Store, plural: str, *, search: str = "", after: str = FIRST, limit: int = 50
) -> list[ListedObject]:
    """Items or contents whose id begins with a text or whose title holds it, after an id.

    Args:
        store: The graph.
        plural: ``items`` or ``contents``.
        search: The text, whatever its case.
        after: An id.
        limit: At most so many.
    """
    query = {"items": "browse/list_items", "contents": "browse/list_contents"}[plural]
    rows = store.read(query, search=search.lower(), after=after, limit=limit)
    return [
        ListedObject(
            id=row["id"],
            title=row["title"],
            properties=_own(row["properties"]),
            tags=sorted(f"{kind}:{name}" for kind, name in row["tags"]),
        )
        for row in rows
    ]


def list_tags(
    store: Store, *, search: str = "", after: tuple[str, str] = (FIRST, FIRST), limit: int = 50
) -> list[ListedTag]:
    """Tags whose name holds a text, after a (name, kind)."""
    rows = store.read(
        "browse/list_tags", search=search.lower(), after=after[0], after_kind=after[1], limit=limit
    )
    return [ListedTag(**row) for row in rows]


def _own(properties: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in properties.items() if value is not None}
    return plain(given, SYSTEM_PROPERTIES)
