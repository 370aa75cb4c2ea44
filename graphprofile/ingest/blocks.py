"""A stretch of events cut into blocks that two writers can write side by side without waiting for each other.

Users and objects are halved each. Two blocks that share neither users nor objects need no common lock, so the pairs
of the diagonal are written at once, then the other two (the blocking of Gemulla et al.: "Large-Scale Matrix
Factorization with Distributed Stochastic Gradient Descent", KDD 2011, for a graph's locks).
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import polars_hash

from graphprofile.ingest.check import EVENT_SCHEMA

WORTH_IT = 4_000
"""Smaller stretches are written as they are: a transaction has a price of its own."""


@dataclass(frozen=True)
class Block:
    """Rows of one transaction.

    Attributes:
        name: Within the stretch; the same rows give the same names.
        events: Columns as in :data:`EVENT_SCHEMA`, in the order of the source.
        distinct: Whether no key stands in it twice.
    """

    name: str
    events: pl.DataFrame
    distinct: bool = True


def cut(events: pl.DataFrame, writers: int) -> list[list[Block]]:
    """Rounds of blocks; those of a round may be written at once.

    An event whose key stands in the stretch a second time comes after all others, so that the first row wins
    however the writers overtake each other.

    Args:
        events: Checked events, columns as in :data:`EVENT_SCHEMA`.
        writers: 1 or 2.
    """
    events = events.select(*EVENT_SCHEMA)
    if writers == 1 or events.height < WORTH_IT:
        twice = events.select(pl.struct("type", "event_id").is_duplicated().any()).item()
        return [[Block("0", events, distinct=not twice)]]
    halves = events.select(
        _half("user_id").alias("user"),
        _half("object_id").alias("object"),
        (pl.col("object_kind") == "user").alias("on_user"),
        pl.struct("type", "event_id").is_first_distinct().alias("first"),
    )

    def chosen(mask: pl.Expr) -> pl.DataFrame:
        return events.filter(halves.select(mask).to_series())

    def square(user: int, object_: int) -> Block:
        mask = (pl.col("user") == user) & (pl.col("object") == object_)
        return Block(f"{user}{object_}", chosen(mask & pl.col("first") & ~pl.col("on_user")))

    rounds = [
        [square(0, 0), square(1, 1)],
        [square(0, 1), square(1, 0)],
        [Block("u", chosen(pl.col("first") & pl.col("on_user")))],
        [Block("r", chosen(~pl.col("first")), distinct=False)],
    ]
    return [kept for blocks in rounds if (kept := [block for block in blocks if block.events.height])]


def _half(name: str) -> pl.Expr:
    """0 or 1 by a hash that is the same everywhere and always: a batch gone on with is cut as it was begun."""
    return polars_hash.col(name).nchash.xxhash64() & 1
