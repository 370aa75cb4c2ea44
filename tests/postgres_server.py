"""A real PostgreSQL for the tests, started for them in a folder of its own and stopped at the end."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from debian import Unavailable, in_ci, install
from neo4j_server import die_with_parent, free_port

USER = "gp"
START_SECONDS = 60
ADVICE = "Install PostgreSQL (Debian: apt-get install postgresql)."


@dataclass
class PostgresServer:
    """A running server.

    Attributes:
        port: On 127.0.0.1.
        password: Of the user ``gp``, whom it belongs to.
        process: The server.
        home: Its folder.
    """

    port: int
    password: str
    process: subprocess.Popen[bytes]
    home: Path

    @property
    def uri(self) -> str:
        """Its address with the password."""
        return self.address(USER, self.password)

    @property
    def name(self) -> str:
        """Its address as people may see it."""
        return f"postgresql://127.0.0.1:{self.port}/postgres"

    def address(self, user: str, password: str | None = None) -> str:
        """Its address for somebody."""
        login = user if password is None else f"{user}:{password}"
        return f"postgresql://{login}@127.0.0.1:{self.port}/postgres"

    def run(self, *statements: str) -> list[tuple[Any, ...]]:
        """Run statements, each committed; the rows of the last one."""
        from adbc_driver_postgresql import dbapi

        with dbapi.connect(self.uri, autocommit=True) as connection:
            for statement in statements:
                with connection.cursor() as cursor:
                    cursor.execute(statement)
                    rows = cursor.fetchall() if cursor.description else []
        return rows

    @classmethod
    def start(cls, home: Path) -> PostgresServer:
        """Start one with its data under ``home``.

        Raises:
            Unavailable: There is none on this machine, or it does not start.
        """
        programs = binaries()
        owner = _owner()
        rights: dict[str, Any] = {}
        if owner is not None:
            rights = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
            os.chown(home, owner.pw_uid, owner.pw_gid)
        password, port = secrets.token_hex(12), free_port()
        secret = home / "password"
        secret.write_text(password)
        secret.chmod(0o644)
        words = ["-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8", "--locale=C", "--no-sync"]
        made = subprocess.run(
            [programs / "initdb", "-D", home / "data", "-U", USER, *words],
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
            **rights,
        )
        if made.returncode:
            raise Unavailable(f"PostgreSQL could not make its folder: {made.stderr[-400:]} {ADVICE}")
        settings = {
            "port": port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": home,
            "fsync": "off",
        }
        words = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(
                [programs / "postgres", "-D", home / "data", *words],
                cwd=home,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,
                **rights,
            )
        server = cls(port, password, process, home)
        server._wait()
        return server

    def _wait(self) -> None:
        from adbc_driver_postgresql import dbapi

        end = time.monotonic() + START_SECONDS
        while True:
            try:
                dbapi.connect(self.uri, autocommit=True).close()
                return
            except dbapi.Error as error:
                if self.process.poll() is not None or time.monotonic() > end:
                    self.stop()
                    log = (self.home / "log").read_text("utf-8", "replace")[-400:]
                    raise Unavailable(f"PostgreSQL does not start: {log}") from error
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop it, whoever is connected."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.send_signal(signal.SIGQUIT)
                self.process.wait(20)


def binaries() -> Path:
    """The folder of ``initdb`` and ``postgres``.

    Raises:
        Unavailable: There is none.
    """
    found = _found()
    if found is None:
        install("postgresql", "PostgreSQL", ADVICE)
        found = _found()
    if found is None:
        raise Unavailable(f"These tests need a PostgreSQL server, and there is none here. {ADVICE}")
    return found


def _found() -> Path | None:
    on_path = shutil.which("initdb")
    versions = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: path.parts[-3].zfill(4),
        reverse=True,
    )
    candidates = [*([Path(on_path).resolve()] if on_path else []), *versions]
    return next((path.parent for path in candidates if (path.parent / "postgres").exists()), None)


def _owner() -> Any:
    """Who runs it, where root may not."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise Unavailable("PostgreSQL is not run by root, and there is no user postgres or nobody.")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL that belongs to the tests."""
    # Not below pytest's own folder, which no other user may enter.
    home = Path(tempfile.mkdtemp(prefix="graphprofile-postgres-", dir="/tmp"))
    try:
        try:
            server = PostgresServer.start(home)
        except Unavailable as error:
            if in_ci():
                pytest.fail(str(error))
            pytest.skip(str(error))
        yield server
        server.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)
