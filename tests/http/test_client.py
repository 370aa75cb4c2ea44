"""The client against the server: typed answers, our own errors, retries that lose and double nothing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import numpy as np
import pytest
from http_world import Running, Serve, event

from graphprofile.client import AsyncClient, Client
from graphprofile.errors import (
    AuthenticationFailed,
    EngineUnavailable,
    Forbidden,
    NoModel,
    NotFound,
    RetriesExhausted,
    UsageError,
)


def test_the_client_gives_what_python_gives(served: Running) -> None:
    gp = served.gp
    with Client(served.url) as client:
        assert client.profile("u1") == gp.profile("u1")
        assert client.profile("u1", as_of="2023-11-16") == gp.profile("u1", as_of="2023-11-16")
        some = client.profiles([f"u{n}" for n in range(40)] + ["nobody"])
        assert some["u7"] == gp.profile("u7")
        assert len(some) == 40
        assert client.explain("u1", tag="Travel") == gp.explain("u1", tag="Travel")
        assert client.feedback("u1", all=True, limit=3) == gp.feedback("u1", all=True, limit=3)
        assert client.feedback("u1", as_of="2023-11-16") == gp.feedback("u1", as_of="2023-11-16")
        assert client.insight("co_purchase", item="i1") == gp.insights("co_purchase", item="i1")
        assert [u["id"] for page in client.pages("/v1/users", limit=7) for u in page["users"]] == sorted(some)
        found = client.embeddings(["u1", "nobody", "u2"])
        assert (found.ids, found.status, found.missing) == (["u1", "u2"], ["missing", "missing"], ["nobody"])
        assert np.isnan(found.vectors).all()
        assert client.status()["nodes"]["User"] == 40


def test_errors_are_our_own(served: Running) -> None:
    with Client(served.url) as client:
        with pytest.raises(NotFound, match="nobody") as caught:
            client.profile("nobody")
        assert caught.value.hint
        with pytest.raises(NoModel):
            client.recommend("u1")
        with pytest.raises(UsageError):
            client.recommend("u1", 0)
        with pytest.raises(UsageError):
            client.describe("tags", [{}])
        with pytest.raises(UsageError):
            client.send_events([{"event_id": object()}])
        key = served.key("embeddings:read")
        with pytest.raises(AuthenticationFailed):
            client.profile("u1")
    with Client(served.url, key) as client, pytest.raises(Forbidden):
        client.profile("u1")
    with (
        Client("http://127.0.0.1:9", attempts=2) as nobody,
        pytest.raises(EngineUnavailable, match="refused"),
    ):
        nobody.status()


def test_events_go_in_parts(served: Running) -> None:
    rows = [event(f"b{n}", f"b{n % 50}", "i1", day=n / 1000) for n in range(2_500)]
    rows[1_700] = {"event_id": "bad"}
    rows[10]["timestamp"] = datetime(2023, 11, 20, tzinfo=UTC)
    with Client(served.url) as client:
        sent = client.send_events(iter(rows))
        assert (sent.sent, sent.accepted, sent.rejected, list(sent.refused)) == (2_500, 2_499, 1, [1_700])
        again = client.send_events(rows)
        assert (again.accepted, again.duplicates) == (0, 2_499)
        assert client.send_events(rows[:3], dry_run=True).duplicates == 3
        assert client.profile("b10").events == {"viewed": 50}
        described = client.describe("items", [{"item_id": "i1", "title": "New"}, {"title": "?"}])
        assert (described.applied, list(described.refused)) == (1, [1])


def test_the_async_client(served: Running) -> None:
    async def stream() -> AsyncIterator[dict[str, Any]]:
        for n in range(1_200):
            yield event(f"a{n}", "streamer", "i1", day=n / 1000)

    async def work() -> None:
        async with AsyncClient(served.url) as client:
            sent = await client.send_events(stream())
            assert sent.accepted == 1_200
            assert (await client.profile("streamer")).events == {"viewed": 1_200}
            both = await asyncio.gather(client.profile("u1"), client.profiles(["u2"]))
            assert both[0] == served.gp.profile("u1")
            assert [tag async for page in client.pages("/v1/tags") for tag in page["tags"]]
            with pytest.raises(NotFound):
                await client.explain("u1", tag="nothing")
            assert await client.feedback("u1", all=True) == served.gp.feedback("u1", all=True)
            assert (await client.embeddings(["u1"])).ids == ["u1"]
            assert (await client.describe("users", [{"user_id": "u1", "city": "Rome"}])).applied == 1
            assert await client.insight("co_purchase", item="i1") == served.gp.insights(
                "co_purchase", item="i1"
            )
            assert (await client.status())["engine"] == served.gp.store.engine

    asyncio.run(work())


def test_what_was_lost_on_the_way_is_sent_again(served: Running) -> None:
    """The answer is lost after the server has written: sent again, nothing is there twice."""
    lost = []

    class Lossy(httpx.HTTPTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            response = super().handle_request(request)
            if len(lost) < 2:
                lost.append(response.status_code)
                response.close()
                raise httpx.ReadError("the connection was reset")
            return response

    with Client(served.url, transport=Lossy()) as client:
        sent = client.send_events([event("lossy", "u1", "i1", day=20)])
    assert lost == [200, 200]
    assert (sent.accepted, sent.duplicates) == (0, 1)
    assert served.gp.profile("u1").events == {"viewed": 7}


def test_the_server_s_pause_is_kept(serve: Serve) -> None:
    served = serve(rate_limit="60/minute")
    key = served.key("profiles:read")
    with Client(served.url, key, attempts=3) as client:
        for _ in range(62):
            client.profile("u1")
    with Client(served.url, key, attempts=1) as client, pytest.raises(RetriesExhausted):
        list(map(client.profile, ["u1"] * 5))


def test_threads_may_share_a_client(served: Running) -> None:
    wrong: list[BaseException] = []
    with Client(served.url) as client:

        def ask() -> None:
            try:
                for n in range(10):
                    assert client.profile(f"u{n}").user_id == f"u{n}"
            except BaseException as error:
                wrong.append(error)

        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []
