"""Files of lines that are written as they come, and gone on with after a kill or a full disk."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

import orjson

from graphprofile.errors import ConfigError

LINES_AT_ONCE = 1_000


class Lines:
    """A file that lines are appended to, for the owner only; there is none until there is a line.

    Args:
        path: The file; a last line that a kill has torn goes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream: IO[bytes] | None = None

    def add(self, lines: Sequence[bytes]) -> None:
        """Append lines, each with its end.

        Raises:
            ConfigError: The folder cannot be written to, or the disk is full.
        """
        if not lines:
            return
        try:
            if self._stream is None:
                self._stream = _open(self.path)
            whole = os.fstat(self._stream.fileno()).st_size
            try:
                _write(self._stream, b"".join(lines))
            except OSError:
                # No half line stays, which nobody could read.
                with suppress(OSError):
                    os.ftruncate(self._stream.fileno(), whole)
                raise
        except OSError as error:
            raise unwritable(self.path, error) from error

    def close(self) -> None:
        """Force the lines onto the disk; may be repeated.

        Raises:
            ConfigError: The disk is full.
        """
        if self._stream is not None:
            stream, self._stream = self._stream, None
            try:
                with stream:
                    os.fsync(stream.fileno())
            except OSError as error:
                raise unwritable(self.path, error) from error


def append_lines(path: Path, lines: Iterable[bytes]) -> None:
    """Append lines to a file and force them onto the disk.

    Raises:
        ConfigError: The folder cannot be written to, or the disk is full.
    """
    file, left = Lines(path), iter(lines)
    try:
        while some := list(itertools.islice(left, LINES_AT_ONCE)):
            file.add(some)
    finally:
        file.close()


def _open(path: Path) -> IO[bytes]:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    _end_last_line(path, descriptor)
    # Without a buffer: what could not be written must not be written later, by closing.
    return os.fdopen(descriptor, "ab", buffering=0)


def _write(stream: IO[bytes], data: bytes) -> None:
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
