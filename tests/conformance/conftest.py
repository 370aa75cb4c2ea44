"""An open GraphProfile on each engine, empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from graphprofile import GraphProfile
from graphprofile.settings import Settings
from graphprofile.store import Store

Wipe = Callable[[GraphProfile], GraphProfile]


@pytest.fixture
def gp(settings_for_store: Settings) -> Iterator[GraphProfile]:
    """An empty graph on the engine under test."""
    with GraphProfile(Store.open(settings_for_store), settings_for_store) as opened:
        yield opened


@pytest.fixture
def wipe() -> Wipe:
    """Empties a graph between two runs of one test; the same noun goes on."""
    from conftest import empty

    def wiped(graph: GraphProfile) -> GraphProfile:
        empty(graph.store)
        return GraphProfile(graph.store, graph.settings)

    return wiped


def event(
    id_: str,
    user: str,
    item: str,
    *,
    kind: str = "viewed",
    ts: Any = 1_700_000_000_000,
    **more: Any,
) -> dict[str, Any]:
    """One event in generic columns."""
    return {
        "event_id": id_,
        "user_id": user,
        "event_type": kind,
        "object_id": item,
        "timestamp": ts,
        **more,
    }
