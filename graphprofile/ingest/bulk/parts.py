"""The records a batch leaves: one for each part of its rows, and their sum."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from graphprofile.ingest.counts import SUMMED, Counts

Place = tuple[int, int]


@dataclass
class Part:
    """What became of a stretch of one source's rows of one kind.

    Attributes:
        source: Number of the source.
        name: Within the batch.
        kind: What the rows are.
        counts: What became of them.
        claims: Packed, see :mod:`graphprofile.ingest.claims`; or where they lie in the file of claims.
        first: Number of the first row, for parts whose rows are judged later.
        rows: How many are judged then.
    """

    source: int
    name: str
    kind: str
    counts: Counts = field(default_factory=Counts)
    claims: str | Place = ""
    first: int = 0
    rows: int = 0


class Names:
    """Names the parts of each source, in order; begin as those of an incremental load do."""

    def __init__(self) -> None:
        self._given: Counter[int] = Counter()

    def __call__(self, source: int) -> str:
        """The next name."""
        self._given[source] += 1
        return f"{source:04d}.{self._given[source]:08d}"


class Claims:
    """Claims on disk until their parts are complete.

    Args:
        path: Of the file.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b")
        self._end = 0

    def add(self, text: str) -> Place:
        """Keep one; tell where it lies."""
        data = text.encode("ascii")
        self._file.seek(self._end)
        self._file.write(data)
        self._end += len(data)
        return self._end - len(data), len(data)

    def get(self, place: Place) -> str:
        """What lies there."""
        self._file.seek(place[0])
        return self._file.read(place[1]).decode("ascii")

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


SCHEMA: dict[str, Any] = {
    "id": pl.String,
    "batch": pl.String,
    "file": pl.String,
    "kind": pl.String,
    "at": pl.Int64,
    **dict.fromkeys((*SUMMED, "newest_ts", "oldest_ts"), pl.Int64),
    "claims": pl.String,
}


class Ledger:
    """Sums parts and makes their records.

    Args:
        batch: Id of the batch.
        files: Name of each source by its number.
        at: The time that the parts bear, epoch ms.
        claims: Where claims lie.
    """

    def __init__(self, batch: str, files: Mapping[int, str], at: int, claims: Claims) -> None:
        self._batch, self._files, self._at, self._claims = batch, files, at, claims
        self.total = Counts()
        self.by_kind: dict[str, Counts] = {}

    def frame(self, parts: Iterable[Part]) -> pl.DataFrame:
        """Parts as rows for the graph; they count towards the total, and that of their kind."""
        rows = []
        for part in parts:
            self.total.add(part.counts)
            self.by_kind.setdefault(part.kind, Counts()).add(part.counts)
            rows.append(
                {
                    "id": f"{self._batch}/{part.name}",
                    "batch": self._batch,
                    "file": self._files[part.source],
                    "kind": part.kind,
                    "at": self._at,
                    **part.counts.as_properties(),
                    "claims": part.claims if isinstance(part.claims, str) else self._claims.get(part.claims),
                }
            )
        return pl.DataFrame(rows, schema=SCHEMA)
