"""What the store promises, the same on both engines."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from neo4j.exceptions import TransientError
from pydantic import SecretStr

from graphprofile import queries
from graphprofile.errors import (
    AuthenticationFailed,
    ConstraintViolated,
    EngineError,
    EngineUnavailable,
    RetriesExhausted,
    UsageError,
)
from graphprofile.settings import Settings
from graphprofile.store import Store, Transaction

STATEMENTS = {
    "test/create_user": "CREATE (u:User {id: $id, rev: 0})",
    "test/raise_rev": "MATCH (u:User {id: $id}) SET u.rev = u.rev + 1",
    "test/read_users": "MATCH (u:User) RETURN u.id AS id, u.rev AS rev ORDER BY id",
    "test/create_items": "UNWIND $ids AS id MERGE (:Item {id: id})",
    "test/create_event": (
        "MATCH (u:User {id: $user}) MATCH (i:Item {id: $item}) "
        "CREATE (u)-[:PURCHASED {event_id: $id, ts: 1}]->(i)"
    ),
    "test/read_events": (
        "MATCH (u:User)-[e:PURCHASED]->(i) RETURN e.event_id AS id, u.id AS user, i.id AS item"
    ),
    "test/count_up": "UNWIND range(1, $n) AS i RETURN i, 'row ' + toString(i) AS text",
    "test/broken": "MATCH (u:User) RETURN no_such_variable",
}


@pytest.fixture(autouse=True)
def _test_statements(monkeypatch: pytest.MonkeyPatch) -> None:
    """Queries of the tests' own beside those of the package."""
    real: Callable[..., str] = queries.text
    monkeypatch.setattr(queries, "text", lambda name, *types: STATEMENTS.get(name) or real(name, *types))


def create_user(store: Store, user: str) -> None:
    store.write(lambda tx: tx.run("test/create_user", id=user))


def users(store: Store) -> list[tuple[str, int]]:
    return [(row["id"], row["rev"]) for row in store.read("test/read_users")]


class TestTransactions:
    def test_names_its_engine(self, store: Store, engine_name: str) -> None:
        assert store.engine == engine_name
        assert store.looks_up_relationships == (engine_name == "neo4j")

    def test_committed_work_is_there_for_another_connection(
        self, store: Store, settings_for_store: Settings
    ) -> None:
        assert store.write(lambda tx: tx.run("test/create_user", id="u1")) == []
        with Store.open(settings_for_store) as other:
            assert users(other) == [("u1", 0)]

    def test_work_returns_its_value_and_sees_its_own_writes(self, store: Store) -> None:
        def work(tx: Transaction) -> list[dict[str, Any]]:
            tx.run("test/create_user", id="u1")
            tx.run("test/raise_rev", id="u1")
            return tx.run("test/read_users")

        assert store.write(work) == [{"id": "u1", "rev": 1}]

    def test_failing_work_leaves_nothing(self, store: Store) -> None:
        def work(tx: Transaction) -> None:
            tx.run("test/create_user", id="u1")
            raise LookupError("the work's own error")

        with pytest.raises(LookupError, match="own error"):
            store.write(work)
        assert users(store) == []

    def test_same_node_twice_is_refused_whole(self, store: Store) -> None:
        create_user(store, "u1")

        def work(tx: Transaction) -> None:
            tx.run("test/create_user", id="u2")
            tx.run("test/create_user", id="u1")

        with pytest.raises(ConstraintViolated):
            store.write(work)
        assert users(store) == [("u1", 0)]

    def test_same_event_twice_is_refused_whole(self, store: Store) -> None:
        create_user(store, "u1")
        store.write(lambda tx: tx.run("test/create_items", ids=["i1", "i2"]))
        store.write(lambda tx: tx.run("test/create_event", user="u1", item="i1", id="e1"))
        with pytest.raises(ConstraintViolated, match=r"test/create_event|commit"):
            store.write(lambda tx: tx.run("test/create_event", user="u1", item="i2", id="e1"))
        assert store.read("test/read_events") == [{"id": "e1", "user": "u1", "item": "i1"}]

    def test_same_event_twice_in_one_transaction_is_refused(self, store: Store) -> None:
        create_user(store, "u1")
        store.write(lambda tx: tx.run("test/create_items", ids=["i1"]))

        def work(tx: Transaction) -> None:
            tx.run("test/create_event", user="u1", item="i1", id="e1")
            tx.run("test/create_event", user="u1", item="i1", id="e1")

        with pytest.raises(ConstraintViolated):
            store.write(work)
        assert store.read("test/read_events") == []

    def test_writers_in_each_others_way_all_succeed(self, store: Store) -> None:
        create_user(store, "u1")
        failures: list[BaseException] = []

        def writer() -> None:
            try:
                for _ in range(25):
                    store.write(lambda tx: tx.run("test/raise_rev", id="u1"))
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=writer) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert users(store) == [("u1", 100)]

    def test_writers_that_make_the_same_nodes_all_succeed(self, store: Store) -> None:
        failures: list[BaseException] = []
        together = threading.Barrier(4)

        def writer() -> None:
            try:
                for batch in range(8):
                    together.wait()
                    ids = [f"i{batch}-{number}" for number in range(20)]
                    store.write(lambda tx, ids=ids: tx.run("test/create_items", ids=ids))  # type: ignore[misc]
            except BaseException as error:
                failures.append(error)
                together.abort()

        threads = [threading.Thread(target=writer) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert store.cypher("MATCH (i:Item) RETURN count(i) AS n") == [{"n": 160}]

    def test_whole_work_is_repeated_after_a_transient_error(self, store: Store) -> None:
        calls = []

        def work(tx: Transaction) -> int:
            tx.run("test/create_user", id=f"u{len(calls)}")
            calls.append(1)
            if len(calls) < 3:
                raise TransientError("deadlock")
            return len(calls)

        assert store.write(work) == 3
        assert users(store) == [("u2", 0)]

    def test_retries_have_a_bound(self, settings_for_store: Settings) -> None:
        calls = []

        def work(tx: Transaction) -> None:
            calls.append(1)
            raise TransientError("deadlock")

        settings = settings_for_store.model_copy(update={"retry_seconds": 0.3})
        with Store.open(settings) as store, pytest.raises(RetriesExhausted, match=r"0\.3 s") as raised:
            store.write(work)
        assert len(calls) > 1
        assert raised.value.hint is not None

    def test_an_attempt_that_took_longer_than_the_bound_is_repeated(
        self, settings_for_store: Settings
    ) -> None:
        calls = []

        def work(tx: Transaction) -> int:
            calls.append(1)
            if len(calls) == 1:
                time.sleep(0.5)
                raise TransientError("deadlock")
            return len(calls)

        settings = settings_for_store.model_copy(update={"retry_seconds": 0.3})
        with Store.open(settings) as store:
            assert store.write(work) == 2

    def test_ctrl_c_is_not_hidden_by_what_it_breaks(self, store: Store) -> None:
        def work(tx: Transaction) -> None:
            tx.run("test/create_user", id="u1")
            try:
                raise KeyboardInterrupt
            finally:
                raise TransientError("what the driver says when it was interrupted in a message")

        with pytest.raises(KeyboardInterrupt):
            store.write(work)
        assert users(store) == []

    def test_reads_and_writes_inside_a_unit_of_work_are_their_own(self, store: Store) -> None:
        def work(tx: Transaction) -> None:
            tx.run("test/create_user", id="u1")
            assert users(store) == []
            store.write(lambda inner: inner.run("test/create_items", ids=["i1"]))
            raise LookupError("and now nothing of it")

        with pytest.raises(LookupError):
            store.write(work)
        assert store.cypher("MATCH (n) RETURN labels(n) AS l") == [{"l": ["Item"]}]

    def test_error_names_the_query(self, store: Store) -> None:
        with pytest.raises(EngineError, match="test/broken"):
            store.read("test/broken")
        with pytest.raises(EngineError, match="test/broken"):
            store.write(lambda tx: tx.run("test/broken"))

    def test_closed_store_says_so(self, settings_for_store: Settings) -> None:
        store = Store.open(settings_for_store)
        store.close()
        store.close()
        with pytest.raises(UsageError, match="closed"):
            store.read("test/read_users")


class TestStream:
    def test_rows_come_in_order_and_whole(self, store: Store) -> None:
        rows = list(store.stream("test/count_up", n=12_345))
        assert rows[0] == {"i": 1, "text": "row 1"}
        assert [row["i"] for row in rows] == list(range(1, 12_346))

    def test_no_rows(self, store: Store) -> None:
        assert list(store.stream("test/read_users")) == []

    def test_may_be_left_in_the_middle(self, store: Store) -> None:
        rows = store.stream("test/count_up", n=200_000)
        assert next(rows)["i"] == 1
        rows.close()  # type: ignore[attr-defined]
        assert store.read("test/count_up", n=1) == [{"i": 1, "text": "row 1"}]

    def test_error_names_the_query(self, store: Store) -> None:
        with pytest.raises(EngineError, match="test/broken"):
            next(store.stream("test/broken"))


class TestOwnCypher:
    def test_reads_with_parameters(self, store: Store) -> None:
        create_user(store, "u1")
        assert store.cypher("MATCH (u:User {id: $id}) RETURN u.rev AS rev", {"id": "u1"}) == [{"rev": 0}]

    @pytest.mark.parametrize(
        "text",
        [
            "CREATE (n:User {id: 'x'}) RETURN n",
            "MATCH (u:User) SET u.rev = 7",
            "match (u:User) set u.rev = 7 return u",
            "MATCH (u:User) REMOVE u.rev",
            "MATCH (u:User) DETACH DELETE u",
            "MERGE (n:User {id: 'x'})",
            "MATCH (u:User) FOREACH (x IN [1] | CREATE (:User {id: 'y'}))",
            "CALL { CREATE (n:User {id: 'x'}) } RETURN 1 AS one",
            "UNWIND [1, 2] AS i CALL (i) { CREATE (:User {id: 'z' + i}) } IN TRANSACTIONS OF 1 ROWS",
            "CREATE INDEX never FOR (n:User) ON (n.never)",
            "LOAD CSV FROM 'file:///etc/hostname' AS line RETURN line",
        ],
    )
    def test_writing_is_refused(self, store: Store, text: str) -> None:
        create_user(store, "u1")
        with pytest.raises(UsageError) as raised:
            store.cypher(text)
        assert raised.value.hint is not None
        assert users(store) == [("u1", 0)]
        assert not any(row["properties"] == ["never"] for row in store.read("schema/show"))

    def test_words_in_text_names_and_comments_are_no_clauses(self, store: Store) -> None:
        text = "/* SET */ RETURN 'DELETE me' AS `create`, {set: 1}.set AS found // REMOVE"
        assert store.cypher(text) == [{"create": "DELETE me", "found": 1}]

    def test_writes_where_it_may(self, store: Store) -> None:
        store.cypher("CREATE (:User {id: $id, rev: 3})", {"id": "u9"}, read_only=False)
        assert users(store) == [("u9", 3)]

    def test_runs_its_own_transactions_where_it_may(self, store: Store) -> None:
        store.cypher(
            "UNWIND range(1, 5) AS i CALL (i) { CREATE (:User {id: 'u' + i, rev: i}) } "
            "IN TRANSACTIONS OF 2 ROWS",
            read_only=False,
        )
        assert users(store) == [(f"u{i}", i) for i in range(1, 6)]

    def test_values_are_plain(self, store: Store) -> None:
        store.cypher(
            "CREATE (:User {id: 'u1'})-[:PURCHASED {event_id: 'e1', ts: 5}]->(:Item {id: 'i1'})",
            read_only=False,
        )
        (row,) = store.cypher(
            "MATCH p = (u:User)-[e:PURCHASED]->(i) RETURN u, e, p, [1, null, 2.5] AS list, {a: true} AS map, "
            "datetime({epochMillis: 0}) AS time"
        )
        user = {"labels": ["User"], "properties": {"id": "u1"}}
        event = {"type": "PURCHASED", "properties": {"event_id": "e1", "ts": 5}}
        item = {"labels": ["Item"], "properties": {"id": "i1"}}
        assert row["u"] == user
        assert row["e"] == event
        assert row["p"] == {"nodes": [user, item], "relationships": [event]}
        assert row["list"] == [1, None, 2.5]
        assert row["map"] == {"a": True}
        assert row["time"].startswith("1970-01-01T00:00:00")

    @pytest.mark.parametrize("text", ["MATCHX (n)", "MATCH (n:User {id: $missing}) RETURN n", "RETURN 1 / 0"])
    def test_what_cannot_run_is_wrong_use(self, store: Store, text: str) -> None:
        with pytest.raises(UsageError, match="query failed"):
            store.cypher(text)

    def test_parameter_that_cannot_be_sent(self, store: Store) -> None:
        with pytest.raises(UsageError, match="parameter"):
            store.cypher("RETURN $x AS x", {"x": object()})


class TestSchema:
    def test_is_idempotent_and_counts(self, store: Store) -> None:
        first = store.create_schema(["PURCHASED", "VIEWED"])
        assert first == store.create_schema(["PURCHASED", "VIEWED", "VIEWED"])
        assert first == {"constraints": 13, "indexes": 4}

    def test_may_be_made_by_several_at_once(self, store: Store) -> None:
        failures: list[BaseException] = []
        together = threading.Barrier(3)

        def maker() -> None:
            try:
                together.wait()
                store.create_schema([f"MADE_AT_ONCE_{number}" for number in range(6)])
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=maker) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        made = [row for row in store.read("schema/show") if row["label"].startswith("MADE_AT_ONCE_")]
        assert sorted(row["label"] for row in made) == [f"MADE_AT_ONCE_{number}" for number in range(6)]

    @pytest.mark.neo4j
    def test_replaces_what_a_killed_neo4j_left_of_a_constraint(self, store: Store) -> None:
        # After a kill there is the index that carried the constraint, under the constraint's name, and no constraint.
        if store.engine != "neo4j":
            pytest.skip("the other engine leaves nothing")
        left = "CREATE INDEX constraint_1f2e3d4c FOR ()-[r:HALF_MADE]-() ON (r.event_id)"
        store.cypher(left, read_only=False)
        store.create_schema(["HALF_MADE"])
        shown = [row for row in store.read("schema/show") if row["label"] == "HALF_MADE"]
        assert [(row["unique"], row["state"]) for row in shown] == [(True, "ONLINE")]

    def test_everything_is_online(self, store: Store) -> None:
        shown = {(row["label"], *row["properties"]): row for row in store.read("schema/show")}
        for key in [("User", "id"), ("Tag", "kind", "name"), ("Model", "version"), ("PURCHASED", "event_id")]:
            assert shown[key]["unique"] is True
        for key in [("User", "tags_due"), ("Content", "embed_due")]:
            assert shown[key]["unique"] is False
        assert {row["state"] for row in shown.values()} == {"ONLINE"}

    @pytest.mark.parametrize(
        "node",
        [
            "User {id: 'x'}",
            "Item {id: 'x'}",
            "Content {id: 'x'}",
            "Tag {kind: 'k', name: 'n'}",
            "Batch {id: 'x'}",
            "Schema {id: 'x'}",
            "Model {version: 'x'}",
        ],
    )
    def test_second_of_the_same_is_refused(self, store: Store, node: str) -> None:
        store.cypher(f"CREATE (:{node})", read_only=False)
        with pytest.raises(ConstraintViolated):
            store.cypher(f"CREATE (:{node})", read_only=False)

    def test_several_make_the_same_schema_at_once(self, store: Store) -> None:
        types = [f"AT_ONCE_{number}" for number in range(8)]
        if store.engine == "neo4j":
            # Plain indexes are where that engine looks before it locks.
            for row in store.cypher("SHOW INDEXES YIELD name, properties, owningConstraint"):
                if row["owningConstraint"] is None and row["properties"] in (["tags_due"], ["embed_due"]):
                    store.cypher(f"DROP INDEX `{row['name']}`", read_only=False)
        barrier = threading.Barrier(4)

        def make() -> dict[str, int]:
            with Store.open(store.settings) as mine:
                barrier.wait(60)
                return mine.create_schema(types)

        with ThreadPoolExecutor(4) as pool:
            made = [future.result() for future in [pool.submit(make) for _ in range(4)]]
        assert made == [made[0]] * 4

    def test_tags_of_two_kinds_may_share_a_name(self, store: Store) -> None:
        store.cypher("CREATE (:Tag {kind: 'a', name: 'n'}), (:Tag {kind: 'b', name: 'n'})", read_only=False)
        assert store.cypher("MATCH (t:Tag {name: 'n'}) RETURN count(t) AS n") == [{"n": 2}]

    def test_patterns_over_what_is_not_there_yet_find_nothing(self, store: Store) -> None:
        for text in (
            "MATCH (:Item)-[:HAS_TAG]->(t:Tag)-[:PART_OF*0..3]->(a:Tag) RETURN a",
            "MATCH (:User)-[i:INTERESTED_IN]->(:Tag) RETURN i",
            "MATCH (m:Model) WHERE m.in_use RETURN m",
            "MATCH (:User)-[e:PURCHASED|VIEWED]->() RETURN e",
        ):
            assert store.cypher(text) == []


class TestConnecting:
    def test_no_server(self) -> None:
        with pytest.raises(EngineUnavailable, match=r"bolt://127\.0\.0\.1:1\b") as raised:
            Store.open(Settings(uri="bolt://127.0.0.1:1", password=SecretStr("x")))
        assert raised.value.hint is not None

    def test_no_such_host(self) -> None:
        with pytest.raises(EngineUnavailable, match=r"no-such-host\.invalid"):
            Store.open(Settings(uri="neo4j://no-such-host.invalid:7687", password=SecretStr("x")))

    def test_no_uri_at_all(self) -> None:
        with pytest.raises(UsageError, match="http://localhost") as raised:
            Store.open(Settings(uri="http://localhost:7474", password=SecretStr("x")))
        assert "neo4j://" in str(raised.value.hint)

    @pytest.mark.neo4j
    @pytest.mark.parametrize("engine_name", ["neo4j"])
    def test_wrong_password(self, bare_settings: Settings) -> None:
        wrong = bare_settings.model_copy(update={"password": SecretStr("not-the-secret")})
        with pytest.raises(AuthenticationFailed) as raised:
            Store.open(wrong)
        assert "not-the-secret" not in f"{raised.value} {raised.value.hint} {raised.value.__cause__}"

    @pytest.mark.neo4j
    @pytest.mark.parametrize("engine_name", ["neo4j"])
    def test_unknown_database(self, bare_settings: Settings) -> None:
        with pytest.raises(EngineError, match="nowhere"):
            Store.open(bare_settings.model_copy(update={"database": "nowhere"}))
