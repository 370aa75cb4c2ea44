"""Checked chunks of events put together into stretches: what :mod:`graphprofile.ingest.blocks` cuts by user."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TypeAlias

import polars as pl

from graphprofile.errors import GraphProfileError
from graphprofile.ingest.lots import Lots
from graphprofile.ingest.quarantine import Origin
from graphprofile.records import Chunk, EventChunk

Checked: TypeAlias = tuple[Origin, Chunk]
Stretch: TypeAlias = tuple[Origin, Chunk, Lots | None]
"""How it was read, what was read, and where its events lie if not in its frame."""

HELD_ROWS = 80_000
"""More rows of events are not held in memory."""
LONG_ROWS = 1_000_000
"""Rows of events that are cut into transactions together: more of them wait longer, fewer name their users oftener."""
PATIENCE_SECONDS = 5.0
"""A source whose end nobody knows may be slow to come: for so long its rows wait for more of them."""
REFUSED_ROWS = 10_000
"""More refused rows do not wait for the good ones beside them: they are kept as objects."""


def stretched(checked: Iterator[Checked], lots: Callable[[], Lots] | None = None) -> Iterator[Stretch]:
    """The same rows in the same order, consecutive chunks of one source's events as one stretch.

    A stretch is full at :data:`HELD_ROWS` rows. With ``lots``, that many are laid away on disk until it holds
    :data:`LONG_ROWS`, or of a source whose end nobody knows for :data:`PATIENCE_SECONDS`.

    What was read before a source failed is handed on before its error is raised.

    Args:
        checked: Checked chunks with how they were read.
        lots: Makes the place for a long stretch.
    """
    held: list[EventChunk] = []
    origin: Origin | None = None
    away: Lots | None = None
    began = 0.0

    def together() -> Iterator[Stretch]:
        nonlocal away
        if held:
            assert origin is not None
            lay_away()
            yield origin, _joined(held), away
            held.clear()
            away = None

    def lay_away() -> None:
        if away is not None:
            away.add(pl.concat([chunk.frame for chunk in held]))
            held[:] = [replace(chunk, frame=chunk.frame.clear()) for chunk in held]

    failure: GraphProfileError | None = None
    while True:
        try:
            found, chunk = next(checked)
        except StopIteration:
            break
        except GraphProfileError as error:
            failure = error
            break
        fits = isinstance(chunk, EventChunk) and found == origin
        if held and not (fits and chunk.source_number == held[0].source_number):
            yield from together()
        if not isinstance(chunk, EventChunk):
            yield found, chunk, None
            continue
        if lots is not None and _height(held) >= HELD_ROWS:
            away = away or lots()
            lay_away()
        if not held:
            began = time.monotonic()
        origin = found
        held.append(chunk)
        waits = chunk.size is not None or time.monotonic() - began < PATIENCE_SECONDS
        most = LONG_ROWS if lots is not None and waits else HELD_ROWS
        height = _height(held) + (away.height if away else 0)
        if height >= most or sum(len(chunk.rejected) for chunk in held) >= REFUSED_ROWS:
            yield from together()
    yield from together()
    if failure is not None:
        raise failure


def _height(chunks: list[EventChunk]) -> int:
    return sum(chunk.frame.height for chunk in chunks)


def _joined(chunks: list[EventChunk]) -> EventChunk:
    if len(chunks) == 1:
        return chunks[0]
    skipped: Counter[str] = Counter()
    cleaned: Counter[str] = Counter()
    for chunk in chunks:
        skipped.update(chunk.skipped)
        cleaned.update(chunk.cleaned)
    return replace(
        chunks[-1],
        frame=pl.concat([chunk.frame for chunk in chunks], rechunk=True),
        rejected=[rejection for chunk in chunks for rejection in chunk.rejected],
        read=sum(chunk.read for chunk in chunks),
        skipped=dict(skipped),
        cleaned=dict(cleaned),
    )
