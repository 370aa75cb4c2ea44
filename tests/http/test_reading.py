"""What can be read over HTTP is what the command line and Python give."""

from __future__ import annotations

import io

import httpx
import numpy as np
import pyarrow as pa
import pytest
from http_world import Running, event

ARROW = "application/vnd.apache.arrow.stream"


def test_a_profile_is_the_document_of_python(http: httpx.Client, served: Running) -> None:
    answer = http.get("/v1/profiles/u1")
    assert answer.status_code == 200
    assert answer.json() == served.gp.profile("u1").to_json()
    assert answer.headers["content-type"] == "application/json"


def test_fields_and_times_are_chosen(http: httpx.Client, served: Running) -> None:
    answer = http.get("/v1/profiles/u1", params={"fields": ["tags", "events"], "as_of": "2023-11-16"})
    assert set(answer.json()) == {"user_id", "as_of", "tags", "events"}
    past = served.gp.profile("u1", as_of="2023-11-16").to_json()
    assert answer.json()["tags"] == past["tags"]
    assert http.get("/v1/profiles/u1", params={"fields": "password"}).status_code == 422
    wrong = http.get("/v1/profiles/u1", params={"as_of": "yesterday"})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["pointer"] == "query/as_of"


def test_a_known_profile_is_not_sent_again(http: httpx.Client) -> None:
    first = http.get("/v1/profiles/u1")
    tag = first.headers["etag"]
    again = http.get("/v1/profiles/u1", headers={"If-None-Match": f'"x", W/{tag}'})
    assert again.status_code == 304
    assert again.content == b""
    assert http.get("/v1/profiles/u2", headers={"If-None-Match": tag}).status_code == 200
    assert http.post("/v1/events", json=event("new", "u1", "i1")).status_code == 200
    assert http.get("/v1/profiles/u1", headers={"If-None-Match": tag}).status_code == 200


def test_several_profiles_at_once(http: httpx.Client) -> None:
    answer = http.get("/v1/profiles", params={"id": ["u1", "nobody", "u2", "u1"], "fields": "events"}).json()
    assert [profile["user_id"] for profile in answer["profiles"]] == ["u1", "u2"]
    assert answer["missing"] == ["nobody"]
    assert http.get("/v1/profiles").status_code == 422


def test_interests_alone(http: httpx.Client) -> None:
    answer = http.get("/v1/profiles/u1/tags", params={"kind": "genre"}).json()
    assert [tag["tag"] for tag in answer["tags"]] == ["Travel"]
    assert http.get("/v1/profiles/u1/tags", params={"kind": "author"}).json()["tags"] == []


def test_who_is_not_there_is_not_found(http: httpx.Client) -> None:
    for path in ("", "/tags", "/explain?tag=Travel", "/feedback"):
        answer = http.get(f"/v1/profiles/u99{path}")
        assert answer.status_code == 404, path
        problem = answer.json()
        assert problem["code"] == "not_found"
        assert problem["request_id"] == answer.headers["x-request-id"]
        assert answer.headers["content-type"] == "application/problem+json"


def test_a_tag_is_explained(http: httpx.Client) -> None:
    answer = http.get("/v1/profiles/u1/explain", params={"tag": "Travel"}).json()
    assert answer["score"] == pytest.approx(sum(path["contribution"] for path in answer["paths"]))
    assert http.get("/v1/profiles/u1/explain").status_code == 422
    assert http.get("/v1/profiles/u1/explain", params={"tag": "Travel", "item": "i1"}).status_code == 422


def test_what_is_said_and_done(served: Running, http: httpx.Client) -> None:
    path = "/v1/profiles/u1/feedback"
    assert http.get(path).json() == served.gp.feedback("u1").to_json()
    assert http.get(path).json()["tags"] == http.get(path).json()["objects"] == []
    every = http.get(path, params={"all": "true"}).json()
    assert [(tag["tag"], tag["says"]) for tag in every["tags"]] == [("Travel", None)]
    assert len(every["objects"]) == 6
    assert len(http.get(path, params={"all": "true", "limit": 2}).json()["objects"]) == 2
    # What is posted is there at once: three looks at a book that is then given one star.
    book = every["objects"][0]["id"]
    posted = [event(f"look{n}", "u1", book, day=8) for n in range(3)]
    posted.append(event("star", "u1", book, kind="rated", value=1, day=8))
    assert http.post("/v1/events", json=posted).json()["accepted"] == 4
    answer = http.get(path)
    (told,) = answer.json()["objects"]
    assert (told["id"], told["explicit_events"]) == (book, 1)
    assert told["says"] == pytest.approx(-2 / 3)
    assert told["does"] > 0.7
    assert [tag["tag"] for tag in answer.json()["tags"]] == ["Travel"]
    assert http.get(path, params={"as_of": "2023-11-16"}).json()["objects"] == []
    assert http.get(path, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    for wrong in ({"limit": 0}, {"as_of": "soon"}, {"all": "perhaps"}):
        assert http.get(path, params=wrong).status_code == 422, wrong


def test_before_the_first_training(http: httpx.Client) -> None:
    answer = http.get("/v1/profiles/u1/recommendations")
    assert answer.status_code == 409
    assert answer.json()["code"] == "no_model"
    found = http.get("/v1/embeddings", params={"id": "u1"}).json()
    assert found["embeddings"][0]["status"] == "missing"
    assert found["embeddings"][0]["embedding"] is None
    assert http.get("/v1/models").json() == {"in_use": None, "models": []}


def test_a_damaged_model_is_a_clear_problem(served: Running) -> None:
    folder = served.gp.models.registry.folder / "m-20240506T070809Z-0000"
    folder.mkdir(parents=True)
    (folder / "model.json").write_text("{", "utf-8")
    for scope, shows in (("profiles:read", False), ("admin", True)):
        with served.client(served.key(scope)) as client:
            answer = client.get(f"/v1/models/{folder.name}")
        assert answer.status_code == 409
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "registry_corrupt"
        assert folder.name in answer.json()["detail"]
        assert (str(folder) in answer.json()["hint"]) == shows


@pytest.mark.slow
def test_what_a_model_gives(http: httpx.Client, served: Running) -> None:
    gp = served.gp
    gp.train(epochs=2, force=True)
    found = http.get("/v1/profiles/u1/recommendations", params={"k": 3, "where": "year>=1900"})
    assert found.status_code == 200, found.text
    assert found.json()["results"] == [one.to_json() for one in gp.recommend("u1", 3, where=["year>=1900"])]
    near = http.get("/v1/profiles/u1/similar", params={"k": 3}).json()["results"]
    assert [one["id"] for one in near] == [one.id for one in gp.similar_users("u1", 3)]
    alike = http.get("/v1/items/i1/similar", params={"k": 3}).json()["results"]
    assert [one["id"] for one in alike] == [one.id for one in gp.similar_items("i1", 3)]
    version = http.get("/v1/models").json()["in_use"]
    assert http.get(f"/v1/models/{version}").json()["in_use"] is True
    assert http.get("/v1/models/..%2F..%2Faccess.db").status_code == 404

    ids = [f"u{n}" for n in range(40)]
    as_json = http.post("/v1/embeddings", json={"ids": [*ids, "nobody"]}).json()
    assert as_json["missing"] == ["nobody"]
    expected = gp.embeddings(ids)
    np.testing.assert_allclose(
        [row["embedding"] for row in as_json["embeddings"]], expected.vectors, rtol=1e-6
    )
    as_arrow = http.post("/v1/embeddings", json={"ids": [*ids, "nobody"]}, headers={"Accept": ARROW})
    table = pa.ipc.open_stream(io.BytesIO(as_arrow.content)).read_all()
    assert table.column("id").to_pylist() == ids
    np.testing.assert_allclose(np.stack(table.column("embedding").to_pylist()), expected.vectors)
    assert table.schema.metadata[b"missing"] == b'["nobody"]'

    # What is accepted is in the vector at the next read, also of users who were not there before.
    rows = [event(f"late-{n}", user, "i1", day=9) for n, user in enumerate([*ids, "newcomer"])]
    assert http.post("/v1/events", json=rows).json()["accepted"] == 41
    after = http.post("/v1/embeddings", json={"ids": ["u1", "newcomer"]}).json()["embeddings"]
    assert [row["status"] for row in after] == ["fresh", "fresh"]
    assert after[0]["embedding"] != as_json["embeddings"][1]["embedding"]
    served.service.fresh.settle(30)
    assert gp.status(drift=False)["vectors"]["User"] == {"fresh": 41, "stale": 0, "missing": 0}


def test_lists_go_on_where_they_stopped(http: httpx.Client) -> None:
    seen: list[str] = []
    cursor = None
    for _ in range(10):
        page = http.get("/v1/users", params={"limit": 15, **({"cursor": cursor} if cursor else {})}).json()
        seen += [user["id"] for user in page["users"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert seen == sorted(f"u{n}" for n in range(40))
    assert [u["id"] for u in http.get("/v1/users", params={"q": "u39"}).json()["users"]] == ["u39"]
    books = http.get("/v1/items", params={"q": "book 1"}).json()["results"]
    assert {book["id"] for book in books} == {"i1", *(f"i{n}" for n in range(10, 20))}
    assert books[0]["tags"] == ["genre:Poetry"]
    first = http.get("/v1/tags", params={"limit": 1}).json()
    second = http.get("/v1/tags", params={"limit": 1, "cursor": first["next"]}).json()
    assert [first["tags"][0]["name"], second["tags"][0]["name"]] == ["Poetry", "Travel"]
    for wrong in ("x", "WzFd", "AAAA", "💥"):
        assert http.get("/v1/users", params={"cursor": wrong}).status_code == 422, wrong


def test_insights_by_name(http: httpx.Client, served: Running) -> None:
    listed = http.get("/v1/insights").json()["insights"]
    assert {"name", "question", "parameters", "columns"} <= set(listed[0])
    rows = http.get("/v1/insights/co_purchase", params={"item": "i1"})
    assert rows.status_code == 200
    assert rows.json()["rows"] == served.gp.insights("co_purchase", item="i1")
    assert http.get("/v1/insights/nothing").status_code == 404
    assert http.get("/v1/insights/co_purchase").status_code == 422
    assert http.get("/v1/insights/co_purchase", params={"item": "nothing"}).status_code == 404


def test_status_health_and_metrics(http: httpx.Client) -> None:
    assert http.get("/healthz").json() == {"status": "ok"}
    assert http.get("/readyz").json() == {"status": "ok"}
    assert http.get("/v1/status").json()["nodes"]["User"] == 40
    http.get("/v1/profiles/u1")
    http.get("/v1/profiles/u99")
    figures = http.get("/metrics").text
    assert (
        'graphprofile_http_request_seconds_count{method="GET",route="/profiles/{user_id}",status="200"} 1.0'
        in figures
    )
    assert 'graphprofile_http_refused_total{code="not_found"} 1.0' in figures
    assert "graphprofile_engine_up 1.0" in figures


def test_request_ids_are_taken_if_sane(http: httpx.Client) -> None:
    assert http.get("/healthz", headers={"X-Request-ID": "abc-1"}).headers["x-request-id"] == "abc-1"
    for wrong in ("a b", "x" * 65, '"><script>'):
        assert http.get("/healthz", headers={"X-Request-ID": wrong}).headers["x-request-id"] != wrong


def test_ids_with_slashes_and_signs(http: httpx.Client, served: Running) -> None:
    odd = "https://shop.example/a b?c=%2F&d#é"
    assert http.post("/v1/events", json=event("odd", odd, "i1")).json()["accepted"] == 1
    from urllib.parse import quote

    answer = http.get(f"/v1/profiles/{quote(odd, safe='')}")
    assert answer.status_code == 200
    assert answer.json()["user_id"] == odd
