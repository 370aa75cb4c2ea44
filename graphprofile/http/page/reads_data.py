"""How the data stand: what a person who looks after them wants to know, each read at its own cost."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphprofile import reading
from graphprofile.batches import list_batches
from graphprofile.counts import count_events, count_nodes
from graphprofile.profiles import GraphProfile
from graphprofile.records import iso
from graphprofile.report_parts.buckets import Series, count_by_time

LOOKED_AT = 100_000
"""So many events are counted by their day; where there are more, those of a share of the users drawn by chance."""
COUNTED = 500_000
"""Where batches have brought more rows than this, events are not counted one by one either."""
LAST_BATCHES = 20


def read_health(gp: GraphProfile) -> dict[str, Any]:
    """Counts, watermark, lag, who waits for tags and vectors. Costs a scan of the nodes, and none of the events."""
    newest = reading.watermark(gp.store)
    stored = gp.store.read("schema/read_store")
    rules = stored[0]["properties"] if stored else None
    in_use = gp.models.in_use() if rules else None
    return {
        "engine": gp.store.engine,
        "schema_version": rules["version"] if rules else None,
        "store_id": rules["store_id"] if rules else None,
        "nodes": count_nodes(gp.store),
        "watermark": iso(newest),
        "lag_seconds": None if newest is None else max(0, int(time.time() - newest / 1000)),
        "users_awaiting_tags": gp.store.read("status/count_due")[0]["users"],
        "vectors": [
            {name: row[name] or 0 if name != "label" else row[name] for name in row}
            for row in gp.store.read("status/count_vectors", model=in_use or "")
        ],
        "model": in_use,
        "model_coming": gp.models.coming() if in_use else None,
        "changed_rules": gp.changed_rules() if rules else [],
        "left_behind": [
            batch["id"] for batch in list_batches(gp.store, LAST_BATCHES) if batch["state"] == "interrupted"
        ],
    }


def advice(health: Mapping[str, Any]) -> list[dict[str, str | None]]:
    """What to do, most urgent first: what is the matter, and the command that mends it."""
    nodes, vectors = health["nodes"], health["vectors"]
    if not any(nodes.values()):
        return [_do("Nothing is loaded yet.", "graphprofile load events.csv")]
    found = [
        _do(
            f"Batch {id_} was broken off. The command that began it goes on where it was.",
            "graphprofile load SOURCE…",
        )
        for id_ in health["left_behind"]
    ]
    if health["changed_rules"]:
        found.append(
            _do(
                "The event rules of the file differ from those that the interests were computed with.",
                "graphprofile tags --full",
            )
        )
    if health["users_awaiting_tags"]:
        found.append(
            _do(f"{_users(health['users_awaiting_tags'])} for their interests.", "graphprofile tags")
        )
    if health["model"] is None:
        found.append(_do("There is no model yet: no vectors, no recommendations.", "graphprofile train"))
    elif health["model_coming"]:
        found.append(
            _do(
                f"The vectors of {health['model_coming']} are being written; until then the others are read. "
                "If nobody is at it any more, this goes on:",
                f"graphprofile models promote {health['model_coming']}",
            )
        )
    elif sum(row["stale"] + row["missing"] for row in vectors):
        due = sum(row["stale"] + row["missing"] for row in vectors)
        found.append(
            _do(f"{due:,} vectors are missing or older than their events or the model.", "graphprofile embed")
        )
    return found


def _users(count: int) -> str:
    return "One user waits" if count == 1 else f"{count:,} users wait"


def _do(what: str, command: str) -> dict[str, str | None]:
    return {"what": what, "command": command}


@dataclass(frozen=True)
class Events:
    """Events by type and by time.

    Attributes:
        types: Events of each type, most first.
        counted: Whether these are counted, and not estimated.
        series: Events of the users looked at, per stretch of time and type.
        share: Of the users that were looked at, drawn by chance.
    """

    types: dict[str, int]
    counted: bool
    series: Series | None
    share: float


def read_events(gp: GraphProfile) -> Events:
    """Events by type and time; where there are many, estimated from a share of the users.

    Costs a scan of the users and of :data:`LOOKED_AT` events; to count up to :data:`COUNTED` of them another one.
    """
    rows = int(gp.store.read("status/sum_applied")[0]["rows"])
    counted = rows <= COUNTED
    types = count_events(gp.store, gp.vocabulary) if counted else {}
    share = min(1.0, LOOKED_AT / max(1, sum(types.values()) if counted else rows))
    names = gp.vocabulary.name_of
    found = [
        (names.get(row["type"], row["type"]), row["day"], row["precision"], row["events"])
        for row in gp.store.read("status/count_events_by_day", event_types=gp.vocabulary.types, share=share)
    ]
    if not counted:
        seen: Counter[str] = Counter()
        for name, _, _, events in found:
            seen[name] += events
        types = {name: round(events / share) for name, events in seen.items()}
    ordered = dict(sorted(types.items(), key=lambda pair: (-pair[1], pair[0])))
    return Events(ordered, counted, count_by_time(found), share)
