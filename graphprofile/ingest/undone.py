"""Refused rows belong to the batches that refused them: what becomes of them when one is undone.

A row lies open in the file of the batch that refused it first; the others note that they refused it too. So the rows of
a batch that is undone leave the open ones with it, but for those that another batch has refused in the same way: these
it gets. Rows that a retry took in are open again when the batch of the retry is undone.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

import orjson

from graphprofile.errors import ConfigError
from graphprofile.ingest.lines import is_torn, open_lines, unwritable, write_lines
from graphprofile.ingest.quarantine import (
    FOLDER,
    QuarantinedRow,
    append_rows,
    line_of,
    quarantine_path,
    read_quarantine,
    refusal_key,
    refused_before,
)

if TYPE_CHECKING:
    from graphprofile.store import Store


class Again:
    """Notes of a batch that it refused rows which lie open in another batch's file; no file until there is one.

    Args:
        path: The batch's own quarantine file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.with_suffix(".also")
        self._stream: IO[bytes] | None = None

    def add(self, keys: Sequence[bytes]) -> None:
        """Note rows by their :func:`graphprofile.ingest.quarantine.refusal_key`.

        Raises:
            ConfigError: The folder cannot be written to, or the disk is full.
        """
        if not keys:
            return
        try:
            if self._stream is None:
                self._stream = open_lines(self._path)
            write_lines(self._stream, b"".join(orjson.dumps(key.hex()) + b"\n" for key in keys))
        except OSError as error:
            raise unwritable(self._path, error) from error

    def close(self) -> None:
        """Force the notes onto the disk; may be repeated.

        Raises:
            ConfigError: The disk is full.
        """
        if self._stream is not None:
            stream, self._stream = self._stream, None
            try:
                with stream:
                    os.fsync(stream.fileno())
            except OSError as error:
                raise unwritable(self._path, error) from error


def require_readable(data_dir: Path, batch: str) -> None:
    """Look whether the refused rows of a batch can be told apart, before it is undone.

    Raises:
        SourceError: Somebody mended a line into what is no line of the quarantine; names file and line.
    """
    path = quarantine_path(data_dir, batch)
    if path.exists():
        for _ in read_quarantine(path, torn=True):
            pass


def set_aside(data_dir: Path, batch: str) -> int:
    """The refused rows of a batch that is undone leave the open ones; may be repeated after a kill.

    Returns:
        How many left.

    Raises:
        SourceError: The file cannot be read.
        ConfigError: The folder cannot be written to.
    """
    path = quarantine_path(data_dir, batch)
    own_notes = path.with_suffix(".also")
    try:
        # Its own claims end first: nothing is handed over to it any more.
        own_notes.unlink(missing_ok=True)
        if not path.exists():
            return 0
        rows = sum(1 for _ in read_quarantine(path, torn=True))
        handed = hand_over(path, data_dir)
        undone = path.with_suffix(".undone")
        if undone.exists():
            append_rows(
                undone, (line_of(row.rejection, row.origin) for row in read_quarantine(path, torn=True))
            )
            path.unlink()
        else:
            os.replace(path, undone)
    except OSError as error:
        raise unwritable(path, error) from error
    return rows - handed


def set_aside_undone(store: Store, data_dir: Path) -> None:
    """The same for batches that were undone from another machine, or by a version that left their rows open."""
    batches = [path.stem for path in (data_dir / FOLDER).glob("*.jsonl")]
    if batches:
        for row in store.read("load/find_undone", ids=batches):
            set_aside(data_dir, row["id"])


def hand_over(path: Path, data_dir: Path) -> int:
    """Rows of a file that another batch has refused too, and that lie open nowhere else, become that batch's.

    Args:
        path: The file; nothing is done where it is not there.
        data_dir: The project's data folder.

    Returns:
        How many rows another batch has.

    Raises:
        ConfigError: The folder cannot be written to.
    """
    heirs = _heirs(data_dir, path.stem) if path.exists() else {}
    if not heirs:
        return 0
    elsewhere = refused_before(data_dir, but=path)
    inherited: dict[Path, list[QuarantinedRow]] = defaultdict(list)
    handed = 0
    for row in read_quarantine(path, torn=True):
        key = refusal_key(row.rejection, row.origin)
        if key in heirs:
            handed += 1
            if key not in elsewhere:
                inherited[heirs[key]].append(row)
    for heir, rows in inherited.items():
        try:
            append_rows(heir, (line_of(row.rejection, row.origin) for row in rows))
        except OSError as error:
            raise unwritable(heir, error) from error
    return handed


def reopen(store: Store, data_dir: Path, batch: str | None, retry: str) -> int:
    """Rows that a retry took in are open again, as they were mended; may be repeated after a kill.

    Args:
        store: The graph.
        data_dir: The project's data folder.
        batch: Batch whose rows were tried again; of one that is undone none are opened. None for what was no retry.
        retry: Batch of the retry, which is undone.

    Returns:
        How many rows.

    Raises:
        ConfigError: The folder cannot be written to.
    """
    if not batch or store.read("load/find_undone", ids=[batch]):
        return 0
    path = quarantine_path(data_dir, batch)
    retried = path.with_suffix(".retried")
    if not retried.exists():
        return 0
    is_open = refused_before(data_dir)
    back = {
        key: row
        for row in read_quarantine(retried, torn=True)
        if row.retried_by == retry and (key := refusal_key(row.rejection, row.origin)) not in is_open
    }
    try:
        append_rows(path, (line_of(row.rejection, row.origin) for row in back.values()))
    except OSError as error:
        raise unwritable(path, error) from error
    return len(back)


def _heirs(data_dir: Path, but: str) -> dict[bytes, Path]:
    """Rows that batches refused again, and the file of the first such batch."""
    found: dict[bytes, Path] = {}
    for path in sorted((data_dir / FOLDER).glob("*.also")):
        if path.stem != but:
            for key in _notes(path):
                found.setdefault(key, path.with_suffix(".jsonl"))
    return found


def _notes(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as stream:
            for line in stream:
                if not is_torn(line):
                    yield bytes.fromhex(orjson.loads(line))
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(
            f"{path}: cannot be read: {error}.", "It notes which refused rows came again: delete it."
        ) from error
