"""Files that are whole or not there, also after a kill or a power cut."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def flush_folder(path: Path) -> None:
    """Make a rename in a folder survive a power cut, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_file(path: Path, *parts: bytes | memoryview, mode: int = 0o666) -> None:
    """Write a file and flush it to the disk.

    Args:
        path: Where.
        *parts: What.
        mode: Permissions of a new file, less what the process takes away (umask).
    """
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
        for part in parts:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())


def replace_file(path: Path, *parts: bytes | memoryview, mode: int = 0o666) -> None:
    """Write a file so that whoever reads finds the old content or the new one, and nothing else is left behind.

    Raises:
        OSError: It cannot be written; the old content stays.
    """
    scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        write_file(scratch, *parts, mode=mode)
        scratch.replace(path)
    except OSError:
        scratch.unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Where to write a file bit by bit that takes the place of another when it is complete, and leaves nothing else.

    For what may be made again: unlike :func:`replace_file` it does not wait for the disk.
    """
    scratch = path.with_name(f".{path.name}.part")
    try:
        yield scratch
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
