"""What became of each line of a block of events, for senders who want to know it of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from graphprofile.ingest.events import EventRow

ACCEPTED, LATE, DUPLICATE, CONFLICT, REJECTED = "accepted", "late", "duplicate", "conflict", "rejected"


def outcomes(
    fresh: pl.DataFrame, repeated: pl.DataFrame, conflicting: Iterable[EventRow], watermark: int | None
) -> dict[int, str]:
    """Line -> outcome.

    Args:
        fresh: What was created.
        repeated: What was there already.
        conflicting: What was there with other content.
        watermark: Events before it are late.
    """
    found = {
        line: LATE if watermark is not None and ts < watermark else ACCEPTED
        for line, ts in zip(fresh["line"].to_list(), fresh["ts"].to_list(), strict=True)
    }
    found.update(dict.fromkeys(repeated["line"].to_list(), DUPLICATE))
    found.update({row.line: CONFLICT for row in conflicting})
    return found


def recalled_outcomes(
    events: pl.DataFrame, claims: Mapping[str, Any], watermark: int | None
) -> dict[int, str]:
    """The same for a block whose commit came through without the word of it coming back, from what it claims."""
    applied = {(kind, id_) for kind, columns in claims.get("applied", {}).items() for id_ in columns["ids"]}
    others = {(fields[0], fields[1]) for fields in claims.get("others", ())}
    found: dict[int, str] = {}
    for kind, id_, ts, line in events.select("type", "event_id", "ts", "line").iter_rows():
        key = (kind, id_)
        if key in applied:
            applied.discard(key)
            found[line] = LATE if watermark is not None and ts < watermark else ACCEPTED
        else:
            found[line] = CONFLICT if key in others else DUPLICATE
    return found
