"""Where a query is put to: the address taken apart, and how it may be shown to people."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from graphprofile.errors import SourceError, UsageError

KNOWN = ("sqlite", "duckdb", "parquet", "csv", "postgresql")
FOLDERS = ("parquet", "csv")
CONNECT_SECONDS = 15

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9.-]*)(?:\+[A-Za-z0-9_.-]+)?:(.*)\Z", re.DOTALL)
_FORMS = (
    "Forms: sqlite:///shop.db, duckdb:///shop.duckdb, parquet:///folder, csv:///folder, postgresql://host/db."
)
_ESCAPE = "Characters such as @ / : ? # in a user's name or password are written as %40 %2F %3A %3F %23."


@dataclass(frozen=True)
class Address:
    """An address taken apart.

    Attributes:
        scheme: One of :data:`KNOWN`, or ``adbc``.
        name: What people see of it: no user, no password, no options.
        path: The file or folder; None for a server, or for DuckDB in memory.
        uri: What a server's driver gets, with the password.
        options: What stands behind ``?``, for a file.
        secrets: Texts that no message may hold.
    """

    scheme: str
    name: str
    path: Path | None = None
    uri: str = field(default="", repr=False)
    options: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    def without_secrets(self, text: str) -> str:
        """A text of the database, as it may be shown."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


def parse_address(uri: str, *, driver: str | None = None, password: str | None = None) -> Address:
    """Take an address apart.

    Args:
        uri: ``sqlite:///path``, ``duckdb:///path``, ``duckdb:`` (in memory), ``parquet:///folder``, ``csv:///folder``,
            ``postgresql://[user@]host[:port]/database``; with ``driver`` whatever that driver takes.
        driver: Name of an ADBC driver.
        password: The password, where the address has none.

    Raises:
        UsageError: Nobody knows what to do with such an address.
        SourceError: There is no such file or folder.
    """
    if driver is not None:
        return _foreign(uri, driver, password)
    found = _SCHEME.match(uri)
    if found is None:
        # It is not shown where it may be the wrong half of something secret.
        shown = f"{uri!r} is" if Path(uri).exists() else "What was given is"
        raise UsageError(f"{shown} no address of a database.", _FORMS)
    scheme = {"postgres": "postgresql", "sqlite3": "sqlite"}.get(found[1].lower(), found[1].lower())
    if scheme == "postgresql":
        return _server(found[2], password)
    if scheme not in KNOWN:
        raise UsageError(
            f"Nobody here reads {scheme}: addresses.",
            f"Known: {', '.join(KNOWN)}; for others name an ADBC driver that is installed: --driver {scheme}.",
        )
    return _file(scheme, found[2])


def _file(scheme: str, rest: str) -> Address:
    rest, _, query = rest.partition("?")
    options = dict(parse_qsl(query))
    text = unquote(rest)
    if scheme == "duckdb" and text.strip("/") in ("", ":memory:"):
        return Address(scheme, "duckdb", None, options=options)
    if text.startswith("//") and not text.startswith("///"):
        raise UsageError(
            f"{scheme}:{text} names a host, and a file has none.",
            f"Three slashes begin a path from here, four one from the root: {scheme}:/{text}.",
        )
    relative = Path(text.removeprefix("///"))
    # As elsewhere `sqlite:///shop.db` lies here and `sqlite:////shop.db` at the root; the strict reading of an address,
    # by which both lie at the root, counts where there is nothing here.
    path = relative
    if text.startswith("///") and not relative.exists() and Path(f"/{relative}").exists():
        path = Path(f"/{relative}")
    what = "folder or file" if scheme in FOLDERS else "file"
    if not path.exists():
        raise SourceError(
            f"{scheme}:///{path}: there is no such {what}.",
            "A path with three slashes begins in the current folder, one with four at the root.",
        )
    if path.is_dir() and scheme not in FOLDERS:
        raise SourceError(
            f"{scheme}:///{path}: is a folder.",
            "Name the database file in it; parquet: and csv: take folders.",
        )
    return Address(scheme, f"{scheme}:///{path}", path, options=options)


def _server(rest: str, password: str | None) -> Address:
    parts = urlsplit(f"postgresql:{rest}")
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, written = login.partition(":")
    if "@" in parts.path + parts.query or parts.fragment or not rest.startswith("//"):
        raise UsageError(
            "The address of the PostgreSQL server cannot be read.",
            f"The form is postgresql://user@host:5432/database. {_ESCAPE}",
        )
    user, written = unquote(user), unquote(written)
    options = dict(parse_qsl(parts.query))
    secrets = {
        text for text in (password, written, options.get("password"), options.get("sslpassword")) if text
    }
    if password is not None:
        written, options["password"] = "", password
    options.setdefault("fallback_application_name", "graphprofile")
    options.setdefault("connect_timeout", str(CONNECT_SECONDS))
    login = quote(user, safe="") + (f":{quote(written, safe='')}" if written else "")
    query = "&".join(f"{quote(key, safe='')}={quote(value, safe='')}" for key, value in options.items())
    return Address(
        "postgresql",
        f"postgresql://{hosts}{parts.path}",
        uri=f"postgresql://{login}{'@' if login else ''}{hosts}{parts.path}?{query}",
        secrets=_spellings(secrets),
    )


def _foreign(uri: str, driver: str, password: str | None) -> Address:
    """An address that only its driver understands: nothing of it but scheme and host is shown."""
    parts = urlsplit(uri) if "://" in uri else None
    login, _, host = parts.netloc.rpartition("@") if parts else ("", "", "")
    written = unquote(login.partition(":")[2])
    hidden = {text for text in (password, written, uri if "=" in uri else None) if text}
    shown = f"{driver}://{host}" if host else driver
    return Address("adbc", shown, uri=uri, secrets=_spellings(hidden))


def _spellings(secrets: set[str]) -> tuple[str, ...]:
    """Secrets as they are and as they stand in an address, the longest first."""
    every = {spelled for secret in secrets for spelled in (secret, quote(secret, safe=""), quote(secret))}
    return tuple(sorted(every, key=len, reverse=True))
