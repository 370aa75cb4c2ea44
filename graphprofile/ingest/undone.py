"""Refused rows belong to the batches that refused them: what becomes of them when one is undone.

A row lies open in the file of the batch that refused it first; the others note that they refused it too. So the rows of
a batch that is undone leave the open ones with it, but for those that another batch has refused in the same way: these
it gets. Rows that a retry took in are open again when the batch of the retry is undone.
"""

from __future__ import annotations

import os
from collections.abc import Container, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from graphprofile.errors import ConfigError
from graphprofile.ingest.lines import append_lines, is_torn, unwritable
from graphprofile.ingest.quarantine import (
    FOLDER,
    line_of,
    quarantine_path,
    read_quarantine,
    refused_before,
)

if TYPE_CHECKING:
    from graphprofile.store import Store


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
            append_lines(undone, map(line_of, read_quarantine(path, torn=True)))
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
    handed = 0
    gets: set[Path] = set()
    for row in read_quarantine(path, torn=True):
        key = bytes.fromhex(row.key)
        if key in heirs:
            handed += 1
            if key not in elsewhere:
                gets.add(heirs[key])
    # Read anew for each, of which there are few: memory holds the keys of rows, and never the rows.
    for heir in sorted(gets):
        append_lines(heir, _lines_for(heir, path, heirs, elsewhere))
    return handed


def _lines_for(
    heir: Path, path: Path, heirs: Mapping[bytes, Path], elsewhere: Container[bytes]
) -> Iterator[bytes]:
    for row in read_quarantine(path, torn=True):
        key = bytes.fromhex(row.key)
        if heirs.get(key) == heir and key not in elsewhere:
            yield line_of(row)


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
        row.key: replace(row, retried_by=None)
        for row in read_quarantine(retried, torn=True)
        if row.retried_by == retry and bytes.fromhex(row.key) not in is_open
    }
    append_lines(path, map(line_of, back.values()))
    return len(back)


def note(key: str) -> bytes:
    """The key of a row that lies open in another batch's file, as a line of ``.also``."""
    return orjson.dumps(key) + b"\n"


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
