"""API keys: random secrets shown once, kept as SHA-256, each with scopes and an end.

A secret has 256 random bits: nobody guesses it, so a slow hash would protect nothing more and cost every request.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graphprofile.errors import NotFound, UsageError
from graphprofile.http.access import connect, writing
from graphprofile.records import Document, iso

READ_PROFILES = "profiles:read"
READ_EMBEDDINGS = "embeddings:read"
WRITE_EVENTS = "events:write"
ADMIN = "admin"
SCOPES = (READ_PROFILES, READ_EMBEDDINGS, WRITE_EVENTS, ADMIN)
PROPERTY = "property:"
PREFIX = "gpk"
NOBODY = "-"
"""Key id in the audit log where no key was asked for."""

_TOKEN = re.compile(r"gpk_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
_AGE = re.compile(r"(\d{1,5})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
MAX_NAME = 100


class KeyInfo(Document):
    """What may be known of a key: everything but its secret."""

    id: str
    name: str
    scopes: list[str]
    created_at: str | None
    expires_at: str | None
    revoked_at: str | None
    state: str


class NewKey(KeyInfo):
    """Answer of ``keys create``; ``key`` is shown this once and kept nowhere."""

    key: str


@dataclass(frozen=True)
class Principal:
    """Who asks.

    Attributes:
        key_id: Of the key; ``-`` where none was asked for.
        name: Of the key.
        scopes: What it may do.
    """

    key_id: str
    name: str
    scopes: frozenset[str]

    def may(self, scope: str) -> bool:
        """Whether it holds a scope; admin holds all."""
        return scope in self.scopes or ADMIN in self.scopes

    def sees(self, property_name: str) -> bool:
        """Whether it may see a private property; without a key nobody may."""
        if self.key_id == NOBODY:
            return False
        return self.may(PROPERTY + property_name)


OPEN = Principal(NOBODY, "", frozenset(SCOPES))
"""Whoever comes over loopback while there is no key at all."""


@dataclass
class _Known:
    digest: bytes
    principal: Principal
    expires_at: int | None
    revoked_at: int | None

    def holds(self) -> bool:
        """Whether it is neither revoked nor at its end."""
        ended = self.expires_at is not None and self.expires_at <= time.time() * 1000
        return self.revoked_at is None and not ended


@dataclass
class KeyRing:
    """The keys of one store.

    Attributes:
        data_dir: Folder of the store.
    """

    data_dir: Path
    _connection: sqlite3.Connection = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)
    _known: dict[str, _Known] = field(default_factory=dict, init=False)
    _seen: int | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._connection = connect(self.data_dir)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def create(
        self, name: str, scopes: Sequence[str], *, expires: str | None = None, show: Sequence[str] = ()
    ) -> NewKey:
        """Make a key.

        Args:
            name: For people.
            scopes: Of :data:`SCOPES`.
            expires: When it ends: ``90d``, ``12h``; None never.
            show: Private properties that it may see.

        Raises:
            UsageError: A name, scope or time that is none.
        """
        name = name.strip()
        if not name or len(name) > MAX_NAME or not name.isprintable():
            raise UsageError(
                f"{name[:40]!r} is no name for a key.", f"Use 1 to {MAX_NAME} printable characters."
            )
        unknown = [scope for scope in scopes if scope not in SCOPES]
        if unknown or not scopes:
            what = f"There is no scope {unknown[0]!r}." if unknown else "A key needs a scope."
            raise UsageError(what, f"Scopes: {', '.join(SCOPES)}.")
        held = sorted({*scopes, *(PROPERTY + one for one in show)})
        if any(not one.strip() or "\n" in one for one in held):
            raise UsageError("A property's name is empty.", "Write --show email.")
        now = int(time.time() * 1000)
        ends = None if expires is None else now + _duration_ms(expires)
        identifier, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        with self._lock, writing(self._connection) as connection:
            connection.execute(
                "INSERT INTO keys (id, name, digest, scopes, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)",
                (identifier, name, _digest(secret), "\n".join(held), now, ends),
            )
        self._seen = None
        return NewKey(
            id=identifier,
            name=name,
            scopes=held,
            created_at=iso(now),
            expires_at=iso(ends),
            revoked_at=None,
            state="valid",
            key=f"{PREFIX}_{identifier}_{secret}",
        )

    def list(self) -> list[KeyInfo]:
        """All keys there ever were, oldest first."""
        now = int(time.time() * 1000)
        with self._lock:
            rows = self._connection.execute(
                "SELECT id, name, scopes, created_at, expires_at, revoked_at FROM keys ORDER BY created_at, rowid"
            ).fetchall()
        return [_info(row, now) for row in rows]

    def revoke(self, key: str) -> KeyInfo:
        """End a key now; servers that run notice at their next request.

        Args:
            key: Its id, or its name where only one valid key has it.

        Raises:
            NotFound: No such key.
            UsageError: Several keys have that name.
        """
        now = int(time.time() * 1000)
        found = [one for one in self.list() if one.id == key]
        found = found or [one for one in self.list() if one.name == key and one.state != "revoked"]
        if not found:
            raise NotFound(f"No key {key!r}.", "`graphprofile keys list` shows the keys there are.")
        if len(found) > 1:
            raise UsageError(
                f"{len(found)} keys are called {key!r}.", f"Say which: {', '.join(k.id for k in found)}."
            )
        with self._lock, writing(self._connection) as connection:
            connection.execute(
                "UPDATE keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?", (now, found[0].id)
            )
        self._seen = None
        return next(one for one in self.list() if one.id == found[0].id)

    def any(self) -> bool:
        """Whether a key was ever made: revoking the last one opens nothing."""
        with self._lock:
            self._refresh()
            return bool(self._known)

    def find(self, token: str) -> Principal | None:
        """Whose key a text is; None for what is no key, a wrong secret, an ended or revoked one."""
        match = _TOKEN.fullmatch(token)
        with self._lock:
            self._refresh()
            known = self._known.get(match[1]) if match else None
        # Compared also where there is no such key, so that the time tells nothing.
        right = hmac.compare_digest(
            _digest(match[2] if match else ""), known.digest if known else _digest("-")
        )
        return known.principal if known is not None and right and known.holds() else None

    def holder(self, key_id: str) -> Principal | None:
        """Whose key an id is; None where it ended or was revoked."""
        with self._lock:
            self._refresh()
            known = self._known.get(key_id)
        return known.principal if known is not None and known.holds() else None

    def _refresh(self) -> None:
        """Read the keys again where another process has changed the file."""
        (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        if version == self._seen:
            return
        rows = self._connection.execute(
            "SELECT id, name, digest, scopes, expires_at, revoked_at FROM keys"
        ).fetchall()
        self._known = {
            row[0]: _Known(row[2], Principal(row[0], row[1], frozenset(row[3].split("\n"))), row[4], row[5])
            for row in rows
        }
        self._seen = version


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _duration_ms(text: str) -> int:
    match = _AGE.fullmatch(text.strip())
    if match is None or not int(match[1]):
        raise UsageError(f"{text!r} is no length of time.", "Write it like 90d, 12h or 30m.")
    return int(match[1]) * _SECONDS[match[2]] * 1000


def since_ms(text: str) -> int:
    """How long ago a text like ``7d`` means, as epoch milliseconds.

    Raises:
        UsageError: It is no length of time.
    """
    return int(time.time() * 1000) - _duration_ms(text)


def _info(row: tuple[Any, ...], now: int) -> KeyInfo:
    identifier, name, scopes, created_at, expires_at, revoked_at = row
    state = "valid"
    if revoked_at is not None:
        state = "revoked"
    elif expires_at is not None and expires_at <= now:
        state = "expired"
    return KeyInfo(
        id=identifier,
        name=name,
        scopes=scopes.split("\n"),
        created_at=iso(created_at),
        expires_at=iso(expires_at),
        revoked_at=iso(revoked_at),
        state=state,
    )
