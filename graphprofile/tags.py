"""Interest tags: computed in Cypher for the users who changed, and once more outside the engine for who asks or checks.

Scores decay forward (Cormode, Shkapenyuk, Srivastava, Xu: "Forward Decay", ICDE 2009): a pair's score stands as of
its own latest event and is read with the remaining decay, so nothing needs touching as time passes.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from graphprofile.errors import (
    AuthenticationFailed,
    EngineError,
    EngineUnavailable,
    RetriesExhausted,
    StoreMismatch,
)
from graphprofile.pipeline import made_ahead
from graphprofile.records import TagsResult, chunks
from graphprofile.vocabulary import EventRule, Vocabulary

if TYPE_CHECKING:
    from graphprofile.store import Store, Transaction

PASSES_OVER_SOME = 3
USERS_PER_TRANSACTION = 200
MS_PER_DAY = 86_400_000
TOLERANCE = 1e-9

S = TypeVar("S")
T = TypeVar("T")
TagKey = tuple[str, str]
ObjectKey = tuple[str, str]
Computed = tuple[str, int, list[Any]]
"""Id of a user, revision, and what differs: see ``tags/compute_interests``."""


class Interest(NamedTuple):
    """One person's interest in one tag, as of ``last_at``; ``magnitude`` sums the contributions without sign."""

    short: float
    long: float
    events: int
    first_at: int
    last_at: int
    direct: bool
    magnitude_short: float = 0.0
    magnitude_long: float = 0.0


def rate_per_ms(half_life_days: float) -> float:
    """Decay rate λ with 2^(-t/H) = exp(-λt), t in milliseconds."""
    return math.log(2) / (half_life_days * MS_PER_DAY)


def multiplier(rule: EventRule, value: float | None) -> float:
    """weight(type) · m(value) of one event."""
    if rule.value == "rating":
        return rule.weight * ((value if value is not None else rule.neutral) - rule.neutral)
    if rule.value == "amount" and value is not None:
        return rule.weight * math.log1p(abs(value))
    return rule.weight


def update_tags(
    store: Store,
    vocabulary: Vocabulary,
    *,
    full: bool = False,
    verify: bool = False,
    progress: Callable[[str, int, int | None], None] | None = None,
) -> TagsResult:
    """Recompute the interests of the users who changed, or of all.

    Args:
        store: The graph.
        vocabulary: The rules in use.
        full: All users.
        verify: Afterwards compare every stored interest with a computation outside the engine.
        progress: Called with (what, done, total).

    Returns:
        ``users`` recomputed, ``tags`` with an interest written, and with ``verify`` the largest relative error
        |a - b| / Σ|contributions|; infinite where an exact field differs.
    """
    started = time.perf_counter()
    recompute = _Recompute(store, vocabulary, progress)
    if full:
        recompute(sorted(row["user_id"] for row in store.stream("tags/list_users")))
        store.write(_recount)
    # Who changes meanwhile is due again.
    while due := sorted(row["user_id"] for row in store.stream("tags/list_due")):
        recompute(due)
    if recompute.done:
        sum_kinds(store)
    error = None
    if verify:
        from graphprofile.verifying import verify_tags

        error = verify_tags(store, vocabulary, progress=progress)
    return TagsResult(
        users=len(recompute.done),
        tags=len(recompute.tags),
        max_relative_error=error,
        seconds=round(time.perf_counter() - started, 3),
    )


def update_tags_of(store: Store, vocabulary: Vocabulary, user_ids: Sequence[str]) -> None:
    """Recompute the interests of some users, whoever else is due; :func:`sum_kinds` is for the caller to do.

    Args:
        store: The graph.
        vocabulary: The rules in use.
        user_ids: Whose; who does not exist is passed over.
    """
    recompute = _Recompute(store, vocabulary, None)
    left = sorted(set(user_ids))
    # Who changes meanwhile is done again; who goes on changing stays due.
    for _ in range(PASSES_OVER_SOME):
        recompute(left)
        left = [user_id for user_id in left if user_id not in recompute.done]
        if not left:
            return


def sum_kinds(store: Store) -> None:
    """Bring the base of lift up to date: what everybody's interests come to by kind of tag."""
    store.write(lambda tx: tx.run("tags/sum_kinds", now=int(time.time() * 1000)))


class _Recompute:
    """Recomputes interests, each user wholly: computed in Cypher, then written where the revision still stands.

    The next users are computed while those before are written. So nothing is locked for long, a kill or a second
    process does no harm, and who changes in between stays due.

    Attributes:
        done: Users whose interests were written.
        tags: Tags with an interest written.
    """

    def __init__(
        self, store: Store, vocabulary: Vocabulary, progress: Callable[[str, int, int | None], None] | None
    ) -> None:
        self._store, self._vocabulary, self._progress = store, vocabulary, progress
        self._short_rate = rate_per_ms(vocabulary.half_life_short_days)
        self._long_rate = rate_per_ms(vocabulary.half_life_long_days)
        self.done: set[str] = set()
        self.tags: set[TagKey] = set()

    def __call__(self, user_ids: Sequence[str]) -> None:
        """Go over the users once."""
        seen = 0
        for computed in made_ahead(self._computed, chunks(user_ids, USERS_PER_TRANSACTION)):
            _in_halves(self._write, computed)
            seen += len(computed)
            if self._progress:
                self._progress("interests", seen, len(user_ids))

    def _computed(self, user_ids: Sequence[str]) -> list[Computed]:
        return [row for rows in _in_halves(self._compute, user_ids) for row in rows]

    def _compute(self, user_ids: Sequence[str]) -> list[Computed]:
        rows = self._store.read("tags/read_revisions", user_ids=list(user_ids))
        found = self._store.read(
            "tags/compute_interests",
            event_types=self._vocabulary.types,
            user_ids=list(user_ids),
            rules=self._vocabulary.rules(),
            short_rate=self._short_rate,
            long_rate=self._long_rate,
        )
        differing = {row["user_id"]: row["interests"] for row in found}
        return [(row["user_id"], row["rev"], differing.get(row["user_id"], [])) for row in rows]

    def _write(self, computed: Sequence[Computed]) -> None:
        def work(tx: Transaction) -> tuple[set[str], set[TagKey]]:
            revisions = [[user_id, rev] for user_id, rev, _ in computed]
            same = {row["user_id"] for row in tx.run("tags/lock_users", rows=revisions)}
            rows = [[user_id, new] for user_id, _, new in computed if new and user_id in same]
            changes = [
                [row["kind"], row["name"], row["events"], row["direct"]]
                for row in (tx.run("tags/write_interests", rows=rows) if rows else ())
            ]
            moved = sorted(change for change in changes if change[2] or change[3])
            if moved:
                tx.run("tags/shift_totals", rows=moved)
            tx.run("tags/set_top_tags", user_ids=sorted(same), long_rate=self._long_rate)
            tx.run("tags/set_kind_sums", user_ids=sorted(same), long_rate=self._long_rate)
            return same, {(kind, name) for kind, name, _, _ in changes}

        done, tags = self._store.write(work)
        self.done |= done
        self.tags |= tags


def _in_halves(work: Callable[[Sequence[S]], T], items: Sequence[S]) -> list[T]:
    """Do the work on all items at once; in halves where together they are too much for the engine's memory."""
    try:
        return [work(items)]
    except (AuthenticationFailed, EngineUnavailable, RetriesExhausted):
        raise
    except EngineError:
        if len(items) <= 1:
            raise
    half = len(items) // 2
    return _in_halves(work, items[:half]) + _in_halves(work, items[half:])


def forget_interests(tx: Transaction, user_ids: Sequence[str]) -> None:
    """Remove the interests of users who are about to be removed, and what the tags' totals have of them."""
    lost = tx.run("tags/clear_interests", user_ids=list(user_ids))
    rows = [[row["kind"], row["name"], -row["events"], -row["direct"]] for row in lost]
    if rows:
        tx.run("tags/shift_totals", rows=sorted(rows))


def _recount(tx: Transaction) -> None:
    """Totals of tags from scratch: the tags are locked first, so that nobody's change falls between."""
    tx.run("tags/zero_totals")
    tx.run("tags/count_totals")


# --- the same, outside the engine ---------------------------------------------------------------------------


class Hierarchy:
    """Tags and what they are part of."""

    def __init__(self, steps: Iterable[tuple[TagKey, TagKey]]) -> None:
        self._broader: dict[TagKey, list[TagKey]] = defaultdict(list)
        for narrow, broad in steps:
            self._broader[narrow].append(broad)
        self._known: dict[TagKey, frozenset[TagKey]] = {}

    @classmethod
    def read(cls, store: Store) -> Hierarchy:
        """The hierarchy of a store."""
        rows = store.read("tags/read_hierarchy")
        return cls(((row["kind"], row["name"]), (row["broader_kind"], row["broader_name"])) for row in rows)

    def at_or_above(self, tag: TagKey) -> frozenset[TagKey]:
        """The tag itself and everything it is part of."""
        found = self._known.get(tag)
        if found is None:
            seen = {tag}
            waiting = [tag]
            while waiting:
                for parent in self._broader.get(waiting.pop(), ()):
                    if parent not in seen:
                        seen.add(parent)
                        waiting.append(parent)
            found = self._known[tag] = frozenset(seen)
        return found

    def weights(self, direct: Iterable[tuple[TagKey, float]]) -> dict[TagKey, tuple[float, bool]]:
        """weight(o, t) of every tag at or above the direct ones, and whether the tag stands directly."""
        result: dict[TagKey, tuple[float, bool]] = {}
        for tag, weight in direct:
            for above in self.at_or_above(tag):
                old, was_direct = result.get(above, (-math.inf, False))
                result[above] = (max(old, weight), was_direct or above == tag)
        return result


@dataclass(frozen=True)
class Event:
    """One event as read back."""

    type: str
    event_id: str
    ts: int
    value: float | None
    object: ObjectKey
    batch: str | None = None


def interests_of(
    events: Sequence[Event],
    weights: Mapping[ObjectKey, Mapping[TagKey, tuple[float, bool]]],
    vocabulary: Vocabulary,
) -> dict[TagKey, Interest]:
    """Interests of one person from that person's events: the design's formula, term by term."""
    rules = {rule.type: rule for rule in vocabulary.events.values()}
    short_rate = rate_per_ms(vocabulary.half_life_short_days)
    long_rate = rate_per_ms(vocabulary.half_life_long_days)
    terms: dict[TagKey, list[tuple[int, float, bool]]] = defaultdict(list)
    for event in events:
        base = multiplier(rules[event.type], event.value)
        for tag, (weight, direct) in weights.get(event.object, {}).items():
            terms[tag].append((event.ts, base * weight, direct))
    result = {}
    for tag, parts in terms.items():
        last_at = max(ts for ts, _, _ in parts)
        short = [c * math.exp((ts - last_at) * short_rate) for ts, c, _ in parts]
        long = [c * math.exp((ts - last_at) * long_rate) for ts, c, _ in parts]
        result[tag] = Interest(
            math.fsum(short),
            math.fsum(long),
            len(parts),
            min(ts for ts, _, _ in parts),
            last_at,
            any(direct for _, _, direct in parts),
            math.fsum(map(abs, short)),
            math.fsum(map(abs, long)),
        )
    return result


def read_events(store: Store, vocabulary: Vocabulary, user_ids: Sequence[str]) -> dict[str, list[Event]]:
    """Events of users, from the graph."""
    events: dict[str, list[Event]] = {user_id: [] for user_id in user_ids}
    for row in store.stream("tags/read_events", event_types=vocabulary.types, user_ids=list(user_ids)):
        events[row["user_id"]].append(
            Event(
                row["type"],
                row["event_id"],
                row["ts"],
                row["value"],
                (row["object_kind"], row["object_id"]),
                row["batch"],
            )
        )
    return events


def object_weights(
    rows: Iterable[Mapping[str, Any]], hierarchy: Hierarchy
) -> dict[ObjectKey, dict[TagKey, tuple[float, bool]]]:
    """weight(o, t) of objects, from rows of ``tags/read_item_tags`` or ``tags/read_object_tags``."""
    direct: dict[ObjectKey, list[tuple[TagKey, float]]] = defaultdict(list)
    for row in rows:
        direct[row["object_kind"], row["object_id"]].append(((row["kind"], row["name"]), row["weight"]))
    return {key: hierarchy.weights(tags) for key, tags in direct.items()}


def weights_of_objects(
    store: Store, objects: Iterable[ObjectKey], hierarchy: Hierarchy
) -> dict[ObjectKey, dict[TagKey, tuple[float, bool]]]:
    """weight(o, t) of the named objects."""
    by_label: dict[str, set[str]] = {"Item": set(), "Content": set()}
    for label, object_id in objects:
        if label in by_label:
            by_label[label].add(object_id)
    rows = store.read(
        "tags/read_object_tags", item_ids=sorted(by_label["Item"]), content_ids=sorted(by_label["Content"])
    )
    return object_weights(rows, hierarchy)


def require_same_rules(declared: Vocabulary | None, stored: Vocabulary) -> None:
    """Refuse to compute increments under rules other than those the rest was computed with.

    Raises:
        StoreMismatch: Names what differs; ``tags --full`` takes the new rules.
    """
    changes = declared.changed_rules(stored) if declared is not None else []
    if changes:
        raise StoreMismatch(
            "The vocabulary differs from the one the interests were computed with: "
            + "; ".join(changes)
            + ".",
            "Run `graphprofile tags --full` to recompute everything under the new rules.",
        )
