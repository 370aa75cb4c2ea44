"""Files of lines that are written as they come, and gone on with after a kill or a full disk."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO

import orjson

from graphprofile.errors import ConfigError


def open_lines(path: Path) -> IO[bytes]:
    """A file to append lines to, for the owner only; begun where it is not there.

    Raises:
        OSError: The folder cannot be written to.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    _end_last_line(path, descriptor)
    # Without a buffer: what could not be written must not be written later, by closing.
    return os.fdopen(descriptor, "ab", buffering=0)


def write_lines(stream: IO[bytes], data: bytes) -> None:
    """Write all of it; :func:`open_lines` gives a stream that may take a part at a time."""
    left = memoryview(data)
    while left:
        left = left[stream.write(left) :]


def _end_last_line(path: Path, descriptor: int) -> None:
    """A file that is gone on with begins a new line: a torn one goes, one without its end gets it."""
    with path.open("rb") as stream:
        start, line = 0, b""
        for line in stream:
            start += len(line)
    if is_torn(line):
        os.ftruncate(descriptor, start - len(line))
    elif line and not line.endswith(b"\n"):
        os.write(descriptor, b"\n")


def is_torn(line: bytes) -> bool:
    """Whether a line has no end and is no JSON: nobody mended it, a kill or a full disk cut it."""
    if not line or line.endswith(b"\n"):
        return False
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return True
    return False


def unwritable(path: Path, error: OSError) -> ConfigError:
    """What is told of a file that cannot be written."""
    return ConfigError(
        f"{path}: cannot be written: {error.strerror or error}.",
        "Make room, or set GRAPHPROFILE_DATA to another folder.",
    )
