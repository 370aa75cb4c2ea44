"""A store with people, things and vectors to serve, and a server on it in a process of its own."""

from __future__ import annotations

import contextlib
import csv
import os
import random
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from refresh import TAGS, TAGS_PER_ITEM, untrained, write_events

from graphprofile import GraphProfile
from graphprofile.errors import EngineUnavailable

EVENTS_PER_USER = 20
HERE = Path(__file__).parent
PROGRAM = Path(sys.executable).with_name("graphprofile")


@dataclass(frozen=True)
class Served:
    """A server that runs.

    Attributes:
        url: Its address.
        pid: Its process.
    """

    url: str
    pid: int


def opened(engine: str, folder: Path, stack: contextlib.ExitStack) -> GraphProfile:
    """A store below a folder: what an earlier run left there, or an empty one."""
    if engine == "arcadedb":
        return stack.enter_context(GraphProfile.open(data_dir=folder / "data"))
    sys.path.insert(0, str(HERE.parent / "tests"))
    from neo4j_server import Neo4jServer

    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "password"
    if not kept.exists():
        kept.touch(0o600)
        kept.write_text(secrets.token_hex(16))
    server = Neo4jServer.start(folder / "neo4j", password=kept.read_text(), heap="2g", page_cache="1g")
    stack.callback(server.stop)
    return stack.enter_context(
        GraphProfile.open(server.uri, user=server.user, password=server.password, data_dir=folder / "data")
    )


def fill(gp: GraphProfile, users: int, items: int, folder: Path) -> None:
    """Users, items with titles and tags, events, interests, and the vectors of a model that was hardly trained."""
    with (folder / "items.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["item_id", "title", "tags"])
        for item in range(items):
            tags = {
                f"t{int(TAGS * ((item * (7 + turn) % 9973) / 9973) ** 2)}" for turn in range(TAGS_PER_ITEM)
            }
            writer.writerow([f"i{item}", f"Thing {item}", ";".join(sorted(tags))])
    write_events(folder / "events.csv", EVENTS_PER_USER * users, (users, items), "base", seed=1)
    gp.load(folder / "items.csv")
    gp.load(folder / "events.csv")
    gp.update_tags()
    gp.models.promote(untrained(gp))


@contextlib.contextmanager
def server(gp: GraphProfile) -> Iterator[Served]:
    """A server of this store, as people run it."""
    port = random.randint(20_000, 40_000)
    environment = {**os.environ, "GRAPHPROFILE_DATA": str(gp.settings.data_dir)}
    if gp.settings.uri is not None:
        environment["GRAPHPROFILE_URI"] = gp.settings.uri
        environment["GRAPHPROFILE_USER"] = gp.settings.user
    if gp.settings.password is not None:
        environment["GRAPHPROFILE_PASSWORD"] = gp.settings.password.get_secret_value()
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [str(PROGRAM), "serve", "--port", str(port)], stdout=log, stderr=log, env=environment
        )
        url = f"http://127.0.0.1:{port}"
        try:
            for _ in range(120):
                with contextlib.suppress(httpx.TransportError):
                    if httpx.get(f"{url}/readyz").status_code == 200:
                        break
                time.sleep(0.5)
            else:
                log.seek(0)
                raise EngineUnavailable("The server did not start.", log.read().decode()[-500:])
            time.sleep(3)
            yield Served(url, process.pid)
        finally:
            process.terminate()
            process.wait(60)
