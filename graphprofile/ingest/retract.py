"""Withdrawals of events go into the graph; they win whatever the order in which they and the events arrive."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from graphprofile.ingest.counts import Counts
from graphprofile.ingest.events import EventRow, delete_events, read_stored
from graphprofile.ingest.ledger import Ledger, stop_the_loads
from graphprofile.ingest.retracted import keep_content
from graphprofile.records import RetractionChunk

if TYPE_CHECKING:
    from graphprofile.store import Store, Transaction

ROWS_PER_TRANSACTION = 5_000


@dataclass
class RetractionWriter:
    """Writes checked withdrawals of one batch.

    Attributes:
        store: The graph.
        ledger: Record of the batch; None counts good rows as applied and writes nothing.
    """

    store: Store
    ledger: Ledger | None

    def write(self, chunk: RetractionChunk, name: str) -> Counts:
        """Apply one stretch; what was withdrawn already is a duplicate.

        Args:
            chunk: Checked withdrawals; its rejected rows are counted with the first transaction.
            name: Of the stretch within the batch.
        """
        total = Counts()
        held = len(chunk.rejected)
        keys = list(zip(chunk.frame["type"].to_list(), chunk.frame["event_id"].to_list(), strict=True))
        if self.ledger is None:
            return Counts(read=len(keys) + held, applied=len(keys), quarantined=held)
        for start in range(0, max(len(keys), 1), ROWS_PER_TRANSACTION):
            part = f"{name}.{start // ROWS_PER_TRANSACTION:04d}"
            rows = keys[start : start + ROWS_PER_TRANSACTION]
            if self.ledger.part(part) not in self.ledger.done:
                total.add(self.store.write(partial(self._apply, self.ledger, rows, part, held, chunk.source)))
            held = 0
        return total

    def _apply(
        self, ledger: Ledger, keys: list[tuple[str, str]], part: str, held: int, source: str, tx: Transaction
    ) -> Counts:
        # An event on its way in another transaction would be missed: none is on its way while all lanes are locked.
        stop_the_loads(tx)
        done = ledger.lock(tx, 0, part)
        if done is not None:
            return done.counts
        typed: dict[str, set[str]] = defaultdict(set)
        for event_type, event_id in keys:
            typed[event_type].add(event_id)
        counts = Counts(read=len(keys) + held, quarantined=held)
        taken: dict[str, list[str]] = {}
        for event_type, ids in sorted(typed.items()):
            found = tx.run("load/merge_retracted", type=event_type, ids=sorted(ids), batch=ledger.part(part))
            taken[event_type] = [row["event_id"] for row in found if row["batch"] == ledger.part(part)]
        counts.applied = sum(map(len, taken.values()))
        counts.duplicates = len(keys) - counts.applied
        wanted = [_key_only(event_type, event_id) for event_type, ids in taken.items() for event_id in ids]
        stored = read_stored(self.store, tx, wanted) if wanted else {}
        keep_content(tx, stored.values())
        delete_events(tx, [event.row for event in stored.values()])
        claims = {"retracted": {event_type: sorted(ids) for event_type, ids in typed.items()}}
        ledger.record(tx, 0, part, counts, claims, file=source, kind="retracted")
        return counts


def _key_only(event_type: str, event_id: str) -> EventRow:
    return EventRow(event_type, event_id, "", "", "item", 0, None, None, None, "")
