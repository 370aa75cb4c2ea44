"""A stretch of events cut into blocks, each a transaction: by user, and where two writers work also by object.

A block holds all events that its users have in the stretch (with two writers, half of them), so few transactions name
the same user.

Two blocks that share neither users nor objects need no common lock: with two writers the users of a block are one of
many groups and its objects one of two halves, and the pairs of the diagonal are written at once, then the other two
(the blocking of Gemulla et al.: "Large-Scale Matrix Factorization with Distributed Stochastic Gradient Descent", KDD
2011, for a graph's locks).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import zip_longest
from math import ceil

import polars as pl
import polars_hash

from graphprofile.ingest.check import EVENT_SCHEMA

BLOCK_ROWS = 20_000
"""About so many rows make a transaction."""
WORTH_IT = 4_000
"""Smaller stretches are written by one writer: a transaction has a price of its own."""


@dataclass(frozen=True)
class Block:
    """Rows of one transaction.

    Attributes:
        name: Within the stretch; the same rows give the same names, and none begins with another.
        events: Columns as in :data:`EVENT_SCHEMA`, in the order of the source.
        distinct: Whether no key stands in it twice.
    """

    name: str
    events: pl.DataFrame
    distinct: bool = True


def cut(events: pl.DataFrame, writers: int) -> Iterator[list[Block]]:
    """Rounds of blocks; those of a round may be written at once. Each is made when it is asked for.

    An event whose key stands in the stretch a second time comes after all others, so that the first row wins
    however the writers overtake each other.

    Args:
        events: Checked events, columns as in :data:`EVENT_SCHEMA`.
        writers: 1 or 2.
    """
    events = events.select(*EVENT_SCHEMA)
    if events.height <= BLOCK_ROWS and (writers == 1 or events.height < WORTH_IT):
        yield [Block("0.", events, distinct=all_first(events))]
        return
    first = pl.col("first")
    on_user = pl.col("on_user") if writers > 1 else pl.lit(False)
    # With two writers groups come in pairs.
    groups = writers * max(1, ceil(events.height / (BLOCK_ROWS * writers**2)))
    marks = events.select(
        (hashed("user_id") % groups).alias("user"),
        (hashed("object_id") % writers).alias("object"),
        (hashed("event_id") % groups).alias("event"),
        (pl.col("object_kind") == "user").alias("on_user"),
        _first(events).alias("first"),
    )

    def block(name: str, mask: pl.Expr, *, distinct: bool = True) -> list[Block]:
        chosen = events.filter(marks.select(mask).to_series())
        return slices(f"{groups}.{name}", chosen, distinct=distinct)

    def rounds() -> Iterator[list[list[Block]]]:
        for pairs in diagonals(groups, writers):
            yield [
                block(
                    f"{group}.{half}",
                    (pl.col("user") == group) & (pl.col("object") == half) & first & ~on_user,
                )
                for group, half in pairs
            ]
        # Their objects are users, of any group: one after the other.
        for group in range(groups if writers > 1 else 0):
            yield [block(f"u{group}", (pl.col("user") == group) & first & on_user)]
        for group in range(groups):
            yield [block(f"r{group}", (pl.col("event") == group) & ~first, distinct=False)]

    yield from side_by_side(rounds())


def diagonals(groups: int, writers: int) -> Iterator[list[tuple[int, int]]]:
    """Groups of users with parts of the objects, in rounds: no two pairs of a round share either.

    Args:
        groups: Groups of users, a multiple of ``writers``.
        writers: As many parts do the objects have.
    """
    for group in range(0, groups, writers):
        for shift in range(writers):
            yield [(group + lane, (lane + shift) % writers) for lane in range(writers)]


def slices(name: str, events: pl.DataFrame, *, distinct: bool) -> list[Block]:
    """Who has more events than make a transaction fills several."""
    return [
        Block(f"{name}.{number}.", part, distinct)
        for number, part in enumerate(events.iter_slices(2 * BLOCK_ROWS))
        if part.height
    ]


def side_by_side(rounds: Iterable[list[list[Block]]]) -> Iterator[list[Block]]:
    """Lanes that each hold blocks, as rounds of at most one block of each lane."""
    for lanes in rounds:
        for blocks in zip_longest(*lanes):
            yield [one for one in blocks if one is not None]


def all_first(events: pl.DataFrame) -> bool:
    """Whether no key stands in it twice."""
    return bool(_first(events).all())


def _first(events: pl.DataFrame) -> pl.Series:
    """Which rows are the first with their key."""
    # Comparing keys takes ten times the memory of their hashes, and hardly ever is there a key to compare.
    if events.select(hashed("event_id").n_unique() == pl.len()).item():
        return pl.Series([True]).new_from_index(0, events.height)
    return events.select(pl.struct("type", "event_id").is_first_distinct()).to_series()


def hashed(name: str) -> pl.Expr:
    """The same everywhere and always: a batch gone on with is cut as it was begun."""
    return polars_hash.col(name).nchash.xxhash64()
