"""Reading one profile: interests as of a time, their share and lift, and the events behind them."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NamedTuple

from graphprofile.errors import NotFound, UsageError
from graphprofile.records import (
    SYSTEM_PROPERTIES,
    EmbeddingInfo,
    EmbeddingStatus,
    Explanation,
    PathStep,
    Profile,
    TagInterest,
    iso,
    plain,
)
from graphprofile.tags import (
    Hierarchy,
    Interest,
    TagKey,
    interests_of,
    multiplier,
    rate_per_ms,
    read_events,
    weights_of_objects,
)
from graphprofile.vocabulary import Vocabulary

if TYPE_CHECKING:
    from graphprofile.store import Store

FOREVER = (1 << 62) - 1
"""A time after every event, epoch ms."""
_SIGNIFICANT = 9


def watermark(store: Store) -> int | None:
    """Time of the newest event in the store, epoch ms; None in an empty one."""
    found = [row["newest_ts"] for row in store.read("load/read_watermark")]
    return max((newest for newest in found if newest is not None), default=None)


def significant(value: float, digits: int = _SIGNIFICANT) -> float:
    """Rounded to so many significant digits; what makes an order stable across engines."""
    return float(f"{value:.{digits - 1}e}") if math.isfinite(value) else value


def require_user(store: Store, user_id: str) -> dict[str, Any]:
    """The row of a user.

    Raises:
        NotFound: With the nearest ids there are.
    """
    rows = store.read("profile/read_user", user_id=user_id)
    if rows:
        return rows[0]
    near: list[str] = []
    for length in (4, 2, 1):
        found = [row["user_id"] for row in store.read("profile/suggest_users", prefix=user_id[:length])]
        near = get_close_matches(user_id, found, n=3, cutoff=0.5)
        if near:
            break
    raise NotFound(
        f"No user {user_id!r}.",
        f"Did you mean {', '.join(near)}?" if near else "Check the id, or load the events that name it.",
    )


def embedding_status(
    model: str | None, model_in_use: str | None, vector_rev: int | None, rev: int | None, kind: str | None
) -> EmbeddingStatus:
    """Status of the vector on a node.

    ``fresh``: computed by the model in use from all of the node's events. ``cold_start``: no usable event, the
    declared fallback. ``stale``: another model, or events since. ``missing``: none.

    Args:
        model: That computed it; None where there is none.
        model_in_use: The version in use.
        vector_rev: The user's revision it was computed at.
        rev: The user's revision now.
        kind: ``fresh`` or ``cold_start``, as it was written.
    """
    if model is None:
        return "missing"
    if model != model_in_use or vector_rev != rev:
        return "stale"
    return "cold_start" if kind == "cold_start" else "fresh"


def embedding_info(row: Mapping[str, Any], model_in_use: str | None) -> EmbeddingInfo:
    """Where the vector on a node comes from, and its :func:`embedding_status`."""
    properties = row["properties"]
    model, place, dimensions = properties.get("embedding_model"), "embedding", row["dimensions"]
    kept = properties.get("embedding_before_model")
    if kept is not None and kept == model_in_use != model:
        # The vectors of another model are being written; until they are complete these are the ones to read.
        model, place = model_in_use, "embedding_before"
        dimensions = row.get("dimensions_before", dimensions)
    status = embedding_status(
        model,
        model_in_use,
        properties.get(f"{place}_rev"),
        properties.get("rev"),
        properties.get(f"{place}_status"),
    )
    return EmbeddingInfo(
        model=model,
        computed_at=iso(properties.get(f"{place}_at")),
        status=status,
        dimensions=dimensions,
    )


def read_profile(
    store: Store,
    vocabulary: Vocabulary,
    user_id: str,
    *,
    as_of: int | None = None,
) -> Profile:
    """The profile of one user.

    Args:
        store: The graph.
        vocabulary: The rules in use.
        user_id: Whose.
        as_of: Epoch ms; None takes the store's newest event. Before it, interests are computed from the events
            up to then and there is no embedding.

    Raises:
        NotFound: No such user.
    """
    found = store.read("profile/read_profile", event_types=vocabulary.types, user_id=user_id)
    if not found:
        require_user(store, user_id)
    row = found[0]
    newest = max((time for time in row["newest"] if time is not None), default=None)
    past = as_of is not None and newest is not None and as_of < newest
    moment = as_of if as_of is not None else newest
    totals: dict[TagKey, int] = {}
    if past and as_of is not None:
        read = store.read("profile/count_events", event_types=vocabulary.types, user_id=user_id, until=as_of)
        counts = [_Count(c["type"], c["events"], c["first_at"], c["last_at"]) for c in read]
        interests = _past_interests(store, vocabulary, user_id, as_of)
    else:
        counts = [_Count(*one) for one in row["counts"]]
        interests = {(one[0], one[1]): Interest(*one[2:8]) for one in row["interests"]}
        totals = {(one[0], one[1]): one[8] or 0 for one in row["interests"]}
    kinds = {kind: (direct, tags) for kind, direct, tags in row["kinds"]}
    names = vocabulary.name_of
    return Profile(
        user_id=user_id,
        as_of=iso(moment),
        properties=plain(
            {name: value for name, value in row["properties"].items() if value is not None}, SYSTEM_PROPERTIES
        ),
        first_seen=iso(min((count.first_at for count in counts), default=None)),
        last_seen=iso(max((count.last_at for count in counts), default=None)),
        events={names.get(c.type, c.type): c.events for c in sorted(counts, key=lambda c: -c.events)},
        tags=_rank(interests, totals, kinds if totals else {}, moment, vocabulary),
        embedding=None if past else embedding_info(row, next(iter(row["models"]), None)),
    )


class _Count(NamedTuple):
    """A user's events of one relationship type."""

    type: str
    events: int
    first_at: int
    last_at: int


def _past_interests(store: Store, vocabulary: Vocabulary, user_id: str, as_of: int) -> dict[TagKey, Interest]:
    events = [e for e in read_events(store, vocabulary, [user_id])[user_id] if e.ts <= as_of]
    weights = weights_of_objects(store, {e.object for e in events}, Hierarchy.read(store))
    return interests_of(events, weights, vocabulary)


def _rank(
    interests: Mapping[TagKey, Interest],
    totals: Mapping[TagKey, int],
    kinds: Mapping[str, tuple[int, int]],
    moment: int | None,
    vocabulary: Vocabulary,
) -> list[TagInterest]:
    short_rate = rate_per_ms(vocabulary.half_life_short_days)
    long_rate = rate_per_ms(vocabulary.half_life_long_days)
    # Shares are taken as of the person's own latest event: they don't depend on the time of reading, and decades
    # later nothing has underflowed to zero.
    latest = max((interest.last_at for interest in interests.values()), default=0)
    strength = {
        tag: interest.long * math.exp((interest.last_at - latest) * long_rate)
        for tag, interest in interests.items()
    }
    positive: dict[str, float] = defaultdict(float)
    for (kind, name), value in strength.items():
        if interests[kind, name].direct and value > 0:
            positive[kind] += value
    ranked = []
    for tag, interest in interests.items():
        kind, name = tag
        age = (moment if moment is not None else interest.last_at) - interest.last_at
        long = interest.long * math.exp(-age * long_rate)
        share = strength[tag] / positive[kind] if positive.get(kind) else None
        lift = None
        if share is not None and kind in kinds:
            everybody, distinct = kinds[kind]
            lift = share / ((totals.get(tag, 0) + 1) / (everybody + distinct))
        ranked.append(
            (
                (-significant(strength[tag]), kind, name),
                TagInterest(
                    tag=name,
                    kind=kind,
                    score=significant(long),
                    share=None if share is None else significant(share),
                    lift=None if lift is None else significant(lift),
                    short=significant(interest.short * math.exp(-age * short_rate)),
                    long=significant(long),
                    events=interest.events,
                    last_at=iso(interest.last_at) or "",
                ),
            )
        )
    return [record for _, record in sorted(ranked, key=lambda pair: pair[0])]


def resolve_tag(store: Store, tag: str) -> TagKey:
    """The tag meant by ``name`` or ``kind:name``.

    Raises:
        NotFound: No such tag.
        UsageError: The name alone stands for several; they are listed.
    """
    kind, colon, name = tag.partition(":")
    found = [(row["kind"], row["name"]) for row in store.read("profile/find_tags", name=tag)]
    if len(found) == 1:
        return found[0]
    if len(found) > 1:
        listed = ", ".join(f"{k}:{n}" for k, n in found)
        raise UsageError(f"The tag {tag!r} is ambiguous.", f"Say which: {listed}.")
    if colon:
        for row in store.read("profile/find_tags", name=name):
            if row["kind"] == kind:
                return row["kind"], row["name"]
    raise NotFound(f"No tag {tag!r}.", "`graphprofile profile USER` lists a person's tags.")


def titles_of(store: Store, objects: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str | None]:
    """Titles of objects, by (label, id)."""
    wanted = list(objects)
    rows = store.read(
        "profile/read_titles",
        item_ids=sorted({o for label, o in wanted if label == "Item"}),
        content_ids=sorted({o for label, o in wanted if label == "Content"}),
    )
    return {(row["object_kind"], row["object_id"]): row["title"] for row in rows}


def explain_tag(
    store: Store, vocabulary: Vocabulary, user_id: str, tag: str, *, as_of: int | None = None
) -> Explanation:
    """The events behind a person's interest in a tag; their contributions sum to the score.

    Args:
        store: The graph.
        vocabulary: The rules in use.
        user_id: Whose.
        tag: ``name`` or ``kind:name``.
        as_of: Epoch ms; None takes the store's newest event.

    Raises:
        NotFound: No such user or tag, or no event of the user leads to it.
    """
    require_user(store, user_id)
    key = resolve_tag(store, tag)
    newest = watermark(store)
    moment = as_of if as_of is not None else newest
    events = [e for e in read_events(store, vocabulary, [user_id])[user_id] if as_of is None or e.ts <= as_of]
    hierarchy = Hierarchy.read(store)
    objects = {e.object for e in events}
    weights = weights_of_objects(store, objects, hierarchy)
    rows = store.read(
        "tags/read_object_tags",
        item_ids=sorted(o for label, o in objects if label == "Item"),
        content_ids=sorted(o for label, o in objects if label == "Content"),
    )
    through: dict[tuple[str, str], list[str]] = defaultdict(list)
    for row in rows:
        if key in hierarchy.at_or_above((row["kind"], row["name"])):
            through[row["object_kind"], row["object_id"]].append(f"{row['kind']}:{row['name']}")
    titles = titles_of(store, through)
    rate = rate_per_ms(vocabulary.half_life_long_days)
    rules = {rule.type: rule for rule in vocabulary.events.values()}
    steps = []
    for event in events:
        weight = weights.get(event.object, {}).get(key)
        if weight is None or moment is None:
            continue
        contribution = multiplier(rules[event.type], event.value) * weight[0]
        steps.append(
            PathStep(
                event_id=event.event_id,
                event=vocabulary.name_of.get(event.type, event.type),
                at=iso(event.ts) or "",
                object_id=event.object[1],
                object_kind=event.object[0].lower(),
                title=titles.get(event.object),
                tags=sorted(through[event.object]),
                feedback=rules[event.type].feedback,
                contribution=contribution * math.exp((event.ts - moment) * rate),
                batch=event.batch,
            )
        )
    if not steps:
        raise NotFound(
            f"No event of {user_id!r} leads to the tag {tag!r}.",
            f"`graphprofile profile {user_id}` lists the tags there are.",
        )
    steps.sort(key=lambda step: (-abs(step.contribution), step.event_id))
    return Explanation(
        user_id=user_id,
        tag=f"{key[0]}:{key[1]}",
        item=None,
        as_of=iso(moment),
        score=math.fsum(step.contribution for step in steps),
        paths=steps,
    )
