"""Checked chunks in the stretches that they are written in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from graphprofile.records import DescriptionChunk, EventChunk, RetractionChunk


def event_slices(chunk: EventChunk, rows: int) -> Iterator[EventChunk]:
    """The chunk in stretches of so many good rows; the refused and the left out ones go with the first."""
    rejected, skipped, cleaned, filled = chunk.rejected, chunk.skipped, chunk.cleaned, chunk.filled
    for start in range(0, max(chunk.frame.height, 1), rows):
        frame = chunk.frame[start : start + rows]
        read = frame.height + len(rejected)
        yield replace(
            chunk, frame=frame, rejected=rejected, read=read, skipped=skipped, cleaned=cleaned, filled=filled
        )
        rejected, skipped, cleaned, filled = [], {}, {}, None


def retraction_slices(chunk: RetractionChunk, rows: int) -> Iterator[RetractionChunk]:
    """The same of withdrawals."""
    rejected, filled = chunk.rejected, chunk.filled
    for start in range(0, max(chunk.frame.height, 1), rows):
        frame = chunk.frame[start : start + rows]
        read = frame.height + len(rejected)
        yield replace(chunk, frame=frame, rejected=rejected, read=read, filled=filled)
        rejected, filled = [], None


def description_slices(chunk: DescriptionChunk, rows: int) -> Iterator[DescriptionChunk]:
    """The same of descriptions."""
    rejected, skipped, cleaned, repeats = chunk.rejected, chunk.skipped, chunk.cleaned, chunk.repeats
    filled = chunk.filled
    for start in range(0, max(len(chunk.rows), 1), rows):
        part = chunk.rows[start : start + rows]
        read = len(part) + len(rejected) + repeats
        yield replace(
            chunk,
            rows=part,
            rejected=rejected,
            read=read,
            repeats=repeats,
            skipped=skipped,
            cleaned=cleaned,
            filled=filled,
        )
        rejected, skipped, cleaned, repeats, filled = [], {}, {}, 0, None
