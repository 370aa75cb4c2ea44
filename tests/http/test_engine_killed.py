"""The engine is killed under load: 503 meanwhile, then it goes on by itself, and nothing accepted is lost."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import httpx
import pytest
from http_world import event, fill, running

from graphprofile import GraphProfile
from graphprofile.settings import Settings
from graphprofile.store import Store, embedded


@pytest.mark.slow
def test_the_engine_dies_under_load(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data", retry_seconds=3)
    accepted: list[str] = []
    statuses: set[int] = set()
    stop = threading.Event()
    with GraphProfile(Store.open(settings), settings) as gp:
        fill(gp)
        with running(gp) as served:

            def send(sender: int) -> None:
                number = 0
                with served.client() as client:
                    while not stop.is_set():
                        id_ = f"k{sender}-{number}"
                        try:
                            answer = client.post(
                                "/v1/events", json=event(id_, f"k{sender}", "i1", day=number / 100)
                            )
                        except httpx.TransportError:
                            continue
                        statuses.add(answer.status_code)
                        if answer.status_code == 200:
                            document = answer.json()
                            # A commit may come through without the word of it: sent again it is a duplicate.
                            assert document["accepted"] + document["duplicates"] == 1, document
                            accepted.append(id_)
                            number += 1
                        else:
                            assert answer.status_code == 503, answer.text
                            assert answer.headers["retry-after"]
                            time.sleep(0.2)

            threads = [threading.Thread(target=send, args=(n,)) for n in range(3)]
            for thread in threads:
                thread.start()
            try:
                for _ in range(2):
                    wait_for_more(accepted)
                    found = embedded.status(settings)
                    assert found.pid is not None
                    assert found.pid != os.getpid()
                    os.kill(found.pid, signal.SIGKILL)
                wait_for_more(accepted)
            finally:
                stop.set()
                for thread in threads:
                    thread.join(60)
        rows = gp.cypher(
            "MATCH (:User)-[e:VIEWED]->() WHERE e.event_id STARTS WITH 'k' RETURN e.event_id AS id"
        )
        stored = [row["id"] for row in rows]
        assert set(accepted) <= set(stored)
        assert len(stored) == len(set(stored))
        assert statuses <= {200, 503}
        assert gp.update_tags(verify=True).max_relative_error < 1e-9  # type: ignore[operator]


def wait_for_more(accepted: list[str], seconds: float = 90) -> None:
    """Until ten more have been accepted."""
    before, until = len(accepted), time.monotonic() + seconds
    while len(accepted) < before + 10:
        assert time.monotonic() < until, "nothing is accepted any more"
        time.sleep(0.05)
