"""Engines for the tests: a real Neo4j and the embedded one, each started once, handed out empty."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from neo4j_server import Neo4jServer, Unavailable
from pydantic import SecretStr
from xdist.scheduler import LoadScopeScheduling

from graphprofile.settings import Settings
from graphprofile.store import Store, embedded
from graphprofile.vocabulary import DEFAULT_EVENTS

# The server that the tests of HTTP speak to, and a PostgreSQL.
pytest_plugins = ["http_world", "postgres_server"]

ENGINES = ("arcadedb", pytest.param("neo4j", marks=pytest.mark.neo4j))
EVENT_TYPES = tuple(rule.type for rule in DEFAULT_EVENTS.values())

PAGE = "tests/page/"
MOST_PROCESSES = 2
"""With engines of its own each, a process of tests keeps more than a core busy."""


def pytest_xdist_auto_num_workers() -> int:
    """Processes for ``pytest -n auto``: none beside this one where all would empty the same Neo4j."""
    return 0 if "GRAPHPROFILE_TEST_NEO4J_URI" in os.environ else min(os.cpu_count() or 1, MOST_PROCESSES)


class ByFile(LoadScopeScheduling):
    """The tests of a file stay together, and those of the page: they share a browser and a library."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return PAGE if file.startswith(PAGE) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Whoever runs the tests in several processes has them dealt out like this.

    By marks, ``--dist loadgroup``, it would go without saying so: pytest 9 does not tell pytest-xdist 3.8 of them.
    """
    return ByFile(config, log)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the person at the keyboard has set must not reach the tests."""
    kept = ("GRAPHPROFILE_TEST_", "GRAPHPROFILE_CACHE")
    for name in list(os.environ):
        if name.startswith("GRAPHPROFILE_") and not name.startswith(kept):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def neo4j_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neo4jServer]:
    """A Neo4j whose content may be deleted: the one pointed to, else one of our own."""
    uri = os.environ.get("GRAPHPROFILE_TEST_NEO4J_URI")
    if uri:
        user = os.environ.get("GRAPHPROFILE_TEST_NEO4J_USER", "neo4j")
        yield Neo4jServer(uri, user, os.environ["GRAPHPROFILE_TEST_NEO4J_PASSWORD"])
        return
    try:
        server = Neo4jServer.start(tmp_path_factory.mktemp("neo4j"))
    except Unavailable as error:
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def arcadedb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder of an embedded engine that stays up for the whole session."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("arcadedb"))
    # Held open rather than told to stay: an engine must not outlive tests that were killed.
    channel = embedded.connect(settings)
    yield settings.data_dir
    channel.close()


@pytest.fixture(params=ENGINES)
def engine_name(request: pytest.FixtureRequest) -> str:
    """Name of the engine under test; a test that asks for it runs once on each."""
    return str(request.param)


@pytest.fixture
def bare_settings(engine_name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings that reach the engine under test, with a data folder of the test's own."""
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    if engine_name == "neo4j":
        server: Neo4jServer = request.getfixturevalue("neo4j_server")
        return Settings(
            uri=server.uri, user=server.user, password=SecretStr(server.password), data_dir=data_dir
        )
    shared: Path = request.getfixturevalue("arcadedb")
    (data_dir / "store").symlink_to(shared / "store")
    return Settings(data_dir=data_dir)


@pytest.fixture
def settings_for_store(bare_settings: Settings) -> Settings:
    """Settings of an engine with an empty, initialised graph, for ``GraphProfile.open``."""
    with Store.open(bare_settings) as store:
        empty(store)
        store.create_schema(EVENT_TYPES)
    return bare_settings


@pytest.fixture
def store(settings_for_store: Settings) -> Iterator[Store]:
    """An empty, initialised graph on the engine under test."""
    with Store.open(settings_for_store) as opened:
        yield opened


@pytest.fixture
def store_env(settings_for_store: Settings) -> dict[str, str]:
    """The environment in which the ``graphprofile`` command reaches the same graph."""
    environment = {**os.environ, "GRAPHPROFILE_DATA": str(settings_for_store.data_dir)}
    if settings_for_store.uri is not None and settings_for_store.password is not None:
        environment["GRAPHPROFILE_URI"] = settings_for_store.uri
        environment["GRAPHPROFILE_USER"] = settings_for_store.user
        environment["GRAPHPROFILE_PASSWORD"] = settings_for_store.password.get_secret_value()
    return environment


def empty(store: Store) -> None:
    """Delete all nodes and relationships and the vector indexes; constraints stay."""
    while store.cypher("MATCH (n) RETURN 1 LIMIT 1"):
        store.cypher("MATCH (n) WITH n LIMIT 20000 DETACH DELETE n", read_only=False)
    for row in store.cypher("SHOW INDEXES"):
        if row["properties"] == ["embedding"]:
            store.cypher(f"DROP INDEX `{row['name']}`", read_only=False)
