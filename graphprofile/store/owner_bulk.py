"""Writes prepared files into an empty embedded store with the engine's batch API; a part of the owner process.

Loaded by the owner from this file, so that it starts without the rest of the package. The engine writes no log here:
a store whose bulk load was broken off is worth nothing, and a file beside it says so until the load is finished.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MARK = "bulk-unfinished.json"
ROWS = 20_000
LARGEST_BYTES = 16 << 20
BATCH_EDGES = 50_000
DEFERRED_EDGES = 1_000_000
CACHED_VERTICES = 200_000
OPTIONS = {
    "batch_size": BATCH_EDGES,
    # By default these two may take more than the default heap of a gigabyte, from some million events on.
    "max_deferred_incoming_edges": DEFERRED_EDGES,
    "chunk_cache_capacity": CACHED_VERTICES,
}


def marked(root: Path) -> dict[str, Any] | None:
    """The rules of a store whose bulk load is not finished, None for any other."""
    try:
        document: dict[str, Any] = json.loads((root / MARK).read_text("utf-8"))
    except FileNotFoundError:
        return None
    except ValueError:
        return {}
    return document


def discard(root: Path, database: str) -> None:
    """Take the files of an unfinished store away, before the engine looks at them."""
    shutil.rmtree(root / "databases" / database, ignore_errors=True)


def note(database: Any, rules: dict[str, Any]) -> None:
    """Say in the graph what the mark says, for everybody who comes over Bolt."""
    with database.transaction():
        database.command(
            "opencypher",
            "MERGE (s:Schema {id: 'graphprofile'}) SET s += $rules, s.unfinished = 'bulk'",
            {"rules": rules},
        )


class Desk:
    """Takes what clients ask about bulk loads: one at a time, for a client that is alone.

    Args:
        engine: The owner's engine.
        root: Folder of the store.
    """

    def __init__(self, engine: Any, root: Path) -> None:
        self._engine, self._root = engine, root
        self._writer: Writer | None = None
        self._client: int | None = None

    def answer(self, request: dict[str, Any], client: int, others: list[int]) -> dict[str, Any]:
        """Start a bulk load, say how far it is, or finish it.

        Args:
            request: ``bulk``, ``bulk_status`` or ``bulk_finish``.
            client: Who asks.
            others: Process ids of the other clients.
        """
        if request["op"] == "bulk":
            if others or self._writer is not None:
                return {"error": f"other processes use the store now: {', '.join(map(str, sorted(others)))}."}
            writer = Writer(self._engine, self._root, Path(request["folder"]), request["rules"])
            held = writer.held()
            if held:
                return {"error": f"the store is not empty: {held}."}
            writer.start()
            self._writer, self._client = writer, client
        if self._writer is None or self._client != client:
            return {"error": "no bulk load is under way."}
        if request["op"] == "bulk_finish":
            finish(self._engine, self._root)
            self._writer = self._client = None
            return {"state": "finished"}
        return self._writer.status()

    def leave(self, client: int | None) -> None:
        """A client is gone: its bulk load ends."""
        if self._writer is not None and client == self._client:
            self._writer.stop()
            self._writer = self._client = None


class Stopped(Exception):
    """The client that asked is gone."""


class Writer:
    """One bulk load, in a thread of its own.

    Args:
        engine: The owner's engine; its ``database`` is replaced by an empty one.
        root: Folder of the store.
        folder: Where the prepared files lie.
        rules: Properties of the store's own record.
    """

    def __init__(self, engine: Any, root: Path, folder: Path, rules: dict[str, Any]) -> None:
        self._engine, self._root, self._folder, self._rules = engine, root, folder, rules
        self._plan = json.loads((folder / "plan.json").read_text("utf-8"))
        self._stop = threading.Event()
        self._done = 0
        self._total = sum(table["count"] for table in self._plan["vertices"] + self._plan["edges"])
        self._state: dict[str, Any] = {"state": "running"}
        self._thread = threading.Thread(target=self._run, daemon=True)

    def held(self) -> str:
        """What the store holds besides its own record; an unfinished one counts as empty."""
        if marked(self._root) is not None:
            return ""
        database = self._engine.database._java_db
        names = [str(type_.getName()) for type_ in database.getSchema().getTypes()]
        counts = {name: int(database.countType(name, False)) for name in names if name != "Schema"}
        return ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items()) if count)

    def start(self) -> None:
        """Replace the store by an empty one and begin."""
        # Done before anybody else is let in: whoever comes then reads what the mark says.
        mark = self._root / MARK
        with mark.open("w", encoding="utf-8") as file:
            json.dump(self._rules, file)
            file.flush()
            os.fsync(file.fileno())
        # Indexes that are there already would make every edge three times as dear.
        note(self._engine.fresh_database(), self._rules)
        self._thread.start()

    def status(self) -> dict[str, Any]:
        """How far it is: state, done, total."""
        return {**self._state, "done": self._done, "total": self._total}

    def stop(self) -> None:
        """End it before its time; the store stays unfinished."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            self._write()
            self._state = {"state": "done"}
        except Stopped:
            self._state = {"state": "failed", "reason": "stopped"}
        except Exception as error:  # the engine raises Java exceptions of any class; the client gets the text
            self._state = {"state": "failed", "reason": f"{type(error).__name__}: {error}"}

    def _write(self) -> None:
        database = self._engine.database
        for kind, names in (("VERTEX", "vertices"), ("EDGE", "edges")):
            for name in sorted({table["type"] for table in self._plan[names]}):
                database.command("sql", f"CREATE {kind} TYPE `{name}` IF NOT EXISTS")
        declared = [(name, *of) for name, types in self._plan["declare"].items() for of in types.items()]
        for name, property_, type_ in declared:
            database.command("sql", f"CREATE PROPERTY `{name}`.`{property_}` {type_}")
        batch = database.graph_batch(**OPTIONS)
        try:
            self._fill(batch)
            batch.close()
        except BaseException:
            batch._java_graph_batch.abandon()
            raise
        # What a property holds is for the sources to say: the declarations were for reading JSON alone.
        for name, property_, _ in declared:
            database.command("sql", f"DROP PROPERTY `{name}`.`{property_}`")

    def _fill(self, batch: Any) -> None:
        import jpype

        java = batch._java_graph_batch
        vertices = jpype.JClass("com.arcadedb.python.VertexBatcher")
        edges = jpype.JClass("com.arcadedb.python.EdgeBatcher")
        place = jpype.JClass("com.arcadedb.database.RID")
        places: dict[str, list[bytes]] = {}
        for table in self._plan["vertices"]:
            name, known = table["type"], places.setdefault(table["type"], [])
            for lines in self._lines(table):
                if table["typed"]:
                    matrix = batch._to_java_property_matrix(map(json.loads, lines))
                    known.extend(str(found).encode() for found in java.createVertices(name, matrix))
                else:
                    text = b"[" + b",".join(lines) + b"]"
                    found = vertices.createVerticesJson(java, name, text.decode())
                    known.extend(str(found).encode().split(b";"))
        for table in self._plan["edges"]:
            name, starts, stops = table["type"], places[table["ends"][0]], places[table["ends"][1]]
            for lines in self._lines(table):
                objects = [_edge(line, starts, stops) for line in lines]
                if not table["typed"]:
                    edges.newEdgesJson(java, name, (b"[" + b",".join(objects) + b"]").decode())
                    continue
                for row in map(json.loads, objects):
                    start, stop = place(row.pop("_src")), place(row.pop("_dst"))
                    java.newEdge(start, name, stop, *batch._to_java_varargs(row))

    def _lines(self, table: dict[str, Any]) -> Iterator[list[bytes]]:
        with (self._folder / table["file"]).open("rb") as file:
            lines: list[bytes] = []
            size = 0
            for line in file:
                lines.append(line)
                size += len(line)
                if len(lines) == ROWS or size >= LARGEST_BYTES:
                    yield lines
                    self._advance(len(lines))
                    lines, size = [], 0
            if lines:
                yield lines
                self._advance(len(lines))

    def _advance(self, rows: int) -> None:
        self._done += rows
        if self._stop.is_set():
            raise Stopped


def _edge(line: bytes, starts: list[bytes], stops: list[bytes]) -> bytes:
    start, stop, rest = line.split(b" ", 2)
    return b'{"_src":"%b","_dst":"%b"%b' % (starts[int(start)], stops[int(stop)], rest)


def finish(engine: Any, root: Path) -> None:
    """Put everything on the disk, then take the mark away: from here on the store is like any other."""
    with engine.database.transaction():
        engine.database.command("opencypher", "MATCH (s:Schema {id: 'graphprofile'}) SET s.unfinished = null")
    engine.flush()
    folder = root / "databases" / str(engine.database._java_db.getName())
    for path in [*folder.iterdir(), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    (root / MARK).unlink(missing_ok=True)
