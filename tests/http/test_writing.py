"""What comes in over HTTP: a verdict on each event, readable at once, harmless when it comes again."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from http_world import Running, Serve, event, running

from graphprofile import GraphProfile
from graphprofile.errors import EngineUnavailable
from graphprofile.store import Store


def outcomes(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [one["outcome"] for one in answer.json()["events"]]


def test_each_event_gets_its_verdict(http: httpx.Client) -> None:
    rows = [
        event("n1", "u1", "i1", day=20),
        event("n1", "u1", "i1", day=20),
        event("n1", "u1", "i2", day=20),
        event("n2", "u1", "i1", day=1),
        {**event("n3", "u1", "i1"), "user_id": ""},
        {**event("n4", "u1", "i1"), "event_type": "vewed"},
        event("e1-0", "u1", "i7", day=1 / 40),
        {"colour": "red"},
    ]
    answer = http.post("/v1/events", json=rows)
    assert outcomes(answer) == [
        "accepted",
        "duplicate",
        "conflict",
        "late",
        "rejected",
        "rejected",
        "conflict",
        "rejected",
    ]
    document = answer.json()
    assert {k: document[k] for k in ("accepted", "late", "duplicates", "conflicts", "rejected")} == {
        "accepted": 2,
        "late": 1,
        "duplicates": 1,
        "conflicts": 2,
        "rejected": 3,
    }
    by_id = {one["event_id"]: one for one in document["events"]}
    assert by_id["n3"]["field"] == "user_id"
    assert "did you mean 'viewed'" in by_id["n4"]["reason"]
    again = http.post("/v1/events", json=rows[:4])
    assert outcomes(again) == ["duplicate", "duplicate", "conflict", "duplicate"]


def test_one_object_or_lines(http: httpx.Client) -> None:
    assert outcomes(http.post("/v1/events", json=event("o1", "u1", "i1", day=50))) == ["accepted"]
    lines = "\n".join(json.dumps(event(f"l{n}", "u1", "i1")) for n in range(3)) + "\n\n"
    answer = http.post("/v1/events", content=lines, headers={"Content-Type": "application/x-ndjson"})
    assert outcomes(answer) == ["late"] * 3


def test_a_dry_run_writes_nothing(http: httpx.Client, served: Running) -> None:
    before = served.gp.digest()
    rows = [event("d1", "u1", "i1", day=30), event("e1-0", "u1", "i7", day=9), {"event_id": "bad"}]
    answer = http.post("/v1/events", params={"dry_run": True}, json=rows)
    assert outcomes(answer) == ["accepted", "conflict", "rejected"]
    assert answer.json()["batch"] is None
    assert served.gp.digest() == before


def test_what_is_accepted_is_in_the_next_read(http: httpx.Client, served: Running) -> None:
    for step in range(3):
        assert http.post("/v1/events", json=event(f"new-{step}", "fresh", f"i{step}")).json()["accepted"] == 1
        profile = http.get("/v1/profiles/fresh").json()
        assert profile["events"] == {"viewed": step + 1}
        assert [tag["events"] for tag in profile["tags"]] == [step + 1]
    # Of many users too, whose tags come behind the answer.
    rows = [event(f"many-{n}", f"m{n}", "i1") for n in range(200)]
    assert http.post("/v1/events", json=rows).json()["accepted"] == 200
    for n in (0, 77, 199):
        assert [t["tag"] for t in http.get(f"/v1/profiles/m{n}").json()["tags"]] == ["Poetry"]
    served.service.fresh.settle(60)
    assert served.gp.status(drift=False)["users_awaiting_tags"] == 0
    assert served.gp.update_tags(verify=True).max_relative_error < 1e-9


def test_the_same_as_a_load(http: httpx.Client, served: Running, wipe_library: Any) -> None:
    rows = [
        {**event(f"s{n}", f"u{n % 7}", f"i{n % 5}", day=n / 3), "value": n / 7, "shelf": f"s{n % 3}"}
        for n in range(100)
    ]
    for start in range(0, 100, 30):
        http.post("/v1/events", json=rows[start : start + 30])
    served.service.fresh.settle(60)
    over_http = served.gp.digest()
    loaded = wipe_library(served.gp)
    loaded.load(rows)
    loaded.update_tags()
    assert loaded.digest() == over_http


def test_many_senders_at_once_lose_nothing(served: Running) -> None:
    def send(sender: int) -> list[str]:
        with served.client() as client:
            found = []
            for step in range(5):
                rows = [event(f"c{sender}-{step}-{n}", f"c{(sender + n) % 9}", f"i{n}") for n in range(4)]
                # Everybody sends one event that all others send too.
                answer = client.post("/v1/events", json=[*rows, event("shared", "c0", "i0", day=3)])
                found += outcomes(answer)
        return found

    with ThreadPoolExecutor(8) as pool:
        found = [outcome for part in pool.map(send, range(8)) for outcome in part]
    assert len([one for one in found if one in ("accepted", "late")]) == 8 * 5 * 4 + 1
    assert found.count("duplicate") == 8 * 5 - 1
    stored = served.gp.cypher(
        "MATCH (:User)-[e:VIEWED]->() WHERE e.event_id STARTS WITH 'c' RETURN count(e) AS n"
    )
    assert stored[0]["n"] == 160
    batches = {row["id"] for row in served.gp.status(drift=False)["batches"] if row["source"] == "<live>"}
    assert len(batches) == 1


def test_descriptions(http: httpx.Client) -> None:
    answer = http.put("/v1/users/u1", json={"city": "Rome"})
    assert answer.json()["applied"] == 1
    assert http.put("/v1/users/u1", json={"city": "Rome"}).json()["unchanged"] == 1
    assert http.get("/v1/profiles/u1").json()["properties"]["city"] == "Rome"
    assert http.put("/v1/users/u1", json={"user_id": "u2"}).status_code == 422
    assert http.put("/v1/items/i1", json={"tags": 7.5, "title": []}).status_code == 422
    rows = [{"item_id": "x1", "title": "X", "tags": "a:b"}, {"title": "nobody's"}]
    answer = http.post("/v1/items", json=rows).json()
    assert answer["applied"] == 1
    assert [one["row"] for one in answer["rejected"]] == [1]
    assert http.put("/v1/content/c1", json={"title": "Essay", "text": "On trees"}).json()["applied"] == 1
    assert http.get("/v1/content").json()["results"][0]["title"] == "Essay"


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"", "application/json", 422),
        (b"{", "application/json", 422),
        (b"[]", "application/json", 422),
        (b"7", "application/json", 422),
        (b"[7]", "application/json", 422),
        (b'"text"', "application/json", 422),
        (b"\xff\xfe", "application/json", 422),
        (b'{"user_id": "\\ud800"}', "application/json", 422),
        (b"{}", "text/plain", 415),
        (b"{}", "", 415),
        (b"a=b", "application/x-www-form-urlencoded", 415),
        (b'{"a":' * 200 + b"1" + b"}" * 200, "application/json", 422),
        (b"[" * 100_000, "application/json", 422),
    ],
)
def test_bodies_that_cannot_be(http: httpx.Client, body: bytes, kind: str, status: int) -> None:
    answer = http.post("/v1/events", content=body, headers={"Content-Type": kind})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_what_is_too_much(serve: Serve) -> None:
    served = serve(max_body_bytes=20_000, max_events=10)
    with served.client() as client:
        rows = [event(f"t{n}", "u1", "i1") for n in range(11)]
        assert client.post("/v1/events", json=rows).status_code == 413
        big = client.post("/v1/events", json=event("big", "u1", "i1", note="x" * 30_000))
        assert big.status_code == 413

        def endless() -> Any:
            while True:
                yield b" " * 10_000

        streamed = client.post("/v1/events", content=endless(), headers={"Content-Type": "application/json"})
        assert streamed.status_code == 413


def test_a_stopped_server_has_finished_what_it_accepted(gp: GraphProfile) -> None:
    accepted: list[str] = []
    stop = threading.Event()
    with running(gp) as served:

        def send(sender: int) -> None:
            with served.client() as client:
                for n in range(1_000):
                    if stop.is_set():
                        return
                    id_ = f"g{sender}-{n}"
                    try:
                        answer = client.post("/v1/events", json=event(id_, f"g{sender}", "i1", day=n / 100))
                    except httpx.TransportError:
                        return
                    if answer.status_code == 503:
                        return
                    assert answer.json()["accepted"] == 1, answer.text
                    accepted.append(id_)

        threads = [threading.Thread(target=send, args=(n,)) for n in range(4)]
        for thread in threads:
            thread.start()
        while len(accepted) < 20:
            stop.wait(0.05)
    stop.set()
    for thread in threads:
        thread.join()
    rows = gp.cypher("MATCH (:User)-[e:VIEWED]->() WHERE e.event_id STARTS WITH 'g' RETURN e.event_id AS id")
    assert set(accepted) <= {row["id"] for row in rows}
    assert gp.status(drift=False)["users_awaiting_tags"] == 0
    assert gp.status(drift=False)["batches"][0]["state"] == "done"


def test_a_killed_server_s_batch_is_gone_on_with(gp: GraphProfile) -> None:
    batch = gp.live_batch()
    from graphprofile.ingest.live import check_rows

    batch.write([check_rows([event("k1", "u1", "i1")], gp.vocabulary)])
    assert batch._ledger is not None
    batch._ledger.leave()
    with running(gp) as served, served.client() as client:
        answer = client.post("/v1/events", json=[event("k1", "u1", "i1"), event("k2", "u1", "i1")]).json()
        assert answer["batch"] == batch.id
        assert [one["outcome"] for one in answer["events"]] == ["duplicate", "late"]
    assert gp.status(drift=False)["batches"][0]["applied"] == 2


def test_while_the_engine_is_away(
    served: Running, http: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store says what it says when its server is gone; the real thing is killed in ``tests/chaos``."""

    def gone(*_: Any, **__: Any) -> Any:
        raise EngineUnavailable("bolt://secret.internal:7687: nobody answers", "Start it.")

    with monkeypatch.context() as away:
        away.setattr(Store, "read", gone)
        away.setattr(Store, "write", gone)
        away.setattr(Store, "cypher", gone)
        for _ in range(2):
            answer = http.get("/v1/profiles/u1")
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
            assert "secret.internal" not in answer.text
        assert http.post("/v1/events", json=event("away", "u1", "i1")).status_code == 503
        assert http.get("/readyz").status_code == 503
        assert http.get("/healthz").status_code == 200
        assert "graphprofile_engine_up 0.0" in http.get("/metrics").text
    for _ in range(100):
        if http.get("/readyz").status_code == 200:
            break
        threading.Event().wait(0.1)
    assert http.get("/v1/profiles/u1").status_code == 200
    assert outcomes(http.post("/v1/events", json=event("away", "u1", "i1"))) == ["late"]


def test_rules_and_models_of_another_process(served: Running, http: httpx.Client) -> None:
    assert http.post("/v1/events", json=event("v1", "u1", "i1")).json()["accepted"] == 1
    with GraphProfile(Store.open(served.gp.settings), served.gp.settings) as other:
        assert other.load([event("v2", "u1", "i1", day=40)]).applied == 1
        other.update_tags()
    assert http.get("/v1/profiles/u1").json()["events"]["viewed"] == 8
    assert http.get("/v1/profiles/u1").json()["last_seen"][:10] == "2023-12-24"


def test_who_is_read_waits_for_nobody_else(served: Running, http: httpx.Client) -> None:
    fresh = served.service.fresh
    with fresh.writing():
        # Until the writing is over nothing is done behind it.
        fresh.add([f"u{n}" for n in range(40)])
        assert http.get("/v1/profiles/u1").status_code == 200
        assert not fresh.behind(["u1"])
        assert fresh.behind(["u2"])
        assert fresh.behind(["u39"])
    fresh.settle(60)
    assert not fresh.behind([f"u{n}" for n in range(40)])
