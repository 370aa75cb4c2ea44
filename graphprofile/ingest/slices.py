"""Checked chunks in the stretches that they are written in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar

from graphprofile.records import DescriptionChunk, EventChunk, RetractionChunk

C = TypeVar("C", EventChunk, RetractionChunk, DescriptionChunk)


def in_slices(chunk: C, rows: int) -> Iterator[C]:
    """The chunk in stretches of so many good rows; what is told of the others goes with the first."""
    told: dict[str, Any] = {"rejected": [], "filled": None}
    if not isinstance(chunk, RetractionChunk):
        told |= {"skipped": {}, "cleaned": {}}
    others, name = len(chunk.rejected), "frame"
    if isinstance(chunk, DescriptionChunk):
        told["repeats"] = 0
        others, name = others + chunk.repeats, "rows"
    held: Any = getattr(chunk, name)
    for start in range(0, max(len(held), 1), rows):
        part = held[start : start + rows]
        changed = {name: part, "read": len(part) + others}
        yield replace(chunk, **changed)
        chunk, others = replace(chunk, **told), 0
