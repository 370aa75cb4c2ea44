"""Data for the faults, and what must be in the graph once all of it is loaded: told by the generator alone."""

from __future__ import annotations

import csv
import gzip
import itertools
import json
import random
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

FIRST_TS = 1_600_000_000
YEAR_SECONDS = 365 * 86_400
COLUMNS = ("event_id", "user_id", "event_type", "object_id", "timestamp", "value", "channel")
TYPES = {"viewed": "VIEWED", "clicked": "CLICKED", "purchased": "PURCHASED", "rated": "RATED"}
OVERLAP = 0.1
SHARES = (0.0, 0.7, 0.8, 0.9, 1.0)
"""Where the files of events begin and end: the first is long enough to be laid away on disk by user, see EVENTS."""

Row = dict[str, Any]
Key = tuple[str, str]
Event = tuple[str, str, int, float | None, str | None]
"""User, object, epoch ms, value, and the property of its own: all that a row says."""


@dataclass(frozen=True)
class Data:
    """Files, and the graph they make.

    Attributes:
        files: Users, items twice (older and newer descriptions), events in several formats that overlap.
        events: Every event by (relationship type, event id).
        nodes: How many there are by label.
    """

    files: tuple[Path, ...]
    events: dict[Key, Event]
    nodes: dict[str, int]

    @property
    def counts(self) -> dict[str, int]:
        """Number of events by relationship type."""
        return dict(Counter(kind for kind, _ in self.events))

    @property
    def rows(self) -> int:
        """Distinct events."""
        return len(self.events)


def make_data(folder: Path, seed: int, *, events: int) -> Data:
    """Write the files of one store.

    Args:
        folder: Where; made.
        seed: Of everything random in it.
        events: Number of distinct events over four files; each file begins with the end of the one before. There
            is a user to 20 of them and an item to 30; items are described twice with other tags, and the newer
            description comes first.
    """
    users, items = max(50, events // 20), max(50, events // 30)
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    rows = [event_row(rng, f"e{number}", users, items) for number in range(events)]
    people = [{"user_id": f"u{n}", "name": f"Reader {n}", "updated_at": FIRST_TS + n} for n in range(users)]
    things = [
        [
            {
                "item_id": f"i{n}",
                "title": f"Book {n}, edition {edition}",
                "tags": f"genre:g{rng.randrange(12)};t{rng.randrange(40)}",
                "updated_at": FIRST_TS + n + edition * YEAR_SECONDS,
            }
            for n in range(items)
        ]
        for edition in (1, 2)
    ]
    borders = [round(share * events) for share in SHARES]
    parts = [
        rows[max(0, start - int(OVERLAP * (end - start))) : end] for start, end in itertools.pairwise(borders)
    ]
    files = (
        _csv(folder / "users.csv", people),
        _csv(folder / "items-newer.csv", things[1]),
        _csv(folder / "items-older.csv", things[0]),
        _csv(folder / "events-1.csv", parts[0]),
        write_rows(folder / "events-2.csv.gz", parts[1]),
        write_rows(folder / "events-3.jsonl", parts[2]),
        write_rows(folder / "events-4.parquet", parts[3]),
    )
    return Data(files, expected(rows), {"User": users, "Item": items})


def event_row(rng: random.Random, event_id: str, users: int, items: int) -> Row:
    """One good event in the generic columns."""
    kind = rng.choice(list(TYPES))
    return {
        "event_id": event_id,
        "user_id": f"u{rng.randrange(users)}",
        "event_type": kind,
        "object_id": f"i{rng.randrange(items)}",
        "timestamp": FIRST_TS + rng.randrange(3 * YEAR_SECONDS),
        "value": float(rng.randint(1, 5)) if kind == "rated" else round(rng.uniform(1, 90), 2),
        "channel": rng.choice(["web", "shop", "mail"]),
    }


def expected(rows: list[Row]) -> dict[Key, Event]:
    """What the graph holds of these events."""
    return {
        (TYPES[row["event_type"]], row["event_id"]): (
            row["user_id"],
            row["object_id"],
            row["timestamp"] * 1000,
            row["value"],
            row["channel"],
        )
        for row in rows
    }


def write_rows(path: Path, rows: list[Row]) -> Path:
    """Write rows in the format that the name says."""
    name = path.name
    if name.endswith(".parquet"):
        # Several row groups and checksums, as careful writers make them.
        pl.DataFrame(rows).write_parquet(
            path, row_group_size=max(100, len(rows) // 4), use_pyarrow=True,
            pyarrow_options={"write_page_checksum": True},
        )  # fmt: skip
    elif name.endswith(".jsonl"):
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    elif name.endswith(".gz"):
        # The plain file may lie beside it.
        plain = _csv(path.with_suffix(".plain"), rows)
        path.write_bytes(gzip.compress(plain.read_bytes(), mtime=0))
        plain.unlink()
    else:
        _csv(path, rows)
    return path


def _csv(path: Path, rows: list[Row]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return path
