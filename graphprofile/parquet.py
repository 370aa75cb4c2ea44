"""Parquet files that are there as a whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from graphprofile.disk import replaced
from graphprofile.errors import UsageError


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

    with replaced(path) as scratch:
        try:
            writer = pq.ParquetWriter(scratch, schema)
        except OSError as error:
            raise UsageError(
                f"{path}: cannot be written: {error.strerror or error}.", "Name another file."
            ) from error
        with writer:
            yield writer
