"""Rows on disk between two passes: in order, or spread by a key so that equal keys meet."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    import pyarrow as pa

PARTS = 64
"""How many files a key spreads rows over; what is done per key is done for one of them at a time in memory."""


class Stretches:
    """Frames one after the other, each in a file of its own."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self.count = 0
        self.rows = 0

    def add(self, frame: pl.DataFrame) -> None:
        """Append a frame."""
        frame.write_ipc_stream(self._path(self.count), compression="uncompressed")
        self.count += 1
        self.rows += frame.height

    def __iter__(self) -> Generator[pl.DataFrame, None, None]:
        for number in range(self.count):
            yield pl.read_ipc_stream(self._path(number))

    def _path(self, number: int) -> Path:
        return self._folder / f"{self._name}-{number}.arrows"


class Spread:
    """Frames spread over files by the hash of their text column ``key``; order stays within a key."""

    def __init__(self, folder: Path, name: str, key: str) -> None:
        self._folder, self._name, self._key = folder, name, key
        self._writers: dict[int, Any] = {}

    def add(self, frame: pl.DataFrame) -> None:
        """Append a frame, whose columns are those of all the others."""
        part = (pl.col(self._key).hash(seed=7) % PARTS).alias("#part")
        ordered = frame.with_columns(part).sort("#part", maintain_order=True)
        runs = ordered["#part"].rle().struct.unnest()
        table: pa.Table = ordered.drop("#part").to_arrow(compat_level=pl.CompatLevel.oldest())
        start = 0
        for length, number in runs.iter_rows():
            self._writer(number, table).write_table(table.slice(start, length))
            start += length

    def __iter__(self) -> Iterator[pl.DataFrame | None]:
        """One frame a part, None where a part is empty; the files are deleted as they are read."""
        for writer in self._writers.values():
            writer.close()
        for number in range(PARTS):
            path = self._path(number)
            if number in self._writers:
                yield pl.read_ipc_stream(path)
                path.unlink()
            else:
                yield None

    def _writer(self, number: int, table: pa.Table) -> Any:
        if number not in self._writers:
            import pyarrow as pa

            self._writers[number] = pa.ipc.new_stream(str(self._path(number)), table.schema)
        return self._writers[number]

    def _path(self, number: int) -> Path:
        return self._folder / f"{self._name}-{number}.arrows"
