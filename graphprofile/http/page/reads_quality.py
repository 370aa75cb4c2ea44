"""The quality of the last batches in a line each: thresholds, the emptiest column, shares, drift."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphprofile.batches import read_batches
from graphprofile.ingest.claims import unpack
from graphprofile.ingest.quality.compare import drift, read_earlier
from graphprofile.ingest.quality.record import Record
from graphprofile.quality import shares_of
from graphprofile.records import iso
from graphprofile.store import Store

SHOWN = 8
LOOKED_AT = 40
"""Batches among which those with a record are looked for."""


def read_last_quality(store: Store) -> list[dict[str, Any]]:
    """The newest finished batches that have a quality record, at most :data:`SHOWN`.

    Returns:
        For each its ``batch``, ``started_at`` and ``rows``; the ``thresholds`` that it was judged by, and
        how many were ``not_met``; ``emptiest``: the kind, column and share of rows with a value where this is least,
        None without rows; ``shares`` as in :class:`graphprofile.quality.Quality`; and ``drift``: of event types,
        values and hours the index and its band, null where there is nothing to tell by.
    """
    found: list[dict[str, Any]] = []
    for batch in read_batches(store, LOOKED_AT):
        record = Record.unpacked(batch.get("quality")) if batch.get("state") == "done" else None
        if record is not None:
            found.append(_line(store, batch, record))
        if len(found) == SHOWN:
            break
    return found


def _line(store: Store, batch: Mapping[str, Any], record: Record) -> dict[str, Any]:
    started = int(batch.get("started_at") or 0)
    earlier = [one.record for one in read_earlier(store, str(batch.get("way")), started)]
    judged = unpack(batch.get("verdict")).get("thresholds", [])
    return {
        "batch": str(batch["id"]),
        "started_at": iso(started),
        "rows": record.looked_at,
        "thresholds": len(judged),
        "not_met": [one["name"] for one in judged if not one["passed"]],
        "emptiest": _emptiest(record),
        "shares": shares_of(record),
        "drift": [
            {"of": name, "psi": moved["psi"], "band": moved["band"]}
            for name, moved in drift(record, earlier).items()
        ],
    }


def _emptiest(record: Record) -> dict[str, Any] | None:
    filled = [
        (count / record.in_columns[kind], kind, name)
        for kind, columns in record.filled.items()
        for name, count in columns.items()
        if record.in_columns.get(kind)
    ]
    if not filled:
        return None
    share, kind, name = min(filled)
    return {"kind": kind, "column": name, "share": round(share, 6)}
