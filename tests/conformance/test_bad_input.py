"""Odd graphs from loading to recommending, on both engines: a clear error or a right result."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from graphprofile import GraphProfile
from graphprofile.errors import GraphProfileError, ModelError, RegistryCorrupt, TooLittleData

from .conftest import Wipe, event
from .test_models import T0, checkerboard


def learn(gp: GraphProfile, events: list[Any], items: list[Any]) -> str:
    """Load, train a little, and name the model."""
    gp.load(items, kind="items")
    gp.load(events)
    gp.update_tags()
    return gp.train(epochs=3).model


@pytest.mark.parametrize("one", ["user", "item"])
def test_one_user_or_one_item(gp: GraphProfile, one: str) -> None:
    names = [f"x{n}" for n in range(30)]
    rows = [event(n, "ann", n) if one == "user" else event(n, n, "book") for n in names]
    gp.load(rows)
    gp.update_tags()
    with pytest.raises(TooLittleData, match="needed: 4"):
        gp.train()
    assert gp.models.list() == []
    assert set(gp.embeddings().status) == {"missing"}


def test_self_loops_and_duplicates_change_no_vector(gp: GraphProfile, wipe: Wipe) -> None:
    """Users who follow themselves, and every event sent twice: the vectors are those of the graph without."""
    items, events = checkerboard()
    learn(gp, events, items)
    plain = gp.embeddings()
    gp = wipe(gp)
    users = sorted({row["user_id"] for row in events})
    loops = [event(f"loop-{user}", user, user, kind="followed", object_kind="user", ts=T0) for user in users]
    gp.load(loops)
    gp.load(events)
    learn(gp, events, items)
    looped = gp.embeddings()
    assert looped.ids == plain.ids
    assert set(looped.status) == {"fresh"}
    assert np.allclose(looped.vectors, plain.vectors, atol=1e-6)
    assert gp.similar_users("a0")[0].id != "a0"


def test_nan_written_past_the_loader_is_named(gp: GraphProfile) -> None:
    """No file can bring one in; somebody's own Cypher can."""
    items, events = checkerboard()
    gp.load(items, kind="items")
    gp.load(events)
    gp.cypher("MATCH (i:Item {id: 'A3'}) SET i.price = $nan", {"nan": float("nan")}, read_only=False)
    gp.update_tags()
    for call in (gp.digest, gp.train):
        with pytest.raises(GraphProfileError, match="Item A3: a property cannot be compared: nan"):
            call()
    assert gp.models.list() == []
    gp.cypher("MATCH (i:Item {id: 'A3'}) REMOVE i.price", read_only=False)
    gp.train(epochs=3)
    assert np.isfinite(gp.embeddings().vectors).all()


def test_a_user_and_an_item_apart_from_all_others(gp: GraphProfile) -> None:
    items, events = checkerboard()
    learn(gp, [*events, event("far", "hermit", "cave", ts=T0)], items)
    alone = gp.embeddings(["hermit"])
    assert alone.status == ["fresh"]
    assert np.isfinite(alone.vectors).all()
    assert np.abs(alone.vectors).sum() > 0.5
    assert "cave" not in [row.id for row in gp.recommend("hermit", k=5)]


def test_a_model_of_other_code_is_refused_by_name(gp: GraphProfile) -> None:
    items, events = checkerboard()
    version = learn(gp, events, items)
    path = gp.models.registry.folder / version / "model.json"
    document = json.loads(path.read_text())
    before = gp.embeddings()
    path.write_text(json.dumps({**document, "format": 99}))
    other = GraphProfile(gp.store, gp.settings)
    gp.load([event("new", "a0", "A0", ts=T0 + 10**9)])
    for call in (other.embed, other.drift, lambda: other.models.promote(version)):
        with pytest.raises(ModelError, match="format 99, this code reads"):
            call()
    assert "format 99" in other.status()["drift"]["error"]
    assert [row["role"] for row in other.models.list()] == ["damaged"]
    # Nothing was written with it, and a new training mends it.
    assert np.array_equal(other.embeddings().vectors, before.vectors)
    assert other.train(epochs=3).promoted
    assert set(other.embeddings().status) == {"fresh"}


def test_a_truncated_model_serves_nothing_new(gp: GraphProfile) -> None:
    items, events = checkerboard()
    version = learn(gp, events, items)
    path = gp.models.registry.folder / version / "arrays.npz"
    path.write_bytes(path.read_bytes()[:-1000])
    other = GraphProfile(gp.store, gp.settings)
    gp.load([event("new", "a0", "A0", ts=T0 + 10**9)])
    for call in (other.embed, lambda: other.update([event("newer", "a1", "A1", ts=T0 + 10**9)])):
        with pytest.raises(RegistryCorrupt, match=r"arrays.npz: .*truncated"):
            call()
    assert set(other.embeddings(["a0", "a1"]).status) == {"stale"}
    assert other.train(epochs=3).promoted
    assert set(other.embeddings(["a0", "a1"]).status) == {"fresh"}


def test_cold_start_says_so(gp: GraphProfile) -> None:
    """No usable event: the declared fallback by name; one event: a vector near the shelf it was on."""
    items, events = checkerboard()
    learn(gp, events, items)
    gp.load([{"user_id": "nobody"}], kind="users")
    gp.load([event("one", "newcomer", "A3", ts=T0 + 10**9)])
    gp.update_tags()
    gp.embed()
    found = gp.embeddings(["nobody", "newcomer"])
    assert found.status == ["cold_start", "fresh"]
    assert not np.isnan(found.vectors).any()
    dim = gp.models.model()[1].dim
    assert not found.vectors[0, :dim].any()
    assert {row.id[0] for row in gp.recommend("newcomer", k=5)} == {"A"}
    assert len(gp.recommend("nobody", k=5)) == 5
