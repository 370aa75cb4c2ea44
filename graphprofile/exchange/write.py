"""Exporting a graph: what to write, where, and what came of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from graphprofile.errors import UsageError
from graphprofile.exchange.rows import GraphRows
from graphprofile.records import Document, Progress

if TYPE_CHECKING:
    from graphprofile.store import Store
    from graphprofile.vocabulary import Vocabulary

FORMATS = ("graphml", "parquet", "pyg")


class ExportResult(Document):
    """Answer of ``export``."""

    format: str
    out: str
    nodes: dict[str, int]
    edges: dict[str, int]
    bytes: int
    seconds: float


def export_graph(
    store: Store,
    vocabulary: Vocabulary,
    format: str,
    out: str | Path,
    *,
    events: bool = True,
    interests: bool = True,
    progress: Progress | None = None,
) -> ExportResult:
    """Write the graph for another program; a file that lies there is replaced when the new one is complete.

    GraphML and Parquet stream: their memory is the users' ids. PyG's file is made in memory: some 50 bytes an event.

    Args:
        store: The graph.
        vocabulary: Declares the event types.
        format: One of :data:`FORMATS`.
        out: A file; for parquet a folder that is not there yet.
        events: Whether events come along.
        interests: Whether interests come along.
        progress: Called with (what, done, total).

    Raises:
        UsageError: No such format, or it cannot be written there.
    """
    if format not in FORMATS:
        raise UsageError(f"There is no format {format!r}.", f"Known: {', '.join(FORMATS)}.")
    started = time.perf_counter()
    path = Path(out)
    if format == "parquet" and path.exists():
        raise UsageError(f"{path} is there already.", "Name a folder that is not, or remove it.")
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise UsageError(
            f"{path}: cannot be written: "
            + ("it is a folder." if path.is_dir() else f"there is no folder {path.absolute().parent}."),
            "Name another file.",
        )
    rows = GraphRows(store, vocabulary, events=events, interests=interests, progress=progress)
    try:
        _write(rows, format, path)
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be written: {error.strerror or error}.", "Name another place."
        ) from error
    files = path.iterdir() if path.is_dir() else [path]
    return ExportResult(
        format=format,
        out=str(path),
        nodes=dict(sorted(rows.nodes_seen.items())),
        edges=dict(sorted(rows.edges_seen.items())),
        bytes=sum(file.stat().st_size for file in files),
        seconds=round(time.perf_counter() - started, 3),
    )


def _write(rows: GraphRows, format: str, path: Path) -> None:
    if format == "graphml":
        from graphprofile.exchange.graphml import write_graphml

        write_graphml(rows, path)
    elif format == "parquet":
        from graphprofile.exchange.tables import write_tables

        write_tables(rows, path)
    else:
        from graphprofile.exchange.hetero import write_hetero

        write_hetero(rows, path)
