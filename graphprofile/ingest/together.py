"""Rows that belong together: never in two chunks, and blank cells take what the first of them says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import polars as pl

from graphprofile.records import RawChunk


def keep_together(chunks: Iterator[RawChunk], by: str, fill: tuple[str, ...]) -> Iterator[RawChunk]:
    """The same rows in chunks that end where a group ends.

    Args:
        chunks: Rows of one file.
        by: Column whose equal values, one row after the other, make a group.
        fill: Columns whose blank cells take the value of their group's first row.
    """
    held: RawChunk | None = None
    for chunk in chunks:
        if by not in chunk.frame.columns:
            yield chunk
            continue
        if held is not None:
            chunk = _joined(held, chunk)
        values = chunk.frame[by]
        ends = (
            np.flatnonzero((values.ne_missing(values.shift(1))).to_numpy())
            if values.len()
            else np.zeros(1, int)
        )
        at = int(ends[-1])
        rest = replace(chunk, frame=chunk.frame[at:], lines=list(chunk.lines[at:]), rejected=[])
        held = rest if rest.frame.height else None
        if at or chunk.rejected or held is None:
            yield replace(chunk, frame=_filled(chunk.frame[:at], by, fill), lines=list(chunk.lines[:at]))
    if held is not None:
        yield replace(held, frame=_filled(held.frame, by, fill))


def _joined(held: RawChunk, chunk: RawChunk) -> RawChunk:
    frame = pl.concat([held.frame, chunk.frame], how="vertical_relaxed")
    return replace(chunk, frame=frame, lines=[*held.lines, *chunk.lines])


def _filled(frame: pl.DataFrame, by: str, fill: tuple[str, ...]) -> pl.DataFrame:
    group = pl.col(by).rle_id()
    text = [name for name in fill if name in frame.columns and frame[name].dtype == pl.String]
    return frame.with_columns(
        pl.when(pl.col(name).str.strip_chars() != "")
        .then(pl.col(name))
        .otherwise(pl.col(name).first().over(group))
        .alias(name)
        for name in text
    )
