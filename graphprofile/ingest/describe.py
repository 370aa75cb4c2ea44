"""Checked descriptions go into the graph: per property the latest ``updated_at`` wins, whatever the order."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from graphprofile.ingest.apply import Counts
from graphprofile.ingest.canonical import canonical_value
from graphprofile.records import Description, DescriptionChunk, Rejection

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
        batch: Id of the batch record, which exists.
        event_types: All declared relationship types: whose interests follow when an item's tags change.
        dry_run: Count good rows as applied, write nothing.
    """

    store: Store
    batch: str
    event_types: tuple[str, ...]
    dry_run: bool = False

    def write(self, chunk: DescriptionChunk) -> Counts:
        """Apply one chunk, in transactions of at most 2,000 rows; a row that changes nothing is a duplicate.

        Args:
            chunk: Checked descriptions; its rejected rows are counted with the first transaction.

        Returns:
            The counts; ``rejected`` holds rows that would close a cycle of tags.
        """
        total = Counts()
        pending = len(chunk.rejected)
        if self.dry_run:
            good = len(chunk.rows)
            return Counts(read=good + pending, applied=good, quarantined=pending)
        for start in range(0, max(len(chunk.rows), 1), ROWS_PER_TRANSACTION):
            rows = chunk.rows[start : start + ROWS_PER_TRANSACTION]
            apply = self._apply_tags if chunk.kind == "tags" else self._apply_nodes
            counts = self.store.write(partial(apply, rows, chunk, pending))
            pending = 0
            total.add(counts)
            total.rejected.extend(counts.rejected)
        return total

    def _apply_nodes(
        self, rows: Sequence[Description], chunk: DescriptionChunk, held: int, tx: Transaction
    ) -> Counts:
        plural = _PLURAL[chunk.kind]
        counts = Counts(read=len(rows) + held, quarantined=held)
        found = tx.run(f"load/lock_{plural}", ids=sorted({row.id for row in rows}), batch=self.batch)
        states = {record["id"]: _state(record) for record in found}
        self._fold(rows, states, counts)
        tx.run(
            f"load/describe_{plural}",
            rows=[[id_, s.changed, _dump(s.times)] for id_, s in sorted(states.items()) if s.dirty],
        )
        retagged = {id_: state.times[TAGS_KEY][1] for id_, state in states.items() if state.tags_changed}
        if retagged and chunk.kind != "users":
            ids = sorted(retagged)
            self._merge_tags(tx, retagged.values())
            tx.run(f"load/clear_tags_of_{plural}", ids=ids)
            tx.run(
                f"load/create_tags_of_{plural}",
                rows=[[id_, kind, name, weight] for id_ in ids for kind, name, weight in retagged[id_]],
            )
            tx.run(f"load/touch_users_of_{plural}", event_types=self.event_types, ids=ids)
        tx.run("load/add_to_batch", id=self.batch, now=int(time.time() * 1000), **counts.as_parameters())
        return counts

    def _apply_tags(
        self, rows: Sequence[Description], chunk: DescriptionChunk, held: int, tx: Transaction
    ) -> Counts:
        counts = Counts(read=len(rows) + held, quarantined=held)
        keys = sorted({_tag_key(row.id) for row in rows})
        named = sorted({(kind, name) for row in rows for kind, name, _ in row.tags or []})
        self._merge_tags(tx, [[(kind, name, 1.0) for kind, name in named]])
        found = tx.run("load/lock_tags", rows=[list(key) for key in keys], batch=self.batch)
        states = {f"{record['kind']}:{record['name']}": _state(record) for record in found}
        rows = self._refuse_cycles(tx, rows, named, chunk.source, counts)
        self._fold(rows, states, counts)
        tx.run(
            "load/describe_tags",
            rows=[
                [*_tag_key(id_), s.changed, _dump(s.times)] for id_, s in sorted(states.items()) if s.dirty
            ],
        )
        moved = {id_: state.times[TAGS_KEY][1] for id_, state in states.items() if state.tags_changed}
        if moved:
            ends = [list(_tag_key(id_)) for id_ in sorted(moved)]
            tx.run("load/clear_broader_tags", rows=ends)
            tx.run(
                "load/create_broader_tags",
                rows=[[*_tag_key(id_), kind, name] for id_ in sorted(moved) for kind, name, _ in moved[id_]],
            )
            tx.run("load/touch_users_of_tags", event_types=self.event_types, rows=ends)
        tx.run("load/add_to_batch", id=self.batch, now=int(time.time() * 1000), **counts.as_parameters())
        return counts

    def _fold(self, rows: Sequence[Description], states: dict[str, _State], counts: Counts) -> None:
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

    def _merge_tags(self, tx: Transaction, tag_lists: Any) -> None:
        rows = sorted({(kind, name) for tags in tag_lists for kind, name, _ in tags})
        if rows:
            tx.run("load/merge_tags", rows=[list(row) for row in rows])

    def _refuse_cycles(
        self,
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
