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
SEED = int(os.environ.get("GRAPHPROFILE_TEST_CHAOS_SEED") or random.SystemRandom().randrange(1_000_000))

# Each fault runs here on one engine at least, kills on both; the long form runs all of them on both.
CASES: tuple[tuple[str, Fault, int], ...] = (
    ("arcadedb", faults.kill_loader, 3),
    ("arcadedb", faults.kill_engine, 1),
    ("arcadedb", faults.loaders_at_once_and_kills, 1),
    ("arcadedb", faults.stopped_loader, 1),
    ("arcadedb", disk.full_store, 1),
    ("arcadedb", disk.full_quarantine, 1),
    ("arcadedb", damage.damaged_files, 4),
    ("arcadedb", damage.damaged_reads, 60),
    ("neo4j", faults.kill_loader, 3),
    ("neo4j", faults.kill_engine, 1),
    ("neo4j", faults.cut_after_commit, 3),
    ("neo4j", faults.cut_at_random, 2),
    ("neo4j", faults.loaders_at_once_and_kills, 1),
    ("neo4j", faults.poison_row, 1),
    ("neo4j", clock.clock_jumps, 1),
    ("neo4j", bad_rows.bad_rows, 300),
)
MARKS = {"arcadedb": [pytest.mark.slow], "neo4j": [pytest.mark.slow, pytest.mark.neo4j]}


@pytest.fixture(scope="module")
def setting(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Setting]:
    """An engine to break, the data, and what a load of them gives that nothing disturbs."""
    folder = tmp_path_factory.mktemp(f"chaos-{request.param}")
    world: World
    if request.param == "neo4j":
        server: Neo4jServer = request.getfixturevalue("neo4j_server")
        world = Server(folder, server)
    else:
        world = Embedded(folder)
    data = make_data(folder / "files", SEED, events=EVENTS)
    try:
        digest, seconds = world.clean_digest(data)
        yield Setting(world, data, digest, seconds, random.Random(SEED))
    finally:
        # A server is used by other tests too.
        world.empty()


@pytest.mark.parametrize(
    ("setting", "fault", "times"),
    [
        pytest.param(engine, fault, times, marks=MARKS[engine], id=f"{fault.__name__}-{engine}")
        for engine, fault, times in CASES
    ],
    indirect=["setting"],
)
def test_loading_survives(setting: Setting, fault: Fault, times: int) -> None:
    try:
        for round_ in fault(setting, times):
            assert not round_.wrongs, "\n".join(
                [f"GRAPHPROFILE_TEST_CHAOS_SEED={SEED}: {round_.note}", *round_.wrongs]
            )
    except Impossible as why:
        pytest.skip(str(why))


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
