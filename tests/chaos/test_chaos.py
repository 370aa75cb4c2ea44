"""The short form of the faults; ``make chaos`` is the long one. A failure names the seed that repeats its chances."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import threading
from collections.abc import Iterator

import pytest
from neo4j_server import Neo4jServer

from . import bad_rows, clock, damage, disk, faults
from .faults import Fault, Setting
from .generate import make_data
from .proxy import COMMIT, Proxy
from .world import Embedded, Impossible, Server, World

EVENTS = 2_000
SEED = int(os.environ.get("GRAPHPROFILE_TEST_CHAOS_SEED") or 1)

# Each fault runs here on one engine at least, kills of the loader on both; the long form runs all of them on both,
# with other seeds.
ON_EMBEDDED: tuple[tuple[Fault, int], ...] = (
    (faults.kill_loader, 3),
    (faults.kill_engine, 1),
    (faults.loaders_at_once_and_kills, 1),
    (faults.stopped_loader, 1),
    (disk.full_store, 1),
    (disk.full_quarantine, 1),
    (damage.damaged_files, 4),
    (damage.damaged_reads, 60),
)
ON_NEO4J: tuple[tuple[Fault, int], ...] = (
    (faults.kill_loader, 3),
    (faults.kill_engine, 1),
    (faults.cut_after_commit, 3),
    (faults.cut_at_random, 2),
    (faults.loaders_at_once_and_kills, 1),
    (faults.poison_row, 1),
    (clock.clock_jumps, 1),
    (bad_rows.bad_rows, 300),
)


def undisturbed(world: World) -> Setting:
    data = make_data(world.folder / "files", SEED, events=EVENTS)
    digest, seconds = world.clean_digest(data)
    return Setting(world, data, digest, seconds, random.Random(SEED))


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    """An embedded engine to break, and what a load gives that nothing disturbs."""
    world = Embedded(tmp_path_factory.mktemp("chaos-embedded"))
    try:
        yield undisturbed(world)
    finally:
        world.close()


@pytest.fixture(scope="module")
def neo4j(tmp_path_factory: pytest.TempPathFactory, neo4j_server: Neo4jServer) -> Iterator[Setting]:
    """The same on a Neo4j; other tests use it too, and find it empty."""
    world = Server(tmp_path_factory.mktemp("chaos-neo4j"), neo4j_server)
    try:
        yield undisturbed(world)
    finally:
        world.empty()


def check(setting: Setting, fault: Fault, times: int) -> None:
    try:
        for round_ in fault(setting, times):
            assert not round_.wrongs, "\n".join(
                [f"GRAPHPROFILE_TEST_CHAOS_SEED={SEED}: {round_.note}", *round_.wrongs]
            )
    except Impossible as why:
        pytest.skip(str(why))


def name(value: object) -> str:
    return getattr(value, "__name__", str(value))


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "times"), ON_EMBEDDED, ids=name)
def test_loading_into_the_embedded_engine_survives(embedded: Setting, fault: Fault, times: int) -> None:
    check(embedded, fault, times)


@pytest.mark.slow
@pytest.mark.neo4j
@pytest.mark.parametrize(("fault", "times"), ON_NEO4J, ids=name)
def test_loading_into_neo4j_survives(neo4j: Setting, fault: Fault, times: int) -> None:
    check(neo4j, fault, times)


def test_the_proxy_cuts_between_a_commit_and_its_answer() -> None:
    """The fault itself: the server hears COMMIT and answers, the client hears nothing."""
    heard = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                while heard.count(COMMIT) < 2:
                    heard.extend(connection.recv(4))
                connection.sendall(b"done")

        thread = threading.Thread(target=serve)
        thread.start()
        with Proxy(server.getsockname()[1], random.Random(1)) as proxy:
            proxy.commits_to_cut = {2}
            client = socket.create_connection(("127.0.0.1", proxy.port), timeout=20)
            with client:
                # In pieces, as a network may hand it over.
                for piece in (b"row" + COMMIT[:3], COMMIT[3:], b"row", COMMIT):
                    client.sendall(piece)
                answer = b""
                with contextlib.suppress(ConnectionError):
                    answer = client.recv(4)
                assert answer == b""
            thread.join(20)
            assert heard == b"row" + COMMIT + b"row" + COMMIT
            assert proxy.cuts == 1
