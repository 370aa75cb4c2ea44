"""``POST /v1/cypher``: what it answers, what it refuses, what it ends."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest
from http_world import Running, Serve

from graphprofile.client import AsyncClient, Client
from graphprofile.errors import Forbidden, QueryTimeout, UsageError
from graphprofile.http.audit import read_audit

ENDLESS = "UNWIND range(1, 900000) AS a UNWIND range(1, 900000) AS b RETURN sum(a * b) AS s"


def ask(http: httpx.Client, query: str, **more: Any) -> httpx.Response:
    return http.post("/v1/cypher", json={"query": query, **more})


class TestAnswers:
    def test_rows_with_columns_in_order(self, http: httpx.Client) -> None:
        answer = ask(
            http,
            "MATCH (u:User) WHERE u.id IN $ids RETURN u.name AS b, u.id AS a ORDER BY a",
            parameters={"ids": ["u1", "u2"]},
        )
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert found["columns"] == ["b", "a"]
        assert found["rows"] == [{"b": "Reader 1", "a": "u1"}, {"b": "Reader 2", "a": "u2"}]
        assert found["truncated"] is False
        assert found["milliseconds"] > 0

    def test_rows_are_cut_and_it_says_so(self, http: httpx.Client) -> None:
        found = ask(http, "MATCH (u:User) RETURN u.id AS id ORDER BY id", rows=3).json()
        assert (len(found["rows"]), found["truncated"]) == (3, True)
        whole = ask(http, "MATCH (u:User) RETURN u.id AS id", rows=40).json()
        assert (len(whole["rows"]), whole["truncated"]) == (40, False)

    def test_no_row_beyond_the_cut_is_made(self, http: httpx.Client) -> None:
        started = time.monotonic()
        found = ask(http, "UNWIND range(1, 900000) AS a UNWIND range(1, 900000) AS b RETURN a, b").json()
        assert (len(found["rows"]), found["truncated"]) == (1000, True)
        assert time.monotonic() - started < 5

    def test_what_can_be_drawn(self, http: httpx.Client) -> None:
        query = "MATCH p = (u:User {id: 'u1'})-[e]->(i:Item) RETURN u, e, p LIMIT 1"
        (row,) = ask(http, query).json()["rows"]
        assert row["u"]["kind"] == "node"
        assert row["u"]["labels"] == ["User"]
        assert row["u"]["properties"]["email"] == "u1@example.org"
        assert row["e"]["kind"] == "relationship"
        assert row["e"]["type"] == "VIEWED"
        assert row["e"]["start"] == row["u"]["id"]
        assert [node["id"] for node in row["p"]["nodes"]] == [row["e"]["start"], row["e"]["end"]]
        assert [one["id"] for one in row["p"]["relationships"]] == [row["e"]["id"]]

    def test_numbers_and_values_that_json_has_not(self, http: httpx.Client) -> None:
        (row,) = ask(
            http,
            "RETURN 9007199254740993 AS beyond, 9007199254740992 AS exact, 0.0 / 0.0 AS nan, -1.0 / 0.0 AS inf, "
            "date('2024-02-29') AS day, duration('P1D') AS span, point({x: 1.0, y: 2.0}) AS place, "
            "{a: [null, true]} AS map",
        ).json()["rows"]
        assert row["beyond"] == "9007199254740993"
        assert row["exact"] == 9007199254740992
        assert (row["nan"], row["inf"]) == ("NaN", "-Infinity")
        assert (row["day"], row["span"]) == ("2024-02-29", "P1D")
        assert row["place"] == {"kind": "point", "srid": 7203, "coordinates": [1.0, 2.0]}
        assert row["map"] == {"a": [None, True]}


class TestRefusals:
    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ([], ""),
            ({}, "/query"),
            ({"query": " "}, "/query"),
            ({"query": 1}, "/query"),
            ({"query": "RETURN 1", "rows": 0}, "/rows"),
            ({"query": "RETURN 1", "rows": True}, "/rows"),
            ({"query": "RETURN 1", "seconds": 0}, "/seconds"),
            ({"query": "RETURN 1", "seconds": "1"}, "/seconds"),
            ({"query": "RETURN 1", "parameters": []}, "/parameters"),
            ({"query": "RETURN $a", "parameters": {"a": 2**63}}, "/parameters"),
            ({"query": "RETURN 1", "write": True}, "/write"),
        ],
    )
    def test_bodies_that_cannot_be_used(self, http: httpx.Client, body: Any, pointer: str) -> None:
        answer = http.post("/v1/cypher", json=body)
        assert answer.status_code == 422
        assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]

    def test_a_query_that_is_wrong_says_why(self, http: httpx.Client) -> None:
        for query in ("MATCHX (n)", "RETURN $missing AS x", "RETURN 1 / 0 AS x", "MATCH (n) RETURN m"):
            answer = ask(http, query)
            assert answer.status_code == 422, answer.text
            assert "query failed" in answer.json()["detail"]

    def test_only_for_admin(self, served: Running) -> None:
        with served.client(served.key("profiles:read", "embeddings:read", "events:write")) as http:
            answer = ask(http, "RETURN 1 AS x")
        assert answer.status_code == 403
        assert "admin" in answer.json()["detail"]

    def test_who_does_not_see_all_private_properties_may_not(self, serve: Serve) -> None:
        served = serve(private_properties=["email"])
        with served.client() as http:
            answer = ask(http, "MATCH (u:User) RETURN u.city AS city LIMIT 1")
            assert answer.status_code == 403
            assert "--show email" in answer.json()["hint"]
        with served.client(served.key("profiles:read", show=["email"])) as http:
            assert ask(http, "RETURN 1 AS x").status_code == 403
        with served.client(served.key("admin")) as http:
            (row,) = ask(http, "MATCH (u:User {id: 'u1'}) RETURN 'x' + u['email'] AS other").json()["rows"]
            assert row == {"other": "xu1@example.org"}

    def test_the_audit_log_keeps_the_query_and_no_parameter(self, served: Running) -> None:
        query = "RETURN $secret AS x // " + "a" * 2000
        with served.client() as http:
            assert ask(http, query, parameters={"secret": "hunter2"}).status_code == 200
            assert ask(http, "MATCH (n) DETACH DELETE n").status_code == 422
        served.service.audit.flush()
        refused, done = read_audit(served.gp.settings.data_dir, limit=2)
        assert done.action == "cypher " + query[:1000]
        assert done.outcome == "ok"
        assert (refused.action, refused.outcome) == ("cypher MATCH (n) DETACH DELETE n", "refused")
        assert "hunter2" not in done.to_json().__repr__()


ATTACKS = [
    "CREATE (n:User {id: 'x'}) RETURN n",
    "MERGE (n:User {id: 'x'}) RETURN n",
    "MATCH (u:User) SET u.hacked = true RETURN u",
    "MATCH (u:User) SET u += {hacked: true}",
    "MATCH (u:User) REMOVE u.email RETURN u",
    "MATCH (u:User) DETACH DELETE u",
    "MATCH ()-[e]->() DELETE e",
    "MATCH (u:User) FOREACH (x IN [1] | SET u.hacked = x)",
    "CALL { CREATE (n:User {id: 'x'}) RETURN n } RETURN n",
    "MATCH (u:User) CALL (u) { SET u.hacked = 1 } IN TRANSACTIONS OF 1 ROWS",
    "DROP CONSTRAINT user_id IF EXISTS",
    "DROP INDEX user_id IF EXISTS",
    "CREATE INDEX never FOR (n:User) ON (n.never)",
    "CREATE DATABASE other",
    "ALTER CURRENT USER SET PASSWORD FROM 'a' TO 'b'",
    "ALTER USER neo4j SET PASSWORD 'abcdefgh'",
    "LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line",
    "LOAD/**/CSV FROM 'file:///etc/passwd' AS line RETURN line",
    "LOAD CSV FROM 'http://169.254.169.254/' AS line RETURN line",
    "UNWIND [1] AS merge LOAD CSV FROM 'file:///etc/hostname' AS line RETURN line",
    "\\u004cOAD CSV FROM 'file:///etc/passwd' AS line RETURN line",
    "\\u0043REATE (n:User {id: 'x'}) RETURN n",
    "RETURN '\\u0027 CREATE (n:User) RETURN n //'",
    "RETURN 1 AS x // \u2028 CREATE (n:User)\nUNION CREATE (n:User) RETURN 1 AS x",
    "/* // */ CREATE (n:User) /* */",
    "EXPLAIN CREATE (n:User)",
    "PROFILE CREATE (n:User)",
    "cypher runtime=slotted CREATE (n:User)",
    "USE system SHOW USERS",
    "USE neo4j MATCH (n) RETURN n",
    "USE `system` MATCH (n) RETURN n",
    "SHOW USERS",
    "SHOW SETTINGS",
    "SHOW TRANSACTIONS",
    "/* a */ SHOW/* b */TRANSACTIONS YIELD currentQuery",
    "TERMINATE TRANSACTIONS 'neo4j-transaction-1'",
    "GRANT ROLE admin TO neo4j",
    "RETURN 1 AS x; MATCH (u:User) RETURN u",
    "RETURN 1 AS x; DROP INDEX user_id",
    "CALL db.createLabel('Hacked')",
    "CALL db.createProperty('hacked')",
    "CALL db.clearQueryCaches()",
    "CALL `db`.`createLabel`('Hacked')",
    "CALL/**/db.createLabel('Hacked')",
    "OPTIONAL CALL db.createLabel('Hacked')",
    "CALL dbms.killConnections(['bolt-1'])",
    "CALL dbms.setConfigValue('db.logs.query.enabled', 'off')",
    "CALL dbms.listConfig()",
    "CALL apoc.cypher.doIt('CREATE (n:User)', {})",
    "CALL apoc.load.json('file:///etc/passwd')",
    "CALL apoc.create.node(['User'], {id: 'x'})",
    "CALL apoc.util.sleep(60000)",
    "call tx.setMetaData({graphprofile: 'other'})",
    "MATCH (n) CALL db.create.setNodeVectorProperty(n, 'embedding', [1.0])",
    "INSERT (n:User {id: 'x'})",
    "CALL sql('DELETE FROM User')",
]


def test_attacks_change_nothing(served: Running, http: httpx.Client) -> None:
    """Every way to write that is known is refused, on each engine; the graph is the same afterwards."""
    store = served.gp.store
    before, schema = served.gp.digest(), store.read("schema/show")
    labels = store.cypher("CALL db.labels() YIELD label RETURN label ORDER BY label")
    for query in ATTACKS:
        answer = ask(http, query)
        assert answer.status_code == 422, (query, answer.text)
        assert "root:" not in answer.text
    assert served.gp.digest() == before
    assert store.read("schema/show") == schema
    assert store.cypher("CALL db.labels() YIELD label RETURN label ORDER BY label") == labels


@pytest.mark.parametrize(
    "query",
    [
        "MATCH (u:User) WHERE u.name CONTAINS 'CREATE' RETURN u.id AS id",
        "RETURN 'a;b' AS text, 'USE x' AS `CALL x`",
        "CALL db.labels() YIELD label RETURN label",
        "RETURN 1 AS x;",
        "RETURN 1 AS x // and no more; not a word",
        "MATCH (u:User) CALL (u) { MATCH (u)-->(i) RETURN count(i) AS n } RETURN u.id, n LIMIT 3",
        "SHOW INDEXES",
        "WITH {call: 1, use: 2, show: 3} AS m RETURN m.call AS call, m.use AS use, m.show AS show",
    ],
)
def test_what_only_reads_is_not_refused(http: httpx.Client, query: str) -> None:
    assert ask(http, query).status_code == 200, query


class TestLimits:
    def test_the_time_of_a_query(self, http: httpx.Client) -> None:
        started = time.monotonic()
        answer = ask(http, ENDLESS, seconds=1)
        assert answer.status_code == 422
        assert answer.json()["code"] == "query_timeout"
        assert time.monotonic() - started < 5

    def test_settings_bound_what_is_asked_for(self, serve: Serve) -> None:
        served = serve(console_seconds=1, console_rows=7)
        with served.client() as http:
            started = time.monotonic()
            assert ask(http, ENDLESS, seconds=60).json()["code"] == "query_timeout"
            assert time.monotonic() - started < 5
            assert len(ask(http, "UNWIND range(1, 20) AS x RETURN x", rows=20).json()["rows"]) == 7

    def test_others_are_served_and_a_third_query_is_not(self, served: Running) -> None:
        async def together() -> list[httpx.Response]:
            async with httpx.AsyncClient(base_url=served.url, timeout=60) as http:
                body = {"query": ENDLESS, "seconds": 3}
                running = [asyncio.create_task(http.post("/v1/cypher", json=body)) for _ in range(2)]
                await asyncio.sleep(1)
                third = await http.post("/v1/cypher", json={"query": "RETURN 1 AS x"})
                other = await http.get("/v1/profiles/u1")
                return [third, other, *await asyncio.gather(*running)]

        third, other, *ended = asyncio.run(together())
        assert (third.status_code, third.json()["code"]) == (503, "busy")
        assert other.status_code == 200
        assert {one.json()["code"] for one in ended} == {"query_timeout"}

    def test_a_giant_answer_is_refused(self, http: httpx.Client) -> None:
        answer = ask(http, "UNWIND range(1, 25) AS x RETURN [i IN range(1, 200000) | x * 100000] AS many")
        assert answer.status_code == 422
        assert answer.json()["code"] == "query_too_large"
        until = time.monotonic() + 20
        # The engine may be at it for a moment more, and says so.
        while (after := ask(http, "RETURN 1 AS x")).status_code == 503 and time.monotonic() < until:
            assert after.json()["code"] == "busy"
        assert after.status_code == 200

    def test_the_time_of_an_insight(self, serve: Serve) -> None:
        served = serve(insight_seconds=1e-6)
        with served.client() as http:
            for name in ("co_purchase?item=i1", "communities"):
                answer = http.get(f"/v1/insights/{name}")
                assert (answer.status_code, answer.json()["code"]) == (422, "query_timeout")


class TestClient:
    def test_the_clients(self, served: Running) -> None:
        async def asked() -> Any:
            async with AsyncClient(served.url) as client:
                return await client.cypher("RETURN $x AS x", {"x": [1]})

        with Client(served.url) as client:
            found = client.cypher("UNWIND $xs AS x RETURN x", {"xs": [1, 2, 3]}, rows=2)
            assert (found.columns, found.rows, found.truncated) == (["x"], [{"x": 1}, {"x": 2}], True)
            with pytest.raises(QueryTimeout):
                client.cypher(ENDLESS, seconds=1)
            with pytest.raises(UsageError, match="writes"):
                client.cypher("CREATE (n)")
            with pytest.raises(UsageError, match="parameter"):
                client.cypher("RETURN $x AS x", {"x": object()})
        assert asyncio.run(asked()).rows == [{"x": [1]}]

    def test_without_the_scope(self, served: Running) -> None:
        with Client(served.url, served.key("profiles:read")) as client, pytest.raises(Forbidden):
            client.cypher("RETURN 1 AS x")
