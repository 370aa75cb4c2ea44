"""The edges of what may be asked: forged cursors, odd ids, numbers of every kind, keys that end while they are used."""

from __future__ import annotations

import base64
import threading
import time
from typing import Any

import httpx
import orjson
import pytest
from http_world import Running, Serve

from graphprofile.insights import list_insights

LISTS = {
    "/v1/users": ["u1"],
    "/v1/items": ["i1"],
    "/v1/content": ["c1"],
    "/v1/tags": ["Poetry", "genre"],
    "/v1/audience": ["u1"],
    "/v1/batches": [1, "x"],
    "/v1/audit": [1],
}
LARGEST = 2**63
ODD_NUMBERS = (
    "1e309",
    "nan",
    "-inf",
    "9" * 5_000,
    "0x10",
    "1_0_",
    "true",
    "[]",
    "1.5",
    " ",
    "１ ２",
    "5e-324",
    "-1",
)


def cursor(place: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def raw(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


@pytest.mark.parametrize("path", LISTS)
def test_forged_cursors(http: httpx.Client, path: str) -> None:
    place = LISTS[path]
    forged = [cursor([value]) for value in (None, True, 1.5, [], {}, -LARGEST, LARGEST - 1)]
    forged += [cursor(other) for other in LISTS.values() if list(map(type, other)) != list(map(type, place))]
    forged += [cursor([*place, 1]), cursor({}), cursor(7), "é", "=", "%00", "a" * 4_000]
    forged += [raw(b'["\\ud800"]'), raw(b"[" * 3_000), raw(b'["a","b"'), raw(b"\xff\xfe"), raw(b"[1e400]")]
    for one in forged:
        if one == cursor([LARGEST - 1]) and path == "/v1/audit":
            continue
        answer = http.get(path, params={"cursor": one})
        assert answer.status_code == 422, (one, answer.text)
        assert answer.json()["errors"][0]["pointer"] == "query/cursor"
    nul = [f"{one}\0" if isinstance(one, str) else one for one in place]
    if nul != place:
        assert http.get(path, params={"cursor": cursor(nul)}).status_code == 422
    # A place behind the last, or one that was made up, is a place like any other.
    far = ["\U0010ffff" * 300 if isinstance(one, str) else one for one in place]
    assert http.get(path, params={"cursor": cursor(far)}).status_code == 200
    assert http.get(path, params={"cursor": cursor(place)}).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "sent", "pointer"),
    [
        ("GET", "/v1/profiles", {"params": {"id": "u\0001"}}, "query/id"),
        ("GET", "/v1/embeddings", {"params": {"id": ["u1", "a\0b"]}}, "query/id"),
        ("POST", "/v1/embeddings", {"json": {"ids": ["u1", "a\0b"]}}, "/ids/1"),
        ("GET", "/v1/profiles/u1/explain", {"params": {"item": "i\0001"}}, "query/item"),
        ("GET", "/v1/audit", {"params": {"user": "u\0001"}}, "query/user"),
        ("GET", "/neighbours", {"params": {"kind": "user", "id": "u\0001"}}, "query/id"),
        ("GET", "/neighbours", {"params": {"kind": "tag", "id": "Poetry", "of": "gen\0re"}}, "query/of"),
        ("GET", "/users/u1/why", {"params": {"tag": "genre:Po\0etry"}}, "query/tag"),
    ],
)
def test_nul_is_no_slash(http: httpx.Client, method: str, path: str, sent: Any, pointer: str) -> None:
    answer = http.request(method, path, **sent)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"] == [{"pointer": pointer, "detail": "holds NUL"}]


def test_a_slash_in_an_id_stays_one(http: httpx.Client) -> None:
    assert http.put("/v1/users/a%2Fb", json={"city": "Paris"}).status_code == 200
    assert http.get("/v1/profiles/a%2Fb").json()["user_id"] == "a/b"
    assert http.get("/v1/profiles", params={"id": "a/b"}).json()["missing"] == []
    assert http.get("/neighbours", params={"kind": "user", "id": "a/b"}).status_code == 200


def test_odd_numbers_for_every_insight(http: httpx.Client) -> None:
    for insight in list_insights():
        for field in insight.parameters:
            if field.type.split(",")[0] not in ("int", "float", "time"):
                continue
            for number in ODD_NUMBERS:
                answer = http.get(f"/v1/insights/{insight.name}", params={field.name: number})
                assert answer.status_code in (200, 404, 422), (insight.name, field.name, number, answer.text)
                if answer.status_code == 422:
                    assert answer.json()["code"] == "usage"


def test_huge_limits(http: httpx.Client) -> None:
    for path in ("/v1/users", "/v1/audience", "/v1/tags", "/v1/batches", "/v1/profiles/u1/tags"):
        for limit in (0, -1, 1_001, LARGEST, "1e3", "9" * 5_000, "１"):
            answer = http.get(path, params={"limit": limit})
            assert answer.status_code == 422, (path, limit, answer.text)
    for k in (0, 1_001, 10**30):
        assert http.get("/v1/profiles/u1/similar", params={"k": k}).status_code == 422


def test_a_tag_of_a_masked_answer_is_its_own(serve: Serve) -> None:
    served = serve(private_properties=["city"])
    sees, blind = served.key("profiles:read", show=["city"]), served.key("profiles:read")
    with (
        served.client(sees) as one,
        served.client(blind) as other,
        served.client(served.key("admin")) as admin,
    ):
        assert admin.put("/v1/users/u1", json={"city": "Paris"}).status_code == 200
        path = "/v1/profiles/u1"
        whole, masked = one.get(path), other.get(path)
        assert (whole.json()["properties"].get("city"), masked.json()["properties"].get("city")) == (
            "Paris",
            None,
        )
        # Neither learns from the other's tag whether they would see the same.
        for tag, client in ((whole.headers["etag"], other), (masked.headers["etag"], one)):
            answer = client.get(path, headers={"If-None-Match": tag})
            assert answer.status_code == 200
            assert "Authorization" in answer.headers["vary"]
        # What is hidden may change: who does not see it has the same answer still.
        assert admin.put("/v1/users/u1", json={"city": "Rome", "updated_at": "2030-01-01"}).status_code == 200
        assert other.get(path, headers={"If-None-Match": masked.headers["etag"]}).status_code == 304
        assert one.get(path, headers={"If-None-Match": whole.headers["etag"]}).status_code == 200
        for odd in ("*" * 3, '"', 'W/"', "," * 1_000, '"a", "b'):
            assert other.get(path, headers={"If-None-Match": odd}).status_code == 200, odd
        # An answer that is known is an answer: it stands in the audit log, and nobody gets it without the scope.
        assert other.get("/v1/profiles/nobody", headers={"If-None-Match": "*"}).status_code == 404
        lines = [one["action"] for one in admin.get("/v1/audit", params={"user": "u1"}).json()["entries"]]
        assert lines.count("profile.read") == 6 + 5


def test_a_key_at_its_end(served: Running) -> None:
    """Until its last moment, and never after, over the API and in a browser."""
    info = served.service.keys.create("short", ["profiles:read"], expires="4s")
    ends = time.time() + 4
    with served.client() as page:
        signed_in = page.post(
            "/login",
            data={"key": info.key, "next": "/"},
            headers={"Content-Type": "application/x-www-form-urlencoded"},
        )
        assert signed_in.status_code == 303
        with served.client(info.key) as client:
            seen: list[int] = []
            while time.time() < ends + 1:
                began = time.time()
                codes = {client.get("/v1/users").status_code, page.get("/").status_code}
                if began > ends:
                    assert 200 not in codes
                seen.append(max(codes))
                time.sleep(0.1)
    assert seen[-1] != 200
    (told,) = [one for one in served.service.keys.list() if one.id == info.id]
    assert told.state == "expired"


def test_a_key_that_is_revoked_while_it_is_used(served: Running) -> None:
    keys = [served.service.keys.create(f"n{n}", ["profiles:read"]) for n in range(4)]
    revoked = dict.fromkeys((key.id for key in keys), float("inf"))
    wrong: list[str] = []
    stop = threading.Event()

    def use(key: Any) -> None:
        with served.client(key.key) as client:
            while not stop.is_set():
                began = time.monotonic()
                status = client.get("/v1/tags", params={"limit": 1}).status_code
                if status not in (200, 401, 429) or (status == 200 and began > revoked[key.id]):
                    wrong.append(f"{key.id} {status}")
                if status == 401:
                    return

    threads = [threading.Thread(target=use, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    # All at once, and some twice: revoking is no error the second time.
    enders = [
        threading.Thread(target=served.service.keys.revoke, args=(key.id,)) for key in [*keys, *keys[:2]]
    ]
    time.sleep(0.5)
    for thread in enders:
        thread.start()
    for thread in enders:
        thread.join(30)
    for key in keys:
        revoked[key.id] = time.monotonic()
    time.sleep(1)
    stop.set()
    for thread in threads:
        thread.join(30)
    assert wrong == []
    assert {one.state for one in served.service.keys.list()} == {"revoked"}


def test_headers_that_pretend(served: Running) -> None:
    """No header changes who asks, from where, or what is asked."""
    key = served.key("profiles:read")
    pretended = {
        "X-Forwarded-For": "127.0.0.1",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "Forwarded": "for=127.0.0.1;host=evil.example",
        "X-Original-URL": "/v1/audit",
        "X-Rewrite-URL": "/v1/audit",
        "X-HTTP-Method-Override": "PUT",
        "X-Request-ID": "a\tb",
    }
    with served.client(key, headers=pretended) as client:
        answer = client.get("/v1/profiles/u1")
        assert answer.status_code == 200
        assert answer.json()["user_id"] == "u1"
        assert "evil" not in str(answer.headers)
        assert client.get("/v1/audit").status_code == 403
    with served.client(headers=pretended) as nobody:
        assert nobody.get("/v1/profiles/u1").status_code == 401
        # Wrong keys are counted where they come from, whatever the header says.
        codes = [
            nobody.get(
                "/v1/profiles/u1", headers={"Authorization": "Bearer no", "X-Forwarded-For": f"10.0.0.{n}"}
            ).status_code
            for n in range(200)
        ]
        assert codes[0] == 401
        assert codes[-1] == 429
