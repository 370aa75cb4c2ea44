"""A stretch of events that is longer than memory should hold: laid away on disk by user, taken out block by block.

The longer the stretch, the more of a user's events stand in it, and the fewer transactions find, lock and write that
user again: on both engines this is what a row costs most. Rows lie compressed in a file without a name, which nobody
else can open and which is gone with the process, however that ends.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

import polars as pl

from graphprofile.errors import SourceError
from graphprofile.ingest import blocks
from graphprofile.ingest.blocks import Block, all_first, diagonals, hashed, side_by_side, slices
from graphprofile.ingest.check import EVENT_SCHEMA

LOTS = 64
"""Users are told apart by so many lots; neighbouring ones make a block where they are small."""

Lot: TypeAlias = tuple[str, int, int]
"""What it holds (``main``, ``on_user`` or ``again``), which users, which part of the objects."""
_AGAIN: Lot = ("again", 0, 0)


class Lots:
    """Events of one stretch on disk.

    Args:
        folder: Where the file lies, on a disk.
        writers: 1 or 2.

    Attributes:
        height: Rows laid away.

    Raises:
        SourceError: Nothing can be written there.
    """

    def __init__(self, folder: Path, writers: int) -> None:
        self._folder = folder
        self._writers = writers
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = tempfile.TemporaryFile(dir=folder)
        except OSError as error:
            raise self._no_room(error) from error
        self._pieces: dict[Lot, list[tuple[int, int]]] = {}
        self._end = 0
        self._seen: list[pl.Series] = []
        self.height = 0

    def add(self, events: pl.DataFrame) -> None:
        """Lay rows away; they come after those before them.

        Args:
            events: Columns as in :data:`EVENT_SCHEMA`.

        Raises:
            SourceError: The disk has no room for them.
        """
        events = events.select(*EVENT_SCHEMA)
        again = ~self._first(events)
        on_user = (pl.col("object_kind") == "user") & pl.lit(self._writers > 1)
        # Rows that come again stay together, in their order; an object that is a user is of no part of the objects.
        lots = events.with_columns(
            pl.when(again)
            .then(pl.lit("again"))
            .when(on_user)
            .then(pl.lit("on_user"))
            .otherwise(pl.lit("main"))
            .alias("_what"),
            pl.when(again).then(0).otherwise(hashed("user_id") % LOTS).alias("_user"),
            pl.when(again | on_user).then(0).otherwise(hashed("object_id") % self._writers).alias("_object"),
        ).partition_by("_what", "_user", "_object", maintain_order=True, include_key=False, as_dict=True)
        try:
            for (what, user, part), rows in lots.items():
                self._lay((str(what), int(user), int(part)), rows)
            # What is buffered may find the disk full as well: told here, where the error has words.
            self._file.flush()
        except OSError as error:
            raise self._no_room(error) from error
        self.height += events.height

    def _first(self, events: pl.DataFrame) -> pl.Series:
        """Which rows are the first of the stretch with their key.

        A row whose hash another key has is not among them: it comes later, and is looked at more closely.
        """
        keys = events.select(pl.concat_str("type", "event_id", separator="\n").alias("key"))
        found = keys.select(hashed("key")).to_series()
        first = found.is_first_distinct()
        for seen in self._seen:
            first &= ~found.is_in(seen.implode())
        self._seen.append(found)
        return first

    def _lay(self, lot: Lot, rows: pl.DataFrame) -> None:
        packed = io.BytesIO()
        rows.write_ipc_stream(packed, compression="zstd")
        self._file.write(packed.getbuffer())
        size = packed.tell()
        self._pieces.setdefault(lot, []).append((self._end, size))
        self._end += size

    def _no_room(self, error: OSError) -> SourceError:
        return SourceError(
            f"{self._folder}: the rows that wait to be written cannot be laid there: {error.strerror}.",
            "Free some 200 MB there, then give the same command again: it goes on where this one ended.",
        )

    def rounds(self) -> Iterator[list[Block]]:
        """Rounds of blocks, as :func:`graphprofile.ingest.blocks.cut` gives them; the rows are gone afterwards."""
        self._seen.clear()
        with self._file:
            yield from side_by_side(self._lanes())
            yield from self._again()

    def _lanes(self) -> Iterator[list[list[Block]]]:
        groups = self._writers
        while groups < LOTS and self.height > groups * self._writers * blocks.BLOCK_ROWS:
            groups *= 2
        users = LOTS // groups
        for pairs in diagonals(groups, self._writers):
            yield [
                self._take(
                    f"{groups}.{group}.{part}",
                    (("main", user, part) for user in range(group * users, (group + 1) * users)),
                )
                for group, part in pairs
            ]
        # Their objects are users, of any group: one after the other.
        for group in range(groups):
            lots = (("on_user", user, 0) for user in range(group * users, (group + 1) * users))
            yield [self._take(f"{groups}.u{group}", lots)]

    def _take(self, name: str, lots: Iterable[Lot]) -> list[Block]:
        pieces = [piece for lot in lots for piece in self._pieces.pop(lot, ())]
        if not pieces:
            return []
        return slices(
            f"lots.{name}", pl.concat([self._read(piece) for piece in sorted(pieces)]), distinct=True
        )

    def _again(self) -> Iterator[list[Block]]:
        held: list[pl.DataFrame] = []
        pieces = self._pieces.pop(_AGAIN, [])
        number = 0
        for place, piece in enumerate(pieces, start=1):
            held.append(self._read(piece))
            if place < len(pieces) and sum(rows.height for rows in held) < blocks.BLOCK_ROWS:
                continue
            for block in slices(f"lots.r{number}", pl.concat(held), distinct=False):
                yield [Block(block.name, block.events, all_first(block.events))]
            held, number = [], number + 1

    def _read(self, piece: tuple[int, int]) -> pl.DataFrame:
        start, size = piece
        self._file.seek(start)
        return pl.read_ipc_stream(io.BytesIO(self._file.read(size)))
