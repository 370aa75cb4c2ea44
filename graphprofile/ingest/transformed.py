"""What a loader made of a chunk of rows: held to its contract, without the rows that it leaves out."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from graphprofile.errors import SourceError
from graphprofile.ingest.mapping import REQUIRED, SKIP, Mapping
from graphprofile.ingest.rows import ROWS
from graphprofile.ingest.uncollected import uncollected
from graphprofile.records import Loader, RawChunk, Reading, Rejection

ROW = "_row"


@dataclass
class Transformed:
    """A chunk under its loader's columns, or the mapping's.

    Attributes:
        raw: The rows as the source gave them, each as often as something was made of it.
        frame: The loader's columns, of the same height.
        skipped: Reason -> rows that the loader left out on purpose.
        several: Whether a row may have become several.
        cleaned: ``kind.column.rule`` -> values that a mapping file's rule changed.
    """

    raw: RawChunk
    frame: pl.DataFrame
    skipped: dict[str, int]
    several: bool
    cleaned: dict[str, int] = field(default_factory=dict)


def transformed(
    chunks: Iterable[RawChunk], loader: Loader, reading: Reading | None, mapping: Mapping
) -> Generator[Transformed, None, None]:
    """The chunks under the mapping's columns, in their order.

    Raises:
        SourceError: The loader lost rows, or a mapped column is not there.
    """
    begun = False
    for raw in chunks:
        made = transform(raw, loader, reading)
        # Rows handed over one by one are judged one by one; a file is one thing, and may be the wrong one.
        needed = () if begun or raw.source == ROWS or not made.frame.height else REQUIRED[raw.kind]
        begun |= bool(made.frame.height)
        made.frame = mapping.apply(made.frame, made.raw.source, made.raw.fixed_columns, needed)
        made.cleaned = {} if reading is None else reading.changed()
        yield made


def transform(raw: RawChunk, loader: Loader, reading: Reading | None = None) -> Transformed:
    """Have a loader, or its reading that is under way, transform a chunk.

    Raises:
        SourceError: The loader lost rows.
    """
    with uncollected():
        frame = loader.transform(raw.frame, raw.kind) if reading is None else reading.transform(raw)
    several = ROW in frame.columns and ROW not in raw.frame.columns
    if several:
        raw, frame = _repeated(raw, frame, loader.name)
    elif frame.height != raw.frame.height:
        raise _lost(loader.name, raw, f"{raw.frame.height} rows went in, {frame.height} came out")
    # A source's own column of that name means nothing: only a loader can leave rows out.
    if SKIP not in frame.columns or SKIP in raw.frame.columns:
        return Transformed(raw, frame, {}, several)
    reasons, frame = frame[SKIP], frame.drop(SKIP)
    stay = reasons.is_null()
    if stay.all():
        return Transformed(raw, frame, {}, several)
    counted = dict(sorted(reasons.drop_nulls().value_counts().iter_rows()))
    lines = np.asarray(raw.lines, dtype=np.int64)[stay.to_numpy()].tolist()
    raw = replace(raw, frame=raw.frame.filter(stay), lines=lines)
    return Transformed(raw, frame.filter(stay), counted, several)


def _repeated(raw: RawChunk, frame: pl.DataFrame, name: str) -> tuple[RawChunk, pl.DataFrame]:
    """The source's rows, each as often as the loader's frame names it."""
    places = frame[ROW].cast(pl.Int64)
    height = raw.frame.height
    between = bool(places.is_between(0, height - 1).all())
    if places.null_count() or not between or places.n_unique() != height:
        raise _lost(name, raw, f"its column {ROW} must name each of the {height} rows, from 0")
    at = places.to_numpy()
    lines = np.asarray(raw.lines, dtype=np.int64)[at].tolist()
    return replace(raw, frame=raw.frame[at], lines=lines), frame.drop(ROW)


def _lost(name: str, raw: RawChunk, how: str) -> SourceError:
    return SourceError(
        f"{raw.source}: the loader {name!r} broke its contract: {how}.",
        "This is a defect of the loader; graphprofile.testing.LoaderContract finds it.",
    )


def once_a_row(rejected: Iterable[Rejection]) -> list[Rejection]:
    """One refusal for each row of the source: the first, where several things that it holds are refused."""
    first: dict[int, Rejection] = {}
    for rejection in rejected:
        first.setdefault(rejection.line, rejection)
    return list(first.values())
