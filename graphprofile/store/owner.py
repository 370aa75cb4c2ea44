"""The process that owns an embedded store: it runs the engine and serves it to the other processes.

Run as a script (``python -P owner.py FOLDER HEAP DURABLE STATUS_FD``) by :mod:`graphprofile.store.embedded`,
never imported by it, so that the process starts without the rest of the package. One OS lock decides who owns
the folder. The owner lies down beside the data how to reach it (``owner.json``, mode 0600), holds one control
connection per client process, and ends when the last of them has gone, unless it was told to stay.

The control protocol is one JSON document per line, each answered by one: first ``{"token": …, "pid": …}``,
then ``{"op": …}``. A client that dies closes its connection by dying.
"""

from __future__ import annotations

import contextlib
import hmac
import importlib.util
import json
import os
import secrets
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

DATABASE = "graph"
BUSY = ("TX_READY", "TX_STREAMING", "STREAMING")
FIRST_CLIENT_SECONDS = 20.0
LOCK_SECONDS = 60.0
DRAIN_SECONDS = 30.0
LARGEST_MESSAGE_BYTES = 256 << 20


def free_port() -> int:
    """A TCP port on loopback that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def write_private(path: Path, document: dict[str, Any]) -> None:
    """Put a JSON document in place at once, readable by this user only."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(document, file)
    os.replace(temporary, path)


class Engine:
    """ArcadeDB in this process, serving Bolt on loopback."""

    def __init__(self, root: Path, heap_size: str, *, durable: bool) -> None:
        self.durable = durable
        self.schema_lock = threading.Lock()
        self.password = secrets.token_urlsafe(32)
        self.port = free_port()
        # Users other than root are never made, so a fresh file gives the fresh password.
        (root / "config" / "server-users.jsonl").unlink(missing_ok=True)
        os.environ.setdefault("ARCADEDB_JVM_ERROR_FILE", str(root / "log" / "hs_err_pid%p.log"))
        import arcadedb_embedded as arcadedb
        import arcadedb_embedded.jvm as jvm

        # An engine that ran out of memory is in no state to go on; clients start another.
        flags = ["-XX:+UseParallelGC", "-XX:+ExitOnOutOfMemoryError"]
        jvm.start_jvm(heap_size=heap_size, jvm_args=[*flags, f"-Darcadedb.txWalFlush={2 if durable else 0}"])
        self.server = arcadedb.create_server(
            str(root),
            root_password=self.password,
            config={
                "server_plugins": "Bolt:com.arcadedb.bolt.BoltProtocolPlugin",
                "bolt_port": self.port,
                "bolt_maxMessageSize": LARGEST_MESSAGE_BYTES,
                "bolt_packstream_maxValueLength": LARGEST_MESSAGE_BYTES,
                "bolt_packstream_maxElements": LARGEST_MESSAGE_BYTES >> 4,
                "http_port": free_port(),
                # The password is 256 random bits: stretching it adds nothing but time per connection.
                "server_saltIterations": 1000,
                "serverMetrics": False,
                "server_healthCheck_enabled": False,
                "server_logsDirectory": str(root / "log"),
                "server_defaultDatabases": f"{DATABASE}[root]",
            },
        )
        self.bulk = _sibling("owner_bulk")
        unfinished = self.bulk.marked(root)
        if unfinished is not None:
            self.bulk.discard(root, DATABASE)
        self.server.start()
        # Bolt and the control connection are all that is used: the HTTP side, with what hangs on it, goes.
        http = self.server._java_server.getHttpServer()
        if http is not None:
            http.stopService()
        self.database = self.server.create_database(DATABASE)
        if unfinished is not None:
            self.bulk.note(self.database, unfinished)

    def fresh_database(self) -> Any:
        """An empty database in the place of the one there is."""
        import jpype

        server = self.server._java_server
        # Under the lock of those who look for it: one who came in between would open it again, half gone.
        with jpype.synchronized(_private(server, "databases")):
            self.database._java_db.getEmbedded().drop()
            server.removeDatabase(DATABASE)
            self.database = self.server.create_database(DATABASE)
        return self.database

    def flush(self) -> None:
        """Wait until every changed page is with the operating system."""
        import jpype

        manager = jpype.JClass("com.arcadedb.engine.PageManager").INSTANCE
        manager.waitAllPagesOfDatabaseAreFlushed(self.database._java_db.getEmbedded())

    def connections(self) -> list[Any]:
        """The Bolt connections there are: Java threads, one each."""
        found: list[Any] = []
        for plugin in self.server._java_server.getPlugins():
            if str(plugin.getName()) == "Neo4j-Bolt":
                found += list(_private(_private(plugin, "listener"), "activeConnections").toArray())
        return found

    def connection_from(self, port: int) -> Any:
        """The Bolt connection whose client has this port, None where it is gone."""
        for connection in self.connections():
            client = _private(connection, "socket")
            if client is not None and int(client.getPort()) == port:
                return connection
        return None

    def busy_connections(self) -> int:
        """How many Bolt connections are inside a transaction or a result."""
        count = 0
        try:
            for connection in self.connections():
                count += str(_private(connection, "state")) in BUSY
        except (
            Exception
        ) as error:  # private parts change; then transactions are cut off, and repeated by clients
            print(f"cannot tell which connections are at work: {error}", file=sys.stderr)
            return 0
        return count

    def vector_index(self, label: str, dimensions: int) -> dict[str, Any]:
        """Make (or, for other dimensions, remake) the cosine index over ``label.embedding``."""
        with self.schema_lock:
            return self._vector_index(label, dimensions)

    def _vector_index(self, label: str, dimensions: int) -> dict[str, Any]:
        name = f"{label}[embedding]"
        schema = self.database._java_db.getSchema()
        if schema.existsIndex(name):
            parts = schema.getIndexByName(name).getIndexesOnBuckets()
            if all(int(part.getDimensions()) == dimensions for part in parts):
                return {"created": False}
            schema.dropIndex(name)
        started = time.monotonic()
        self.database.command("sql", f"CREATE VERTEX TYPE `{label}` IF NOT EXISTS")
        self.database.command("sql", f"CREATE PROPERTY `{label}`.embedding IF NOT EXISTS ARRAY_OF_FLOATS")
        self.database.create_vector_index(
            label,
            "embedding",
            dimensions,
            distance_function="cosine",
            quantization="NONE",
            max_connections=32,
            beam_width=200,
        )
        return {"created": True, "seconds": round(time.monotonic() - started, 3)}

    def stop(self) -> None:
        """Flush and close."""
        self.server.stop()


def _sibling(name: str) -> Any:
    """A module that lies beside this script, which is no package while it runs."""
    found = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def _private(instance: Any, field: str) -> Any:
    """The value of a private Java field; the engine tells nobody which connections are at work."""
    declared = instance.getClass().getDeclaredField(field)
    declared.setAccessible(True)
    return declared.get(instance)


class Owner:
    """Serves the control connections and decides when to end."""

    def __init__(self, engine: Engine, root: Path) -> None:
        self.engine = engine
        self.root = root
        self.token = secrets.token_urlsafe(32)
        self.clients: dict[int, int] = {}
        self.next_client = 0
        self.stay = False
        self.closing = False
        self.bulk = engine.bulk.Desk(engine, root)
        self.limits = _sibling("owner_limits").Limits(engine)
        self.changed = threading.Condition()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)

    def endpoint(self) -> dict[str, Any]:
        """What ``owner.json`` says."""
        return {
            "pid": os.getpid(),
            "bolt_port": self.engine.port,
            "control_port": int(self.listener.getsockname()[1]),
            "user": "root",
            "password": self.engine.password,
            "token": self.token,
            "database": DATABASE,
            "durable": self.engine.durable,
        }

    def accept(self) -> None:
        """Take control connections for as long as the process lives."""
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        """Answer one client until it leaves or dies."""
        number: int | None = None
        try:
            with connection, connection.makefile("rwb") as lines:
                for line in lines:
                    request = json.loads(line)
                    if number is None:
                        number = self.admit(request)
                        answer: dict[str, Any] = {"ok": number is not None, "closing": self.closing}
                    else:
                        answer = self.answer(request, number)
                    lines.write(json.dumps(answer).encode() + b"\n")
                    lines.flush()
                    if number is None:
                        return
        except (OSError, ValueError, AttributeError):
            pass  # a client that died or speaks another language: as if it had left
        finally:
            self.leave(number)

    def admit(self, hello: dict[str, Any]) -> int | None:
        """Count a client in; None when the token is wrong or the owner is about to end."""
        with self.changed:
            if self.closing or not hmac.compare_digest(str(hello.get("token")).encode(), self.token.encode()):
                return None
            self.next_client += 1
            self.clients[self.next_client] = int(hello.get("pid", 0))
            self.changed.notify_all()
            return self.next_client

    def leave(self, number: int | None) -> None:
        """Count a client out; a bulk load ends with the client that asked for it."""
        self.bulk.leave(number)
        with self.changed:
            if number is not None:
                self.clients.pop(number, None)
            self.changed.notify_all()

    def answer(self, request: dict[str, Any], number: int) -> dict[str, Any]:
        """Do what a client asks for."""
        operation = request.get("op")
        try:
            if operation == "vector_index":
                return self.engine.vector_index(str(request["label"]), int(request["dimensions"]))
            if operation in ("stay", "go"):
                self.stay = operation == "stay"
                return self.status(number)
            if operation == "status":
                return self.status(number)
            if operation == "limit":
                return {"ticket": self.limits.start(int(request["port"]), float(request["seconds"]))}
            if operation == "end_limit":
                return {"over": self.limits.end(int(request["ticket"]), clean=bool(request["clean"]))}
            if operation in ("bulk", "bulk_status", "bulk_finish"):
                # Held, so that nobody comes in between.
                with self.changed:
                    others = [pid for client, pid in self.clients.items() if client != number]
                    answer: dict[str, Any] = self.bulk.answer(request, number, others)
                    return answer
            if operation == "bye":
                with self.changed:
                    self.clients.pop(number, None)
                    last = not self.clients and not self.stay
                    self.closing = self.closing or last
                    self.changed.notify_all()
                return {"last": last}
        except Exception as error:  # the engine raises Java exceptions of any class; the client gets the text
            return {"error": f"{type(error).__name__}: {error}"}
        return {"error": f"unknown operation {operation!r}"}

    def status(self, number: int) -> dict[str, Any]:
        """Who owns, who else is connected, whether the owner stays."""
        with self.changed:
            others = sorted(pid for client, pid in self.clients.items() if client != number)
        return {"pid": os.getpid(), "stay": self.stay, "others": others}

    def wait(self) -> None:
        """Return when the process should end: nobody is left, or it was told to."""
        deadline = time.monotonic() + FIRST_CLIENT_SECONDS
        with self.changed:
            while not self.closing:
                started = self.next_client > 0
                if not self.clients and not self.stay and (started or time.monotonic() > deadline):
                    self.closing = True
                    return
                self.changed.wait(1.0)

    def terminate(self, *_: object) -> None:
        """End for a signal: no new clients, transactions under way are waited for."""
        self.closing = True

    def withdraw(self) -> None:
        """Take no more clients: who comes now waits for the lock and becomes the next owner."""
        (self.root / "owner.json").unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def drain(self) -> None:
        """Wait, with a bound, until no connection is inside a transaction."""
        deadline = time.monotonic() + DRAIN_SECONDS
        while time.monotonic() < deadline and self.engine.busy_connections():
            time.sleep(0.05)


def reachable(endpoint: Path) -> bool:
    """Whether another owner lives and takes clients."""
    try:
        port = int(json.loads(endpoint.read_text("utf-8"))["control_port"])
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except (OSError, ValueError, KeyError, TypeError):
        return False


def main(arguments: list[str]) -> int:
    """Own a store until nobody needs it: ``FOLDER HEAP DURABLE STATUS_FD``."""
    root, heap_size, durable = Path(arguments[0]), arguments[1], arguments[2] == "1"
    status = int(arguments[3])
    # Twice removed from the process that asked: no terminal, no signals from it, nobody's child to wait for.
    if os.fork():
        os._exit(0)
    os.setsid()
    os.umask(0o077)
    from filelock import FileLock, Timeout

    def report(**message: Any) -> None:
        with contextlib.suppress(OSError):
            os.write(status, json.dumps(message).encode() + b"\n")
            os.close(status)

    lock = FileLock(root / "owner.lock", mode=0o600)
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            lock.acquire(timeout=0.2)
            break
        except Timeout:
            if reachable(root / "owner.json") or time.monotonic() > deadline:
                report(state="other")
                return 0
    try:
        (root / "log").mkdir(mode=0o700, exist_ok=True)
        os.chdir(root)
        engine = Engine(root, heap_size, durable=durable)
        owner = Owner(engine, root)
    except Exception as error:  # whatever hinders the engine is what the waiting process wants to read
        report(state="failed", error=f"{type(error).__name__}: {error}")
        raise
    threading.Thread(target=owner.accept, daemon=True).start()
    write_private(root / "owner.json", owner.endpoint())
    signal.signal(signal.SIGTERM, owner.terminate)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    report(state="ready")
    owner.wait()
    owner.withdraw()
    owner.drain()
    engine.stop()
    lock.release()
    return 0


if __name__ == "__main__":
    code = 1
    try:
        code = main(sys.argv[1:])
    finally:
        sys.stderr.flush()
        # Non-daemon Java threads must not keep a process alive that has nothing left to do.
        os._exit(code)
