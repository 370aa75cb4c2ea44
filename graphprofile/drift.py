"""Drift: how far what comes in now, and the users' vectors, are from what the last training saw.

**Inputs.** The population stability index of declared distributions, over a seeded sample of users. The reference is
the newest fifth of the training's events, seen as the events since are seen: objects by how popular they were before
that stretch. Nothing depends on how long a stretch is. Counts per bin are kept in the model's document.

**Vectors.** A user's vector is a function of the user's own events and of frozen objects, so the vector at the time of
the last training is computed again from the events up to then, and compared with the one of now.
"""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from graphprofile.distributions import (
    DISTRIBUTIONS,
    Ranks,
    Stretch,
    contribution_bins,
    folded_tags,
    number_bin,
    popularity_bins,
    ranks,
)
from graphprofile.export import ITEM, event_parameters
from graphprofile.graphsage.data import TrainingGraph
from graphprofile.graphsage.fitted import FittedModel
from graphprofile.records import chunks, iso
from graphprofile.stability import band, by_chance, changes, psi
from graphprofile.vocabulary import Vocabulary
from graphprofile.writeback import UserVectors

if TYPE_CHECKING:
    from graphprofile.store import Store

SAMPLED_USERS = 20_000
USERS_IN_STATUS = 2_000
REFERENCE_SHARE = 0.2
MOVED_USERS = 2_000
#: Fewer users with events than this say nothing of a distribution.
MIN_USERS = 20
RANKS = "drift.ranks"
"""Name of the array that a version keeps of its objects: their :func:`ranks`."""
_USERS_AT_ONCE = 2_000
_HISTORIES_AT_ONCE = 500
_OBJECTS_AT_ONCE = 5_000


def sample_users(store: Store, size: int, seed: int = 0) -> tuple[list[str], int]:
    """Users whose keyed hash is smallest: the same whatever the order, and mostly the same as users come.

    Returns:
        Ids, sorted, and how many users there are.
    """
    key = seed.to_bytes(8, "big", signed=True)
    total = 0

    def hashed() -> Iterable[tuple[bytes, str]]:
        nonlocal total
        for row in store.stream("tags/list_users"):
            total += 1
            id_ = str(row["user_id"])
            yield hashlib.blake2b(id_.encode(), digest_size=8, key=key).digest(), id_

    found = heapq.nsmallest(size, hashed())
    return sorted(id_ for _, id_ in found), total


def read_stretch(
    store: Store,
    vocabulary: Vocabulary,
    user_ids: Sequence[str],
    since: int,
    until: int,
    popularity: Ranks,
) -> tuple[Stretch, dict[str, int]]:
    """The distributions of the events of some users later than ``since`` and not later than ``until``.

    Args:
        store: The graph.
        vocabulary: The rules in use.
        user_ids: Whose.
        since: Epoch ms.
        until: Epoch ms.
        popularity: Ranks before the stretch; objects that are absent count as new.

    Returns:
        Counts, and of each user with an event in the stretch how many came before it.
    """
    stretch, earlier, on_object = Stretch(sampled=len(user_ids)), {}, Counter[str]()
    names = vocabulary.name_of
    for part in chunks(user_ids, _USERS_AT_ONCE):
        rows = store.stream(
            "drift/read_recent",
            event_types=vocabulary.types,
            user_ids=list(part),
            since=since,
            until=until,
            rules=event_parameters(vocabulary)["rules"],
        )
        for row in rows:
            earlier[str(row["user_id"])] = int(row["earlier"])
            stretch.users += 1
            stretch.events += len(row["types"])
            stretch.counts["event_types"].update(names.get(name, name) for name in row["types"])
            stretch.counts["contributions"].update(contribution_bins(row["weights"]))
            a_day = Counter(int(day) for day in row["days"])
            stretch.counts["events_per_user_day"].update(number_bin(count) for count in a_day.values())
            on_object.update(row["objects"])
    stretch.counts["popularity"] = popularity_bins(on_object, popularity)
    stretch.counts["tags"] = _tags(store, on_object)
    return stretch, earlier


def _tags(store: Store, on_object: Mapping[str, int]) -> Counter[str]:
    """Events by the direct tags of their objects."""
    found: Counter[str] = Counter()
    for part in chunks(sorted(on_object), _OBJECTS_AT_ONCE):
        items: list[str] = []
        content: list[str] = []
        for key in part:
            (items if key.startswith(ITEM) else content).append(key[2:])
        rows = store.read("tags/read_object_tags", item_ids=items, content_ids=content)
        of_object: dict[str, list[str]] = {key: [] for key in part}
        for row in rows:
            prefix = "i:" if row["object_kind"] == "Item" else "c:"
            of_object[prefix + row["object_id"]].append(f"{row['kind']}:{row['name']}")
        for key, tags in of_object.items():
            for tag in tags or ["none"]:
                found[tag] += on_object[key] / max(1, len(tags))  # type: ignore[assignment]
    return found


# --- against the last training ------------------------------------------------------------------------------


def reference(
    store: Store, vocabulary: Vocabulary, graph: TrainingGraph, *, users: int = SAMPLED_USERS, seed: int = 0
) -> dict[str, Any]:
    """What a training saw, for its model's document.

    Args:
        store: The graph.
        vocabulary: The rules in use.
        graph: What is trained on.
        users: How many to sample.
        seed: Of the sample.
    """
    times = np.sort(graph.event_ts)
    until = int(times[-1])
    since = int(times[max(0, int((1.0 - REFERENCE_SHARE) * len(times)) - 1)])
    if since == until:
        before = times[times < until]
        since = int(before[-1]) if len(before) else until - 1
    sampled, _ = sample_users(store, users, seed)
    popularity = dict(zip(map(str, graph.object_ids), ranks(graph, since).tolist(), strict=True))
    stretch, _ = read_stretch(store, vocabulary, sampled, since, until, popularity)
    return {"since": since, "until": until, "seed": seed, **stretch.to_json()}


@dataclass(frozen=True)
class Trained:
    """The training that drift is measured against.

    Attributes:
        version: Its model.
        document: The model's document.
        ranks: Popularity of its objects at that time.
    """

    version: str
    document: Mapping[str, Any]
    ranks: Ranks


def measure(
    store: Store,
    vocabulary: Vocabulary,
    trained: Trained,
    model: FittedModel | None,
    *,
    until: int,
    users: int = SAMPLED_USERS,
) -> dict[str, Any]:
    """Inputs and vectors of now against the last training.

    Args:
        store: The graph.
        vocabulary: The rules in use.
        trained: The last training.
        model: The model in use; None leaves the vectors out.
        until: Epoch ms of the newest event.
        users: How many to sample.
    """
    then = trained.document.get("drift")
    since = int(trained.document["newest_ts"])
    sampled, total = sample_users(store, users, int(then["seed"]) if then else 0)
    stretch, earlier = read_stretch(store, vocabulary, sampled, since, max(until, since), trained.ranks)
    return {
        "against": trained.version,
        "trained_at": trained.document["created_at"],
        "since": iso(since),
        "until": iso(until),
        "sampled_users": len(sampled),
        "of_users": total,
        "users": stretch.users,
        "events": stretch.events,
        "inputs": compare_inputs(then, stretch) if then else None,
        "vectors": None
        if model is None
        else moved_vectors(store, vocabulary, model, earlier, since, len(sampled)),
    }


def compare_inputs(then: Mapping[str, Any], now: Stretch) -> dict[str, Any]:
    """The index of each distribution; null where fewer than twenty users stand behind either side."""
    out: dict[str, Any] = {}
    enough = min(int(then["users"]), now.users) >= MIN_USERS
    for name in DISTRIBUTIONS:
        p = then["counts"][name]
        q: Mapping[str, float] = now.counts[name]
        if name == "tags":
            q = folded_tags(q, p.keys() - {"other"})
        value = psi(p, q) if enough else None
        out[name] = {
            "psi": None if value is None else round(value, 4),
            "band": None if value is None else band(value),
            "by_chance": round(by_chance(p, q, (int(then["users"]), now.users)), 4) if enough else None,
            "changes": changes(p, q) if enough else [],
        }
    return out


def moved_vectors(
    store: Store,
    vocabulary: Vocabulary,
    model: FittedModel,
    earlier: Mapping[str, int],
    since: int,
    sampled: int,
) -> dict[str, Any]:
    """Cosine of users' vectors then and now, by the model in use.

    Args:
        store: The graph.
        vocabulary: The rules in use.
        model: The model in use.
        earlier: Users with an event since, and how many they had before.
        since: Epoch ms of the last training's newest event.
        sampled: Users sampled in all; who has no event since has not moved.

    Returns:
        ``users`` compared, ``mean_cosine`` over those with events since, ``moved``: 1 - cosine on average over all
        sampled users who were there at training, ``changed_share`` and ``new_share`` of the sampled users.
    """
    changed = sorted(user for user, count in earlier.items() if count > 0)
    new = len(earlier) - len(changed)
    cosines: list[float] = []
    vectors = UserVectors(store, vocabulary, model)
    looked_at = changed[:: max(1, -(-len(changed) // MOVED_USERS))]
    for part in chunks(looked_at, _HISTORIES_AT_ONCE):
        rows = vectors.read(part)
        now, usable_now = vectors.compute(rows)
        then, usable_then = vectors.compute([_up_to(row, since) for row in rows])
        both = usable_now & usable_then
        taste = slice(0, model.dim)
        cosines += (now[both, taste] * then[both, taste]).sum(axis=1).astype(float).tolist()
    mean = float(np.mean(cosines)) if cosines else None
    there = max(1, sampled - new)
    return {
        "users": len(cosines),
        "mean_cosine": None if mean is None else round(mean, 4),
        "moved": 0.0 if mean is None else round((1.0 - mean) * len(changed) / there, 4),
        "changed_share": round(len(changed) / there, 4),
        "new_share": round(new / max(1, sampled), 4),
    }


def _up_to(row: Mapping[str, Any], until: int) -> dict[str, Any]:
    keep = [index for index, ts in enumerate(row["times"]) if ts <= until]
    columns = ("objects", "types", "times", "weights")
    return {**row, **{name: [row[name][index] for index in keep] for name in columns}}
