"""The last batches as ``status`` shows them: what came of each, how fast, and whether anybody is still at it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graphprofile.ingest.ledger import bounds, is_alive
from graphprofile.records import epoch_ms, iso

if TYPE_CHECKING:
    from graphprofile.store import Store

_TIMES = ("started_at", "finished_at", "undone_at", "last_write_at", "newest_ts", "oldest_ts")
_INTERNAL = (
    "command",
    "file_rows",
    "quality",
    "sources",
    "unsent_files",
    "verdict",
    "watermark",
    "way",
    "writer",
)


FIRST = (1 << 62, "")
"""A place before the newest batch."""


def list_batches(store: Store, limit: int, before: tuple[int, str] = FIRST) -> list[dict[str, Any]]:
    """Batches, newest first.

    Args:
        store: The graph.
        limit: At most so many.
        before: Only those that come after this place, see :func:`place_of`.

    Returns:
        Documents with ``id``, ``state`` (done | running | failed | interrupted | undoing | undone), ``source``,
        counts, times as ISO 8601, ``seconds``, ``rows_per_second`` and ``files`` (how many were taken in whole).
        A batch whose process is gone, or silent for long on another machine, is interrupted.
    """
    return [_document(store, batch) for batch in read_batches(store, limit, before)]


def read_batches(store: Store, limit: int, before: tuple[int, str] = FIRST) -> list[dict[str, Any]]:
    """The records as they are stored, arguments as for :func:`list_batches`."""
    rows = store.read("status/list_batches", limit=limit, before_at=before[0], before_id=before[1])
    return [row["batch"] for row in rows]


def count_batches(store: Store) -> int:
    """How many batches there are."""
    return int(store.read("status/count_batches")[0]["batches"])


def place_of(batch: Mapping[str, Any]) -> tuple[int, str]:
    """Where a batch stands in the list: when it began, epoch ms, and its id."""
    started = batch.get("started_at")
    return (0 if started is None else epoch_ms(started)), str(batch["id"])


def _document(store: Store, batch: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(batch)
    if found.get("state") in ("running", "undoing"):
        sums = store.read("load/sum_parts", **bounds(found["id"]))[0]
        found.update({name: value for name, value in sums.items() if value is not None})
        written = found.get("last_write_at") or found.get("started_at")
        if not is_alive(found.get("writer") or "", written):
            found["state"] = "interrupted"
    end = found.get("finished_at") or (
        int(time.time() * 1000) if found.get("state") == "running" else found.get("last_write_at")
    )
    if end is not None and found.get("started_at") is not None:
        found["seconds"] = round(max(0, end - found["started_at"]) / 1000, 3)
        found["rows_per_second"] = round(found.get("read", 0) / max(found["seconds"], 0.001), 1)
    if found.get("files") is not None:
        found["files"] = len(found["files"])
    return {
        name: iso(value) if name in _TIMES else value
        for name, value in sorted(found.items())
        if name not in _INTERNAL
    }
