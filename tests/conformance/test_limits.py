"""Time, rows and bytes of a read are bounded on both engines, and the engine stands still afterwards."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from neo4j_server import Neo4jServer

from graphprofile import queries
from graphprofile.errors import EngineError, QueryTimeout, QueryTooLarge, UsageError
from graphprofile.settings import Settings
from graphprofile.store import Store
from graphprofile.store.limits import GRACE_SECONDS

SECONDS = 1.5
IDLE_SHARE = 0.25

LONG = {
    "product": "UNWIND range(1, 900000) AS a UNWIND range(1, 900000) AS b RETURN sum(a * b) AS s",
    "filter": "UNWIND range(1, 900000) AS a UNWIND range(1, 900000) AS b WITH a WHERE a < 0 RETURN count(*) AS n",
    "nodes": "MATCH (a:User), (b:User), (c:User), (d:User), (e:User), (f:User) RETURN sum(a.n * f.n) AS s",
    "paths": "MATCH p = (a:User)-[:KNOWS*1..25]->(b:User) RETURN count(p) AS n",
    "subquery": "UNWIND range(1, 900000) AS a CALL (a) { UNWIND range(1, 900000) AS b RETURN sum(a + b) AS s } "
    "RETURN sum(s)",
    "exists": "UNWIND range(1, 900000) AS a UNWIND range(1, 900000) AS b "
    "WITH a WHERE EXISTS { MATCH (:User {n: -a}) } RETURN a",
}
LARGE = {
    "sort": "UNWIND range(1, 900000) AS a UNWIND range(1, 1000) AS b RETURN a * b AS x ORDER BY x DESC LIMIT 3",
    "collect": "UNWIND range(1, 900000) AS a UNWIND range(1, 1000) AS b RETURN size(collect(a * b)) AS n",
    "range": "WITH range(1, 1000000000) AS r UNWIND r AS x RETURN collect(x)",
}
EXPRESSION = (
    "RETURN reduce(s = 0, x IN range(1, 900000) | s + reduce(t = 0, y IN range(1, 900000) | t + y)) AS s"
)


STATEMENTS = {
    "test/count_up": "UNWIND range(1, $n) AS i RETURN i, 'row ' + toString(i) AS text",
    "test/broken": "MATCH (u:User) RETURN no_such_variable",
}


@pytest.fixture(autouse=True)
def _test_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    """Queries of the tests' own beside those of the package."""
    real: Callable[..., str] = queries.text
    monkeypatch.setattr(queries, "text", lambda name, *types: STATEMENTS.get(name) or real(name, *types))


class Watched:
    """A store, and the processor time of its engine's process."""

    def __init__(self, store: Store, server: Neo4jServer | None) -> None:
        self.store, self.server = store, server

    @property
    def pid(self) -> int:
        if self.server is not None:
            if self.server.process is None:
                pytest.skip("the server is somebody else's process")
            return self.server.process.pid
        channel = self.store._link.channel
        assert channel is not None
        return channel.endpoint.pid

    def cpu(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def assert_idle(self, within: float = 4.0) -> None:
        """Over one of the next stretches of two seconds the engine does next to nothing."""
        deadline = time.monotonic() + within
        while True:
            before = self.cpu()
            time.sleep(2)
            spent = self.cpu() - before
            if spent < IDLE_SHARE * 2:
                return
            assert time.monotonic() < deadline, f"{spent:.2f} s of processor time in 2 s"


@pytest.fixture
def watched(store: Store, engine_name: str, request: pytest.FixtureRequest) -> Watched:
    store.cypher("UNWIND range(1, 60) AS n CREATE (:User {id: 'u' + n, n: n})", read_only=False)
    store.cypher(
        "MATCH (a:User), (b:User) WHERE a.n <> b.n AND (a.n * 7 + b.n) % 3 = 0 CREATE (a)-[:KNOWS]->(b)",
        read_only=False,
    )
    return Watched(store, request.getfixturevalue("neo4j_server") if engine_name == "neo4j" else None)


@pytest.mark.parametrize("shape", LONG)
def test_long_queries_end_in_time_and_the_engine_rests(watched: Watched, shape: str) -> None:
    started = time.monotonic()
    with pytest.raises(QueryTimeout) as raised:
        watched.store.ask(LONG[shape], {}, rows=10, seconds=SECONDS)
    assert SECONDS <= time.monotonic() - started < SECONDS + GRACE_SECONDS
    assert raised.value.hint
    watched.assert_idle()
    assert watched.store.ask("RETURN 1 AS x", {}, rows=1, seconds=SECONDS).rows == [{"x": 1}]


@pytest.mark.parametrize("shape", LARGE)
def test_large_queries_end_and_the_engine_lives(watched: Watched, shape: str) -> None:
    pid = watched.pid
    started = time.monotonic()
    with pytest.raises((QueryTimeout, QueryTooLarge)):
        watched.store.ask(LARGE[shape], {}, rows=10, seconds=SECONDS)
    assert time.monotonic() - started < SECONDS + GRACE_SECONDS + 1
    watched.assert_idle(within=10)
    assert watched.pid == pid
    assert watched.store.ask("RETURN 1 AS x", {}, rows=1, seconds=SECONDS).rows == [{"x": 1}]


def test_named_queries_streams_and_texts_have_one_deadline(watched: Watched) -> None:
    store = watched.store
    with store.within(SECONDS):
        assert store.cypher("RETURN 1 AS x") == [{"x": 1}]
        assert store.read("test/count_up", n=1) == [{"i": 1, "text": "row 1"}]
        assert len(list(store.stream("test/count_up", n=6000))) == 6000
        started = time.monotonic()
        with pytest.raises(QueryTimeout):
            store.cypher(LONG["product"])
        with pytest.raises(QueryTimeout):
            store.read("test/count_up", n=1)
        with pytest.raises(QueryTimeout):
            next(store.stream("test/count_up", n=1))
        assert time.monotonic() - started < SECONDS + GRACE_SECONDS
    assert store.cypher("RETURN 1 AS x") == [{"x": 1}]
    watched.assert_idle()


def test_a_limit_is_of_one_thread_and_of_one_query(watched: Watched) -> None:
    """What ends is the query whose time is over, not what others read at the same moment."""
    store, found = watched.store, []

    def other() -> None:
        for _ in range(40):
            found.append(store.cypher("UNWIND range(1, 20000) AS x RETURN count(x) AS n")[0]["n"])
            time.sleep(0.05)

    thread = threading.Thread(target=other)
    thread.start()
    with pytest.raises(QueryTimeout):
        store.ask(LONG["product"], {}, rows=1, seconds=SECONDS)
    thread.join()
    assert found == [20000] * 40


def test_a_short_query_after_many_others_is_not_ended_by_their_limits(watched: Watched) -> None:
    for _ in range(30):
        watched.store.ask("RETURN 1 AS x", {}, rows=1, seconds=0.5)
    time.sleep(0.4)
    assert watched.store.cypher("UNWIND range(1, 400000) AS x RETURN count(x) AS n") == [{"n": 400000}]


def test_rows_beyond_the_cut_are_not_fetched(watched: Watched) -> None:
    started = time.monotonic()
    found = watched.store.ask(
        "UNWIND range(1, 900000) AS a UNWIND range(1, 900000) AS b RETURN a", {}, rows=5, seconds=20
    )
    assert [row["a"] for row in found.rows] == [1] * 5
    assert found.truncated
    assert time.monotonic() - started < 3
    watched.assert_idle()


def test_an_answer_is_bounded_in_bytes(watched: Watched) -> None:
    with pytest.raises(QueryTooLarge, match="16 MiB"):
        watched.store.ask(
            "UNWIND range(1, 60) AS x RETURN [i IN range(1, 200000) | 100000 * x] AS m",
            {},
            rows=99,
            seconds=30,
        )
    assert watched.store.ask("RETURN 1 AS x", {}, rows=1, seconds=SECONDS).rows == [{"x": 1}]


def test_one_expression_that_runs_long(bare_settings: Settings, engine_name: str, tmp_path: Path) -> None:
    """The caller gets its answer; the embedded engine ends itself, Neo4j is known to be at work still."""
    settings = Settings(data_dir=tmp_path / "own") if engine_name == "arcadedb" else bare_settings
    text = EXPRESSION if engine_name == "arcadedb" else EXPRESSION.replace("900000", "40000")
    with Store.open(settings) as store:
        store.cypher("MERGE (:Kept {id: 'k'})", read_only=False)
        started = time.monotonic()
        with pytest.raises(QueryTimeout):
            store.ask(text, {}, rows=1, seconds=SECONDS)
        assert time.monotonic() - started < SECONDS + GRACE_SECONDS + 1
        if engine_name == "neo4j":
            assert store.runaways() == 1
            deadline = time.monotonic() + 120
            while store.runaways():
                assert time.monotonic() < deadline
                time.sleep(0.5)
        watched = Watched(store, None)
        assert store.cypher("MATCH (k:Kept) RETURN k.id AS id") == [{"id": "k"}]
        if engine_name == "arcadedb":
            watched.assert_idle(within=10)


def test_a_text_that_doubles_until_memory_is_gone(tmp_path: Path) -> None:
    """The embedded engine ends itself; the next one is there at the next query, and the query is not tried again."""
    with Store.open(Settings(data_dir=tmp_path / "own", heap_size="512m")) as store:
        store.cypher("CREATE (:Kept {id: 'k'})", read_only=False)
        with pytest.raises(QueryTooLarge):
            store.ask(
                "RETURN size(reduce(s = 'xxxxxxxx', x IN range(1, 40) | s + s)) AS n", {}, rows=1, seconds=20
            )
        assert store.cypher("MATCH (k:Kept) RETURN k.id AS id") == [{"id": "k"}]


def test_errors_within_limits_are_those_without(watched: Watched) -> None:
    with pytest.raises(UsageError, match="query failed"):
        watched.store.ask("RETURN 1 / 0 AS x", {}, rows=1, seconds=SECONDS)
    with watched.store.within(SECONDS), pytest.raises(EngineError, match="test/broken"):
        watched.store.read("test/broken")
