"""A server that takes nothing any more is given up in time, and one that works long is waited for."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from neo4j_server import Neo4jServer
from pydantic import SecretStr

from graphprofile.settings import Settings
from graphprofile.store import Store, Transaction

from .proxy import Proxy

SILENT_SECONDS = 3.0
SLOW_MACHINE_SECONDS = 100
"""Less than the two minutes after which the driver gives up reading from a Neo4j as it comes."""
TEXT = 24 << 20
"""Characters: more than the buffers of two sockets take."""

pytestmark = pytest.mark.neo4j


@pytest.fixture
def proxied(neo4j_server: Neo4jServer, tmp_path: Path) -> Iterator[tuple[Proxy, Store]]:
    with Proxy(int(neo4j_server.uri.rpartition(":")[2]), random.Random(1)) as proxy:
        settings = Settings(
            uri=f"bolt://127.0.0.1:{proxy.port}",
            user=neo4j_server.user,
            password=SecretStr(neo4j_server.password),
            data_dir=tmp_path,
            silent_seconds=SILENT_SECONDS,
            retry_seconds=1,
        )
        with Store.open(settings) as store:
            yield proxy, store


def test_a_connection_that_takes_nothing_any_more_is_given_up_and_made_anew(
    proxied: tuple[Proxy, Store],
) -> None:
    proxy, store = proxied
    proxy.stall()
    started = time.monotonic()
    assert store.cypher("RETURN size($text) AS n", {"text": "x" * TEXT}) == [{"n": TEXT}]
    assert SILENT_SECONDS / 2 < time.monotonic() - started < SLOW_MACHINE_SECONDS


def test_a_statement_that_takes_longer_is_waited_for(proxied: tuple[Proxy, Store]) -> None:
    _, store = proxied
    store.cypher("MERGE (n:Waited {id: 1}) SET n.by = 0", read_only=False)
    locked, attempts = threading.Event(), []

    def hold() -> None:
        def work(tx: Transaction) -> None:
            tx._transaction.run("MATCH (n:Waited) SET n.by = 1").consume()
            locked.set()
            time.sleep(3 * SILENT_SECONDS)

        store.write(work)

    def wait(tx: Transaction) -> None:
        attempts.append(1)
        tx._transaction.run("MATCH (n:Waited) SET n.by = 2").consume()

    holder = threading.Thread(target=hold)
    holder.start()
    assert locked.wait(60)
    started = time.monotonic()
    store.write(wait)
    took = time.monotonic() - started
    holder.join()
    assert (len(attempts), took > 2 * SILENT_SECONDS) == (1, True)
    assert store.cypher("MATCH (n:Waited) RETURN n.by AS by") == [{"by": 2}]
    store.cypher("MATCH (n:Waited) DELETE n", read_only=False)


def test_neo4j_promises_signs_of_life_for_the_driver_to_wait_for(proxied: tuple[Proxy, Store]) -> None:
    _, store = proxied
    with store._link.session(read_only=True) as session:
        transaction = session.begin_transaction()
        hints = transaction._connection.connection_hints  # type: ignore[attr-defined]
        transaction.rollback()
    assert hints["connection.recv_timeout_seconds"] == 120
