"""The record of a batch: begun, gone on with after a kill, raised in the transactions of its data, closed.

Every data transaction locks its writer's lane first and leaves one part behind: what it brought. So the parts tell
exactly what was committed, a process that lost its batch to another one cannot write any more, and whoever locks
all lanes (:func:`stop_the_loads`) sees a graph in which no load is half way.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from graphprofile.errors import BatchTakenOver
from graphprofile.ingest.claims import pack, unpack
from graphprofile.ingest.counts import SUMMED, Counts
from graphprofile.reading import watermark

if TYPE_CHECKING:
    from graphprofile.store import Store, Transaction

SILENT_AFTER_MS = 600_000
"""A batch of another machine that has written nothing for so long was left behind."""

NO_EVENT = -(1 << 62)
"""The watermark of an empty store: no time, so that a batch that does not say its own can be told from it."""

Progress: TypeAlias = tuple[tuple[str, int | None], ...]
"""Lanes and the number of transactions in each."""


@dataclass(frozen=True)
class Done:
    """A part that is there already."""

    counts: Counts
    claims: dict[str, Any]


@dataclass
class Ledger:
    """The record of one batch, for the process that writes it.

    Attributes:
        store: The graph.
        batch: Id of the batch.
        writer: This process, see :func:`this_writer`.
        lanes: How many writers work side by side.
        resumed: Whether the batch was begun by another process.
        done: Ids of the parts that are there already; what they brought is not written again.
        watermark: Newest event before the batch, epoch ms, whichever process began it; None where there was none.
    """

    store: Store
    batch: str
    writer: str
    lanes: int = 1
    resumed: bool = False
    done: frozenset[str] = frozenset()
    watermark: int | None = None
    _conflicts: frozenset[str] = field(default=frozenset())

    @classmethod
    def open(cls, store: Store, batch: str, properties: dict[str, Any], *, lanes: int) -> Ledger:
        """Begin a batch, or go on with the one that the same command left behind.

        Args:
            store: The graph, its schema in place.
            batch: Id for a new batch.
            properties: Of a new record; ``command`` tells the same command again, None never does.
            lanes: How many writers work side by side.
        """
        writer = this_writer()
        _at_work.add(writer)
        for found in left_behind(store, properties.get("command")):
            ledger = cls(store, found["id"], writer, lanes, resumed=True)
            if ledger._adopt(found["writer"]):
                return ledger
        ledger = cls(store, batch, writer, lanes, watermark=watermark(store))
        record = {
            **properties,
            "watermark": NO_EVENT if ledger.watermark is None else ledger.watermark,
            "state": "running",
            "writer": writer,
            "started_at": now_ms(),
            **dict.fromkeys(SUMMED, 0),
        }

        def begin(tx: Transaction) -> None:
            tx.run("load/start_batch", id=batch, properties=record)
            ledger._open_lanes(tx)

        store.write(begin)
        return ledger

    def _adopt(self, old: str) -> bool:
        def take(tx: Transaction) -> bool:
            stop_the_loads(tx)
            if not tx.run("load/adopt_batch", id=self.batch, old=old, new=self.writer):
                return False
            self._open_lanes(tx)
            return True

        if not self.store.write(take):
            return False
        self.watermark = self._watermark_at_the_start()
        parts = self.store.read("load/list_parts", **bounds(self.batch))
        self.done = frozenset(row["id"] for row in parts)
        self._conflicts = frozenset(row["id"] for row in parts if row["conflicts"])
        return True

    def _watermark_at_the_start(self) -> int | None:
        """What the process that began the batch found: its own events are no reason to call the others late."""
        known = self.store.read("load/read_batch", id=self.batch)[0]["batch"].get("watermark")
        if known is None:
            return watermark(self.store)
        return None if known == NO_EVENT else int(known)

    def _open_lanes(self, tx: Transaction) -> None:
        lanes = [self._lane(number) for number in range(self.lanes)]
        tx.run("load/open_lanes", lanes=lanes, batch=self.batch, writer=self.writer, now=now_ms())

    def _lane(self, number: int) -> str:
        return f"{self.batch}/{number}"

    def leave(self) -> None:
        """This process has nothing more to write: what is unfinished may be taken over."""
        _at_work.discard(self.writer)

    def part(self, name: str) -> str:
        """Id of the part of that name."""
        return f"{self.batch}/{name}"

    def recall(self, name: str) -> dict[str, Any]:
        """The claims of a part that is :attr:`done`, where it holds rows that had other content."""
        if self.part(name) not in self._conflicts:
            return {}
        return unpack(self.store.read("load/read_part", id=self.part(name))[0]["part"].get("claims"))

    def lock(self, tx: Transaction, lane: int, name: str) -> Done | None:
        """Lock a lane: the first word of every data transaction.

        Returns:
            What this part brought where it is there already, since a commit can come through without the word
            of it coming back; None where it is still to be written.

        Raises:
            BatchTakenOver: Another process writes this batch now.
        """
        held = tx.run("load/lock_lane", id=self._lane(lane), part=self.part(name))
        if not held or held[0]["writer"] != self.writer:
            raise BatchTakenOver(
                f"Batch {self.batch} was taken over by another process.",
                "This process was silent for too long; the other one finishes the batch.",
            )
        part = held[0]["part"]
        if not part:
            return None
        counts = Counts(**{key: part.get(key) for key in Counts().as_properties()})
        return Done(counts, unpack(part.get("claims")))

    def record(
        self,
        tx: Transaction,
        lane: int,
        name: str,
        counts: Counts,
        claims: dict[str, Any],
        *,
        file: str,
        kind: str,
    ) -> None:
        """Leave the part of this transaction behind: its last word."""
        properties = {
            "batch": self.batch,
            "file": file,
            "kind": kind,
            "at": now_ms(),
            "claims": pack(claims),
            **counts.as_properties(),
        }
        tx.run("load/record_part", id=self.part(name), properties=properties, lane=self._lane(lane))

    def record_for(self, tx: Transaction, lane: int, batch: str, name: str, claims: dict[str, Any]) -> None:
        """Leave a part without counts with another batch: what it brought and this one displaced.

        What was displaced last is the first to come back, before all that was ever refused: hence the negative time.
        """
        properties = {"batch": batch, "file": "", "kind": "events", "at": -now_ms(), "claims": pack(claims)}
        properties.update(Counts().as_properties())
        identifier = f"{batch}/~{self.part(name)}"
        tx.run("load/record_part", id=identifier, properties=properties, lane=self._lane(lane))

    def outcomes(self) -> list[dict[str, Any]]:
        """What became of the rows so far, by kind, over all processes that wrote the batch."""
        return self.store.read("load/sum_parts_by_kind", **bounds(self.batch))

    def close(self, state: str, **properties: Any) -> Counts:
        """End the batch, its counts being the sums over its parts.

        Args:
            state: done | failed.
            **properties: Further ones of the record.

        Returns:
            The sums, over all processes that wrote the batch.
        """

        def end(tx: Transaction) -> Counts:
            self.lock(tx, 0, "")
            found = tx.run("load/sum_parts", **bounds(self.batch))[0]
            sums = {name: value for name, value in found.items() if value is not None}
            tx.run(
                "load/finish_batch",
                id=self.batch,
                properties={**sums, **properties, "state": state, "finished_at": now_ms()},
            )
            tx.run("load/close_lanes_of_batch", batch=self.batch)
            return Counts(**{name: value for name, value in found.items() if name != "last_write_at"})

        return self.store.write(end)


def bounds(batch: str) -> dict[str, str]:
    """Between these lie the ids of a batch's parts: ``/`` is followed by ``0``."""
    return {"first": f"{batch}/", "last": f"{batch}0"}


def stop_the_loads(tx: Transaction) -> Progress:
    """Lock all lanes: until this transaction ends, no load writes and none begins.

    Returns:
        How far all loads have come: equal where none has written in between.
    """
    return tuple((row["id"], row["writes"]) for row in tx.run("load/lock_lanes"))


def now_ms() -> int:
    """The present, epoch ms."""
    return int(time.time() * 1000)


def this_writer() -> str:
    """This process as others can tell whether it still lives: host, process id, its start, a random end."""
    pid = os.getpid()
    return f"{socket.gethostname()}:{pid}:{_started(pid)}:{secrets.token_hex(4)}"


def is_alive(writer: str, written_at: int | None) -> bool:
    """Whether the process behind a writer may still be at work.

    Args:
        writer: As :func:`this_writer` gave it.
        written_at: Its last sign of life, epoch ms.
    """
    host, _, rest = writer.partition(":")
    pid, _, rest = rest.partition(":")
    started = rest.partition(":")[0]
    if host == socket.gethostname() and pid.isdigit():
        if int(pid) == os.getpid() and started == _started(int(pid)):
            return writer in _at_work
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass
        return started == _started(int(pid))
    return written_at is not None and now_ms() - written_at < SILENT_AFTER_MS


_at_work: set[str] = set()
"""Writers of this process that have not come to their end."""


def _started(pid: int) -> str:
    """When a process began, in the kernel's ticks, since process ids are used again; other text for a dead one."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "dead" if fields[0] in "ZX" else fields[19]
    except (OSError, IndexError):
        return ""


def left_behind(store: Store, command: str | None) -> list[dict[str, Any]]:
    """Batches that the same command began and nobody is at work at any more."""
    if command is None:
        return []
    found = store.read("load/find_unfinished", command=command)
    return [
        row
        for row in found
        if row["state"] == "failed"
        or not is_alive(row["writer"] or "", row["written_at"] or row["started_at"])
    ]
