"""Third pass over events: parts of the batch, conflicts, withdrawn events, and the nodes that events name."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping

import orjson
import polars as pl

from graphprofile.ingest.apply import KEPT
from graphprofile.ingest.bulk.collect import Collected, Refuse
from graphprofile.ingest.bulk.parts import Part
from graphprofile.ingest.bulk.settle import AGAIN, CONFLICT, FRESH, WITHDRAWN, Verdicts
from graphprofile.ingest.bulk.shapes import Sink
from graphprofile.ingest.claims import pack
from graphprofile.ingest.counts import Counts
from graphprofile.ingest.creation import as_claim, as_rows
from graphprofile.ingest.events import Stored, conflict_report
from graphprofile.pipeline import ahead
from graphprofile.records import OBJECT_LABELS

PART_ROWS = 20_000


class Sifter:
    """Goes over the events in their order.

    Args:
        batch: Id of the batch.
        names: Event name by relationship type.
        refuse: Takes the conflicts.
        sink: Takes withdrawn events.
    """

    def __init__(self, batch: str, names: Mapping[str, str], refuse: Refuse, sink: Sink) -> None:
        self._batch, self._names, self._refuse, self._sink = batch, names, refuse, sink
        self._stored: dict[int, Stored] = {}

    def sift(
        self, collected: Collected, verdicts: Verdicts
    ) -> Iterator[tuple[pl.DataFrame, pl.DataFrame, list[Part]]]:
        """Events that stay, withdrawn ones, and parts, stretch by stretch in the order of the sources."""
        wanted = sorted(set(verdicts.first.values()))
        for frame in ahead(iter(collected.events)):
            start = frame["seq"][0]
            found = verdicts.of(frame)
            kept = wanted[bisect_left(wanted, start) : bisect_left(wanted, start + frame.height)]
            if kept:
                rows = as_rows(frame[[seq - start for seq in kept]])
                self._stored.update(
                    (seq, Stored(row, self._batch)) for seq, row in zip(kept, rows, strict=True)
                )
            fresh = frame.filter(pl.Series(found == FRESH)) if found.any() else frame
            withdrawn = frame.filter(pl.Series(found == WITHDRAWN))
            if withdrawn.height:
                self._withdraw(withdrawn, collected, verdicts)
            yield fresh, withdrawn, [self._part(rows, collected, verdicts) for rows in _cut(frame)]

    def _withdraw(self, events: pl.DataFrame, collected: Collected, verdicts: Verdicts) -> None:
        parts = [collected.withdrawals[verdicts.withdrawn_by[seq]].name for seq in events["seq"].to_list()]
        content = [orjson.dumps([*row, self._batch]).decode() for row in as_rows(events)]
        self._sink.nodes(
            "Retracted",
            events.select(
                pl.concat_str("type", "event_id", separator=" ").alias("#key"),
                "type",
                "event_id",
                pl.Series("batch", [f"{self._batch}/{name}" for name in parts], dtype=pl.String),
                "hash",
                pl.Series("event", content, dtype=pl.String),
                "user_id",
                "object_kind",
                "object_id",
            ),
        )

    def _part(self, rows: pl.DataFrame, collected: Collected, verdicts: Verdicts) -> Part:
        source = rows["source"][0]
        found = verdicts.of(rows)
        fresh, again, others = rows, rows.clear(), rows.clear()
        if found.any():
            fresh = rows.filter(pl.Series(found == FRESH))
            again = rows.filter(pl.Series((found == AGAIN) | (found == WITHDRAWN)))
            others = rows.filter(pl.Series(found == CONFLICT))
        conflicting = as_rows(others)
        if conflicting:
            collected.flawed.add(source)
            first = [verdicts.first.get(seq, -1) for seq in others["seq"].to_list()]
            self._refuse(
                [
                    conflict_report(
                        row, self._stored.get(seq), collected.sources[source], self._names[row.type], KEPT
                    )
                    for row, seq in zip(conflicting, first, strict=True)
                ]
            )
        counts = Counts(
            read=rows.height, applied=fresh.height, duplicates=again.height, conflicts=others.height
        )
        counts.cover(fresh["ts"])
        claims = {
            "applied": as_claim(fresh),
            "repeated": as_claim(again, hashes=True),
            "others": [list(row) for row in conflicting],
        }
        return Part(source, collected.names(source), "events", counts, pack(claims))


def nodes_of(events: pl.DataFrame, *, actor: bool) -> pl.DataFrame:
    """The nodes that events name: ``id``, ``label`` and ``actor``, whether the node is a user who did something."""
    users = events.select(pl.col("user_id").unique().alias("id")).with_columns(
        pl.lit("User").alias("label"), pl.lit(actor).alias("actor")
    )
    objects = (
        events.select(pl.col("object_id").alias("id"), pl.col("object_kind"))
        .unique()
        .select(
            "id",
            pl.col("object_kind").replace_strict(OBJECT_LABELS, return_dtype=pl.String).alias("label"),
            pl.lit(False).alias("actor"),
        )
    )
    return pl.concat([users, objects])


def _cut(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Stretches of one source and at most 20,000 rows."""
    start = 0
    for length in frame["source"].rle().struct.field("len"):
        for offset in range(start, start + length, PART_ROWS):
            yield frame.slice(offset, min(PART_ROWS, start + length - offset))
        start += length
