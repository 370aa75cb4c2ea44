"""What the store decides without an engine: which texts write, what values look like, what errors mean."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from neo4j.exceptions import ClientError, ConstraintError, ServiceUnavailable, TransientError
from neo4j.spatial import WGS84Point
from neo4j.time import Date, DateTime, Duration

from graphprofile.errors import ConstraintViolated, EngineError, EngineUnavailable, UsageError
from graphprofile.store.engines import ArcadeDB, Neo4j, connection_lost, engine_of, write_clause
from graphprofile.store.reading import plain


@pytest.mark.parametrize(
    ("text", "clause"),
    [
        ("CREATE (n)", "CREATE"),
        ("create(n)", "CREATE"),
        ("MATCH (n)\nSET\tn.x = 1", "SET"),
        ("MATCH (n) DETACH\n DELETE n", "DETACH"),
        ("MATCH (n) DELETE n", "DELETE"),
        ("MERGE p = (a)-[:X]->(b) RETURN p", "MERGE"),
        ("RETURN 'x' CREATE (n)", "CREATE"),
        ("RETURN 'it\\'s' CREATE (n)", "CREATE"),
        ("/* harmless */MATCH (n)/**/REMOVE/**/n.x", "REMOVE"),
        ("CALL { MATCH (n) RETURN n } IN 2 CONCURRENT TRANSACTIONS", "IN 2 CONCURRENT TRANSACTIONS"),
        ("CALL { MATCH (n) RETURN n } IN CONCURRENT TRANSACTIONS", "IN CONCURRENT TRANSACTIONS"),
        ("LOAD  CSV FROM 'x' AS l RETURN l", "LOAD CSV"),
        ("\\u004cOAD CSV FROM 'x' AS l RETURN l", "LOAD CSV"),
        ("LOAD/* a */CSV FROM 'x' AS l RETURN l", "LOAD CSV"),
        ("LOAD// a\nCSV FROM 'x' AS l RETURN l", "LOAD CSV"),
        ("LOAD\u2060CSV FROM 'x' AS l RETURN l", "LOAD CSV"),
        ("RETURN '\\u0027 CREATE (n) //'", "CREATE"),
        ("RETURN '\\u0027' CREATE (n) //'", "CREATE"),
        ("MATCH (n) RETURN n", None),
        ("MATCH (n:Created {set: 1}) WHERE n.delete RETURN n.remove", None),
        ("MATCH (set:User) RETURN set.id", None),
        ("RETURN $create, 'DROP', \"MERGE\", `SET`", None),
        ("MATCH (n) // CREATE\nRETURN n", None),
        ("RETURN createdAt, offset, reset", None),
        # What is never closed hides nothing.
        ("RETURN 'a CREATE (n)", "CREATE"),
        ('RETURN "a\\" CREATE (n)', "CREATE"),
        ("RETURN `a /* CREATE (n)", "CREATE"),
        ("/* a ' b */ RETURN 'x' /* CREATE (n)", "CREATE"),
        ("RETURN ' \\' /* CREATE */ 1", None),
    ],
)
def test_write_clause(text: str, clause: str | None) -> None:
    assert write_clause(text) == clause


@pytest.mark.parametrize("piece", ["\\'", '\\"', "/* ", "`/*'", "\\\\'"])
def test_quotes_without_end_are_looked_for_once(piece: str) -> None:
    """Each sought to the end of the text, these would take minutes."""
    started = time.process_time()
    assert write_clause("RETURN 1 " + piece * (100_000 // len(piece))) is None
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "text",
    [
        "UNWIND [1] AS merge LOAD CSV FROM 'file:///etc/hostname' AS line RETURN line",
        "\\u004cOAD CSV FROM 'file:///etc/hostname' AS line RETURN line",
    ],
)
def test_no_word_before_it_hides_a_file(text: str) -> None:
    with pytest.raises(UsageError, match="LOAD CSV"):
        Neo4j().refuse_writes(text)


@given(st.text(max_size=30), st.sampled_from(["CREATE (n)", "SET n.x = 1", "DELETE n", "MERGE (n)"]))
def test_no_quoted_text_hides_a_clause(content: str, clause: str) -> None:
    quoted = "'" + content.replace("\\", "\\\\").replace("'", "\\'") + "'"
    assert write_clause(f"MATCH (n) WHERE n.x = {quoted} {clause}") == clause.split()[0]
    assert write_clause(f"MATCH (n) WHERE n.x = {quoted} RETURN n") is None


def test_values_are_plain_and_fit_into_json() -> None:
    value = {
        "day": Date(2026, 2, 3),
        "time": DateTime(2026, 2, 3, 4, 5, 6),
        "while": Duration(days=2),
        "where": WGS84Point((13.4, 52.5)),
        "bytes": b"\x01\xff",
        "list": [1, 2.5, True, None, "x"],
    }
    assert json.loads(json.dumps(plain(value))) == {
        "day": "2026-02-03",
        "time": "2026-02-03T04:05:06.000000000",
        "while": "P2D",
        "where": [13.4, 52.5],
        "bytes": "01ff",
        "list": [1, 2.5, True, None, "x"],
    }


def coded(kind: type[ClientError], code: str, message: str) -> ClientError:
    error = kind._hydrate_neo4j(code=code, message=message)  # how the driver itself makes them
    assert isinstance(error, ClientError)
    return error


def test_errors_of_the_driver_become_our_own() -> None:
    engine = Neo4j()
    conflict = coded(
        ConstraintError, "Neo.ClientError.Schema.ConstraintValidationFailed", "Node(1) already exists"
    )
    assert isinstance(engine.translate(conflict, "query a/b", "bolt://x"), ConstraintViolated)
    missing = coded(ClientError, "Neo.ClientError.Statement.ParameterMissing", "Expected parameter(s): x")
    assert isinstance(engine.translate_own(missing, "bolt://x"), UsageError)
    named = engine.translate(missing, "query a/b", "bolt://x")
    assert type(named) is EngineError
    assert "query a/b" in named.message
    assert isinstance(engine.translate(ServiceUnavailable("gone"), "x", "bolt://x"), EngineUnavailable)


def test_what_is_worth_another_attempt() -> None:
    assert connection_lost(ServiceUnavailable("gone"))
    assert connection_lost(ConnectionResetError())
    assert not connection_lost(ClientError("wrong"))
    assert Neo4j().transient(TransientError("deadlock"))
    assert not Neo4j().transient(ClientError("wrong"))
    assert ArcadeDB().transient(ClientError("Please retry the operation"))


def test_engine_by_its_agent() -> None:
    assert engine_of("Neo4j/5.26.0 compatible (ArcadeDB 26.10.2)").name == "arcadedb"
    assert engine_of("Neo4j/5.26.19").name == "neo4j"
