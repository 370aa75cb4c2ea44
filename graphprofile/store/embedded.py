"""Finding, starting and ending the process that owns an embedded store."""

from __future__ import annotations

import json
import os
import random
import selectors
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphprofile.errors import EngineError, EngineUnavailable
from graphprofile.settings import Settings

OWNER_SCRIPT = Path(__file__).with_name("owner.py")
START_SECONDS = 300.0
CLOSE_SECONDS = 40.0
LARGEST_LOG_BYTES = 4 << 20


@dataclass(frozen=True)
class Endpoint:
    """How to reach an owner over Bolt, and whether it flushes at every commit."""

    pid: int
    uri: str
    user: str
    password: str
    database: str
    durable: bool


@dataclass(frozen=True)
class OwnerStatus:
    """The owner of an embedded store.

    Attributes:
        running: Whether one is there.
        pid: Its process id, None without one.
        stays: Whether it goes on when the last client has gone.
        clients: Process ids of the others that use the store now.
    """

    running: bool
    pid: int | None = None
    stays: bool = False
    clients: tuple[int, ...] = ()


class Channel:
    """This process's control connection to the owner: as long as it is open, the owner stays."""

    def __init__(self, connection: socket.socket, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._socket = connection
        self._lines = connection.makefile("rwb")
        self._lock = threading.Lock()

    def ask(self, **request: Any) -> dict[str, Any]:
        """One request, one answer.

        Raises:
            OSError: The owner is gone.
            EngineError: The owner could not do it.
        """
        with self._lock:
            self._lines.write(json.dumps(request).encode() + b"\n")
            self._lines.flush()
            line = self._lines.readline()
        if not line.endswith(b"\n"):
            raise ConnectionResetError("the owner of the store is gone")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise EngineError(f"The embedded engine: {answer['error']}")
        return answer

    def close(self) -> None:
        """Leave; the last one waits until the engine has closed its files."""
        try:
            if self.ask(op="bye").get("last"):
                self._socket.settimeout(CLOSE_SECONDS)
                self._lines.readline()
        except (OSError, ValueError):
            pass  # gone already: nothing to wait for
        finally:
            self.abandon()

    def abandon(self) -> None:
        """Drop the connection without a word."""
        for part in (self._lines, self._socket):
            try:
                part.close()
            except OSError:
                pass


def store_folder(settings: Settings) -> Path:
    """Where the embedded store lies: ``store`` in the data folder."""
    return settings.data_dir.absolute() / "store"


def attach(root: Path) -> Channel | None:
    """A control connection to the living owner of a store; None without one."""
    try:
        document = json.loads((root / "owner.json").read_text("utf-8"))
        connection = socket.create_connection(("127.0.0.1", int(document["control_port"])), timeout=5)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    try:
        endpoint = Endpoint(
            pid=int(document["pid"]),
            uri=f"bolt://127.0.0.1:{int(document['bolt_port'])}",
            user=str(document["user"]),
            password=str(document["password"]),
            database=str(document["database"]),
            durable=bool(document["durable"]),
        )
        channel = Channel(connection, endpoint)
        admitted = bool(channel.ask(token=document["token"], pid=os.getpid()).get("ok"))
    except (OSError, ValueError, KeyError, TypeError, EngineError):
        # Something else listens on a dead owner's port.
        connection.close()
        return None
    if not admitted:
        channel.abandon()
        return None
    connection.settimeout(None)
    return channel


def connect(settings: Settings) -> Channel:
    """A control connection to the owner of the store; starts one where nobody owns it.

    Raises:
        EngineUnavailable: The engine could not be started; names its log.
        EngineError: ``durable`` is asked for, and the engine that runs already is not.
    """
    root = store_folder(settings)
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise _not_ours(root, error) from error
    deadline = time.monotonic() + START_SECONDS
    failures = 0
    while True:
        channel = attach(root)
        if channel is not None:
            if settings.durable and not channel.endpoint.durable:
                channel.close()
                raise EngineError(
                    f"{root}: the engine that runs now was started without `durable`.",
                    "End it (`graphprofile down`), or let those who use it finish.",
                )
            return channel
        try:
            outcome = _start_owner(root, settings)
        except OSError as error:
            raise _not_ours(root, error) from error
        failures += outcome["state"] == "failed"
        # Once may be chance: another program took the port that was free a moment ago.
        if failures > 1 or time.monotonic() > deadline:
            raise EngineUnavailable(
                f"{root}: the embedded engine did not start: {outcome.get('error', 'no answer in time')}.",
                f"See {root / 'engine.log'}.",
            )
        if outcome["state"] != "ready":
            # Chance keeps two processes out of step; nothing secret rests on it.
            time.sleep(random.uniform(0.05, 0.2))  # nosec B311


def _not_ours(root: Path, error: OSError) -> EngineUnavailable:
    return EngineUnavailable(
        f"{error.filename or root}: the embedded store cannot be kept there: {error.strerror}.",
        "Set GRAPHPROFILE_DATA to a folder of your own.",
    )


def _start_owner(root: Path, settings: Settings) -> dict[str, Any]:
    """Start a process that tries to own the store; returns when it does, or knows that it cannot."""
    reader, writer = os.pipe()
    log_path = root / "engine.log"
    try:
        if log_path.exists() and log_path.stat().st_size > LARGEST_LOG_BYTES:
            log_path.replace(root / "engine.log.1")
        with log_path.open("ab") as log:
            os.fchmod(log.fileno(), 0o600)
            try:
                # This very Python with a script of the package, without a shell.
                subprocess.run(  # nosec B603
                    [
                        sys.executable,
                        "-P",
                        str(OWNER_SCRIPT),
                        str(root),
                        settings.heap_size,
                        "1" if settings.durable else "0",
                        str(writer),
                    ],
                    pass_fds=(writer,),
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd="/",
                    check=False,
                )
            finally:
                os.close(writer)
        with selectors.DefaultSelector() as selector:
            selector.register(reader, selectors.EVENT_READ)
            ready = selector.select(START_SECONDS)
        line = os.read(reader, 65536) if ready else b""
    finally:
        os.close(reader)
    if not line:
        return {"state": "failed", "error": "it ended without a word" if ready else "no answer in time"}
    outcome: dict[str, Any] = json.loads(line.splitlines()[0])
    return outcome


def status(settings: Settings) -> OwnerStatus:
    """Whether the store has an owner now, and who uses it; starts nothing."""
    channel = attach(store_folder(settings))
    if channel is None:
        return OwnerStatus(running=False)
    try:
        return _status(channel.ask(op="status"))
    except OSError:
        return OwnerStatus(running=False)
    finally:
        channel.close()


def up(settings: Settings) -> OwnerStatus:
    """Keep an owner running after this process; may be repeated.

    Raises:
        EngineUnavailable: The engine could not be started.
    """
    channel = connect(settings)
    try:
        return _status(channel.ask(op="stay"))
    finally:
        channel.close()


def down(settings: Settings, wait_seconds: float = 30.0) -> OwnerStatus:
    """Let the owner end: at once where nobody uses the store, else when the last of the others has gone.

    Args:
        settings: Whose store.
        wait_seconds: How long to wait for the others.

    Returns:
        The owner's status; ``running`` is still true where others stayed longer than the wait.
    """
    root = store_folder(settings)
    deadline = time.monotonic() + wait_seconds
    while True:
        channel = attach(root)
        if channel is None:
            return OwnerStatus(running=False)
        try:
            answer = channel.ask(op="go")
        except OSError:
            return OwnerStatus(running=False)
        finally:
            channel.close()
        if not answer["others"]:
            continue
        if time.monotonic() > deadline:
            return _status(answer)
        time.sleep(0.2)


def _status(answer: dict[str, Any]) -> OwnerStatus:
    return OwnerStatus(True, int(answer["pid"]), bool(answer["stay"]), tuple(answer["others"]))
