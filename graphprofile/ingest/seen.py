"""What tells a file, and a whole command, again: the bytes, and everything that decides how they are read."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphprofile import __version__
from graphprofile.errors import SourceError
from graphprofile.records import SourceFile

if TYPE_CHECKING:
    from graphprofile.store import Store

READ_BYTES = 1 << 20


@dataclass
class FileKeys:
    """Keys of the files of one load.

    Attributes:
        recipe: How rows are read, e.g. loader, mapping, zone and vocabulary; part of every key.
    """

    recipe: Sequence[Any]
    _bytes: dict[Path, str] = field(default_factory=dict)

    def of(self, source: Any) -> str | None:
        """The key of a source, 32 hex digits; None for one that is no regular file.

        Raises:
            SourceError: The file cannot be read.
        """
        if not isinstance(source, SourceFile) or not source.path.is_file():
            return None
        if source.path not in self._bytes:
            self._bytes[source.path] = _digest(source.path)
        how = (source.kind, source.format, source.encoding, source.separator, source.columns, source.quoting)
        return _hash([self._bytes[source.path], *how, *source.constants, *self.recipe, __version__])


def command_key(keys: Sequence[str | None], *more: Any) -> str | None:
    """The key of a command that reads these files in this order; None where a source is no file."""
    if not keys or any(key is None for key in keys):
        return None
    return _hash([*keys, *more])


def seen_whole(store: Store, keys: Sequence[str | None]) -> dict[str, int]:
    """Rows of the files that a batch has taken in whole already, by key."""
    asked = sorted({key for key in keys if key is not None})
    if not asked:
        return {}
    rows: dict[str, int] = {}
    for batch in store.read("load/find_files", keys=asked):
        rows.update(zip(batch["files"], batch["file_rows"], strict=True))
    return {key: rows[key] for key in asked if key in rows}


def read_before(store: Store, keys: Sequence[str | None]) -> bool:
    """Whether batches that stand have read all of these files, whatever became of their rows."""
    asked = {key for key in keys if key is not None}
    if not asked or len(asked) < len(set(keys)):
        return False
    found = store.read("load/find_sources", keys=sorted(asked))
    return asked <= {key for batch in found for key in batch["sources"]}


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while block := stream.read(READ_BYTES):
                digest.update(block)
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}.", "Check the file.") from error
    return digest.hexdigest()


def _hash(parts: Sequence[Any]) -> str:
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]
