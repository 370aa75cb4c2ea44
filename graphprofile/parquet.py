"""Parquet files that are there as a whole or not at all."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from graphprofile.errors import UsageError

T = TypeVar("T")


@contextmanager
def parquet_file(path: Path, schema: Any) -> Iterator[Any]:
    """A Parquet writer whose file appears under its name only when it is complete.

    Args:
        path: Where it is to lie.
        schema: Arrow schema.

    Raises:
        UsageError: The file cannot be written there.
    """
    import pyarrow.parquet as pq

    scratch = path.with_name(f".{path.name}.part")
    try:
        writer = pq.ParquetWriter(scratch, schema)
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be written: {error.strerror or error}.", "Name another file."
        ) from error
    try:
        with writer:
            yield writer
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def batched(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most ``size`` rows."""
    iterator = iter(rows)
    while part := list(itertools.islice(iterator, size)):
        yield part
