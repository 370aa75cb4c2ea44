"""Attacks, each with its expected refusal."""

from __future__ import annotations

import gzip
import socket
import ssl
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import httpx
import orjson
import pytest
from http_world import Running, Serve, event

from graphprofile.http.protocol import BoundedProtocol

CYPHER = [
    "' OR 1=1 //",
    "u1'}) DETACH DELETE u //",
    "u1\\'}) MATCH (n) DETACH DELETE n //",
    "`]->() DELETE n //",
    "$user_id",
    "\u0027\u0027",
    "u1'}) CALL db.labels() YIELD label RETURN label //",
]
MARKUP = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}",
    "${7*7}",
    "javascript:alert(1)",
]
PATHS = [
    "../../access.db",
    "..\\..\\access.db",
    "/etc/passwd",
    "....//....//etc/passwd",
    "file:///etc/passwd",
]
OTHERS = [
    "\r\nX-Injected: 1",
    "a\x00b",
    "\ud7ff\U0001f4a5",
    "%s%n",
    "1; rm -rf /",
    "A" * 600,
    "NaN",
    "-1",
    "1e999",
]


def raw(served: Running, data: bytes, *, seconds: float = 10.0) -> bytes:
    """What the server says to some bytes, until it closes or falls silent."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=seconds) as connection:
        connection.sendall(data)
        found = b""
        try:
            while piece := connection.recv(65_536):
                found += piece
        except TimeoutError:
            pass
        except ConnectionResetError:
            pass
        return found


def test_injection_through_every_parameter(served: Running, http: httpx.Client) -> None:
    """Every parameter and every field of every operation, with every payload: refused or taken as a text."""
    document = http.get("/v1/openapi.json").json()
    before = served.gp.digest()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method != "get":
                continue
            for parameter in operation.get("parameters", []):
                for payload in [*CYPHER, *MARKUP, *PATHS, *OTHERS]:
                    url, query = path, {}
                    for other in operation["parameters"]:
                        if other["in"] == "path":
                            value = (
                                payload
                                if other is parameter
                                else {"name": "co_purchase"}.get(other["name"], "u1")
                            )
                            url = url.replace("{" + other["name"] + "}", quote(value, safe=""))
                        elif other is parameter:
                            query[other["name"]] = payload
                        elif other.get("required"):
                            query[other["name"]] = "u1"
                    answer = http.get(url, params=query)
                    where = (path, parameter["name"], payload)
                    assert answer.status_code < 500, (*where, answer.text)
                    assert "x-injected" not in answer.headers, where
                    assert "text/html" not in answer.headers["content-type"], where
                    assert answer.headers["x-content-type-options"] == "nosniff", where
                    if answer.status_code == 200:
                        assert "root:" not in answer.text, where
    assert served.gp.digest() == before


def test_injection_through_every_field(served: Running, http: httpx.Client) -> None:
    users = served.gp.status(drift=False)["nodes"]["User"]
    sent = 0
    for name in (
        "event_id",
        "user_id",
        "event_type",
        "object_id",
        "object_kind",
        "timestamp",
        "value",
        "note",
        "batch",
    ):
        for payload in [*CYPHER, *MARKUP, *PATHS, *OTHERS, {"$gt": ""}, ["a"], True, 10**400, -0.0]:
            row = {**event(f"x{sent}", f"x{sent}", "i1"), name: payload}
            sent += 1
            answer = http.post(
                "/v1/events",
                content=orjson.dumps(row) if payload != 10**400 else f'{{"value": {10**400}}}',
                headers=JSON,
            )
            assert answer.status_code in (200, 422), (name, payload, answer.text)
    for name in ("user_id", "we`ird", "x'y", "__proto__", "rev", "embedding", "id"):
        for payload in [*CYPHER, *MARKUP]:
            answer = http.post("/v1/users", json={"user_id": "victim", name: payload})
            assert answer.status_code == 200, (name, payload, answer.text)
    nodes = served.gp.cypher("MATCH (u:User) WHERE u.id STARTS WITH 'u' RETURN count(u) AS n")[0]["n"]
    assert nodes >= users
    assert served.gp.profile("u1").events == {"viewed": 6}
    labels = {
        row["label"] for row in served.gp.cypher("MATCH (n) UNWIND labels(n) AS label RETURN DISTINCT label")
    }
    assert labels <= {
        "User",
        "Item",
        "Content",
        "Tag",
        "TagKind",
        "Batch",
        "BatchLane",
        "BatchPart",
        "Schema",
        "Model",
    }
    served.service.fresh.settle(60)


JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:80",
        "[::1].evil",
        "",
        "127.0.0.1@evil",
        "0x7f.1",
    ],
)
def test_a_name_that_was_bound_to_this_machine(served: Running, host: str) -> None:
    """DNS rebinding: the browser believes that evil.example is 127.0.0.1, and says so."""
    head = f"GET /v1/profiles/u1 HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    answer = raw(served, head.encode())
    assert answer.startswith(b"HTTP/1.1 421"), answer[:200]
    assert b"Reader" not in answer


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost.evil.example"]
)
def test_a_page_of_another_site(served: Running, http: httpx.Client, origin: str) -> None:
    for method, path in (("GET", "/v1/profiles/u1"), ("POST", "/v1/events"), ("OPTIONS", "/v1/events")):
        answer = http.request(method, path, headers={"Origin": origin})
        assert answer.status_code == 403
        assert not [name for name in answer.headers if name.startswith("access-control")]
    # A form needs no preflight, and can send no JSON.
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = http.post(
            "/v1/events", content=orjson.dumps(event("f", "u1", "i1")), headers={"Content-Type": kind}
        )
        assert answer.status_code == 415


def test_declared_origins_may_ask(serve: Serve) -> None:
    served = serve(cors_origins=["https://shop.example"])
    with served.client(headers={"Origin": "https://shop.example"}) as page:
        asked = page.options("/v1/events", headers={"Access-Control-Request-Method": "POST"})
        assert asked.status_code == 200
        assert asked.headers["access-control-allow-origin"] == "https://shop.example"
        assert page.get("/v1/profiles/u1").headers["access-control-allow-origin"] == "https://shop.example"
        assert page.get("/v1/profiles/u1", headers={"Origin": "https://evil.example"}).status_code == 403


def test_forged_keys(served: Running) -> None:
    good = served.key("profiles:read")
    head, _, secret = good.rpartition("_")
    other = served.key("admin")
    forged = [
        "gpk_000000000000_" + secret,
        f"{head}_{'A' * 43}",
        f"{other.rpartition('_')[0]}_{secret}",
        good[:-1],
        good + "A",
        good.upper(),
        "null",
        "' OR '1'='1",
        "gpk_%_" + secret,
        "é" * 10,
    ]
    with served.client() as client:
        for key in forged:
            headers = [(b"Authorization", b"Bearer " + key.encode("latin-1"))]
            answer = client.get("/v1/profiles/u1", headers=httpx.Headers(headers))
            assert answer.status_code == 401, key
        for value in (good, f"Basic {good}", f"Bearer  {good} x", f"Token {good}"):
            assert client.get("/v1/profiles/u1", headers={"Authorization": value}).status_code == 401, value
        assert client.get("/v1/profiles/u1", params={"key": good}).status_code == 401
        twice = f"Authorization: Bearer {good}\r\nAuthorization: Bearer x"
        request = f"GET /v1/profiles/u1 HTTP/1.1\r\nHost: 127.0.0.1\r\n{twice}\r\nConnection: close\r\n\r\n"
        assert raw(served, request.encode()).startswith(b"HTTP/1.1 400")


def test_whoever_tries_keys_is_slowed_down(served: Running) -> None:
    good = served.key("profiles:read")
    with served.client() as client:
        statuses = {
            client.get(
                "/v1/insights", headers={"Authorization": f"Bearer gpk_{n:012x}_{'A' * 43}"}
            ).status_code
            for n in range(40)
        }
        assert statuses == {401, 429}
        assert client.get("/v1/insights").status_code == 401
        blocked = client.get("/v1/insights", headers={"Authorization": f"Bearer {good}"})
        assert blocked.status_code == 429
        assert int(blocked.headers["retry-after"]) >= 1


def test_keys_never_reach_the_log(served: Running, capsys: pytest.CaptureFixture[str]) -> None:
    good = served.key("profiles:read")
    with served.client(good) as client:
        client.get("/v1/profiles/u1")
        client.get(f"/v1/profiles/{good}")
        client.get("/v1/users", params={"q": good})
    with served.client("gpk_000000000000_" + "S" * 43) as client:
        client.get("/v1/profiles/u1")
    said = capsys.readouterr()
    for text in (said.out, said.err):
        assert good.rpartition("_")[2] not in text
        assert "S" * 43 not in text


def test_clients_that_dawdle(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedProtocol, "header_seconds", 1.0)
    served = serve(body_seconds=1.0)
    started = time.monotonic()
    assert raw(served, b"") == b""
    assert raw(served, b"GET /healthz HTT").startswith(b"HTTP/1.1 408")
    assert raw(served, b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: ").startswith(b"HTTP/1.1 408")
    head = b"POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    head += b"Content-Length: 100\r\n\r\n{"
    assert raw(served, head).startswith(b"HTTP/1.1 408")
    # A byte now and then does not help.
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        answer = b""
        for _ in range(12):
            time.sleep(0.2)
            try:
                connection.sendall(b"X: y\r\n")
            except OSError:
                break
        try:
            answer = connection.recv(65_536)
        except OSError:
            pass
    assert answer.startswith(b"HTTP/1.1 408") or answer == b""
    assert time.monotonic() - started < 25
    # And everybody else is served meanwhile.
    idle = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(100)]
    with served.client() as client:
        assert client.get("/v1/profiles/u1").status_code == 200
    for one in idle:
        one.close()


@pytest.mark.parametrize(
    "where", [" " * 20_000 + "a", "a=" + " " * 20_000 + "b", "a" + " " * 20_000, "=" * 20_000]
)
def test_conditions_that_keep_a_pattern_busy(http: httpx.Client, where: str) -> None:
    """Thirty seconds for 2,000 blanks, when a pattern gave and took them on both sides."""
    began = time.process_time()
    for path, given in (
        ("/v1/profiles/u1/recommendations", {"where": where}),
        ("/v1/items/i1/similar", {"where": where}),
        ("/v1/audience", {"all": f"property '{where}'"}),
    ):
        assert http.get(path, params=given).status_code in (404, 409, 422), path
    assert time.process_time() - began < 10


def test_bodies_that_are_packed(http: httpx.Client) -> None:
    packed = gzip.compress(b"[" + b" " * 50_000_000 + b"]", 9)
    for path in ("/v1/events", "/v1/users", "/v1/embeddings", "/v1/cypher"):
        answer = http.post(path, content=packed, headers={**JSON, "Content-Encoding": "gzip"})
        assert answer.status_code == 415, path
        assert "packed" in answer.json()["detail"]


def test_heads_that_are_none(served: Running) -> None:
    endless = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"X-A: " + b"a" * 200_000
    assert raw(served, endless).startswith(b"HTTP/1.1 431")
    many = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n" + b"".join(
        b"X-%d: a\r\n" % n for n in range(20_000)
    )
    assert raw(served, many).startswith(b"HTTP/1.1 431")
    for wrong in (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX: a\x00b\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: x\r\n\r\n",
        b"POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 3\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"hello\r\n\r\n",
    ):
        answer = raw(served, wrong, seconds=3)
        assert answer.startswith(b"HTTP/1.1 400"), (wrong, answer[:100])
        assert b"application/problem+json" in answer
    two_hosts = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"
    assert raw(served, two_hosts).startswith(b"HTTP/1.1 400")


def test_header_injection(served: Running) -> None:
    for value in (b"a%0d%0aX-Injected: 1", b"a\xc4\x8d\xc4\x8aX-Injected: 1"):
        head = (
            b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Request-ID: "
            + value
            + b"\r\nConnection: close\r\n\r\n"
        )
        assert b"x-injected" not in raw(served, head).lower().partition(b"\r\n\r\n")[0]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/../../etc/passwd",
        "/v1/%2e%2e/%2e%2e/etc/passwd",
        "/v1/models/..%2f..%2faccess.db",
        "/v1/models/%2e%2e",
        "/v1/models/.%00",
        "/v1/insights/..%2f..%2fload%2fdelete_users",
        "/v1/insights/%2e%2e",
        "//evil.example/v1",
        "/v1/profiles/%00",
        "/v1/profiles/%ff%fe",
        "/v1/profiles/%20",
        "/static/../access.db",
    ],
)
def test_paths_that_lead_out(served: Running, path: str) -> None:
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    answer = raw(served, head.encode())
    status = int(answer.split(b" ")[1])
    assert status in (400, 404, 422), answer[:300]
    assert b"SQLite" not in answer
    assert str(served.gp.settings.data_dir).encode() not in answer


def test_replay(served: Running, http: httpx.Client) -> None:
    """A request that was listened to and sent again changes nothing."""
    rows = [event("r1", "u1", "i1", day=20), {**event("ignored", "u1", "i2", day=21), "event_id": None}]
    assert http.post("/v1/events", json=rows).json()["accepted"] == 2
    first = served.gp.digest()
    for _ in range(3):
        assert http.post("/v1/events", json=rows).json()["duplicates"] == 2
    assert served.gp.digest() == first


def test_numbers_that_break_clients(http: httpx.Client) -> None:
    answer = http.post("/v1/events", content='{"user_id": "u1", "value": 1e999}', headers=JSON)
    assert answer.status_code in (200, 422)
    assert http.post("/v1/events", content='{"user_id": NaN}', headers=JSON).status_code == 422
    for k in ("0", "-1", "1001", "9" * 40, "1.5", "x"):
        assert http.get("/v1/profiles/u1/similar", params={"k": k}).status_code == 422
    for as_of in ("9" * 30, "-99999999999999999999", "inf", "0001-01-01", "9999-12-31"):
        assert http.get("/v1/profiles/u1", params={"as_of": as_of}).status_code in (200, 422), as_of


def test_tls(serve: Serve, tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "1",
        "-subj",
        "/CN=localhost",
    ]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-out", str(certificate), "-keyout", str(key)]
    subprocess.run(command, check=True, capture_output=True)
    served = serve(tls_cert=certificate, tls_key=key)
    assert served.url.startswith("https://")
    context = ssl.create_default_context(cafile=str(certificate))
    with httpx.Client(base_url=served.url, verify=context) as client:
        answer = client.get("/v1/profiles/u1")
        assert answer.status_code == 200
        assert "strict-transport-security" in answer.headers
    assert b"Reader" not in raw(served, b"GET /v1/profiles/u1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", seconds=3)


def test_web_sockets_and_odd_methods(served: Running, http: httpx.Client) -> None:
    for method in ("DELETE", "PATCH", "TRACE", "PROPFIND"):
        answer = http.request(method, "/v1/profiles/u1")
        assert answer.status_code in (400, 405), method
        assert answer.headers["content-type"] == "application/problem+json"
    upgrade = (
        b"GET /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"
    )
    assert b"101" not in raw(served, upgrade, seconds=2).split(b"\r\n")[0]
