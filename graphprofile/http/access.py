"""The file beside the store that holds keys and the audit log: SQLite, readable by its owner alone."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from graphprofile.errors import ConfigError

FILE_NAME = "access.db"
BUSY_SECONDS = 10.0

SCHEMA = """
CREATE TABLE IF NOT EXISTS keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    digest BLOB NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revoked_at INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    action TEXT NOT NULL,
    outcome TEXT NOT NULL,
    subjects TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS audit_subjects (
    subject TEXT NOT NULL,
    number INTEGER NOT NULL REFERENCES audit (number) ON DELETE CASCADE,
    PRIMARY KEY (subject, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS audit_by_key ON audit (key_id, number);
CREATE INDEX IF NOT EXISTS audit_by_time ON audit (at);
CREATE INDEX IF NOT EXISTS subjects_by_number ON audit_subjects (number);
"""


def access_file(data_dir: Path) -> Path:
    """Where keys and audit log of a store lie."""
    return data_dir / FILE_NAME


def connect(data_dir: Path) -> sqlite3.Connection:
    """Open the file, made where it is not there.

    The connection may be handed from thread to thread, one at a time.

    Raises:
        ConfigError: The folder cannot be written to, or the file is no database.
    """
    path = access_file(data_dir)
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        # SQLite gives its journal files the mode of the file itself.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        os.chmod(path, 0o600)
        connection = sqlite3.connect(
            path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.executescript(SCHEMA)
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(
            f"{path}: keys and audit log cannot be opened: {error}.",
            "Set GRAPHPROFILE_DATA to a folder that can be written to.",
        ) from error
    return connection


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """One transaction that writes."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
