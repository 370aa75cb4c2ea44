"""A stretch of events cut into blocks that two writers can write side by side without waiting for each other.

Users and objects are halved each. Two blocks that share neither users nor objects need no common lock, so the pairs
of the diagonal are written at once, then the other two (the blocking of Gemulla et al.: "Large-Scale Matrix
Factorization with Distributed Stochastic Gradient Descent", KDD 2011, for a graph's locks).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import polars as pl

from graphprofile.ingest.events import EventRow

WORTH_IT = 4_000
"""Smaller stretches are written as they are: a transaction has a price of its own."""


@dataclass(frozen=True)
class Block:
    """Rows of one transaction.

    Attributes:
        name: Within the stretch; the same rows give the same names.
        rows: Events, in the order of the source.
    """

    name: str
    rows: Sequence[EventRow]


def cut(frame: pl.DataFrame, writers: int) -> list[list[Block]]:
    """Rounds of blocks; those of a round may be written at once.

    An event whose key stands in the stretch a second time comes after all others, so that the first row wins
    however the writers overtake each other.

    Args:
        frame: Checked events, columns as in :class:`EventRow`.
        writers: 1 or 2.
    """
    frame = frame.select(EventRow._fields)
    rows = list(map(EventRow._make, frame.rows()))
    if writers == 1 or frame.height < WORTH_IT:
        return [[Block("0", rows)]]
    first = frame.select(pl.struct("type", "event_id").is_first_distinct()).to_series().to_list()
    squares: list[list[list[EventRow]]] = [[[], []], [[], []]]
    on_users: list[EventRow] = []
    repeated: list[EventRow] = []
    for row, is_first in zip(rows, first, strict=True):
        if not is_first:
            repeated.append(row)
        elif row.object_kind == "user":
            on_users.append(row)
        else:
            squares[crc32(row.user_id.encode()) & 1][crc32(row.object_id.encode()) & 1].append(row)
    rounds = [
        [Block("00", squares[0][0]), Block("11", squares[1][1])],
        [Block("01", squares[0][1]), Block("10", squares[1][0])],
        [Block("u", on_users)],
        [Block("r", repeated)],
    ]
    return [kept for blocks in rounds if (kept := [block for block in blocks if block.rows])]
