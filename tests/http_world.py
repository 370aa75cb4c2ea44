"""A server on each engine, in this process, on a port of its own, spoken to over a real socket."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from graphprofile import GraphProfile
from graphprofile.http.server import bind, make_server, serving
from graphprofile.http.service import Service
from graphprofile.settings import HttpSettings, Settings
from graphprofile.store import Store

DAY = 86_400_000
START = 1_700_000_000_000


@dataclass
class Running:
    """A server that runs."""

    url: str
    service: Service
    gp: GraphProfile

    def client(self, key: str | None = None, **more: Any) -> httpx.Client:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        return httpx.Client(
            base_url=self.url, headers={**headers, **more.pop("headers", {})}, timeout=60, **more
        )

    def key(self, *scopes: str, **more: Any) -> str:
        return self.service.keys.create("test", scopes, **more).key

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


@contextmanager
def running(gp: GraphProfile, **options: Any) -> Iterator[Running]:
    """Serve a graph until the block ends."""
    settings = HttpSettings(**{"port": 0, **options})
    told: list[str] = []
    there = threading.Event()

    def ready(url: str) -> None:
        told.append(url)
        there.set()

    with serving(gp, settings) as service:
        listening = bind(settings)
        server = make_server(service, ready)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            assert there.wait(20)
            yield Running(told[0], service, gp)
        finally:
            server.should_exit = True
            thread.join(40)
            listening.close()
        assert not thread.is_alive()


Serve = Callable[..., Running]


@pytest.fixture
def gp(settings_for_store: Settings) -> Iterator[GraphProfile]:
    """A small library on the engine under test: two tastes, a user between them."""
    with GraphProfile(Store.open(settings_for_store), settings_for_store) as opened:
        fill(opened)
        yield opened


@pytest.fixture
def serve(gp: GraphProfile) -> Iterator[Serve]:
    """Starts servers of that graph; they end with the test."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(running(gp, **options))


@pytest.fixture
def served(serve: Serve) -> Running:
    """A server without any key."""
    return serve()


@pytest.fixture
def http(served: Running) -> Iterator[httpx.Client]:
    """A client of that server."""
    with served.client() as client:
        yield client


@pytest.fixture
def wipe_library() -> Callable[[GraphProfile], GraphProfile]:
    """Puts the library back as it was at first; the same noun goes on."""

    def wiped(graph: GraphProfile) -> GraphProfile:
        from conftest import empty

        empty(graph.store)
        again = GraphProfile(graph.store, graph.settings)
        fill(again)
        return again

    return wiped


def event(
    id_: str, user: str, item: str, *, kind: str = "viewed", day: float = 0, **more: Any
) -> dict[str, Any]:
    """One event in generic columns."""
    return {
        "event_id": id_,
        "user_id": user,
        "event_type": kind,
        "object_id": item,
        "timestamp": START + int(day * DAY),
        **more,
    }


def fill(gp: GraphProfile) -> None:
    """Forty users of two tastes over twenty items, their tags and properties."""
    items = [
        {
            "item_id": f"i{n}",
            "title": f"Book {n}",
            "tags": "genre:Poetry" if n < 10 else "genre:Travel",
            "year": 1900 + n,
        }
        for n in range(20)
    ]
    users = [
        {"user_id": f"u{n}", "name": f"Reader {n}", "email": f"u{n}@example.org", "city": "Paris"}
        for n in range(40)
    ]
    events = [
        event(
            f"e{user}-{step}",
            f"u{user}",
            f"i{(user * 7 + step * 3) % 10 + (10 if user % 2 else 0)}",
            day=step + user / 40,
        )
        for user in range(40)
        for step in range(6)
    ]
    gp.load(items, kind="items")
    gp.load(users, kind="users")
    gp.load(events)
    gp.update_tags()
