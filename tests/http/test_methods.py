"""Classic methods over HTTP: bounded in size, time and number, and learnt once for many requests."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from http_world import Running, Serve, event

from graphprofile import fits
from graphprofile.collaborative import METHODS
from graphprofile.collaborative.neighbours import ItemKNN
from graphprofile.http import routes_profiles

PATH = "/v1/profiles/u1/recommendations"


@pytest.fixture
def learning(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A line each time that item_knn learns."""
    begun: list[str] = []
    fit = ItemKNN.fit

    def noted(self: ItemKNN, *arguments: Any) -> Any:
        begun.append(threading.current_thread().name)
        return fit(self, *arguments)

    monkeypatch.setattr(ItemKNN, "fit", noted)
    return begun


def ask(http: httpx.Client, method: str = "item_knn", **more: Any) -> httpx.Response:
    return http.get(PATH, params={"method": method, **more})


@pytest.mark.parametrize("method", METHODS)
def test_every_method_answers_as_in_python(served: Running, http: httpx.Client, method: str) -> None:
    if method == "als":
        pytest.importorskip("implicit")
    answer = ask(http, method, k=3)
    assert answer.status_code == 200, answer.text
    assert answer.json()["results"] == [one.to_json() for one in served.gp.recommend("u1", 3, method=method)]


def test_learnt_once_until_the_graph_changes(
    http: httpx.Client, learning: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ask(http).json()["results"]
    assert ask(http, k=2).json()["results"] == first[:2]
    assert len(learning) == 1
    posted = event("new", "u1", first[0]["id"], day=9)
    assert http.post("/v1/events", json=posted).json()["accepted"] == 1
    # What was learnt a moment ago answers, without what the user has now.
    assert first[0]["id"] not in [one["id"] for one in ask(http).json()["results"]]
    assert len(learning) == 1
    monkeypatch.setattr(routes_profiles, "KEEP_SECONDS", 0.0)
    assert ask(http).status_code == ask(http).status_code == 200
    assert len(learning) == 2


def test_a_graph_that_is_too_large_is_refused(serve: Serve, learning: list[str]) -> None:
    with serve(method_events=10).client() as http:
        answer = ask(http)
        assert (answer.status_code, answer.json()["code"]) == (422, "query_too_large")
        assert "10 at most" in answer.json()["detail"]
        assert "method_events" in answer.json()["hint"]
        assert ask(http, "svd2").status_code == 422
    assert learning == []


def test_what_took_too_long_is_not_tried_again_at_once(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    reads = []
    events_graph = fits.events_graph
    monkeypatch.setattr(fits, "events_graph", lambda *given: reads.append(1) or events_graph(*given))

    def endless(self: ItemKNN, pairs: Any, tick: Callable[[], None]) -> Any:
        while True:
            tick()

    monkeypatch.setattr(ItemKNN, "fit", endless)
    with serve(insight_seconds=2).client() as http:
        for _ in range(3):
            answer = ask(http)
            assert (answer.status_code, answer.json()["code"]) == (422, "query_timeout"), answer.text
            assert "item_knn" in answer.json()["detail"]
        assert len(reads) <= 1
        assert ask(http, "popularity").status_code == 200


def test_one_learns_at_a_time(served: Running, http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert ask(http, "popularity").status_code == 200
    monkeypatch.setattr(routes_profiles, "KEEP_SECONDS", 0.0)
    begun, go_on = threading.Event(), threading.Event()
    fit = ItemKNN.fit

    def slow(self: ItemKNN, *arguments: Any) -> Any:
        begun.set()
        assert go_on.wait(60)
        return fit(self, *arguments)

    monkeypatch.setattr(ItemKNN, "fit", slow)
    answers: list[httpx.Response] = []
    first = threading.Thread(target=lambda: answers.append(ask(http)))
    first.start()
    try:
        assert begun.wait(60)
        with served.client() as other:
            for method in ("item_knn", "svd"):
                refused = ask(other, method)
                assert (refused.status_code, refused.json()["code"]) == (503, "busy"), refused.text
                assert int(refused.headers["retry-after"]) >= 1
            # What was learnt before answers, and so does everything else.
            assert ask(other, "popularity").status_code == 200
            assert other.get("/v1/profiles/u1").status_code == 200
    finally:
        go_on.set()
        first.join(60)
    assert answers[0].status_code == 200


def test_a_long_history_is_explained_within_the_time(serve: Serve) -> None:
    running = serve(insight_seconds=1e-6)
    with running.client() as http:
        answer = http.get("/v1/profiles/u1/explain", params={"tag": "Travel"})
    assert (answer.status_code, answer.json()["code"]) == (422, "query_timeout")
