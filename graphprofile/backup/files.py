"""The part of a store that lies beside the graph: the model registry and the refused rows."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from hashlib import file_digest
from pathlib import Path

from graphprofile.backup.archive import Archive
from graphprofile.disk import flush_folder
from graphprofile.errors import BackupError

MODELS, QUARANTINE = "files/models", "files/quarantine"


def folders(data_dir: Path, store_id: str) -> dict[str, Path]:
    """Where the files of a store lie, by their name in a backup."""
    return {MODELS: data_dir / store_id / "models", QUARANTINE: data_dir / "quarantine"}


def list_files(data_dir: Path, store_id: str) -> Iterator[tuple[str, Path]]:
    """Names in a backup with where the files lie; what is being written still (hidden) is left out."""
    for prefix, folder in folders(data_dir, store_id).items():
        for path in sorted(folder.rglob("*")) if folder.is_dir() else ():
            inside = path.relative_to(folder)
            if path.is_file() and not any(part.startswith(".") for part in inside.parts):
                yield f"{prefix}/{inside.as_posix()}", path


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, 64 hex digits."""
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def place_of(name: str, data_dir: Path, store_id: str) -> Path:
    """Where a file of a backup is to lie."""
    for prefix, folder in folders(data_dir, store_id).items():
        if name.startswith(f"{prefix}/"):
            return folder.joinpath(*name[len(prefix) + 1 :].split("/"))
    raise BackupError(f"{name}: nobody knows where this file belongs.")


def check_places(archive: Archive, data_dir: Path, store_id: str) -> None:
    """Make sure that no file of a backup would take the place of another.

    Raises:
        BackupError: One would; names it.
    """
    for entry in archive.manifest["files"]:
        path = place_of(entry["name"], data_dir, store_id)
        try:
            in_the_way = path.exists() and (not path.is_file() or sha256_of(path) != entry["sha256"])
        except OSError as error:
            raise BackupError(f"{path}: cannot be read: {error.strerror or error}.") from error
        if in_the_way:
            raise BackupError(
                f"{path}: another file of that name is there already.",
                "Set GRAPHPROFILE_DATA (or --data) to a new folder.",
            )


def place_files(archive: Archive, data_dir: Path, store_id: str) -> int:
    """Put the files of a backup into the data folder, each as a whole; what is there already stays.

    Returns:
        How many files the backup has.

    Raises:
        BackupError: One cannot be written.
    """
    for entry in archive.manifest["files"]:
        path = place_of(entry["name"], data_dir, store_id)
        if path.exists():
            continue
        scratch = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
                archive.copy_file(entry["name"], stream)
                stream.flush()
                os.fsync(stream.fileno())
            scratch.replace(path)
            flush_folder(path.parent)
        except OSError as error:
            raise BackupError(
                f"{path}: cannot be written: {error.strerror or error}.",
                "Make room or give write permission there, then restore again.",
            ) from error
        finally:
            scratch.unlink(missing_ok=True)
    return len(archive.manifest["files"])
