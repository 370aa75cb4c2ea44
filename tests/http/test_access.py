"""Who may do what: keys, scopes, masks, limits, and the log of it."""

from __future__ import annotations

import json
import sqlite3
import stat
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from http_world import Running, Serve, event

from graphprofile.cli.app import run
from graphprofile.errors import ConfigError, NotFound, UsageError
from graphprofile.http.access import access_file
from graphprofile.http.audit import AuditLog, read_audit
from graphprofile.http.keys import KeyRing
from graphprofile.http.limits import RateLimit
from graphprofile.http.masks import masked, woven_in
from graphprofile.http.server import check_reach
from graphprofile.settings import HttpSettings, resolve

READS = "profiles:read"


# --- keys ---------------------------------------------------------------------------------------------------


def test_a_key_is_shown_once_and_kept_as_a_hash(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    made = ring.create("shop", [READS], expires="90d")
    assert ring.find(made.key) is not None
    assert ring.find(made.key[:-1] + ("A" if made.key[-1] != "A" else "B")) is None
    secret = made.key.rpartition("_")[2]
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert secret.encode() not in path.read_bytes()
    assert [key.to_json().keys() for key in ring.list()] == [ring.list()[0].to_json().keys()]
    assert "key" not in ring.list()[0].to_json()
    ring.close()


def test_revoked_and_expired_keys_open_nothing(tmp_path: Path) -> None:
    ring, other_process = KeyRing(tmp_path), KeyRing(tmp_path)
    assert not ring.any()
    made, short = ring.create("shop", [READS]), ring.create("brief", [READS], expires="1s")
    assert other_process.find(made.key) is not None
    assert ring.revoke("shop").state == "revoked"
    assert other_process.find(made.key) is None
    # The last key's end is not the door's opening.
    assert other_process.any()
    time.sleep(1.1)
    assert ring.find(short.key) is None
    assert [key.state for key in ring.list()] == ["revoked", "expired"]
    with pytest.raises(NotFound):
        ring.revoke("nothing")
    ring.close()
    other_process.close()


@pytest.mark.parametrize(
    ("name", "scopes", "more"),
    [
        ("", [READS], {}),
        ("a\nb", [READS], {}),
        ("x" * 101, [READS], {}),
        ("a", [], {}),
        ("a", ["profiles:write"], {}),
        ("a", ["property:email"], {}),
        ("a", [READS], {"expires": "soon"}),
        ("a", [READS], {"expires": "0d"}),
        ("a", [READS], {"show": ["a\nadmin"]}),
    ],
)
def test_keys_that_cannot_be(tmp_path: Path, name: str, scopes: list[str], more: dict[str, Any]) -> None:
    ring = KeyRing(tmp_path)
    with pytest.raises(UsageError):
        ring.create(name, scopes, **more)
    assert ring.list() == []
    ring.close()


def test_keys_and_audit_by_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GRAPHPROFILE_DATA", str(tmp_path / "data"))
    assert run(["keys", "create", "shop", "--scope", READS, "--show", "email", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["scopes"] == [READS, "property:email"]
    assert run(["keys", "create", "shop", "--scope", "all"]) == 2
    assert run(["keys", "list"]) == 0
    assert made["key"] not in capsys.readouterr().out
    assert run(["keys", "revoke", "shop", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["state"] == "revoked"
    log = AuditLog(tmp_path / "data")
    log.note("r1", made["id"], "profile.read", "ok", ["u1", "u2"])
    log.note("r2", "-", "events.write", "ok", ["u3"])
    log.close()
    assert run(["audit", "--about", "u2", "--key", "shop", "--since", "1h", "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert (entry["request_id"], entry["subjects"]) == ("r1", ["u1", "u2"])
    assert run(["audit"]) == 0
    assert run(["audit", "--since", "whenever"]) == 2


# --- the server ---------------------------------------------------------------------------------------------


def test_without_a_key_only_loopback_is_served(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    check_reach(HttpSettings(), ring)
    for host in ("0.0.0.0", "::", "192.0.2.1", "example.org"):
        with pytest.raises(ConfigError, match="no key yet") as caught:
            check_reach(HttpSettings(host=host), ring)
        assert "graphprofile keys create" in str(caught.value.hint)
    ring.create("one", [READS])
    check_reach(HttpSettings(host="0.0.0.0"), ring)
    with pytest.raises(ConfigError, match="TLS"):
        check_reach(HttpSettings(tls_cert=tmp_path / "c.pem"), ring)
    ring.close()


def test_once_there_is_a_key_one_is_needed(served: Running) -> None:
    with served.client() as nobody:
        assert nobody.get("/v1/profiles/u1").status_code == 200
        key = served.key(READS)
        refused = nobody.get("/v1/profiles/u1")
        assert refused.status_code == 401
        assert refused.headers["www-authenticate"].startswith("Bearer")
        assert nobody.get("/metrics").status_code == 401
        assert nobody.get("/healthz").status_code == 200
    with served.client(key) as reader:
        assert reader.get("/v1/profiles/u1").status_code == 200


SCOPED = [
    ("GET", "/v1/profiles/u1", READS),
    ("GET", "/v1/profiles?id=u1", READS),
    ("GET", "/v1/profiles/u1/tags", READS),
    ("GET", "/v1/profiles/u1/recommendations", READS),
    ("GET", "/v1/profiles/u1/similar", READS),
    ("GET", "/v1/profiles/u1/explain?tag=Travel", READS),
    ("GET", "/v1/profiles/u1/feedback", READS),
    ("GET", "/v1/items/i1/similar", READS),
    ("GET", "/v1/users", READS),
    ("GET", "/v1/items", READS),
    ("GET", "/v1/content", READS),
    ("GET", "/v1/tags", READS),
    ("GET", "/v1/insights", READS),
    ("GET", "/v1/insights/rising_tags", READS),
    ("GET", "/v1/models", READS),
    ("GET", "/v1/models/m", READS),
    ("GET", "/v1/status", READS),
    ("GET", "/v1/batches", READS),
    ("GET", "/v1/audience?all=interest+tag%3DPoetry", READS),
    ("POST", "/v1/cypher", "admin"),
    ("GET", "/v1/embeddings?id=u1", "embeddings:read"),
    ("POST", "/v1/embeddings", "embeddings:read"),
    ("POST", "/v1/events", "events:write"),
    ("POST", "/v1/users", "events:write"),
    ("POST", "/v1/items", "events:write"),
    ("POST", "/v1/content", "events:write"),
    ("PUT", "/v1/users/u1", "events:write"),
    ("PUT", "/v1/items/i1", "events:write"),
    ("PUT", "/v1/content/c1", "events:write"),
    ("GET", "/v1/audit", "admin"),
]


def test_each_scope_opens_its_own_doors_only(served: Running) -> None:
    """Every operation with every key: no scope reaches another's."""
    with served.client() as nobody:
        document = nobody.get("/v1/openapi.json").json()
    documented = {
        (method.upper(), path)
        for path, operations in document["paths"].items()
        for method in operations
        if path.startswith("/v1")
    }
    assert len(documented) == len(SCOPED)
    keys = {scope: served.key(scope) for scope in (READS, "embeddings:read", "events:write", "admin")}
    for scope, key in keys.items():
        with served.client(key) as client:
            for method, path, needed in SCOPED:
                status = client.request(method, path, json={} if method != "GET" else None).status_code
                if scope in (needed, "admin"):
                    assert status not in (401, 403), (scope, method, path)
                else:
                    assert status == 403, (scope, method, path)
    lines = read_audit_of(served)
    assert {"denied"} <= {line["outcome"] for line in lines}


def test_a_private_property_is_seen_by_who_may_only(serve: Serve) -> None:
    served = serve(private_properties=["email", "title"])
    everywhere = [
        "/v1/profiles/u1",
        "/v1/profiles?id=u1",
        "/v1/users?q=u1",
        "/v1/profiles/u1/explain?tag=Travel",
        "/v1/profiles/u1/feedback?all=true",
        "/v1/items?limit=100",
        "/v1/insights/co_purchase?item=i1",
        "/v1/insights/loyal_and_lapsing_users",
    ]
    with served.client() as nobody:
        for path in everywhere:
            text = nobody.get(path).text
            assert "example.org" not in text, path
            assert "Book " not in text, path
    keys = {
        "mask": served.key(READS),
        "email": served.key(READS, show=["email"]),
        "admin": served.key("admin"),
    }
    with served.client(keys["mask"]) as client:
        for path in everywhere:
            answer = client.get(path)
            assert answer.status_code == 200, (path, answer.text)
            assert "example.org" not in answer.text, path
            assert "Book " not in answer.text, path
        assert client.get("/v1/insights/path_between_users?user=u1&other=u3").status_code == 403
        # Nor can it be asked for piece by piece.
        assert client.get("/v1/items", params={"q": "Book 1"}).status_code == 403
        for where in ("title=Book 1", "title>=B", " title =Book 1"):
            for path in ("/v1/profiles/u1/recommendations", "/v1/items/i1/similar"):
                assert client.get(path, params={"where": where}).status_code == 403, where
    with served.client(keys["email"]) as client:
        answer = client.get("/v1/profiles/u1")
        assert answer.json()["properties"]["email"] == "u1@example.org"
        assert "Book " not in client.get("/v1/items").text
    with served.client(keys["admin"]) as client:
        assert "Book 1" in client.get("/v1/items").text
        with_mail = client.get("/v1/profiles/u1")
        assert "example.org" in with_mail.text
    with served.client(keys["mask"]) as client:
        # An answer for one key is no 304 for another.
        tag = with_mail.headers["etag"]
        assert client.get("/v1/profiles/u1", headers={"If-None-Match": tag}).status_code == 200


def test_no_hint_names_a_private_property(serve: Serve) -> None:
    served = serve(private_properties=["email"])
    served.gp.load([{"item_id": "i1", "email": "shop@example.org"}], kind="items")
    asked = [
        ("/v1/audience", {"all": "property emial=x"}, "city"),
        ("/audience/found", {"all": "property emial=x"}, "city"),
        ("/v1/profiles/u1/recommendations", {"where": "emial=x", "method": "popularity"}, "year"),
    ]
    with served.client(served.key(READS)) as reader, served.client(served.key("admin")) as admin:
        for path, given, public in asked:
            told, told_all = reader.get(path, params=given).text, admin.get(path, params=given).text
            assert public in told, path
            assert "email" not in told, path
            assert "Did you mean email?" in told_all, path


def test_masks_know_columns_of_pairs_and_lists() -> None:
    assert woven_in("MATCH (u) RETURN u.id AS id, u.email AS email", frozenset({"email"})) is None
    for text in (
        "MATCH (u) RETURN coalesce(u.email, u.id) AS via",
        "MATCH (u) WITH u.email AS email RETURN collect(email) AS them",
        "MATCH (u) RETURN u.email AS contact",
        "MATCH (u) RETURN u['email'] AS email",
        "MATCH (u) RETURN u {.*} AS user",
        "MATCH (u) WHERE u. email = 'x' RETURN u.id AS id",
    ):
        assert woven_in(text, frozenset({"email"})) == "email", text
    document = {
        "rows": [{"user": "u1", "email": "a@b", "first_email": "a@b", "emails": ["a@b"], "mailed": 3}],
        "properties": {"email": "a@b", "city": "Paris"},
    }
    assert masked(document, frozenset({"email"})) == {
        "rows": [{"user": "u1", "email": None, "first_email": None, "emails": [], "mailed": 3}],
        "properties": {"city": "Paris"},
    }
    assert masked(document, frozenset()) is document


def test_who_only_writes_learns_nothing_of_what_is_stored(served: Running) -> None:
    with served.client(served.key("events:write")) as writer:
        other = {**event("e1-0", "u2", "i3"), "value": 7}
        (verdict,) = writer.post("/v1/events", json=other).json()["events"]
    assert verdict["outcome"] == "conflict"
    assert "u1" not in verdict["reason"]
    assert "i1" not in verdict["reason"]
    with served.client(served.key("events:write", READS)) as both:
        (verdict,) = both.post("/v1/events", json=other).json()["events"]
    assert "user u1" in verdict["reason"]


def test_too_many_requests_are_told_when_to_come_again(serve: Serve) -> None:
    served = serve(rate_limit="5/minute")
    one, other = served.key(READS), served.key(READS)
    with served.client(one) as client:
        statuses = [client.get("/v1/insights").status_code for _ in range(6)]
        assert statuses == [200] * 5 + [429]
        refused = client.get("/v1/insights")
        assert 1 <= int(refused.headers["retry-after"]) <= 60
        assert client.get("/healthz").status_code == 200
    with served.client(other) as client:
        assert client.get("/v1/insights").status_code == 200


def test_a_rate_is_exact_over_any_stretch() -> None:
    now = [0.0]
    limit = RateLimit("10/second", clock=lambda: now[0])
    assert [limit.wait("a") for _ in range(10)] == [0.0] * 10
    assert limit.wait("a") == pytest.approx(0.1)
    assert limit.wait("b") == 0.0
    now[0] = 0.1
    assert limit.wait("a") == 0.0
    assert limit.wait("a") > 0
    with pytest.raises(ConfigError):
        RateLimit("often")


def test_everything_that_is_read_or_written_is_in_the_log(served: Running) -> None:
    key = served.key("admin")
    key_id = key.split("_")[1]
    with served.client(key) as client:
        client.get("/v1/profiles/u1", headers={"X-Request-ID": "read-1"})
        client.get("/v1/profiles/u99")
        client.get("/v1/profiles", params={"id": ["u2", "u3"]})
        client.post("/v1/events", json=[event("new-1", "u4", "i1"), event("new-2", "u5", "i1")])
        client.put("/v1/users/u6", json={"city": "Rome"})
        client.post("/v1/embeddings", json={"ids": ["u7"]})
        client.get("/v1/profiles/u8/feedback")
        about = client.get("/v1/audit", params={"user": "u1"}).json()["entries"]
        assert [(e["action"], e["request_id"], e["key_id"]) for e in about] == [
            ("profile.read", "read-1", key_id)
        ]
        entries = client.get("/v1/audit", params={"key": key_id}).json()["entries"]
        said = {(e["action"], e["outcome"], *e["subjects"]) for e in entries}
        assert {
            ("profile.read", "ok", "u1"),
            ("profile.read", "not_found", "u99"),
            ("profile.read", "ok", "u2", "u3"),
            ("profile.feedback", "ok", "u8"),
            ("events.write", "ok", "u4", "u5"),
            ("users.write", "ok", "u6"),
            ("embeddings.read", "ok", "u7"),
            ("audit.read", "ok"),
        } <= said
        page = client.get("/v1/audit", params={"limit": 2}).json()
        rest = client.get("/v1/audit", params={"limit": 2, "cursor": page["next"]}).json()
        assert page["entries"][-1]["number"] == rest["entries"][0]["number"] + 1
        later = client.get("/v1/audit", params={"since": "2999-01-01"}).json()
        assert later == {"entries": [], "next": None}


def test_who_links_two_people_is_in_the_log(served: Running) -> None:
    served.gp.load([event(f"f{n}", f"u{n}", "u5", kind="followed", object_kind="user") for n in (1, 2)])
    with served.client(served.key("admin")) as client:
        asked = {"user": "u1", "other": "u2", "limit": "50"}
        rows = client.get("/v1/insights/path_between_users", params=asked).json()["rows"]
        linking = {row["user"] for row in rows if row["user"]}
        entries = client.get("/v1/audit").json()["entries"]
    named = {subject for entry in entries for subject in entry["subjects"]}
    assert "u5" in linking
    assert {"u1", "u2", *linking} <= named


def test_nothing_is_served_unseen(
    served: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with served.client() as client:
        monkeypatch.setattr(served.service.audit, "failed", "disk full")
        answer = client.get("/v1/profiles/u1")
        assert answer.status_code == 503
        assert "properties" not in answer.text
        assert "disk full" not in answer.text
    # The answer says that the log says more.
    assert "disk full" in capsys.readouterr().out


def test_the_log_is_cut_to_its_days(tmp_path: Path) -> None:
    log = AuditLog(tmp_path, keep_days=1)
    log.note("old", "-", "profile.read", "ok", ["u1"])
    log.close()
    with sqlite3.connect(access_file(tmp_path)) as connection:
        connection.execute("UPDATE audit SET at = at - 2 * 86400000")
    log = AuditLog(tmp_path, keep_days=1)
    log.note("new", "-", "profile.read", "ok", ["u1"])
    log.close()
    assert [entry.request_id for entry in read_audit(tmp_path, user="u1")] == ["new"]


def test_settings_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "g.toml"
    path.write_text('[http]\nprivate_properties = ["email"]\nport = 9\ntls_cert = "c.pem"\n', "utf-8")
    options = resolve(path).http
    assert (options.private_properties, options.port, options.tls_cert) == (["email"], 9, tmp_path / "c.pem")
    path.write_text("[http]\nprot = 9\n", "utf-8")
    with pytest.raises(ConfigError, match="prot"):
        resolve(path)
    path.write_text('[http]\nport = "no"\n', "utf-8")
    with pytest.raises(ConfigError, match="port"):
        resolve(path)


def read_audit_of(served: Running) -> list[dict[str, Any]]:
    with httpx.Client(
        base_url=served.url, headers={"Authorization": f"Bearer {served.key('admin')}"}
    ) as client:
        return list(client.get("/v1/audit", params={"limit": 1000}).json()["entries"])
