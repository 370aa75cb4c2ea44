"""Sources that already have the generic columns, or get them by ``--map``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from graphprofile.records import Kind, SourceFile

if TYPE_CHECKING:
    import polars as pl


class GenericLoader:
    """Takes every column as it is; what rows are is told by ``--kind`` or by the columns."""

    name = "generic"
    summary = (
        "CSV, JSON Lines and Parquet with the generic columns (see docs/loading.md), or mapped onto them"
    )
    time_zone = "UTC"

    def sources(self, paths: Sequence[Path], kind: Kind | None) -> list[SourceFile]:
        """Every file, of the kind asked for."""
        return [SourceFile(path, kind) for path in paths]

    def transform(self, frame: pl.DataFrame, kind: Kind) -> pl.DataFrame:
        """The frame as it is."""
        return frame
