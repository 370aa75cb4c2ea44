"""Checked chunks of events put together into stretches: what :mod:`graphprofile.ingest.blocks` cuts by user."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import TypeAlias

import polars as pl

from graphprofile.errors import GraphProfileError
from graphprofile.ingest.quarantine import Origin
from graphprofile.records import Chunk, EventChunk

Checked: TypeAlias = tuple[Origin, Chunk]


def stretched(checked: Iterator[Checked], rows: int) -> Iterator[Checked]:
    """The same rows in the same order, consecutive chunks of one source's events as one of about ``rows`` rows.

    What was read before a source failed is handed on before its error is raised.

    Args:
        checked: Checked chunks with how they were read.
        rows: A stretch is full once it holds so many; none holds more than this and one chunk.
    """
    held: list[EventChunk] = []
    origin: Origin | None = None
    height = 0

    def together() -> Iterator[Checked]:
        if held:
            assert origin is not None
            yield origin, _joined(held)
            held.clear()

    try:
        for found, chunk in checked:
            fits = isinstance(chunk, EventChunk) and found == origin
            if held and not (fits and chunk.source_number == held[0].source_number):
                yield from together()
            if not isinstance(chunk, EventChunk):
                yield found, chunk
                continue
            origin, height = found, chunk.frame.height + (height if held else 0)
            held.append(chunk)
            if height >= rows:
                yield from together()
    except GraphProfileError:
        yield from together()
        raise
    yield from together()


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
