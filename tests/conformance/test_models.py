"""Training, embedding and recommending on both engines, on a small world whose answers are obvious."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from graphprofile import GraphProfile
from graphprofile.errors import ModelError, NoModel, NotFound, RegistryCorrupt, TooLittleData, UsageError

from .conftest import event

T0 = 1_700_000_000_000
HOUR = 3_600_000
READERS = 30
SHELF = 12


def checkerboard() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Two circles of readers who never read each other's shelf, each reader leaving some of it unread."""
    rng = np.random.default_rng(5)
    items = [
        {"item_id": f"{side}{n}", "title": f"{side} {n}", "tags": f"genre:{side}"}
        for side in "AB"
        for n in range(SHELF)
    ]
    events = []
    for side in "AB":
        for reader in range(READERS):
            for when, n in enumerate(rng.permutation(SHELF)[:8]):
                id_ = f"{side}{reader}-{n}"
                events.append(
                    event(id_, f"{side.lower()}{reader}", f"{side}{n}", ts=T0 + when * HOUR + reader)
                )
    return items, events


@pytest.fixture
def trained(gp: GraphProfile) -> GraphProfile:
    items, events = checkerboard()
    gp.load(items, kind="items")
    gp.load(events)
    gp.update_tags()
    result = gp.train(epochs=6)
    assert result.promoted
    return gp


def test_before_training_there_is_a_clear_word(gp: GraphProfile) -> None:
    gp.load([event("1", "ann", "i")])
    with pytest.raises(NoModel):
        gp.recommend("ann")
    with pytest.raises(NoModel):
        gp.embed()
    with pytest.raises(TooLittleData):
        gp.train()
    assert gp.embeddings(["ann"]).status == ["missing"]
    assert gp.profile("ann").embedding.status == "missing"  # type: ignore[union-attr]


def test_everything_that_follows_from_training(trained: GraphProfile) -> None:
    gp = trained
    version = gp.models.in_use()

    # Recommendations come from the reader's own shelf, skip what was read, and say why.
    found = gp.recommend("a0", 4)
    read = {row["id"] for row in gp.cypher("MATCH (:User {id: 'a0'})-[:VIEWED]->(i) RETURN i.id AS id")}
    assert {entry.id[0] for entry in found} == {"A"}
    assert not read & {entry.id for entry in found}
    assert all("genre A: 8 events" in entry.because[0] and "share" in entry.because[1] for entry in found)
    assert {entry.id for entry in gp.recommend("a0", 12, allow_seen=True)} >= read
    assert gp.recommend("a0", 4, kind="content") == []
    assert len(gp.recommend("a0", 500)) == 2 * SHELF - len(read)

    # The index finds what an exact search finds.
    rows = gp.cypher("MATCH (i:Item) RETURN i.id AS id, i.embedding AS v")
    user = gp.cypher("MATCH (u:User {id: 'a0'}) RETURN u.embedding AS v")[0]["v"]
    exact = {row["id"]: float(np.dot(row["v"], user)) for row in rows if row["id"] not in read}
    assert [entry.id for entry in found] == sorted(exact, key=lambda id_: (-exact[id_], id_))[:4]
    assert [entry.score for entry in found] == pytest.approx([exact[e.id] for e in found], abs=1e-4)

    # Neighbours are of the same circle.
    assert {entry.id[0] for entry in gp.similar_users("b3", 5)} == {"b"}
    assert {entry.id[0] for entry in gp.similar_items("B3", 5)} == {"B"}
    with pytest.raises(NotFound):
        gp.similar_items("nosuch")

    # Vectors: whole, of one model, fresh.
    vectors = gp.embeddings()
    assert vectors.model == version
    assert set(vectors.status) == {"fresh"}
    assert np.isfinite(vectors.vectors).all()
    profile = gp.profile("a0").embedding
    assert profile is not None
    assert (profile.status, profile.model, profile.dimensions) == ("fresh", version, vectors.vectors.shape[1])

    # Why an item: the score, and what it loses without each event.
    why = gp.explain("a0", item=found[0].id)
    assert why.score == pytest.approx(found[0].score, abs=1e-4)
    assert {path.object_id for path in why.paths} == read


def test_a_new_user_and_a_new_item_need_no_training(trained: GraphProfile) -> None:
    gp = trained
    gp.load([{"item_id": "Anew", "title": "A new", "tags": "genre:A"}], kind="items")
    gp.load([event("n1", "newcomer", "A1"), event("n2", "a1", "Anew"), {**event("n3", "odd", "Znew")}])
    assert gp.embeddings(["a1", "newcomer", "a2"]).status == ["stale", "missing", "fresh"]
    # Readable at once, also before the vector is written.
    assert {entry.id[0] for entry in gp.recommend("newcomer", 4)} == {"A"}
    result = gp.embed()
    assert (result.users, result.items) == (3, 2)
    found = gp.embeddings(["a1", "newcomer", "odd"])
    assert found.status == ["fresh", "fresh", "cold_start"]
    assert np.isfinite(found.vectors).all()
    assert np.abs(found.vectors).sum(axis=1).min() > 0
    assert "Anew" in {entry.id for entry in gp.recommend("a2", 9)}
    incremental = gp.embeddings()
    items = gp.cypher("MATCH (i:Item) RETURN i.id AS id, i.embedding AS v ORDER BY id")
    assert gp.embed().users == 0
    assert gp.embed(all=True).users == len(incremental.ids)
    np.testing.assert_array_equal(gp.embeddings().vectors, incremental.vectors)
    assert gp.cypher("MATCH (i:Item) RETURN i.id AS id, i.embedding AS v ORDER BY id") == items


def test_a_new_item_described_later_reaches_its_readers(trained: GraphProfile) -> None:
    gp = trained
    gp.load([event("n1", "newcomer", "Blate")])
    gp.embed()
    assert gp.embeddings(["newcomer"]).status == ["cold_start"]
    gp.load([{"item_id": "Blate", "tags": "genre:B"}], kind="items")
    gp.embed()
    assert gp.embeddings(["newcomer"]).status == ["fresh"]
    incremental = gp.embeddings().vectors
    gp.embed(all=True)
    np.testing.assert_array_equal(gp.embeddings().vectors, incremental)


def test_versions_are_kept_promoted_and_rolled_back(trained: GraphProfile, tmp_path: Path) -> None:
    gp = trained
    first = gp.models.in_use()
    before = gp.embeddings().vectors
    second = gp.train(seed=3, epochs=6, force=True)
    assert second.promoted
    assert gp.models.in_use() == second.model != first
    assert not np.array_equal(gp.embeddings().vectors, before)
    assert [row["in_use"] for row in gp.models.list()] == [True, False]
    assert gp.models.rollback().model == first
    np.testing.assert_array_equal(gp.embeddings().vectors, before)
    gp.models.promote(second.model)
    assert gp.models.in_use() == second.model
    shown = gp.models.show(str(first))
    assert shown["graph"]["digest"] == gp.digest()

    # Vectors of two models side by side are refused.
    gp.cypher("MATCH (u:User {id: 'a0'}) SET u.embedding_model = $m", {"m": first}, read_only=False)
    with pytest.raises(ModelError, match="different models"):
        gp.embeddings(["a0", "a1"])

    # A damaged registry is named, and the model in use stays.
    folder = gp.models.registry.folder / str(first)
    (folder / "arrays.npz").write_bytes((folder / "arrays.npz").read_bytes()[:1000])
    with pytest.raises(RegistryCorrupt, match=r"arrays\.npz"):
        gp.models.promote(str(first))
    assert gp.models.in_use() == second.model


def test_readers_see_one_model_while_another_is_written(
    trained: GraphProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    gp = trained
    monkeypatch.setattr("graphprofile.writeback.USERS_PER_TRANSACTION", 7)
    monkeypatch.setattr("graphprofile.writeback.OBJECTS_PER_TRANSACTION", 5)
    first = gp.models.in_use()

    def answers() -> list[Any]:
        def short(found: Any) -> list[Any]:
            # An index may round scores that a scan does not.
            return [(entry.id, round(entry.score, 4), entry.because) for entry in found]

        return [
            short(gp.recommend("a0", 4)),
            short(gp.similar_users("b3", 5)),
            short(gp.similar_items("B3", 5)),
            gp.embeddings(["a0", "b0"]).to_json(),
            gp.profile("a0").embedding,
            gp.status()["vectors"],
            gp.explain("a0", item=gp.recommend("a0", 1)[0].id),
        ]

    before, vectors = answers(), gp.embeddings().vectors

    class Broken(Exception):
        pass

    def broken(stage: str) -> Any:
        def progress(what: str, done: int, total: int | None) -> None:
            if what == stage and done >= 20:
                raise Broken

        return progress

    for seed, stage in ((3, "vectors of items"), (4, "vectors of users")):
        with pytest.raises(Broken):
            gp.train(seed=seed, epochs=6, force=True, progress=broken(stage))
        mixed = gp.cypher("MATCH (i:Item) RETURN count(DISTINCT i.embedding_model) AS models")
        assert mixed[0]["models"] == 2 if stage == "vectors of items" else 1
        assert gp.models.in_use() == first
        assert gp.models.coming() not in (None, first)
        assert answers() == before
        np.testing.assert_array_equal(gp.embeddings().vectors, vectors)

    # What is loaded meanwhile is embedded by the model in use.
    gp.load([event("n1", "newcomer", "A1"), event("n2", "a0", "B1")])
    assert gp.embed().users == 2
    found = gp.embeddings(["newcomer", "a0", "a1"])
    assert (found.model, found.status) == (first, ["fresh"] * 3)

    # Again, it goes on where it was and ends as if nothing had happened; who changed since is not forgotten.
    gp.load([event("n3", "a1", "B2")])
    latest = gp.models.list()[0]["version"]
    assert gp.models.coming() == latest
    result = gp.models.promote(latest)
    assert 2 <= result.users < 2 * READERS
    assert (gp.models.in_use(), gp.models.coming()) == (latest, None)
    switched = gp.embeddings()
    assert (switched.model, set(switched.status)) == (latest, {"fresh"})
    assert gp.embed().users == 0
    gp.embed(all=True)
    np.testing.assert_array_equal(gp.embeddings().vectors, switched.vectors)

    # Back again: nothing is computed but the vector of who changed since.
    back = gp.models.rollback()
    assert (back.model, back.items, back.users) == (first, 0, 1)
    assert gp.embeddings(["newcomer", "a0", "a1"]).status == ["fresh"] * 3
    place = {id_: at for at, id_ in enumerate(gp.embeddings().ids)}
    again, ids = gp.embeddings().vectors, [id_ for id_ in place if id_ not in ("newcomer", "a0", "a1")]
    old = sorted(id_ for id_ in place if id_ != "newcomer")
    for id_ in ids:
        np.testing.assert_array_equal(again[place[id_]], vectors[old.index(id_)])
    gp.embed(all=True)
    np.testing.assert_array_equal(gp.embeddings().vectors, again)


def test_exports(trained: GraphProfile, tmp_path: Path) -> None:
    gp = trained
    assert gp.models.export(tmp_path / "v.parquet") == 2 * READERS + 2 * SHELF
    vectors = pl.read_parquet(tmp_path / "v.parquet")
    assert vectors["kind"].value_counts().sort("kind")["count"].to_list() == [2 * SHELF, 2 * READERS]
    rows = gp.recommend_all(tmp_path / "r.parquet", 3)
    table = pl.read_parquet(tmp_path / "r.parquet")
    assert table.height == rows == 2 * READERS * 3
    for user in ("a0", "b7"):
        one = [entry.id for entry in gp.recommend(user, 3)]
        assert table.filter(pl.col("user_id") == user).sort("rank")["id"].to_list() == one
    with pytest.raises(UsageError):
        gp.models.export(tmp_path / "no" / "such" / "folder.parquet")


def test_training_again_is_reproducible(trained: GraphProfile) -> None:
    gp = trained
    again = gp.train(epochs=6, force=True)
    first, second = (gp.models.registry.load(v) for v in sorted(row["version"] for row in gp.models.list()))
    np.testing.assert_array_equal(first.targets, second.targets)
    assert again.metrics["model"] == gp.models.show(again.model)["metrics"]["model"]
