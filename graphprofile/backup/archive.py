"""The file of a backup: a zip that any tool opens.

::

    nodes/00001.jsonl          {"id", "labels", "properties"} a line
    relationships/00001.jsonl  {"from", "to", "type", "properties"} a line
    files/models/…             the model registry
    files/quarantine/…         refused rows
    manifest.json              format, schema version, store, counts, the SHA-256 of every part

It appears under its name when it is complete. Its last 64 bytes (the zip's comment) are the SHA-256 of all bytes before
them. A reader checks that, and every part against the manifest, before it uses any.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import struct
import zipfile
import zlib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from graphprofile.disk import flush_folder
from graphprofile.errors import BackupError
from graphprofile.records import Progress

FORMAT = 1
MANIFEST = "manifest.json"
PART_BYTES = 4 << 20
COPY_BYTES = 1 << 20
COMPRESSION = 1
SEAL_BYTES = 64
_PART = re.compile(r"(nodes|relationships)/\d{5,}\.jsonl\Z")
_FILE = re.compile(r"files/(models|quarantine)(/[^/\\\x00]+)+\Z")
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    RuntimeError,
    ValueError,
    KeyError,
    OverflowError,
)


class ArchiveWriter:
    """Writes a backup beside its place and moves it there at the end; nothing is left behind on failure.

    Args:
        path: Where it is to lie.

    Raises:
        BackupError: Nothing can be written there, or something that is no backup lies there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bytes = 0
        self._scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        self._parts: list[dict[str, Any]] = []
        self._files: list[dict[str, Any]] = []
        # One block a kind: small objects that live long would keep all memory around them from being used again.
        self._lines: dict[str, bytearray] = {}
        self._records: dict[str, int] = {}
        with self._writing():
            there = path.exists()
        if there and not path.is_file():
            what = "a folder" if path.is_dir() else "no file"
            raise BackupError(f"{path}: is {what}.", "Name a file, e.g. backup.zip.")
        if there and not is_backup(path):
            raise BackupError(
                f"{path}: exists and is no backup; it is left as it is.", "Name another file for the backup."
            )
        with self._writing():
            descriptor = os.open(self._scratch, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        self._stream = os.fdopen(descriptor, "w+b")
        self._zip = zipfile.ZipFile(
            self._stream, "w", zipfile.ZIP_DEFLATED, allowZip64=True, compresslevel=COMPRESSION
        )

    def add_line(self, kind: str, line: bytes) -> None:
        """Add a line to the parts of a kind."""
        lines = self._lines.setdefault(kind, bytearray())
        lines += line
        lines += b"\n"
        self._records[kind] = self._records.get(kind, 0) + 1
        if len(lines) >= PART_BYTES:
            self._write_part(kind)

    def add_file(self, path: Path, name: str) -> None:
        """Add a file of the data folder under a name."""
        digest, size = sha256(), 0
        with self._writing():
            # Arrays of floats hardly shrink, and may be large.
            entry = _entry(name, zipfile.ZIP_STORED)
            with path.open("rb") as source, self._zip.open(entry, "w", force_zip64=True) as target:
                while chunk := source.read(COPY_BYTES):
                    digest.update(chunk)
                    size += len(chunk)
                    target.write(chunk)
        self._files.append({"name": name, "bytes": size, "sha256": digest.hexdigest()})

    def finish_lines(self) -> None:
        """All lines are in."""
        for kind in list(self._lines):
            self._write_part(kind)

    def files(self) -> dict[str, str]:
        """SHA-256 of the files added, by name."""
        return {entry["name"]: entry["sha256"] for entry in self._files}

    def finish(self, manifest: dict[str, Any]) -> None:
        """Write the manifest and put the file in its place, flushed to the disk."""
        document = {"format": FORMAT, **manifest, "parts": self._parts, "files": self._files}
        with self._writing():
            self._zip.writestr(_entry(MANIFEST), json.dumps(document, indent=1, ensure_ascii=False))
            self._zip.comment = b"0" * SEAL_BYTES
            self._zip.close()
            self.bytes = seal(self._stream)
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._stream.close()
            self._scratch.replace(self.path)
            flush_folder(self.path.parent)

    def __enter__(self) -> ArchiveWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError, ValueError):
            self._zip.close()
        with contextlib.suppress(OSError):
            self._stream.close()
        self._scratch.unlink(missing_ok=True)

    def _write_part(self, kind: str) -> None:
        content, records = bytes(self._lines.pop(kind)), self._records.pop(kind)
        number = 1 + sum(part["kind"] == kind for part in self._parts)
        name = f"{kind}/{number:05}.jsonl"
        with self._writing():
            self._zip.writestr(_entry(name), content, compresslevel=COMPRESSION)
        self._parts.append(
            {
                "name": name,
                "kind": kind,
                "records": records,
                "bytes": len(content),
                "sha256": sha256(content).hexdigest(),
            }
        )

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise BackupError(
                f"{error.filename or self.path}: the backup cannot be written: {error.strerror or error}.",
                "Name a file in a folder that exists, with room and permission to write.",
            ) from error


class Archive:
    """A backup that can be read.

    Attributes:
        manifest: What the backup says of itself.

    Args:
        path: Where it lies.

    Raises:
        BackupError: No such file, no backup, one that is damaged, or one of a later program.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            # A device or a pipe would be read without end.
            if path.exists() and not path.is_file():
                raise BackupError(f"{path}: is no file.", "Name a file that `backup` wrote.")
            self._zip = zipfile.ZipFile(path)
        except FileNotFoundError as error:
            raise BackupError(f"{path}: no such file.", "Name a file that `backup` wrote.") from error
        except OSError as error:
            raise BackupError(f"{path}: cannot be read: {error.strerror or error}.") from error
        except _DAMAGED as error:
            raise self._useless() from error
        try:
            self.manifest = self._manifest()
        except BaseException:
            self.close()
            raise

    def check(self, progress: Progress | None = None) -> None:
        """Read every part and compare it with the manifest.

        Raises:
            BackupError: A part is missing, truncated or changed; names it.
        """
        with self.path.open("rb") as stream:
            if _sum(stream) != stream.read():
                raise self._damaged("it is not what was written")
        entries = [*self.manifest["parts"], *self.manifest["files"]]
        expected = {entry["name"] for entry in entries}
        if expected | {MANIFEST} != set(self._zip.namelist()) or len(expected) != len(entries):
            raise self._damaged("its parts are not those of its manifest")
        total = sum(entry["bytes"] for entry in entries)
        done = 0
        for entry in entries:
            digest = sha256()
            for chunk in self._chunks(entry["name"]):
                digest.update(chunk)
                done += len(chunk)
                if progress:
                    progress("checking", done, total)
            if digest.hexdigest() != entry["sha256"]:
                raise self._damaged(f"{entry['name']} is not what was written")

    def lines(self, kind: str) -> Iterator[bytes]:
        """Lines of all parts of a kind, a part in memory at a time."""
        for part in self.manifest["parts"]:
            if part["kind"] == kind:
                content = b"".join(self._chunks(part["name"]))
                if sha256(content).hexdigest() != part["sha256"]:
                    raise self._damaged(f"{part['name']} changed while it was read")
                yield from content.splitlines()

    def copy_file(self, name: str, target: IO[bytes]) -> None:
        """Write the content of a file of the data folder."""
        for chunk in self._chunks(name):
            target.write(chunk)

    def close(self) -> None:
        """Let go of the file."""
        self._zip.close()

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _manifest(self) -> dict[str, Any]:
        try:
            document = json.loads(self._zip.read(MANIFEST))
        except KeyError as error:
            raise BackupError(f"{self.path}: is no backup of graphprofile (no {MANIFEST}).") from error
        except (*_DAMAGED, OSError) as error:
            raise self._damaged(f"{MANIFEST}: {error}") from error
        if not isinstance(document, dict) or "format" not in document:
            raise BackupError(f"{self.path}: is no backup of graphprofile.")
        if document["format"] != FORMAT:
            raise BackupError(
                f"{self.path}: the backup has format {document['format']}, this program reads {FORMAT}.",
                "Use the graphprofile version that wrote it, or a newer one.",
            )
        try:
            for entry in document["parts"]:
                if not _PART.match(entry["name"]) or not entry["name"].startswith(f"{entry['kind']}/"):
                    raise ValueError(f"unknown part {entry['name']!r}")
            for entry in document["files"]:
                if not _FILE.match(entry["name"]) or {".", ".."} & set(entry["name"].split("/")):
                    raise ValueError(f"unknown file {entry['name']!r}")
            _ = document["schema_version"], document["store_id"], document["store"], document["graph"]["sum"]
        except (KeyError, TypeError, ValueError) as error:
            raise self._damaged(f"{MANIFEST}: {error}") from error
        return document

    def _chunks(self, name: str) -> Iterator[bytes]:
        try:
            with self._zip.open(name) as stream:
                while chunk := stream.read(COPY_BYTES):
                    yield chunk
        except (*_DAMAGED, OSError) as error:
            raise self._damaged(f"{name}: {error}") from error

    def _useless(self) -> BackupError:
        with contextlib.suppress(OSError):
            with self.path.open("rb") as stream:
                if stream.read(4) == b"PK\x03\x04":
                    return self._damaged("it is cut off")
        return BackupError(f"{self.path}: is no backup of graphprofile.", "Name a file that `backup` wrote.")

    def _damaged(self, why: str) -> BackupError:
        return BackupError(
            f"{self.path}: the backup is damaged: {why}.", "Nothing was written. Take another copy of it."
        )


def seal(stream: IO[bytes]) -> int:
    """Write the SHA-256 of a whole file over its last 64 bytes; returns the file's size."""
    found = _sum(stream)
    stream.write(found)
    return stream.tell()


def _sum(stream: IO[bytes]) -> bytes:
    """SHA-256 of a file up to its last 64 bytes, where the stream stands afterwards."""
    left = max(0, stream.seek(0, os.SEEK_END) - SEAL_BYTES)
    stream.seek(0)
    digest = sha256()
    while chunk := stream.read(min(left, COPY_BYTES)):
        digest.update(chunk)
        left -= len(chunk)
    return digest.hexdigest().encode()


def is_backup(path: Path) -> bool:
    """Whether a backup lies there, whole or not, of whatever version."""
    try:
        with zipfile.ZipFile(path) as found:
            return MANIFEST in found.namelist() and "format" in json.loads(found.read(MANIFEST))
    except (*_DAMAGED, OSError):
        return False


def _entry(name: str, compression: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
    """An entry without a time of its own: the same content gives the same bytes."""
    entry = zipfile.ZipInfo(name)
    entry.compress_type = compression
    entry.external_attr = 0o600 << 16
    return entry
