"""The engine is killed under load: 503 meanwhile, then it goes on by itself, and nothing accepted is lost."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from conftest import empty
from http_world import Running, event, fill, running
from neo4j_server import Neo4jServer, Unavailable
from pydantic import SecretStr

from graphprofile import GraphProfile
from graphprofile.settings import Settings
from graphprofile.store import Store, embedded

SENDERS = 3


class Senders:
    """Threads that post one event after the other, each until it is accepted.

    Attributes:
        accepted: The events whose sender was told so.
        statuses: Every status that anybody was given.
        ready: What ``/readyz`` said, one status after the other.
        wrongs: What a sender must never see.
    """

    def __init__(self, served: Running) -> None:
        self.accepted: list[dict[str, Any]] = []
        self.statuses: set[int] = set()
        self.ready: list[int] = []
        self.wrongs: list[str] = []
        self._served = served
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._send, args=(n,)) for n in range(SENDERS)]
        self._threads.append(threading.Thread(target=self._watch))

    def __enter__(self) -> Senders:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(90)

    def _send(self, sender: int) -> None:
        number = 0
        with self._served.client() as client:
            while not self._stop.is_set() and not self.wrongs:
                row = event(f"k{sender}-{number}", f"k{sender}", f"i{number % 20}", day=number / 100)
                number += 1
                while not self._accepts(client, row):
                    time.sleep(0.2)

    def _accepts(self, client: httpx.Client, row: dict[str, Any]) -> bool:
        """Whether it was accepted, now or by a post before whose answer got lost."""
        try:
            answer = client.post("/v1/events", json=row)
        except httpx.TransportError:
            return False
        self.statuses.add(answer.status_code)
        if answer.status_code == 503 and answer.headers.get("retry-after"):
            return False
        document = answer.json()
        # A commit may come through without the word of it: sent again it is a duplicate.
        if answer.status_code != 200 or document["accepted"] + document["duplicates"] != 1:
            self.wrongs.append(answer.text)
        else:
            self.accepted.append(row)
        return True

    def _watch(self) -> None:
        with self._served.client() as client:
            while not self._stop.is_set():
                status = client.get("/readyz").status_code
                if self.ready[-1:] != [status]:
                    self.ready.append(status)
                time.sleep(0.1)

    def wait_for_more(self, seconds: float = 90) -> None:
        """Until ten more have been accepted."""
        before, until = len(self.accepted), time.monotonic() + seconds
        while len(self.accepted) < before + 10:
            assert not self.wrongs, self.wrongs
            assert time.monotonic() < until, "nothing is accepted any more"
            time.sleep(0.05)

    def wait_for_ready(self, status: int, seconds: float = 60) -> None:
        """Until ``/readyz`` says so."""
        until = time.monotonic() + seconds
        while self.ready[-1:] != [status]:
            assert time.monotonic() < until, f"/readyz said {self.ready}, never {status}"
            time.sleep(0.05)


def check(gp: GraphProfile, kill: Callable[[Senders], None], kills: int) -> None:
    """Post while the engine is killed; afterwards the graph is that of a load of exactly what was accepted."""
    fill(gp)
    with running(gp) as served, Senders(served) as senders:
        for _ in range(kills):
            senders.wait_for_more()
            kill(senders)
        senders.wait_for_more()
        senders.wait_for_ready(200)
    assert not senders.wrongs
    assert senders.statuses <= {200, 503}
    stored = [
        row["id"]
        for row in gp.cypher(
            "MATCH (:User)-[e:VIEWED]->() WHERE e.event_id STARTS WITH 'k' RETURN e.event_id AS id"
        )
    ]
    assert sorted(stored) == sorted(row["event_id"] for row in senders.accepted)
    # The service has brought everybody up to date before it ended.
    assert gp.status(drift=False)["users_awaiting_tags"] == 0
    assert gp.update_tags(verify=True).max_relative_error < 1e-9  # type: ignore[operator]
    disturbed = gp.digest()
    empty(gp.store)
    clean = GraphProfile(gp.store, gp.settings)
    fill(clean)
    clean.load(senders.accepted)
    clean.update_tags()
    assert clean.digest() == disturbed


@pytest.mark.slow
def test_the_embedded_engine_dies_under_load(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", retry_seconds=3)

    def kill(_: Senders) -> None:
        found = embedded.status(settings)
        assert found.pid is not None
        assert found.pid != os.getpid()
        os.kill(found.pid, signal.SIGKILL)

    with GraphProfile(Store.open(settings), settings) as gp:
        check(gp, kill, kills=2)


@pytest.mark.slow
@pytest.mark.neo4j
def test_neo4j_dies_under_load(tmp_path: Path) -> None:
    """A server of the test's own, started again over the same store: kill -9 of what others use is not ours to do."""
    try:
        server = Neo4jServer.start(tmp_path / "neo4j", heap="512m")
    except Unavailable as error:
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    settings = Settings(
        uri=server.uri,
        user=server.user,
        password=SecretStr(server.password),
        data_dir=tmp_path / "data",
        retry_seconds=3,
    )

    def kill(senders: Senders) -> None:
        assert server.process is not None
        assert server.home is not None
        server.process.kill()
        server.process.wait()
        senders.wait_for_ready(503)
        port = int(server.uri.rpartition(":")[2])
        again = Neo4jServer.start(server.home, port=port, password=server.password, heap="512m")
        server.process = again.process

    try:
        with GraphProfile(Store.open(settings), settings) as gp:
            check(gp, kill, kills=1)
    finally:
        server.stop()
