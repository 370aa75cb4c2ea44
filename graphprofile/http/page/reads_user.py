"""What the page of a user reads besides the profile: the timeline, counts over time, and where interests are going."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from graphprofile.http.page.asked import event_types
from graphprofile.http.paging import from_cursor, to_cursor
from graphprofile.http.problems import invalid
from graphprofile.profiles import GraphProfile
from graphprofile.records import Explanation, Feedback, Profile, TagInterest, iso
from graphprofile.report_parts.buckets import count_by_time
from graphprofile.store import Store
from graphprofile.vocabulary import Vocabulary

EVENTS_AT_ONCE = 25
MOST_PATHS = 12
MOST_APART = 50
SERIES = 6
FOREVER = (1 << 62) - 1
RISING, FALLING = 1.25, 0.8
"""Ratios of the share over days to the share over months from which on an interest is said to move."""


def timeline(
    store: Store,
    vocabulary: Vocabulary,
    user_id: str,
    *,
    event: str | None,
    until: int | None,
    cursor: str | None,
) -> dict[str, Any]:
    """A page of a user's events, newest first.

    Args:
        store: The graph.
        vocabulary: The rules in use.
        user_id: Whose.
        event: Only of this type.
        until: Not later than this, epoch ms.
        cursor: Where the page before ended.

    Returns:
        ``events`` and ``next``, the cursor of the next page or None.

    Raises:
        Refusal: No such type of event, or no cursor.
    """
    place: dict[str, Any] = {"before": FOREVER if until is None else until, "after_type": "", "after_id": ""}
    if cursor is not None:
        ts, kind, id_ = from_cursor(cursor, int, str, str)
        if abs(int(ts)) > FOREVER or "\x00" in f"{kind}{id_}":
            raise invalid("query/cursor", "is no cursor of this list")
        place = {"before": ts, "after_type": kind, "after_id": id_}
    rows = store.read(
        "page/read_timeline",
        event_types=event_types(vocabulary, event),
        user_id=user_id,
        limit=EVENTS_AT_ONCE + 1,
        **place,
    )
    shown, more = rows[:EVENTS_AT_ONCE], len(rows) > EVENTS_AT_ONCE
    last = shown[-1] if shown else None
    names = vocabulary.name_of
    return {
        "events": [
            {
                "event": names.get(row["type"], row["type"]),
                "at": iso(row["ts"]),
                "precision": row["precision"],
                "value": row["value"],
                "kind": row["label"].lower(),
                "id": row["id"],
                "title": row["title"],
                "name": row["name"],
            }
            for row in shown
        ],
        "next": to_cursor(last["ts"], last["type"], last["event_id"]) if last and more else None,
    }


def over_time(
    store: Store, vocabulary: Vocabulary, profile: Profile, until: int | None
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """A user's events by type, and by their most telling tags, over time."""
    latest = FOREVER if until is None else until
    rows = store.read(
        "page/count_days_of_user", event_types=vocabulary.types, user_id=profile.user_id, until=latest
    )
    names = vocabulary.name_of
    events = count_by_time(
        [(names.get(row["type"], row["type"]), row["day"], row["precision"], row["events"]) for row in rows]
    )
    kind, tags = telling_tags(profile.tags)
    found = None
    if kind is not None:
        rows = store.read(
            "page/count_tag_days_of_user",
            event_types=vocabulary.positive_types,
            user_id=profile.user_id,
            kind=kind,
            tags=tags,
            until=latest,
        )
        found = count_by_time([(row["tag"], row["day"], row["precision"], row["events"]) for row in rows])
    return (
        asdict(events) if events and events.dates else None,
        {**asdict(found), "kind": kind} if found and found.dates else None,
    )


def telling_tags(tags: Sequence[TagInterest]) -> tuple[str | None, list[str]]:
    """The kind of tag that a few values describe a person best with, and these values."""
    kinds: dict[str, list[TagInterest]] = defaultdict(list)
    for tag in tags:
        kinds[tag.kind].append(tag)
    if not kinds:
        return None, []
    largest = {kind: sorted(found, key=lambda tag: -tag.events)[:SERIES] for kind, found in kinds.items()}
    # Genres, not authors: the kind whose few largest tags stand for the most events.
    kind = max(sorted(kinds), key=lambda kind: sum(tag.events for tag in largest[kind]))
    return kind, [tag.tag for tag in largest[kind]]


def interests(store: Store, vocabulary: Vocabulary, profile: Profile, *, past: bool) -> list[dict[str, Any]]:
    """Interests by kind, each with its trend.

    Returns:
        ``kind`` and ``tags``; a tag has the fields of :class:`graphprofile.records.TagInterest` and ``trend``:
        rising, falling, steady, or None where nothing can be said.
    """
    strength = {(tag.kind, tag.tag): (tag.short, tag.long) for tag in profile.tags}
    if not past:
        # As of the person's own latest event: decades later the short ones would have underflowed to zero.
        rows = store.read("tags/read_interests", user_ids=[profile.user_id])
        latest = max((row["last_at"] for row in rows), default=0)
        days = vocabulary.half_life_short_days, vocabulary.half_life_long_days
        strength = {
            (row["kind"], row["name"]): (
                row["short"] * _decay(latest - row["last_at"], days[0]),
                row["long"] * _decay(latest - row["last_at"], days[1]),
            )
            for row in rows
        }
    moves = trends(strength)
    kinds: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for tag in profile.tags:
        kinds[tag.kind].append({**tag.to_json(), "trend": moves.get((tag.kind, tag.tag))})
    # Few tags with many events say more at a glance than many with few.
    order = sorted(kinds, key=lambda kind: (-kinds[kind][0]["events"], kind))
    return [{"kind": kind, "tags": kinds[kind]} for kind in order]


def trends(strength: Mapping[tuple[str, str], tuple[float, float]]) -> dict[tuple[str, str], str]:
    """Where interests are going: the share of a kind's short-term scores beside that of its long-term ones.

    Args:
        strength: Short and long score by (kind, name), all as of one moment.
    """
    sums: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for (kind, _), (short, long) in strength.items():
        sums[kind][0] += max(short, 0.0)
        sums[kind][1] += max(long, 0.0)
    found = {}
    for (kind, name), (short, long) in strength.items():
        all_short, all_long = sums[kind]
        if long > 0 and all_short > 0:
            ratio = (short / all_short) / (long / all_long)
            found[kind, name] = "rising" if ratio >= RISING else "falling" if ratio <= FALLING else "steady"
    return found


def _decay(ms: int, half_life_days: float) -> float:
    return math.exp2(-ms / (half_life_days * 86_400_000))


def apart(gp: GraphProfile, profile: Profile, time: int | None) -> Feedback | None:
    """Where words and deeds differ; not looked for where a person has said nothing yet."""
    rules = gp.reading_rules.events
    said = any(name not in rules or rules[name].feedback == "explicit" for name in profile.events)
    return gp.feedback(profile.user_id, as_of=time, limit=MOST_APART) if said else None


def reasons(explained: Explanation) -> dict[str, Any]:
    """An explanation cut to what a person reads: the largest parts, and what the others come to together."""
    found = explained.to_json()
    shown, others = found["paths"][:MOST_PATHS], found["paths"][MOST_PATHS:]
    largest = max((abs(path["contribution"]) for path in shown), default=0.0)
    for path in shown:
        path["part"] = abs(path["contribution"]) / largest if largest else 0.0
    return {
        **found,
        "paths": shown,
        "others": len(others),
        "rest": math.fsum(path["contribution"] for path in others),
    }
