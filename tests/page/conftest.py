"""A browser, and somebody in front of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from debian import Unavailable, in_ci
from http_world import Running, running
from playwright.sync_api import Browser

from graphprofile import GraphProfile
from graphprofile.demo import LOADER
from graphprofile.sample_data import shakespeare_files
from graphprofile.settings import Settings
from graphprofile.store import Store

from .browser import Visitor, launched, visit


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One for all tests of a run."""
    try:
        with launched() as found:
            yield found
    except Unavailable as error:
        if in_ci():
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: ``GRAPHPROFILE_SCREENSHOTS``, to be kept, else a folder of the run."""
    kept = os.environ.get("GRAPHPROFILE_SCREENSHOTS")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def visitor_of(browser: Browser, shots: Path) -> Iterator[Callable[[Running], Visitor]]:
    """Visitors of servers; whatever went wrong on their pages fails the test."""
    visitors: list[Visitor] = []

    def made(server: Running) -> Visitor:
        visitors.append(visit(browser, server.url, shots))
        return visitors[-1]

    yield made
    for one in visitors:
        one.context.close()
    assert [one.wrong for one in visitors if one.wrong] == []


@pytest.fixture
def visitor(visitor_of: Callable[[Running], Visitor], served: Running) -> Visitor:
    """Somebody at the server without keys."""
    return visitor_of(served)


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server of the demo's library, with tags, a model and vectors; to be read, not to be changed."""
    settings = Settings(data_dir=tmp_path_factory.mktemp("library"))
    with GraphProfile(Store.open(settings), settings) as gp:
        with shakespeare_files() as files:
            gp.load(files["items"], files["users"], files["events"], loader=LOADER)
        gp.update_tags()
        gp.train(seed=0)
        with running(gp) as server:
            yield server


@pytest.fixture
def reader(visitor_of: Callable[[Running], Visitor], library: Running) -> Visitor:
    """Somebody who looks at the library."""
    return visitor_of(library)
