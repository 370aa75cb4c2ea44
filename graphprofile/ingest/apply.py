"""Checked events go into the graph: one transaction per stretch of rows, the batch record inside it.

New events are created at once; only where the uniqueness constraint objects is the stretch looked up first. So a
first load never pays for look-ups, and a replay pays for nothing else.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import orjson

from graphprofile.errors import ConstraintViolated, RetriesExhausted
from graphprofile.records import EventChunk, Rejection, iso

if TYPE_CHECKING:
    from graphprofile.store import Store, Transaction

ROWS_PER_TRANSACTION = 20_000
LOOK_UP_ATTEMPTS = 6

_COLUMNS = (
    "type",
    "event_id",
    "user_id",
    "object_id",
    "object_kind",
    "ts",
    "ts_precision",
    "value",
    "properties",
    "hash",
    "line",
)
_TYPE, _EVENT_ID, _USER, _OBJECT, _KIND, _TS, _PRECISION, _VALUE, _PROPERTIES, _HASH, _LINE = range(11)
_MERGE_OBJECTS = {"item": "load/merge_items", "content": "load/merge_contents", "user": "load/merge_users"}
_CREATE = {
    "item": "load/create_events_on_item",
    "content": "load/create_events_on_content",
    "user": "load/create_events_on_user",
}

Row = tuple[Any, ...]
Key = tuple[str, str]


@dataclass
class Counts:
    """What became of the rows; ``read`` = applied + duplicates + conflicts + quarantined."""

    read: int = 0
    applied: int = 0
    duplicates: int = 0
    conflicts: int = 0
    quarantined: int = 0
    late: int = 0
    newest_ts: int | None = None
    oldest_ts: int | None = None
    rejected: list[Rejection] = field(default_factory=list)

    def add(self, other: Counts) -> None:
        """Add another stretch's counts; its rejections are not kept."""
        self.read += other.read
        self.applied += other.applied
        self.duplicates += other.duplicates
        self.conflicts += other.conflicts
        self.quarantined += other.quarantined
        self.late += other.late
        times = [t for t in (self.newest_ts, other.newest_ts) if t is not None]
        self.newest_ts = max(times) if times else None
        times = [t for t in (self.oldest_ts, other.oldest_ts) if t is not None]
        self.oldest_ts = min(times) if times else None

    def as_parameters(self) -> dict[str, Any]:
        """The counts as Cypher parameters of ``load/add_to_batch``."""
        return {
            name: getattr(self, name)
            for name in (
                "read",
                "applied",
                "duplicates",
                "conflicts",
                "quarantined",
                "late",
                "newest_ts",
                "oldest_ts",
            )
        }


@dataclass
class EventWriter:
    """Writes checked events of one batch.

    Attributes:
        store: The graph.
        batch: Id of the batch record, which exists unless ``dry_run``.
        names: Event name by relationship type.
        watermark: Newest event before the batch; older ones that are applied count as late.
        dry_run: Look up and count, write nothing.
    """

    store: Store
    batch: str
    names: Mapping[str, str]
    watermark: int | None
    dry_run: bool = False
    _expect_known: bool = field(init=False)

    def __post_init__(self) -> None:
        # In a store that holds events the first stretch may be a replay; looking it up once costs less than a
        # failed attempt. From then on the stretch before tells.
        self._expect_known = self.watermark is not None

    def write(self, chunk: EventChunk) -> Counts:
        """Apply one chunk, in transactions of at most 20,000 rows.

        Args:
            chunk: Checked events; its rejected rows are counted with the first transaction.

        Returns:
            The counts; ``rejected`` holds the conflicts.

        Raises:
            RetriesExhausted: Others kept writing the same events at the same time.
        """
        total = Counts()
        frame = chunk.frame.select(_COLUMNS)
        pending = len(chunk.rejected)
        for start in range(0, max(frame.height, 1), ROWS_PER_TRANSACTION):
            rows = frame.slice(start, ROWS_PER_TRANSACTION).rows()
            counts = self._write_rows(rows, chunk.source, pending)
            pending = 0
            total.add(counts)
            total.rejected.extend(counts.rejected)
        return total

    def _write_rows(self, rows: list[Row], source: str, quarantined: int) -> Counts:
        level = 2 if self.dry_run else int(self._expect_known)
        for _ in range(LOOK_UP_ATTEMPTS):
            try:
                counts = self.store.write(partial(self._apply, rows, source, quarantined, level))
            except ConstraintViolated:
                level = min(level + 1, 2)
                continue
            self._expect_known = counts.duplicates + counts.conflicts > 0
            return counts
        raise RetriesExhausted(
            f"{source}: other processes kept writing the same events "
            f"(lines {rows[0][_LINE]} to {rows[-1][_LINE]}).",
            "Run the same command again; what was loaded counts as duplicates.",
        )

    def _apply(self, rows: list[Row], source: str, quarantined: int, level: int, tx: Transaction) -> Counts:
        known = self._known(tx, rows, level) if level else {}
        counts = Counts(read=len(rows) + quarantined, quarantined=quarantined)
        fresh: list[Row] = []
        conflicting: list[Row] = []
        for row in rows:
            key = (row[_TYPE], row[_EVENT_ID])
            stored = known.get(key)
            if stored is None:
                known[key] = row[_HASH]
                fresh.append(row)
            elif stored == row[_HASH]:
                counts.duplicates += 1
            else:
                conflicting.append(row)
        counts.conflicts = len(conflicting)
        counts.applied = len(fresh)
        if fresh:
            times = [row[_TS] for row in fresh]
            counts.newest_ts, counts.oldest_ts = max(times), min(times)
            if self.watermark is not None:
                counts.late = sum(ts < self.watermark for ts in times)
            if not self.dry_run:
                self._create(tx, fresh)
        if conflicting:
            counts.rejected = self._report_conflicts(tx, conflicting, source)
        if not self.dry_run:
            tx.run("load/add_to_batch", id=self.batch, now=int(time.time() * 1000), **counts.as_parameters())
        return counts

    def _known(self, tx: Transaction, rows: list[Row], level: int) -> dict[Key, str]:
        """Stored hashes by (type, event id). Level 1 may miss events stored with another user; 2 doesn't."""
        known: dict[Key, str] = {}
        by_type: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            by_type[row[_TYPE]].append(row)
        for event_type, typed in by_type.items():
            ids = list({row[_EVENT_ID] for row in typed})
            if self.store.looks_up_relationships:
                found = tx.run("load/find_events", event_types=(event_type,), ids=ids)
            elif level == 1:
                groups: dict[str, dict[str, bool]] = defaultdict(dict)
                for row in typed:
                    groups[row[_USER]][row[_EVENT_ID]] = True
                found = tx.run(
                    "load/find_events_of_users",
                    event_types=(event_type,),
                    groups=[[user, ids_of] for user, ids_of in groups.items()],
                )
            else:
                found = tx.run("load/scan_events", event_types=(event_type,), ids=ids)
            known.update({(event_type, record["event_id"]): record["hash"] for record in found})
        return known

    def _create(self, tx: Transaction, rows: list[Row]) -> None:
        tx.run("load/touch_users", user_ids=sorted({row[_USER] for row in rows}))
        objects: dict[str, set[str]] = defaultdict(set)
        groups: dict[tuple[str, str], dict[str, list[list[Any]]]] = defaultdict(lambda: defaultdict(list))
        for row in rows:
            objects[row[_KIND]].add(row[_OBJECT])
            groups[row[_TYPE], row[_KIND]][row[_USER]].append(
                [row[_OBJECT], row[_EVENT_ID], row[_TS], row[_HASH], _extra(row)]
            )
        for kind in sorted(objects):
            tx.run(_MERGE_OBJECTS[kind], ids=sorted(objects[kind]))
        for (event_type, kind), by_user in sorted(groups.items()):
            tx.run(
                _CREATE[kind],
                event_types=(event_type,),
                groups=[[user, by_user[user]] for user in sorted(by_user)],
                batch=self.batch,
            )

    def _report_conflicts(self, tx: Transaction, rows: Iterable[Row], source: str) -> list[Rejection]:
        """A rejection per conflict that shows both versions."""
        by_type: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            by_type[row[_TYPE]].append(row)
        reports = []
        for event_type, typed in by_type.items():
            found = tx.run(
                "load/scan_events", event_types=(event_type,), ids=sorted({row[_EVENT_ID] for row in typed})
            )
            stored = {record["event_id"]: record for record in found}
            for row in typed:
                other = stored.get(row[_EVENT_ID])
                version = (
                    f"stored by batch {other['batch']}: user {other['user_id']}, object {other['object_id']}, "
                    f"at {iso(other['ts'])}, value {other['value']}"
                    if other
                    else "a row before it in this source has other content"
                )
                reports.append(
                    Rejection(
                        source,
                        row[_LINE],
                        "event_id",
                        f"conflict: {event_type} {row[_EVENT_ID]!r} is already there with other content "
                        f"({version}); the stored one stays",
                        {
                            **(orjson.loads(row[_PROPERTIES]) if row[_PROPERTIES] else {}),
                            "event_id": row[_EVENT_ID],
                            "event_type": self.names[event_type],
                            "user_id": row[_USER],
                            "object_id": row[_OBJECT],
                            "object_kind": row[_KIND],
                            "timestamp": iso(row[_TS]),
                            "value": row[_VALUE],
                        },
                        checked=True,
                    )
                )
        return reports


def _extra(row: Row) -> dict[str, Any]:
    extra: dict[str, Any] = orjson.loads(row[_PROPERTIES]) if row[_PROPERTIES] else {}
    if row[_VALUE] is not None:
        extra["value"] = row[_VALUE]
    if row[_PRECISION] is not None:
        extra["ts_precision"] = row[_PRECISION]
    return extra
