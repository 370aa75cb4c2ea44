"""The check of the interests: everything stored against a computation from the events, outside the engine."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from graphprofile.records import chunks
from graphprofile.tags import (
    USERS_PER_TRANSACTION,
    Hierarchy,
    Interest,
    TagKey,
    interests_of,
    object_weights,
    rate_per_ms,
    read_events,
)
from graphprofile.vocabulary import Vocabulary

if TYPE_CHECKING:
    from graphprofile.store import Store


def verify_tags(
    store: Store,
    vocabulary: Vocabulary,
    *,
    progress: Callable[[str, int, int | None], None] | None = None,
) -> float:
    """Compare all stored interests with a computation from the events, outside the engine.

    Returns:
        Largest |stored - computed| / Σ|contributions| over users, tags and both half-lives; infinite where a
        pair is missing or too many, or ``events``, ``first_at``, ``last_at`` or a tag's total differ. The sums by
        kind of tag that are kept on users count alike.
    """
    hierarchy = Hierarchy.read(store)
    weights = object_weights(store.stream("tags/read_item_tags"), hierarchy)
    user_ids = sorted(row["user_id"] for row in store.stream("tags/list_users"))
    totals: dict[TagKey, list[int]] = defaultdict(lambda: [0, 0])
    long_rate = rate_per_ms(vocabulary.half_life_long_days)
    worst = 0.0
    for number, part in enumerate(chunks(user_ids, USERS_PER_TRANSACTION)):
        events = read_events(store, vocabulary, part)
        stored: dict[str, dict[TagKey, Interest]] = {user_id: {} for user_id in part}
        for row in store.stream("tags/read_interests", user_ids=list(part)):
            tag = (row["kind"], row["name"])
            if tag in stored[row["user_id"]]:
                worst = math.inf
            stored[row["user_id"]][tag] = Interest(
                row["short"], row["long"], row["events"], row["first_at"], row["last_at"], row["direct"]
            )
        sums = {row["user_id"]: row for row in store.stream("tags/read_kind_sums", user_ids=list(part))}
        for user_id in part:
            computed = interests_of(events[user_id], weights, vocabulary)
            worst = max(worst, compare(stored[user_id], computed))
            worst = max(worst, compare_sums(sums.get(user_id, {}), computed, long_rate))
            for tag, interest in computed.items():
                totals[tag][0] += interest.events
                totals[tag][1] += interest.events if interest.direct else 0
        if progress:
            progress("verified", min((number + 1) * USERS_PER_TRANSACTION, len(user_ids)), len(user_ids))
    kept = {
        (row["kind"], row["name"]): [row["events"], row["direct"]] for row in store.stream("tags/read_totals")
    }
    return worst if kept == dict(totals) else math.inf


def compare(stored: Mapping[TagKey, Interest], computed: Mapping[TagKey, Interest]) -> float:
    """Largest relative error between two people's interests; infinite where an exact field differs."""
    if stored.keys() != computed.keys():
        return math.inf
    worst = 0.0
    for tag, a in stored.items():
        b = computed[tag]
        if (a.events, a.first_at, a.last_at, a.direct) != (b.events, b.first_at, b.last_at, b.direct):
            return math.inf
        for have, want, magnitude in (
            (a.short, b.short, b.magnitude_short),
            (a.long, b.long, b.magnitude_long),
        ):
            if not math.isfinite(have):
                return math.inf
            if have != want:
                worst = max(worst, abs(have - want) / magnitude if magnitude else math.inf)
    return worst


def compare_sums(stored: Mapping[str, Any], computed: Mapping[TagKey, Interest], long_rate: float) -> float:
    """Largest relative error of what one person's positive interests in direct tags come to, by kind of tag.

    Args:
        stored: A row of ``tags/read_kind_sums``.
        computed: The interests.
        long_rate: Decay per millisecond.

    Returns:
        As :func:`verify_tags`; infinite where a kind is missing or too many that is more than a rounding error.
    """
    latest = max((interest.last_at for interest in computed.values()), default=None)
    if stored.get("at") != latest:
        return math.inf
    have: Mapping[str, float] = (
        dict(zip(stored["kinds"] or (), stored["sums"] or (), strict=True)) if stored else {}
    )
    if latest is None:
        return math.inf if have else 0.0
    want: dict[str, float] = defaultdict(float)
    magnitude: dict[str, float] = defaultdict(float)
    for (kind, _), interest in computed.items():
        if interest.direct:
            left = math.exp((interest.last_at - latest) * long_rate)
            want[kind] += max(interest.long, 0.0) * left
            magnitude[kind] += interest.magnitude_long * left
    worst = 0.0
    for kind in {*have, *want}:
        error = abs(have.get(kind, 0.0) - want[kind])
        if not math.isfinite(error):
            return math.inf
        if error:
            worst = max(worst, error / magnitude[kind] if magnitude[kind] else math.inf)
    return worst
