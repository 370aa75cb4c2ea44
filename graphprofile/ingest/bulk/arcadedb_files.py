"""JSON lines for ArcadeDB's batch API, which the owner of the embedded store runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from graphprofile.ingest.bulk.shapes import as_json

PLAN = "plan.json"
_DECLARED: dict[Any, str] = {
    pl.Int64: "LONG",
    pl.Float64: "DOUBLE",
    pl.List(pl.Int64): "LIST OF LONG",
    pl.List(pl.Float64): "LIST OF DOUBLE",
}


@dataclass
class _Table:
    """A file of rows of one type.

    Attributes:
        type: Vertex or edge type.
        file: Name of the file.
        ends: Vertex types at both ends of an edge.
        types: Type of each property: one in a file.
        count: Rows.
    """

    type: str
    file: str
    ends: tuple[str, str] | None
    types: dict[str, Any] = field(default_factory=dict)
    count: int = 0

    def plan(self, mixed: set[tuple[str, str]]) -> dict[str, Any]:
        """What the owner reads; ``typed`` asks for the slow path, which keeps the types without a declaration."""
        numbers = {name for name, of in self.types.items() if of in _DECLARED}
        return {
            "type": self.type,
            "file": self.file,
            "ends": self.ends,
            "count": self.count,
            "typed": any((self.type, name) in mixed for name in numbers),
        }


@dataclass
class _Index:
    """Where the vertices of one type come to stand: by table and row until all are written."""

    keys: list[pl.DataFrame] = field(default_factory=list)
    frame: pl.DataFrame | None = None


class ArcadeDBFiles:
    """Writes the files into a folder; all nodes before any relationship.

    A vertex is a JSON object. An edge is the number of its ends among the vertices of their types, and the rest of
    its JSON object.

    Args:
        folder: Where the files go; exists.
    """

    any_order = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._vertices: dict[str, _Table] = {}
        self._edges: dict[str, _Table] = {}
        self._index: dict[str, _Index] = {}

    def nodes(self, label: str, frame: pl.DataFrame) -> None:
        """Take nodes; see :class:`graphprofile.ingest.bulk.shapes.Sink`."""
        rows = frame.drop("#key")
        table = self._table(self._vertices, "vertices", label, rows, None)
        number = list(self._vertices.values()).index(table)
        # Parts of a batch have no relationships: nobody asks where they stand.
        if label != "BatchPart":
            place = pl.int_range(table.count, table.count + frame.height, dtype=pl.UInt32, eager=True)
            keys = frame.select(pl.col("#key").alias("key")).with_columns(
                pl.lit(number, dtype=pl.UInt16).alias("table"), place.alias("row")
            )
            self._index.setdefault(label, _Index()).keys.append(keys)
        self._append(table, "{" + as_json(rows) + "}")

    def links(self, type_: str, ends: tuple[str, str], frame: pl.DataFrame) -> None:
        """Take relationships."""
        if not frame.height:
            return
        rows = frame.drop("#from", "#to")
        table = self._table(self._edges, "edges", type_, rows, ends)
        inside = as_json(rows)
        rest = ("," + inside + "}") if rows.columns else pl.Series(["}"]).new_from_index(0, frame.height)
        lines = (
            self._numbers(frame["#from"], ends[0]) + " " + self._numbers(frame["#to"], ends[1]) + " " + rest
        )
        self._append(table, lines)

    def close(self) -> None:
        """Write the plan, without which nothing is written into the store."""
        declared, mixed = _declarations([*self._vertices.values(), *self._edges.values()])
        document = {
            "vertices": [table.plan(mixed) for table in self._vertices.values()],
            "edges": [table.plan(mixed) for table in self._edges.values()],
            "declare": declared,
        }
        (self._folder / PLAN).write_bytes(orjson.dumps(document))

    def _table(
        self,
        tables: dict[str, _Table],
        what: str,
        type_: str,
        rows: pl.DataFrame,
        ends: tuple[str, str] | None,
    ) -> _Table:
        """A table that the rows fit into: none of its properties has another type."""
        for known in tables.values():
            if (known.type, known.ends) == (type_, ends) and all(
                known.types.get(name, of) == of for name, of in rows.schema.items()
            ):
                known.types.update(rows.schema)
                return known
        file = f"{what}-{len(tables)}.jsonl"
        tables[file] = _Table(type_, file, ends, dict(rows.schema))
        return tables[file]

    def _append(self, table: _Table, lines: pl.Series) -> None:
        with (self._folder / table.file).open("ab") as stream:
            lines.alias("line").to_frame().write_csv(stream, include_header=False, quote_style="never")
        table.count += len(lines)

    def _numbers(self, keys: pl.Series, label: str) -> pl.Series:
        """Where nodes stand, as text."""
        index = self._index.setdefault(label, _Index())
        if index.frame is None:
            index.frame = self._placed(label, index.keys)
            index.keys = []
        found = keys.alias("key").to_frame().join(index.frame, on="key", how="left", maintain_order="left")
        return found["place"].cast(pl.String)

    def _placed(self, label: str, keys: Sequence[pl.DataFrame]) -> pl.DataFrame:
        starts, start = [], 0
        for table in self._vertices.values():
            starts.append(start)
            start += table.count if table.type == label else 0
        first = pl.DataFrame({"table": range(len(starts)), "start": starts}).cast(
            {"table": pl.UInt16, "start": pl.UInt32}
        )
        return (
            pl.concat(keys)
            .join(first, on="table")
            .select("key", (pl.col("start") + pl.col("row")).alias("place"))
        )


def _declarations(tables: Sequence[_Table]) -> tuple[dict[str, dict[str, str]], set[tuple[str, str]]]:
    """By type, what each property is to be declared as, and (type, property) where that cannot be said.

    While JSON is read, small integers become 32 bits wide and some numbers decimal, unless the property is declared.
    """
    found: dict[tuple[str, str], set[Any]] = {}
    for table in tables:
        for name, of in table.types.items():
            found.setdefault((table.type, name), set()).add(of)
    declared: dict[str, dict[str, str]] = {table.type: {} for table in tables}
    for (type_, name), types in found.items():
        if len(types) == 1 and (of := next(iter(types))) in _DECLARED:
            declared[type_][name] = _DECLARED[of]
    return declared, {key for key, types in found.items() if len(types) > 1}
