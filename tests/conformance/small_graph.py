"""Graphs made by hand for the tests: small enough for their answers to be worked out on paper."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graphprofile.store import Store
from graphprofile.tags import update_tags
from graphprofile.vocabulary import Vocabulary

DAY = 86_400_000
START = 1_700_000_000_000 // DAY * DAY
"""Midnight of a day in November 2023; day 0 of the graphs."""

Event = tuple[str, str, str, float]
"""User, relationship type, object (``user:…``, ``content:…``, else an item), day."""


def fill(
    store: Store,
    events: Sequence[Event],
    *,
    tags: Mapping[str, Iterable[tuple[str, str]]] | None = None,
    broader: Iterable[tuple[str, str, str, str]] = (),
    names: Mapping[str, str] | None = None,
    titles: Mapping[str, str] | None = None,
    values: Mapping[int, float] | None = None,
    users: Iterable[str] = (),
) -> None:
    """Write a graph and compute its interests.

    Args:
        store: Empty, with its schema.
        events: One per relationship, named e0, e1, … in this order.
        tags: Direct tags of items and content, as (kind, name), weight 1.
        broader: PART_OF as (kind, name, broader kind, broader name).
        names: ``name`` of users.
        titles: ``title`` of items and content.
        values: ``value`` by number of the event.
        users: Users without events.
    """
    names, titles, tags, values = names or {}, titles or {}, tags or {}, values or {}
    people = {user for user, *_ in events} | set(names) | set(users)
    people |= {thing.removeprefix("user:") for _, _, thing, _ in events if thing.startswith("user:")}
    things = {thing for _, _, thing, _ in events if not thing.startswith("user:")} | set(tags) | set(titles)
    broader = list(broader)
    kinds = {tag for direct in tags.values() for tag in direct}
    kinds |= {(row[0], row[1]) for row in broader} | {(row[2], row[3]) for row in broader}

    def write(text: str, rows: Sequence[Any]) -> None:
        store.cypher(text, {"rows": list(rows)}, read_only=False)

    write(
        "UNWIND $rows AS r CREATE (u:User {id: r[0]}) "
        "SET u.name = r[1], u.rev = 1, u.tags_due = true, u.embed_due = true",
        [[user, names.get(user)] for user in sorted(people)],
    )
    for label in ("Item", "Content"):
        write(
            f"UNWIND $rows AS r CREATE (i:{label} {{id: r[0]}}) SET i.title = r[1], i.embed_due = true",
            [[named(thing)[1], titles.get(thing)] for thing in sorted(things) if named(thing)[0] == label],
        )
    write("UNWIND $rows AS r CREATE (:Tag {kind: r[0], name: r[1]})", [list(tag) for tag in sorted(kinds)])
    for label in ("Item", "Content"):
        write(
            f"UNWIND $rows AS r MATCH (i:{label} {{id: r[0]}}) MATCH (t:Tag {{kind: r[1], name: r[2]}}) "
            "CREATE (i)-[:HAS_TAG {weight: 1.0}]->(t)",
            [
                [named(thing)[1], *tag]
                for thing, direct in sorted(tags.items())
                if named(thing)[0] == label
                for tag in direct
            ],
        )
    write(
        "UNWIND $rows AS r MATCH (t:Tag {kind: r[0], name: r[1]}) MATCH (b:Tag {kind: r[2], name: r[3]}) "
        "CREATE (t)-[:PART_OF]->(b)",
        [list(row) for row in broader],
    )
    for number, (user, kind, thing, day) in enumerate(events):
        label, id_ = named(thing)
        store.cypher(
            f"MATCH (u:User {{id: $user}}) MATCH (o:{label} {{id: $thing}}) "
            f"CREATE (u)-[e:{kind} {{event_id: $id, ts: $ts, batch: 'b1', hash: $id}}]->(o) "
            "SET e.value = $value",
            {
                "user": user,
                "thing": id_,
                "id": f"e{number}",
                "ts": at(day),
                "value": values.get(number),
            },
            read_only=False,
        )
    if events:
        times = [at(day) for *_, day in events]
        store.cypher(
            "CREATE (:Batch {id: 'b1', source: 'hand.csv', kind: 'events', state: 'done', started_at: 1, "
            "read: $n, applied: $n, duplicates: 0, conflicts: 0, quarantined: 2, late: 0, "
            "oldest_ts: $oldest, newest_ts: $newest})",
            {"n": len(events), "oldest": min(times), "newest": max(times)},
            read_only=False,
        )
    update_tags(store, Vocabulary(), full=True)


def named(thing: str) -> tuple[str, str]:
    """Label and id of an object."""
    prefix, colon, rest = thing.partition(":")
    return (prefix.title(), rest) if colon and prefix in ("user", "content") else ("Item", thing)


def at(day: float) -> int:
    """Epoch milliseconds of a day of the graphs."""
    return START + round(day * DAY)
