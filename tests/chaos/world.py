"""A graph to break: an engine, the real command line against it, and the rule that must hold afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from neo4j_server import Neo4jServer
from pydantic import SecretStr

from graphprofile import GraphProfile
from graphprofile.settings import Settings
from graphprofile.store import Store, embedded
from graphprofile.tags import TOLERANCE

from .generate import Data

PROGRAM = [str(Path(sys.executable).with_name("graphprofile"))]
"""The command; ``--scale`` takes the one of ``scaled.py`` instead."""
HANGS_AFTER_SECONDS = 600.0
CLEAN, PARTIAL = 0, 3


class Impossible(Exception):
    """A fault cannot be made on this machine; the message says why."""


@dataclass(frozen=True)
class Ended:
    """A command that has ended.

    Attributes:
        code: Its exit code, negative for a signal.
        out: What it printed.
        err: What it said on stderr.
        seconds: How long it ran.
    """

    code: int
    out: str
    err: str
    seconds: float

    @property
    def document(self) -> dict[str, Any]:
        """The JSON it printed; empty where it printed none."""
        return dict(json.loads(self.out)) if self.out.startswith("{") else {}

    def wrongs(self, *codes: int) -> list[str]:
        """What a user must never see: another exit code, a traceback, an internal error."""
        found = []
        if self.code not in codes:
            found.append(f"exit code {self.code} instead of {codes}: {self.err[-600:]}")
        if "Traceback" in self.err or '"internal"' in self.err:
            found.append(f"a traceback or an internal error: {self.err[-900:]}")
        return found


class Command:
    """A running ``graphprofile`` process."""

    def __init__(self, arguments: Sequence[str], environment: dict[str, str], folder: Path) -> None:
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [*PROGRAM, *arguments],
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def lives(self) -> bool:
        return self.process.poll() is None

    def ends_within(self, seconds: float) -> bool:
        """Wait at most so long; tell whether it has ended by itself."""
        try:
            self.process.wait(max(0.0, seconds))
            return True
        except subprocess.TimeoutExpired:
            return False

    def signal(self, number: int) -> None:
        if self.lives():
            self.process.send_signal(number)

    def end(self, timeout: float = HANGS_AFTER_SECONDS) -> Ended:
        """Wait for its end; one that hangs is killed and says so."""
        try:
            out, err = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, err = self.process.communicate()
            err += f"\nhung: still running after {timeout:g} s"
        return Ended(self.process.returncode, out, err, time.monotonic() - self.started)


class World(ABC):
    """One engine with one graph.

    Attributes:
        engine: ``arcadedb`` or ``neo4j``.
        folder: Everything it writes lies below.
        settings: How to reach the graph.
    """

    engine: str

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.settings = self._settings(folder / "data")

    @abstractmethod
    def _settings(self, data_dir: Path) -> Settings: ...

    @abstractmethod
    def empty(self) -> None:
        """Nothing is left of the graph, constraints included."""

    @abstractmethod
    def up(self) -> None:
        """The engine runs before a command asks for it, and after."""

    @abstractmethod
    def kill_engine(self) -> bool:
        """SIGKILL for the process the engine runs in; whether there was one."""

    @abstractmethod
    def start_engine(self) -> None:
        """Start what was killed, where nobody else does."""

    @abstractmethod
    def bolt(self) -> tuple[int, dict[str, str]]:
        """The engine's Bolt port, and the environment to reach it by address."""

    @abstractmethod
    def close(self) -> None:
        """End what was started."""

    def fresh(self) -> None:
        """An empty graph and an empty quarantine."""
        self.empty()
        shutil.rmtree(self.settings.data_dir, ignore_errors=True)

    def sweep(self) -> None:
        """Nothing is left but the constraints; quicker than :meth:`fresh`."""
        with Store.open(self.settings) as store:
            delete_all(store)
        shutil.rmtree(self.settings.data_dir / "quarantine", ignore_errors=True)

    def environment(self, **more: str) -> dict[str, str]:
        """Of a command that reaches this graph."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("GRAPHPROFILE_", "COLUMNS"))}
        mine = {
            "GRAPHPROFILE_DATA": str(self.settings.data_dir),
            "GRAPHPROFILE_HEAP_SIZE": self.settings.heap_size,
            "GRAPHPROFILE_RETRY_SECONDS": str(self.settings.retry_seconds),
        }
        if self.settings.uri and self.settings.password:
            mine["GRAPHPROFILE_URI"] = self.settings.uri
            mine["GRAPHPROFILE_USER"] = self.settings.user
            mine["GRAPHPROFILE_PASSWORD"] = self.settings.password.get_secret_value()
        return {**kept, **mine, **more}

    def start(self, *arguments: str, **environment: str) -> Command:
        """A ``graphprofile`` command in a process of its own."""
        return Command(arguments, self.environment(**environment), self.folder)

    def loading(self, files: Sequence[Path], **environment: str) -> Command:
        """``graphprofile load --json FILE…``."""
        return self.start("load", "--json", *map(str, files), **environment)

    def load(self, files: Sequence[Path], **environment: str) -> Ended:
        """The same, waited for."""
        return self.loading(files, **environment).end()

    @contextlib.contextmanager
    def open(self) -> Iterator[GraphProfile]:
        """The graph in this process."""
        with GraphProfile(Store.open(self.settings), self.settings) as gp:
            yield gp

    def clean_digest(self, data: Data) -> tuple[str, float]:
        """Digest and seconds of a load that nothing disturbs.

        Raises:
            AssertionError: Already this does not give what the generator says.
        """
        self.fresh()
        ended = self.load(data.files)
        self.up()
        digest, wrongs = self.look(data)
        assert not (ended.wrongs(CLEAN) + wrongs), (ended, wrongs)
        return digest, ended.seconds

    def look(self, data: Data, *, batches_end: bool = True) -> tuple[str, list[str]]:
        """The digest after ``tags``, and every breach of the rule."""
        with self.open() as gp:
            gp.update_tags()
            error = gp.update_tags(verify=True).max_relative_error
            wrongs = [] if error is not None and error <= TOLERANCE else [f"tags --verify: {error}"]
            wrongs += list(missing_or_doubled(gp, data))
            if batches_end:
                left = [row["id"] for row in batches(gp) if row["state"] not in ("done", "failed")]
                wrongs += [f"batches that never ended: {left}"] if left else []
            # A quarantine that a fault has torn must still be readable.
            gp.status()
            return gp.digest(), wrongs

    def again(self, files: Sequence[Path], data: Data, digest: str) -> list[str]:
        """The rule: the same command ends well, and the graph is that of a load that nothing disturbed."""
        self.up()
        wrongs = self.load(files).wrongs(CLEAN)
        found, more = self.look(data)
        wrongs += more
        if found != digest:
            wrongs.append(f"digest {found[:12]} instead of {digest[:12]}")
        return wrongs


def delete_all(store: Store) -> None:
    """Every node and relationship."""
    while store.cypher("MATCH (n) RETURN 1 LIMIT 1"):
        store.cypher("MATCH (n) WITH n LIMIT 1000 DETACH DELETE n", read_only=False)


def batches(gp: GraphProfile) -> list[dict[str, Any]]:
    """Id and state of every batch."""
    return gp.cypher("MATCH (b:Batch) RETURN b.id AS id, b.state AS state")


def missing_or_doubled(gp: GraphProfile, data: Data) -> Iterator[str]:
    """Events and nodes as the engine lists them, beside what the generator made."""
    wanted: dict[str, set[str]] = {}
    for kind, event_id in data.events:
        wanted.setdefault(kind, set()).add(event_id)
    for kind, ids in sorted(wanted.items()):
        rows = gp.cypher(f"MATCH ()-[e:{kind}]->() RETURN collect(e.event_id) AS ids")
        counted = Counter(rows[0]["ids"]) if rows else Counter()
        doubled = [event_id for event_id, times in counted.items() if times > 1]
        for word, found in (
            ("missing", ids - counted.keys()),
            ("nobody sent", counted.keys() - ids),
            ("doubled", doubled),
        ):
            if found:
                yield f"{kind}: {len(found)} {word}, e.g. {sorted(found)[:3]}"
    for label, number in data.nodes.items():
        found = gp.cypher(f"MATCH (n:{label}) RETURN count(n) AS n, count(DISTINCT n.id) AS ids")[0]
        if (found["n"], found["ids"]) != (number, number):
            yield f"{label}: {found} instead of {number}"


class Embedded(World):
    """The embedded engine with a store of its own."""

    engine = "arcadedb"
    _held: embedded.Channel | None = None

    def _settings(self, data_dir: Path) -> Settings:
        return Settings(uri=None, data_dir=data_dir, heap_size="512m")

    def owner(self) -> dict[str, Any] | None:
        """What the owner process says about itself, None without a living one."""
        try:
            found: dict[str, Any] = json.loads((self.settings.data_dir / "store/owner.json").read_text())
            command = psutil.Process(int(found["pid"])).cmdline()
        except (OSError, ValueError, psutil.Error):
            return None
        # The file of a dead owner may name a process that has its number now.
        return found if str(self.settings.data_dir / "store") in command else None

    def empty(self) -> None:
        self._let_go()
        # A killed owner may still hold files for a moment; a new folder needs no wait.
        while self.kill_engine():
            time.sleep(0.05)
        number = int(self.settings.data_dir.name.partition("-")[2] or 0) + 1
        shutil.rmtree(self.settings.data_dir, ignore_errors=True)
        self.settings = self._settings(self.settings.data_dir.with_name(f"data-{number}"))

    def up(self) -> None:
        # Held open rather than told to stay: an engine must not outlive faults that were stopped.
        self._let_go()
        self._held = embedded.connect(self.settings)

    def _let_go(self) -> None:
        if self._held is not None:
            self._held.abandon()
            self._held = None

    def kill_engine(self) -> bool:
        owner = self.owner()
        if owner is None:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(owner["pid"]), signal.SIGKILL)
        return True

    def start_engine(self) -> None:
        """The loader does it."""

    def bolt(self) -> tuple[int, dict[str, str]]:
        self.up()
        owner = self.owner()
        assert owner is not None
        reach = {
            "GRAPHPROFILE_USER": owner["user"],
            "GRAPHPROFILE_PASSWORD": owner["password"],
            "GRAPHPROFILE_DATABASE": owner["database"],
        }
        return int(owner["bolt_port"]), {name: str(value) for name, value in reach.items()}

    def close(self) -> None:
        self._let_go()
        self.kill_engine()


class Server(World):
    """A Neo4j server whose content may be deleted."""

    engine = "neo4j"

    def __init__(self, folder: Path, server: Neo4jServer) -> None:
        self.server = server
        super().__init__(folder)

    def _settings(self, data_dir: Path) -> Settings:
        return Settings(
            uri=self.server.uri,
            user=self.server.user,
            password=SecretStr(self.server.password),
            data_dir=data_dir,
        )

    def empty(self) -> None:
        with Store.open(self.settings) as store:
            delete_all(store)
            for row in store.cypher("SHOW CONSTRAINTS YIELD name"):
                store.cypher(f"DROP CONSTRAINT `{row['name']}`", read_only=False)
            for row in store.cypher("SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP'"):
                store.cypher(f"DROP INDEX `{row['name']}`", read_only=False)

    def up(self) -> None:
        """It is."""

    def kill_engine(self) -> bool:
        process = self.server.process
        if process is None or self.server.home is None:
            raise Impossible("the Neo4j pointed to is not ours to kill")
        process.kill()
        process.wait()
        return True

    def start_engine(self) -> None:
        assert self.server.home is not None
        port = int(self.server.uri.rpartition(":")[2])
        again = Neo4jServer.start(self.server.home, port=port, password=self.server.password)
        self.server.process = again.process

    def bolt(self) -> tuple[int, dict[str, str]]:
        host, _, port = self.server.uri.rpartition("//")[2].rpartition(":")
        if host not in ("127.0.0.1", "localhost"):
            raise Impossible("the Neo4j pointed to is on another machine")
        return int(port), {}

    def close(self) -> None:
        self.server.stop()
