"""Who read whom, and who wrote what: an append-only log with a writer of its own."""

from __future__ import annotations

import math
import queue
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from graphprofile.errors import EngineUnavailable
from graphprofile.http.access import connect, writing
from graphprofile.records import Document, iso

QUEUE = 10_000
AT_ONCE = 1_000
SUBJECTS_AT_ONCE = 10_000
DAY_MS = 86_400_000


class AuditEntry(Document):
    """One line of the audit log; ``subjects`` are the users it is about."""

    number: int
    at: str | None
    request_id: str
    key_id: str
    action: str
    outcome: str
    subjects: list[str]


@dataclass(frozen=True)
class Entry:
    """One line on its way into the log."""

    at: int
    request_id: str
    key_id: str
    action: str
    outcome: str
    subjects: Sequence[str]


class AuditLog:
    """Takes lines from any thread and writes them in batches.

    Args:
        data_dir: Folder of the store.
        keep_days: Older lines are removed; None keeps all.
    """

    def __init__(self, data_dir: Path, keep_days: int | None = None) -> None:
        self._connection = connect(data_dir)
        self._queue: queue.Queue[Entry | threading.Event | None] = queue.Queue(QUEUE)
        self._keep_days = keep_days
        self._pruned = -math.inf
        self.failed: str | None = None
        self._thread = threading.Thread(target=self._run, name="graphprofile-audit", daemon=True)
        self._thread.start()

    def note(
        self, request_id: str, key_id: str, action: str, outcome: str, subjects: Sequence[str] = ()
    ) -> None:
        """Put down one line.

        Raises:
            EngineUnavailable: The log cannot keep up or cannot be written: nothing is served unseen.
        """
        if self.failed:
            raise EngineUnavailable(f"The audit log cannot be written: {self.failed}.", "Try again later.")
        entry = Entry(int(time.time() * 1000), request_id, key_id, action, outcome, subjects)
        try:
            self._queue.put_nowait(entry)
        except queue.Full:
            raise EngineUnavailable("The audit log cannot keep up.", "Try again in a moment.") from None

    def flush(self, timeout: float = 10.0) -> None:
        """Wait until what was noted so far is written."""
        done = threading.Event()
        self._queue.put(done, timeout=timeout)
        done.wait(timeout)

    def close(self) -> None:
        """Write what is left, and end."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join(timeout=30)
        self._connection.close()

    def _run(self) -> None:
        ended = False
        left: list[Entry] = []
        while not ended:
            waiting: list[threading.Event] = []
            try:
                found = [self._queue.get(timeout=1.0 if left else None)]
            except queue.Empty:
                found = []
            while len(found) < AT_ONCE:
                try:
                    found.append(self._queue.get_nowait())
                except queue.Empty:
                    break
            for one in found:
                if one is None:
                    ended = True
                elif isinstance(one, Entry):
                    left.append(one)
                else:
                    waiting.append(one)
            try:
                self._write(left)
                left, self.failed = [], None
            except sqlite3.Error as error:
                # Kept and tried again; meanwhile requests that would be audited are refused.
                self.failed = str(error)
            for event in waiting:
                event.set()

    def _write(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        with writing(self._connection) as connection:
            for entry in entries:
                listed = list(entry.subjects)
                number = connection.execute(
                    "INSERT INTO audit (at, request_id, key_id, action, outcome, subjects) VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        entry.at,
                        entry.request_id,
                        entry.key_id,
                        entry.action,
                        entry.outcome,
                        orjson.dumps(listed).decode(),
                    ),
                ).lastrowid
                connection.executemany(
                    "INSERT OR IGNORE INTO audit_subjects (subject, number) VALUES (?, ?)",
                    ((subject, number) for subject in listed),
                )
        if self._keep_days is not None and time.monotonic() - self._pruned > 3600:
            self._pruned = time.monotonic()
            with writing(self._connection) as connection:
                connection.execute(
                    "DELETE FROM audit WHERE at < ?", (int(time.time() * 1000) - self._keep_days * DAY_MS,)
                )


def read_audit(
    data_dir: Path,
    *,
    user: str | None = None,
    key: str | None = None,
    since: int | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[AuditEntry]:
    """Lines of the log, newest first.

    Args:
        data_dir: Folder of the store.
        user: Only lines about this user.
        key: Only lines of the key with this id.
        since: Only lines since then, epoch ms.
        before: Only lines with a smaller number.
        limit: At most so many.
    """
    conditions: list[str] = []
    values: list[Any] = []
    for text, value in (
        ("number IN (SELECT number FROM audit_subjects WHERE subject = ?)", user),
        ("key_id = ?", key),
        ("at >= ?", since),
        ("number < ?", before),
    ):
        if value is not None:
            conditions.append(text)
            values.append(value)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    connection = connect(data_dir)
    try:
        rows = connection.execute(
            "SELECT number, at, request_id, key_id, action, outcome, subjects "
            # The conditions are the texts above; what was asked goes in as parameters.
            f"FROM audit {where} ORDER BY number DESC LIMIT ?",  # nosec B608
            (*values, limit),
        ).fetchall()
    finally:
        connection.close()
    return list(_entries(rows))


def _entries(rows: Sequence[tuple[Any, ...]]) -> Iterator[AuditEntry]:
    for number, at, request_id, key_id, action, outcome, subjects in rows:
        yield AuditEntry(
            number=number,
            at=iso(at),
            request_id=request_id,
            key_id=key_id,
            action=action,
            outcome=outcome,
            subjects=orjson.loads(subjects),
        )
