"""Checked descriptions go into the graph: per property the latest ``updated_at`` wins, whatever the order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from graphprofile.ingest.canonical import canonical_value
from graphprofile.ingest.counts import Counts
from graphprofile.ingest.ledger import Ledger
from graphprofile.ingest.poison import Splitter
from graphprofile.ingest.quarantine import writable
from graphprofile.records import Description, DescriptionChunk, Kind, Rejection

if TYPE_CHECKING:
    from graphprofile.store import Store, Transaction

ROWS_PER_TRANSACTION = 2_000
TAGS_KEY = "#tags"
"""Key of the direct tags (or broader tags) in ``described``; no property can have this name."""

_PLURAL = {"users": "users", "items": "items", "content": "contents"}

TagList = list[tuple[str, str, float]]


@dataclass
class _State:
    """A node as its descriptions so far make it."""

    times: dict[str, Any]
    properties: dict[str, Any]
    was_described: bool
    changed: dict[str, Any]
    tags_changed: bool = False
    dirty: bool = False

    def offer(self, name: str, value: Any, updated_at: int | None) -> bool:
        """Take a value if it is later than what stands, or as late and larger; tell whether it was taken."""
        old_time = self.times.get(name)
        if name == TAGS_KEY and name in self.times:
            old_time, old_value = self.times[name]
        else:
            old_value = self.properties.get(name)
        if name in self.times and not _later((updated_at, value), (old_time, old_value)):
            return False
        changed = name not in self.times or canonical_value(value) != canonical_value(old_value)
        moved = old_time != updated_at
        self.times[name] = [updated_at, value] if name == TAGS_KEY else updated_at
        if changed:
            if name == TAGS_KEY:
                self.tags_changed = True
            else:
                self.properties[name] = value
                self.changed[name] = value
        return changed or moved


def _later(new: tuple[int | None, Any], old: tuple[int | None, Any]) -> bool:
    def rank(time: int | None, value: Any) -> tuple[bool, int, str]:
        return (time is not None, time or 0, canonical_value(value))

    return rank(*new) > rank(*old)


@dataclass
class DescriptionWriter:
    """Writes checked descriptions of one batch.

    Attributes:
        store: The graph.
        ledger: Record of the batch; None counts good rows as applied and writes nothing.
        event_types: All declared relationship types: whose interests follow when an item's tags change.
    """

    store: Store
    ledger: Ledger | None
    event_types: tuple[str, ...]

    def write(self, chunk: DescriptionChunk, name: str) -> Counts:
        """Apply one stretch, in transactions of at most 2,000 rows; a row that changes nothing is a duplicate.

        Args:
            chunk: Checked descriptions; its rejected rows are counted with the first transaction.
            name: Of the stretch within the batch.

        Returns:
            The counts; ``rejected`` holds rows that would close a cycle of tags, or that the engine refused.
        """
        total = Counts()
        held, repeats = len(chunk.rejected), chunk.repeats
        if self.ledger is None:
            good = len(chunk.rows)
            return Counts(read=good + held + repeats, applied=good, duplicates=repeats, quarantined=held)
        splitter: Splitter[Description] = Splitter(partial(_poisoned, kind=chunk.kind))
        for start in range(0, max(len(chunk.rows), 1), ROWS_PER_TRANSACTION):
            rows = chunk.rows[start : start + ROWS_PER_TRANSACTION]
            part = f"{name}.{start // ROWS_PER_TRANSACTION:04d}"
            if self.ledger.part(part) not in self.ledger.done:
                total.add(
                    splitter.run(rows, part, partial(self._write_rows, chunk, held, repeats), chunk.source)
                )
            held = repeats = 0
        return total

    def _write_rows(
        self,
        chunk: DescriptionChunk,
        held: int,
        repeats: int,
        rows: Sequence[Description],
        part: str,
        refused: Sequence[Rejection],
        first: bool,
    ) -> Counts:
        ledger = self.ledger
        assert ledger is not None
        held, repeats = (held, repeats) if first else (0, 0)

        def work(tx: Transaction) -> Counts:
            done = ledger.lock(tx, 0, part)
            if done is not None:
                done.counts.rejected = [*refused, *(Rejection(*fields) for fields in done.claims["refused"])]
                return done.counts
            counts = Counts(
                read=len(rows) + held + len(refused) + repeats,
                duplicates=repeats,
                quarantined=held + len(refused),
                rejected=list(refused),
            )
            if chunk.kind == "tags":
                kept = describe_tags(tx, rows, chunk.source, ledger.batch, self.event_types, counts)
            else:
                kept = describe_nodes(tx, chunk.kind, rows, ledger.batch, self.event_types, counts)
            claims = {
                "rows": [[row.id, row.properties, row.tags, row.updated_at] for row in kept],
                "refused": [
                    [r.source, r.line, r.field, r.reason, writable(r.row), r.kind]
                    for r in counts.rejected[len(refused) :]
                ],
            }
            ledger.record(tx, 0, part, counts, claims, file=chunk.source, kind=chunk.kind)
            return counts

        return self.store.write(work)


def _poisoned(row: Description, error: str, source: str, *, kind: str) -> Rejection:
    return Rejection(source, row.line, "row", f"the engine refused it: {error}", row.row, kind)


def describe_nodes(
    tx: Transaction,
    kind: Kind,
    rows: Sequence[Description],
    batch: str,
    event_types: tuple[str, ...],
    counts: Counts,
) -> Sequence[Description]:
    """Fold descriptions of users, items or content into the graph.

    Returns:
        The rows that were taken into account: all.
    """
    plural = _PLURAL[kind]
    found = tx.run(f"load/lock_{plural}", ids=sorted({row.id for row in rows}), batch=batch)
    states = {record["id"]: _state(record) for record in found}
    _fold(rows, states, counts)
    tx.run(
        f"load/describe_{plural}",
        rows=[[id_, s.changed, _dump(s.times)] for id_, s in sorted(states.items()) if s.dirty],
    )
    retagged = {id_: state.times[TAGS_KEY][1] for id_, state in states.items() if state.tags_changed}
    if retagged and kind != "users":
        retag_nodes(tx, plural, retagged, event_types)
    return rows


def retag_nodes(
    tx: Transaction, plural: str, retagged: Mapping[str, TagList], event_types: tuple[str, ...]
) -> None:
    """Give items or contents their direct tags; the interests of whoever has an event on them are due."""
    ids = sorted(retagged)
    _merge_tags(tx, retagged.values())
    tx.run(f"load/clear_tags_of_{plural}", ids=ids)
    tx.run(
        f"load/create_tags_of_{plural}",
        rows=[[id_, kind, name, weight] for id_ in ids for kind, name, weight in retagged[id_]],
    )
    tx.run(f"load/touch_users_of_{plural}", event_types=event_types, ids=ids)


def describe_tags(
    tx: Transaction,
    rows: Sequence[Description],
    source: str,
    batch: str,
    event_types: tuple[str, ...],
    counts: Counts,
) -> Sequence[Description]:
    """Fold descriptions of tags into the graph; a row that would close a cycle is refused.

    Returns:
        The rows that were taken into account.
    """
    keys = sorted({_tag_key(row.id) for row in rows})
    named = sorted({(kind, name) for row in rows for kind, name, _ in row.tags or []})
    _merge_tags(tx, [[(kind, name, 1.0) for kind, name in named]])
    found = tx.run("load/lock_tags", rows=[list(key) for key in keys], batch=batch)
    states = {f"{record['kind']}:{record['name']}": _state(record) for record in found}
    rows = _refuse_cycles(tx, rows, named, source, counts)
    _fold(rows, states, counts)
    tx.run(
        "load/describe_tags",
        rows=[[*_tag_key(id_), s.changed, _dump(s.times)] for id_, s in sorted(states.items()) if s.dirty],
    )
    moved = {id_: state.times[TAGS_KEY][1] for id_, state in states.items() if state.tags_changed}
    if moved:
        move_tags(tx, moved, event_types)
    return rows


def move_tags(tx: Transaction, moved: Mapping[str, TagList], event_types: tuple[str, ...]) -> None:
    """Put tags in their place in the hierarchy; the interests of whoever they reach are due."""
    ends = [list(_tag_key(id_)) for id_ in sorted(moved)]
    _merge_tags(tx, moved.values())
    tx.run("load/touch_users_of_tags", event_types=event_types, rows=ends)
    tx.run("load/clear_broader_tags", rows=ends)
    tx.run(
        "load/create_broader_tags",
        rows=[[*_tag_key(id_), kind, name] for id_ in sorted(moved) for kind, name, _ in moved[id_]],
    )


def refold_nodes(
    tx: Transaction, plural: str, left: Mapping[str, Sequence[Description]], event_types: tuple[str, ...]
) -> None:
    """Describe nodes anew from the descriptions that are left of each; none at all leaves a bare node.

    Args:
        tx: The transaction.
        plural: users, items or contents.
        left: Id -> all descriptions of the node that stand.
        event_types: All declared relationship types.
    """
    found = tx.run(f"load/lock_{plural}", ids=sorted(left), batch="")
    before = {record["id"]: _state(record) for record in found}
    rows, retagged = [], {}
    for id_, descriptions in sorted(left.items()):
        state = _refolded(descriptions)
        rows.append([id_, _difference(before[id_], state), _dump(state.times) if descriptions else None])
        if _tags_of(before[id_]) != _tags_of(state):
            retagged[id_] = _tags_of(state)
    tx.run(f"load/redescribe_{plural}", rows=rows)
    if retagged and plural != "users":
        retag_nodes(tx, plural, retagged, event_types)


def refold_tags(
    tx: Transaction, left: Mapping[str, Sequence[Description]], event_types: tuple[str, ...]
) -> None:
    """As :func:`refold_nodes`, for tags and their place in the hierarchy."""
    found = tx.run("load/lock_tags", rows=sorted(list(_tag_key(id_)) for id_ in left), batch="")
    before = {f"{record['kind']}:{record['name']}": _state(record) for record in found}
    rows, moved = [], {}
    for id_, descriptions in sorted(left.items()):
        state = _refolded(descriptions)
        difference = _difference(before[id_], state)
        rows.append([*_tag_key(id_), difference, _dump(state.times) if descriptions else None])
        if _tags_of(before[id_]) != _tags_of(state):
            moved[id_] = _tags_of(state)
    tx.run("load/redescribe_tags", rows=rows)
    if moved:
        move_tags(tx, moved, event_types)


def _refolded(descriptions: Sequence[Description]) -> _State:
    state = _State({}, {}, False, {})
    for row in descriptions:
        for name, value in row.properties.items():
            state.offer(name, value, row.updated_at)
        if row.tags is not None:
            state.offer(TAGS_KEY, [list(tag) for tag in sorted(row.tags)], row.updated_at)
    return state


def _difference(before: _State, after: _State) -> dict[str, Any]:
    """Properties to write; None takes one away."""
    gone = {name: None for name in before.times if name != TAGS_KEY and name not in after.times}
    return {**gone, **after.properties}


def _tags_of(state: _State) -> TagList:
    return [(kind, name, weight) for kind, name, weight in state.times.get(TAGS_KEY, (None, ()))[1]]


def _fold(rows: Sequence[Description], states: dict[str, _State], counts: Counts) -> None:
    for row in rows:
        state = states[row.id]
        taken = [state.offer(name, value, row.updated_at) for name, value in row.properties.items()]
        if row.tags is not None:
            taken.append(state.offer(TAGS_KEY, [list(tag) for tag in sorted(row.tags)], row.updated_at))
        if any(taken) or not state.was_described:
            counts.applied += 1
            state.dirty = True
        else:
            counts.duplicates += 1
        state.was_described = True


def _merge_tags(tx: Transaction, tag_lists: Any) -> None:
    rows = sorted({(kind, name) for tags in tag_lists for kind, name, _ in tags})
    if rows:
        tx.run("load/merge_tags", rows=[list(row) for row in rows])


def _refuse_cycles(
    tx: Transaction,
    rows: Sequence[Description],
    named: Sequence[tuple[str, str]],
    source: str,
    counts: Counts,
) -> list[Description]:
    broader: dict[tuple[str, str], set[tuple[str, str]]] = defaultdict(set)
    for record in tx.run("load/read_broader_tags", rows=[list(key) for key in named]):
        broader[record["kind"], record["name"]] = {(kind, name) for kind, name in record["broader"]}
    kept = []
    for row in rows:
        key = _tag_key(row.id)
        parents = {(kind, name) for kind, name, _ in row.tags or []}
        cycle = sorted(p for p in parents if p == key or key in _reachable(p, broader))
        if cycle:
            counts.quarantined += 1
            counts.rejected.append(
                Rejection(
                    source,
                    row.line,
                    "part_of",
                    f"{row.id} would be part of itself through {':'.join(cycle[0])}; mend the hierarchy",
                    row.row,
                    "tags",
                )
            )
            continue
        broader[key] |= parents
        kept.append(row)
    return kept


def _reachable(
    start: tuple[str, str], broader: dict[tuple[str, str], set[tuple[str, str]]]
) -> set[tuple[str, str]]:
    seen: set[tuple[str, str]] = set()
    waiting = [start]
    while waiting:
        for parent in broader.get(waiting.pop(), ()):
            if parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return seen


def _tag_key(tag: str) -> tuple[str, str]:
    kind, _, name = tag.partition(":")
    return kind, name


def _state(record: dict[str, Any]) -> _State:
    described = record["described"]
    return _State(
        times=orjson.loads(described) if described else {},
        properties=dict(record["properties"]),
        was_described=described is not None,
        changed={},
    )


def _dump(times: dict[str, Any]) -> str:
    return orjson.dumps(times, option=orjson.OPT_SORT_KEYS).decode()
