"""Checked descriptions go into the graph: per property the latest ``updated_at`` wins, whatever the order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from graphprofile.ingest.counts import Counts
from graphprofile.ingest.fold import TAGS_KEY, Broader, State, refuse_cycles, tag_key
from graphprofile.ingest.jsonable import writable
from graphprofile.ingest.ledger import Ledger
from graphprofile.ingest.poison import Splitter
from graphprofile.records import Description, DescriptionChunk, Kind, Rejection

if TYPE_CHECKING:
    from graphprofile.store import Store, Transaction

ROWS_PER_TRANSACTION = 2_000
PLURAL = {"users": "users", "items": "items", "content": "contents"}
"""Kind of description -> how the Cypher files name the nodes."""

TagList = Sequence[Sequence[Any]]
"""Tags as [kind, name, weight]."""


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
        splitter: Splitter[Sequence[Description]] = Splitter(partial(_poisoned, kind=chunk.kind))
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


def _poisoned(rows: Sequence[Description], error: str, source: str, *, kind: str) -> Rejection:
    (row,) = rows
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
    plural = PLURAL[kind]
    found = tx.run(f"load/lock_{plural}", ids=sorted({row.id for row in rows}), batch=batch)
    states = {record["id"]: _state(record) for record in found}
    _fold(rows, states, counts)
    tx.run(
        f"load/describe_{plural}",
        rows=[[id_, s.changed, s.described()] for id_, s in sorted(states.items()) if s.dirty],
    )
    retagged = {id_: state.tags for id_, state in states.items() if state.tags_changed}
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
    keys = sorted({tag_key(row.id) for row in rows})
    named = sorted({(kind, name) for row in rows for kind, name, _ in row.tags or []})
    _merge_tags(tx, [[(kind, name, 1.0) for kind, name in named]])
    found = tx.run("load/lock_tags", rows=[list(key) for key in keys], batch=batch)
    states = {f"{record['kind']}:{record['name']}": _state(record) for record in found}
    rows = _without_cycles(tx, rows, named, source, counts)
    _fold(rows, states, counts)
    tx.run(
        "load/describe_tags",
        rows=[[*tag_key(id_), s.changed, s.described()] for id_, s in sorted(states.items()) if s.dirty],
    )
    moved = {id_: state.tags for id_, state in states.items() if state.tags_changed}
    if moved:
        move_tags(tx, moved, event_types)
    return rows


def move_tags(tx: Transaction, moved: Mapping[str, TagList], event_types: tuple[str, ...]) -> None:
    """Put tags in their place in the hierarchy; the interests of whoever they reach are due."""
    ends = [list(tag_key(id_)) for id_ in sorted(moved)]
    _merge_tags(tx, moved.values())
    tx.run("load/touch_users_of_tags", event_types=event_types, rows=ends)
    tx.run("load/mark_objects_of_tags", rows=ends)
    tx.run("load/clear_broader_tags", rows=ends)
    tx.run(
        "load/create_broader_tags",
        rows=[[*tag_key(id_), kind, name] for id_ in sorted(moved) for kind, name, _ in moved[id_]],
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
        rows.append([id_, _difference(before[id_], state), state.described() if descriptions else None])
        if before[id_].tags != state.tags:
            retagged[id_] = state.tags
    tx.run(f"load/redescribe_{plural}", rows=rows)
    if retagged and plural != "users":
        retag_nodes(tx, plural, retagged, event_types)


def refold_tags(
    tx: Transaction, left: Mapping[str, Sequence[Description]], event_types: tuple[str, ...]
) -> None:
    """As :func:`refold_nodes`, for tags and their place in the hierarchy."""
    found = tx.run("load/lock_tags", rows=sorted(list(tag_key(id_)) for id_ in left), batch="")
    before = {f"{record['kind']}:{record['name']}": _state(record) for record in found}
    rows, moved = [], {}
    for id_, descriptions in sorted(left.items()):
        state = _refolded(descriptions)
        difference = _difference(before[id_], state)
        rows.append([*tag_key(id_), difference, state.described() if descriptions else None])
        if before[id_].tags != state.tags:
            moved[id_] = state.tags
    tx.run("load/redescribe_tags", rows=rows)
    if moved:
        move_tags(tx, moved, event_types)


def _refolded(descriptions: Sequence[Description]) -> State:
    state = State()
    for row in descriptions:
        state.take(row.properties, row.tags, row.updated_at)
    return state


def _difference(before: State, after: State) -> dict[str, Any]:
    """Properties to write; None takes one away."""
    gone = {name: None for name in before.times if name != TAGS_KEY and name not in after.times}
    return {**gone, **after.properties}


def _fold(rows: Sequence[Description], states: Mapping[str, State], counts: Counts) -> None:
    for row in rows:
        if states[row.id].take(row.properties, row.tags, row.updated_at):
            counts.applied += 1
        else:
            counts.duplicates += 1
    counts.tied += sum(state.tied for state in states.values())


def _merge_tags(tx: Transaction, tag_lists: Any) -> None:
    rows = sorted({(kind, name) for tags in tag_lists for kind, name, _ in tags})
    if rows:
        tx.run("load/merge_tags", rows=[list(row) for row in rows])


def _without_cycles(
    tx: Transaction,
    rows: Sequence[Description],
    named: Sequence[tuple[str, str]],
    source: str,
    counts: Counts,
) -> list[Description]:
    broader: Broader = {
        (record["kind"], record["name"]): {(kind, name) for kind, name in record["broader"]}
        for record in tx.run("load/read_broader_tags", rows=[list(key) for key in named])
    }
    kept, rejected = refuse_cycles(rows, broader, source)
    counts.quarantined += len(rejected)
    counts.rejected += rejected
    return kept


def _state(record: dict[str, Any]) -> State:
    described = record["described"]
    return State(
        times=orjson.loads(described) if described else {},
        properties=dict(record["properties"]),
        was_described=described is not None,
    )
