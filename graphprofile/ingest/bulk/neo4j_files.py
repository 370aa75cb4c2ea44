"""CSV files and arguments for ``neo4j-admin database import full``."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from graphprofile.errors import SourceError

ARGUMENTS = "import.args"
ARRAY_DELIMITER = "\ufdd0"
"""Between the entries of a list: a code point that Unicode keeps out of texts."""

READ_BUFFER_BYTES = 4 << 20
_TYPES: dict[Any, str] = {pl.String: "string", pl.Int64: "long", pl.Float64: "double", pl.Boolean: "boolean"}


@dataclass
class _Table:
    """Rows with the same columns: a header file and a data file."""

    name: str
    option: str
    multiline: bool = False


class Neo4jFiles:
    """Writes the files into a folder; :meth:`close` writes the arguments, without which nothing is imported.

    Args:
        folder: Where the files go; exists.
    """

    any_order = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._tables: dict[tuple[str, ...], _Table] = {}
        self._longest = 0
        # Nodes and events come from two threads, to different files.
        self._lock = threading.Lock()

    def nodes(self, label: str, frame: pl.DataFrame) -> None:
        """Take nodes; see :class:`graphprofile.ingest.bulk.shapes.Sink`."""
        if "id" in frame.columns:
            frame, key = frame.drop("#key"), "id"
        else:
            key = "#key"
        self._write(f"--nodes={label}", "nodes", label, frame, {key: f"{key.strip('#key')}:ID({label})"})

    def links(self, type_: str, ends: tuple[str, str], frame: pl.DataFrame) -> None:
        """Take relationships."""
        if not frame.height:
            return
        renamed = {"#from": f":START_ID({ends[0]})", "#to": f":END_ID({ends[1]})"}
        self._write(f"--relationships={type_}", "relationships", type_, frame, renamed)

    def close(self) -> None:
        """Write the arguments."""
        lines = [f"--array-delimiter=U+{ord(ARRAY_DELIMITER):04X}", "--bad-tolerance=0"]
        if self._longest * 2 > READ_BUFFER_BYTES:
            lines.append(f"--read-buffer-size={self._longest * 2}")
        multiline = [re.escape(f"{table.name}.csv") for table in self._tables.values() if table.multiline]
        if multiline:
            lines += ["--multiline-fields-format=v2", f"--multiline-fields={','.join(multiline)}"]
        lines += [
            f"{table.option}={table.name}-header.csv,{table.name}.csv" for table in self._tables.values()
        ]
        (self._folder / ARGUMENTS).write_text("\n".join(lines) + "\n", "utf-8")

    def _write(self, option: str, what: str, name: str, frame: pl.DataFrame, renamed: dict[str, str]) -> None:
        # The importer takes each field apart, empty ones too.
        empty = [
            column for column in frame.columns if column not in renamed and frame[column].is_null().all()
        ]
        frame = frame.drop(empty)
        header = [renamed.get(column) or _field(column, frame[column].dtype) for column in frame.columns]
        key = (option, *header)
        with self._lock:
            table = self._tables.get(key)
            if table is None:
                number = sum(known[0] == option for known in self._tables) + 1
                self._tables[key] = table = _Table(f"{what}-{name}-{number}", option)
                path = self._folder / f"{table.name}-header.csv"
                path.write_text(",".join(header) + "\n", "utf-8")
        own = [
            column for column in frame.columns if column not in ("#from", "#to", "#key", "event_id", "hash")
        ]
        for column in own:
            if isinstance(frame[column].dtype, pl.List):
                frame = frame.with_columns(_joined(frame[column]))
            if frame[column].dtype == pl.String:
                longest: Any = frame[column].str.len_bytes().max()
                self._longest = max(self._longest, longest or 0)
                table.multiline = table.multiline or bool(frame[column].str.contains(r"[\r\n]").any())
        with (self._folder / f"{table.name}.csv").open("ab") as stream:
            frame.write_csv(stream, include_header=False, quote_style="necessary")


def _field(column: str, dtype: Any) -> str:
    if isinstance(dtype, pl.List):
        return f"{column}:{_TYPES[type(dtype.inner) if not isinstance(dtype.inner, type) else dtype.inner]}[]"
    return column if dtype == pl.String else f"{column}:{_TYPES[type(dtype)]}"


def _joined(column: pl.Series) -> pl.Series:
    if column.dtype == pl.List(pl.String):
        holds = column.list.join("").str.contains(ARRAY_DELIMITER, literal=True)
        if holds.any():
            raise SourceError(
                f"A list in the property {column.name} holds the character U+{ord(ARRAY_DELIMITER):04X}, which "
                "separates the entries of lists in import files.",
                "Take it out: Unicode keeps it out of texts.",
            )
    return column.cast(pl.List(pl.String)).list.join(ARRAY_DELIMITER)
