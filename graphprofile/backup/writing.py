"""Writing a backup: the graph read once into the file and once more to prove that nothing changed meanwhile.

Neo4j Community gives no snapshot to several statements. But where a first reading and a second one, begun when the
first had ended, find the same, everything was so at the moment between them: the file is the graph of that moment.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from importlib.metadata import version as package_version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphprofile import queries
from graphprofile.backup.archive import ArchiveWriter
from graphprofile.backup.files import list_files, sha256_of
from graphprofile.backup.graph import GraphReader
from graphprofile.digest import digest
from graphprofile.errors import BackupError, NotFound
from graphprofile.migrations import check_not_restoring
from graphprofile.records import Document, Progress
from graphprofile.store.engines import VECTOR_LABELS
from graphprofile.vocabulary import Vocabulary

if TYPE_CHECKING:
    from graphprofile.store import Store

ATTEMPTS = 3
RECENT_MS = 60_000


class BackupResult(Document):
    """Answer of ``backup``."""

    file: str
    bytes: int
    store_id: str
    schema_version: int
    nodes: int
    relationships: int
    files: int
    digest: str
    attempts: int
    seconds: float


def back_up(store: Store, data_dir: Path, path: Path, *, progress: Progress | None = None) -> BackupResult:
    """Write everything a store holds, of this or an earlier schema version, into one file.

    Args:
        store: The graph.
        data_dir: Folder of the model registry and the quarantine.
        path: Where to write; a backup that lies there is replaced when the new one is complete.
        progress: Called with (what, done, total).

    Raises:
        NotFound: The graph is empty.
        BackupError: The file cannot be written, or the graph did not hold still.
        StoreMismatch: A restore into the store was not finished.
    """
    started = time.perf_counter()
    for attempt in range(1, ATTEMPTS + 1):
        with ArchiveWriter(path) as writer:
            manifest = _read(store, data_dir, writer, progress)
            if manifest is not None:
                writer.finish(manifest)
                graph = manifest["graph"]
                return BackupResult(
                    file=str(path),
                    bytes=writer.bytes,
                    store_id=manifest["store_id"],
                    schema_version=manifest["schema_version"],
                    nodes=sum(graph["nodes"].values()),
                    relationships=sum(graph["relationships"].values()),
                    files=len(writer.files()),
                    digest=manifest["digest"],
                    attempts=attempt,
                    seconds=round(time.perf_counter() - started, 3),
                )
    now = int(time.time() * 1000)
    running = [row["id"] for row in store.read("migrate/find_running", since=now - RECENT_MS)]
    raise BackupError(
        f"The graph changed while it was read, {ATTEMPTS} times; no backup was written."
        + (f" A load is under way: batch {', '.join(running)}." if running else ""),
        "Make the backup when no load, tags, train or embed runs.",
    )


def _read(
    store: Store, data_dir: Path, writer: ArchiveWriter, progress: Progress | None
) -> dict[str, Any] | None:
    """Read everything into the file; the manifest, or None where something changed meanwhile."""
    rules = _rules(store)
    store_id = str(rules["store_id"])
    reader = GraphReader(store)
    for kind, line in reader.read("reading", progress):
        writer.add_line(kind, line)
    writer.finish_lines()
    for name in sorted(reader.names):
        queries.quote_name(name)
    for name, path in list_files(data_dir, store_id):
        if not path.exists():
            return None
        writer.add_file(path, name)
    found = digest(store, Vocabulary.from_json(rules["vocabulary"]))
    again = GraphReader(store)
    for _ in again.read("reading again", progress):
        pass
    try:
        files = {name: sha256_of(path) for name, path in list_files(data_dir, store_id)}
    except FileNotFoundError:
        return None
    if again.census != reader.census or _rules(store) != rules or files != writer.files():
        return None
    indexed = {row["label"] for row in store.read("schema/show") if row["properties"] == ["embedding"]}
    return {
        "program": f"graphprofile {package_version('graphprofile')}",
        "created_at": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "engine": store.engine,
        "schema_version": rules["version"],
        "store_id": store_id,
        "store": {name: rules[name] for name in ("store_id", "version", "vocabulary")},
        "digest": found,
        "graph": reader.census.to_json(),
        "values": sorted(reader.encoder.kinds),
        "vector_indexes": {
            label: max((count, size) for (of, size), count in reader.vectors.items() if of == label)[1]
            for label in VECTOR_LABELS
            if label in indexed and any(of == label for of, _ in reader.vectors)
        },
    }


def _rules(store: Store) -> dict[str, Any]:
    rows = store.read("schema/read_store")
    if not rows:
        raise NotFound(
            "This graph is empty: there is nothing to back up.",
            "Load something first: `graphprofile load events.csv`.",
        )
    rules: dict[str, Any] = rows[0]["properties"]
    check_not_restoring(rules)
    return rules
