"""Restoring a backup: into an empty store, checked before anything is written and again when all of it is there.

From the first write to the last the store's own record says that a restore is under way: nobody opens the store
meanwhile. A restore that was broken off is begun anew by the next one, which deletes what the first had written. Each
transaction counts itself in that record, so that a restore whose store was taken over by another cannot write on, and
a transaction that was committed without an answer is not done twice.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from graphprofile.backup.archive import Archive
from graphprofile.backup.files import check_places, place_files
from graphprofile.backup.graph import NODES, RELATIONSHIPS, GraphReader, Numbers, element_id_of, number_of
from graphprofile.digest import digest
from graphprofile.errors import BackupError, EngineUnavailable, StoreMismatch, UsageError
from graphprofile.ingest.ledger import SILENT_AFTER_MS, is_alive, now_ms, this_writer
from graphprofile.migrations import newer_store
from graphprofile.records import Document, Progress
from graphprofile.store.values import decode
from graphprofile.vocabulary import Vocabulary

if TYPE_CHECKING:
    from graphprofile.store import Store, Transaction

NODES_PER_TRANSACTION = 2_000
RELATIONSHIPS_PER_TRANSACTION = 10_000
BYTES_PER_TRANSACTION = 4 << 20
DELETED_PER_TRANSACTION = 5_000


class RestoreResult(Document):
    """Answer of ``restore``."""

    file: str
    store_id: str
    schema_version: int
    nodes: int
    relationships: int
    files: int
    digest: str
    seconds: float


def restore(
    store: Store, data_dir: Path, path: Path, schema_version: int, *, progress: Progress | None = None
) -> RestoreResult:
    """Put a backup into an empty store.

    Args:
        store: The graph; empty, or left incomplete by an earlier restore, whose part is then deleted.
        data_dir: Folder of the model registry and the quarantine.
        path: The backup.
        schema_version: The one this program works with; backups of earlier ones are taken, later ones not.
        progress: Called with (what, done, total).

    Raises:
        BackupError: No backup, a damaged one, values the engine has no place for, a store that is not empty,
            or, at the end, a graph that is not the backup's.
        StoreMismatch: The backup is of a later program, or another restore is under way.
    """
    started = time.perf_counter()
    with Archive(path) as archive:
        manifest = archive.manifest
        if manifest["schema_version"] > schema_version:
            raise newer_store(manifest["schema_version"], schema_version, what=f"{path}: the backup")
        archive.check(progress)
        refused = sorted(store.cannot_hold & set(manifest["values"]))
        if refused:
            raise BackupError(
                f"{path}: properties hold {' and '.join(refused)}, which {store.engine} has no place for.",
                "Restore it on the engine it came from, or change those properties there first.",
            )
        store_id = str(manifest["store_id"])
        check_places(archive, data_dir, store_id)
        work = _Restore(store, archive, progress)
        work.claim()
        work.write()
        work.verify()
        files = place_files(archive, data_dir, store_id)
        work.end()
    graph = manifest["graph"]
    return RestoreResult(
        file=str(path),
        store_id=store_id,
        schema_version=manifest["schema_version"],
        nodes=sum(graph["nodes"].values()),
        relationships=sum(graph["relationships"].values()),
        files=files,
        digest=manifest["digest"],
        seconds=round(time.perf_counter() - started, 3),
    )


class _Restore:
    """One restore, from the claim on the store to its end."""

    def __init__(self, store: Store, archive: Archive, progress: Progress | None) -> None:
        self.store = store
        self.archive = archive
        self.progress = progress
        self.vocabulary = Vocabulary.from_json(archive.manifest["store"]["vocabulary"])
        self.token = secrets.token_hex(16)
        self.numbers = Numbers()
        self.record = ""
        self.record_properties: dict[str, Any] = {}
        self._transactions = 0

    def claim(self) -> None:
        """Take the store, if it is empty or another restore left it incomplete."""
        self._require_free()
        self.store.create_schema(self.vocabulary.types)
        unfinished = self._require_free()

        def work(tx: Transaction) -> str:
            # Looked at once more where the claim is made: what somebody else wrote is not ours to delete.
            if not unfinished and tx.run("backup/find_data"):
                raise _not_empty(self.store)
            node: str = tx.run(
                "backup/claim_store",
                token=self.token,
                file=self.archive.path.name,
                writer=this_writer(),
                now=now_ms(),
            )[0]["node"]
            return node

        self.record = self.store.write(work)
        if unfinished:
            self._clear()

    def _require_free(self) -> bool:
        """Whether an unfinished restore is there.

        Raises:
            BackupError: There are data.
            StoreMismatch: A restore is under way.
        """
        rows = self.store.read("schema/read_store")
        rules = rows[0]["properties"] if rows else {}
        if rules.get("restoring") is None:
            if self.store.read("backup/find_data"):
                raise _not_empty(self.store)
            return False
        writer = str(rules.get("restoring_by", ""))
        if is_alive(writer, rules.get("restoring_at")):
            host, _, rest = writer.partition(":")
            raise StoreMismatch(
                f"{rules.get('restoring_from')} is being restored into this store by process "
                f"{rest.partition(':')[0]} on {host}.",
                f"Wait until it has ended; where it was killed, try again {SILENT_AFTER_MS // 60_000} min later.",
            )
        return True

    def _clear(self) -> None:
        deleted = 0
        while True:
            count = self._transaction(
                lambda tx: tx.run("backup/delete_nodes", limit=DELETED_PER_TRANSACTION)[0]["deleted"]
            )
            if not count:
                return
            deleted += count
            self._show("deleting the unfinished restore", deleted, None)

    def write(self) -> None:
        """Nodes, then relationships, then the vector indexes."""
        graph = self.archive.manifest["graph"]
        total, done = sum(graph[NODES].values()), 0
        for part in _parts(self.archive.lines(NODES), NODES_PER_TRANSACTION):
            self._write_nodes([orjson.loads(line) for line in part])
            done += len(part)
            self._show(NODES, done, total)
        self.numbers.close()
        total, done = sum(graph[RELATIONSHIPS].values()), 0
        for part in _parts(self.archive.lines(RELATIONSHIPS), RELATIONSHIPS_PER_TRANSACTION):
            self._write_relationships([orjson.loads(line) for line in part])
            done += len(part)
            self._show(RELATIONSHIPS, done, total)
        for label, dimensions in self.archive.manifest["vector_indexes"].items():
            self._show(f"vector index over {label}", 0, None)
            # Where the vectors of a label differ in length, the index of before could not hold all of them either.
            with contextlib.suppress(UsageError):
                self.store.create_vector_index(label, dimensions)

    def _write_nodes(self, nodes: Sequence[dict[str, Any]]) -> None:
        groups: dict[tuple[str, ...], list[list[Any]]] = defaultdict(list)
        for node in nodes:
            properties, times = self._decode(node["properties"])
            if "Schema" in node["labels"] and properties.get("id") == "graphprofile":
                self.record_properties = properties
                self.numbers.add(node["id"], number_of(self.record))
                continue
            groups[tuple(node["labels"])].append([node["id"], properties, times])

        def work(tx: Transaction) -> list[dict[str, Any]]:
            made: list[dict[str, Any]] = []
            for labels, rows in groups.items():
                query = "backup/create_labelled_nodes" if labels else "backup/create_bare_nodes"
                made += tx.run(query, quoted_names=labels, rows=rows)
            return made

        made = self._transaction(work)
        if made is None:
            raise EngineUnavailable(
                "The connection was lost at the end of a transaction, whose nodes cannot be told any more.",
                "Run the restore again: it begins anew.",
            )
        for row in made:
            self.numbers.add(row["number"], number_of(row["node"]))

    def _write_relationships(self, rows: Sequence[dict[str, Any]]) -> None:
        starts = self.numbers.new([row["from"] for row in rows])
        ends = self.numbers.new([row["to"] for row in rows])
        if -1 in starts or -1 in ends:
            raise BackupError(f"{self.archive.path}: a relationship leads to a node that the backup lacks.")
        types: dict[str, dict[str, list[list[Any]]]] = defaultdict(lambda: defaultdict(list))
        for row, start, end in zip(rows, starts, ends, strict=True):
            properties, times = self._decode(row["properties"])
            group = types[row["type"]][element_id_of(start, self.record)]
            group.append([element_id_of(end, self.record), properties, times])

        def work(tx: Transaction) -> int:
            return sum(
                tx.run(
                    "backup/create_relationships",
                    quoted_names=[type_],
                    groups=[[start, leaving] for start, leaving in groups.items()],
                )[0]["created"]
                for type_, groups in types.items()
            )

        created = self._transaction(work)
        if created not in (None, len(rows)):
            raise BackupError(
                f"{created} of {len(rows)} relationships could be made: something else writes into this store.",
                "Keep others away from it, and restore again.",
            )

    def _decode(self, properties: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        try:
            plain, times = decode(properties)
        except (ValueError, KeyError, TypeError) as error:
            raise BackupError(f"{self.archive.path}: a value cannot be read: {error}.") from error
        return plain, [list(time_value) for time_value in times]

    def verify(self) -> None:
        """Read everything back and compare it with the backup."""
        # The record has its own content when all is done; what it says until then is not the backup's.
        reader = GraphReader(self.store, self.numbers.old, {self.record: self.record_properties})
        for _ in reader.read("verifying", self.progress):
            pass
        found, wanted = reader.census.to_json(), self.archive.manifest["graph"]
        if found != wanted:
            counts = [
                f"{found[of].get(name, 0):,} of {wanted[of].get(name, 0):,} {name or 'without label'}"
                for of in (NODES, RELATIONSHIPS)
                for name in sorted({*found[of], *wanted[of]})
                if found[of].get(name, 0) != wanted[of].get(name, 0)
            ]
            raise BackupError(
                "What was restored is not what the backup holds: "
                + ("; ".join(counts) or "the counts agree, but some values differ")
                + ".",
                "Keep others away from the store and restore again; until then nobody can use it.",
            )
        if digest(self.store, self.vocabulary) != self.archive.manifest["digest"]:
            raise BackupError(
                "The digest of what was restored is not the backup's.",
                "Restore again, or on the engine the backup came from; until then nobody can use this store.",
            )

    def end(self) -> None:
        """Put the backup's own record in place: the store is open from now on."""

        def work(tx: Transaction) -> None:
            rules = tx.run("schema/read_store")[0]["properties"]
            if rules == self.record_properties:
                return  # committed before, without an answer
            if not tx.run(
                "backup/write_store", token=self.token, now=now_ms(), properties=self.record_properties
            ):
                raise _taken_over()

        self.store.write(work)

    def _transaction(self, work: Callable[[Transaction], Any]) -> Any:
        """One counted transaction; None where it had been committed before, without an answer."""
        self._transactions += 1
        number = self._transactions

        def counted(tx: Transaction) -> Any:
            if tx.run("backup/lock_store", token=self.token, number=number, now=now_ms()):
                return work(tx)
            rules = tx.run("schema/read_store")[0]["properties"]
            if rules.get("restoring") == self.token and rules.get("restored") == number:
                return None
            raise _taken_over()

        return self.store.write(counted)

    def _show(self, what: str, done: int, total: int | None) -> None:
        if self.progress:
            self.progress(what, done, total)


def _parts(lines: Iterable[bytes], most: int) -> Iterator[list[bytes]]:
    """Lines for one transaction each, bounded in number and size."""
    part: list[bytes] = []
    size = 0
    for line in lines:
        if part and (len(part) >= most or size + len(line) > BYTES_PER_TRANSACTION):
            yield part
            part, size = [], 0
        part.append(line)
        size += len(line)
    if part:
        yield part


def _not_empty(store: Store) -> BackupError:
    return BackupError(
        f"The store at {store.uri} is not empty; a backup is restored into an empty one only.",
        "Name a new folder (--data), or an empty server or database (--uri, --database).",
    )


def _taken_over() -> StoreMismatch:
    return StoreMismatch(
        "Another restore took this store over.", "Wait until it has ended, or restore into another store."
    )
