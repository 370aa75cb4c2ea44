"""Drift and governance on both engines: what stays as it was is stable, what changes is named and trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphprofile import GraphProfile
from graphprofile.drift import read_stretch, sample_users
from graphprofile.errors import NoModel, NotFound, TooLittleData, UsageError

from .conftest import event

T0 = 1_700_000_000_000
HOUR = 3_600_000
DAY = 24 * HOUR
READERS = 60
SHELF = 12


def days(
    first: int, last: int, seed: int, *, kind: str = "viewed", shelf: str = "AB", prefix: str = ""
) -> list[Any]:
    """Each day each reader opens one book of the reader's own shelf."""
    rng = np.random.default_rng(seed)
    events = []
    for day in range(first, last):
        for side in "AB":
            for reader in range(READERS // 2):
                mine = side if side in shelf else shelf[0]
                book = f"{prefix}{mine}{rng.integers(SHELF)}"
                ts = T0 + day * DAY + reader
                events.append(
                    event(f"{seed}-{day}-{side}{reader}", f"{side}{reader}", book, kind=kind, ts=ts)
                )
    return events


@pytest.fixture
def trained(gp: GraphProfile) -> GraphProfile:
    items = [
        {"item_id": f"{side}{n}", "title": f"{side} {n}", "tags": f"genre:{side}"}
        for side in "AB"
        for n in range(SHELF)
    ]
    gp.load(items, kind="items")
    gp.load(days(0, 8, 1))
    gp.update_tags()
    gp.train(epochs=4)
    return gp


def test_nothing_to_measure_against(gp: GraphProfile) -> None:
    gp.load([event("1", "ann", "i")])
    with pytest.raises(NoModel):
        gp.drift()
    assert gp.status()["drift"] is None


def test_a_stretch_by_hand(gp: GraphProfile) -> None:
    gp.load(
        [
            {"item_id": "x", "tags": ["genre:A", "genre:B"]},
            {"item_id": "y"},
        ],
        kind="items",
    )
    gp.load(
        [
            event("1", "ann", "x", ts=T0),
            event("2", "ann", "x", ts=T0 + 1),
            event("3", "ann", "y", kind="returned", ts=T0 + 2),
            event("4", "bob", "x", ts=T0),
            event("5", "eve", "new", kind="rated", ts=T0 + 2, value=5),
            event("6", "eve", "x", ts=T0 + 3),
        ]
    )
    found, earlier = read_stretch(
        gp.store, gp.vocabulary, ["ann", "bob", "eve"], T0, T0 + 2, {"i:x": (0.5, 1.0), "i:y": (0.0, 0.1)}
    )
    assert (found.sampled, found.users, found.events) == (3, 2, 3)
    assert earlier == {"ann": 1, "eve": 0}
    assert found.counts["event_types"] == {"viewed": 1, "returned": 1, "rated": 1}
    assert found.counts["popularity"] == pytest.approx(
        {"1": 1, "6": 0.2, "7": 0.2, "8": 0.2, "9": 0.2, "10": 0.2, "new": 1}
    )
    assert found.counts["tags"] == {"genre:A": 0.5, "genre:B": 0.5, "none": 2}
    assert found.counts["events_per_user_day"] == {"2-3": 1, "1": 1}
    assert sum(found.counts["contributions"].values()) == 3
    assert sample_users(gp.store, 2) == (sample_users(gp.store, 2)[0], 3)


def test_what_goes_on_as_before_is_stable(trained: GraphProfile) -> None:
    gp = trained
    before = gp.drift()
    assert before["users"] == 0
    assert before["inputs"]["tags"]["psi"] is None
    assert before["vectors"]["moved"] == 0
    gp.load(days(8, 10, 2))
    gp.embed()
    found = gp.status()["drift"]
    assert found["against"] == gp.models.in_use() == found["model"]
    assert (found["users"], found["events"], found["of_users"]) == (READERS, 2 * READERS, READERS)
    for name in ("event_types", "contributions", "popularity", "tags"):
        assert found["inputs"][name]["psi"] <= max(0.1, found["inputs"][name]["by_chance"]), name
    assert found["vectors"]["changed_share"] == 1
    assert found["vectors"]["mean_cosine"] > 0.9
    assert found["metrics"] is None


def test_what_changes_is_named(trained: GraphProfile) -> None:
    gp = trained
    # Everybody buys from a new shelf.
    gp.load([{"item_id": f"Z{n}", "tags": "genre:Z"} for n in range(SHELF)], kind="items")
    gp.load(days(8, 12, 3, kind="purchased", shelf="Z"))
    found = gp.drift()
    for name in ("event_types", "popularity", "tags"):
        assert found["inputs"][name]["band"] == "large", name
        assert found["inputs"][name]["psi"] > found["inputs"][name]["by_chance"]
    assert {"bin": "other", "then": 0.0, "now": 1.0} in found["inputs"]["tags"]["changes"]
    assert found["inputs"]["popularity"]["changes"][0] == {"bin": "new", "then": 0.0, "now": 1.0}


def test_vectors_then_are_computed_again(trained: GraphProfile) -> None:
    """Half of the readers go over to the other shelf: the cosine is that of the stored vectors before and after."""
    gp = trained
    before = gp.embeddings()
    gp.load([row for row in days(8, 14, 4, shelf="A") if row["user_id"].startswith("B")])
    gp.embed()
    after = gp.embeddings()
    dim = gp.models.model()[1].dim
    cosine = (before.vectors[:, :dim] * after.vectors[:, :dim]).sum(axis=1)
    moved = np.array([id_.startswith("B") for id_ in after.ids])
    found = gp.drift()["vectors"]
    assert found["users"] == READERS // 2
    assert found["mean_cosine"] == pytest.approx(cosine[moved].mean(), abs=1e-3)
    assert found["moved"] == pytest.approx((1 - cosine).mean(), abs=1e-3)


def test_update_trains_when_a_declared_threshold_is_passed(trained: GraphProfile) -> None:
    gp = trained
    first = gp.models.in_use()
    quiet = gp.update(days(8, 9, 5))
    assert (quiet.train, quiet.retrained_because) == (None, [])
    gp.settings = gp.settings.model_copy(update={"retrain_psi": 0.25})
    gp.load([{"item_id": f"Z{n}", "tags": "genre:Z"} for n in range(SHELF)], kind="items")
    loud = gp.update(days(9, 14, 6, shelf="Z"))
    assert any("PSI of tags" in reason for reason in loud.retrained_because)
    assert loud.train is not None
    assert loud.train.promoted
    assert gp.models.in_use() == loud.train.model != first
    # The new training is what drift is measured against now.
    assert gp.update(days(9, 14, 6, shelf="Z")).retrained_because == []
    gp.load(days(14, 16, 7, shelf="Z"))
    assert gp.drift()["inputs"]["tags"]["psi"] < 0.1
    assert [row["role"] for row in gp.models.list()] == ["champion", "earlier"]


def test_metrics_on_what_came_since(trained: GraphProfile) -> None:
    gp = trained
    with pytest.raises(TooLittleData, match="only 0 users"):
        gp.drift(metrics=True)
    gp.load(days(8, 11, 8))
    measured = gp.drift(metrics=True)["metrics"]
    assert measured["now"]["model"]["users"] > 5
    assert measured["now"]["model"]["ndcg_at_20"] > 0.2
    assert measured["ndcg_drop"]["interval"][0] < measured["ndcg_drop"]["lost"]
    assert gp.status()["drift"]["metrics"] == measured


def test_two_versions_on_the_same_users(trained: GraphProfile, tmp_path: Path) -> None:
    gp = trained
    first = str(gp.models.in_use())
    second = gp.train(seed=3, epochs=1).model
    assert {row["role"] for row in gp.models.list()} < {"champion", "challenger", "earlier"}
    found = gp.models.compare(first, second)
    assert set(found["metrics"]) == {first, second, "popularity", "item_to_item"}
    assert len({values["users"] for values in found["metrics"].values()}) == 1
    gain = found["metrics"][first]["ndcg_at_20"] - found["metrics"][second]["ndcg_at_20"]
    assert found["difference"]["ndcg_at_20"] == pytest.approx(gain)
    low, high = found["difference"]["ndcg_at_20_interval"]
    assert low <= gain <= high
    assert first in found["verdict"]
    # The stored arguments and choices on the same cut: what training measured comes out again.
    assert found["metrics"][first]["ndcg_at_20"] == pytest.approx(
        gp.models.show(first)["metrics"]["model"]["ndcg_at_20"], abs=1e-6
    )
    with pytest.raises(TooLittleData, match="only 0 users"):
        gp.models.compare(first, second, as_trained=True)
    gp.load(days(8, 11, 9))
    assert gp.models.compare(first, second, as_trained=True)["metrics"][first]["ndcg_at_20"] > 0.2
    with pytest.raises(UsageError):
        gp.models.compare(first, first)
    with pytest.raises(NotFound):
        gp.models.compare(first, "m-nosuch")


def test_a_card_says_what_the_document_says(trained: GraphProfile) -> None:
    gp = trained
    version = str(gp.models.in_use())
    document = gp.models.show(version)
    assert document["graph"]["snapshot_at"]
    text = gp.models.card(version)
    for fact in (
        version,
        "champion",
        document["graph"]["digest"],
        document["graph"]["snapshot_at"],
        document["files"]["arrays.npz"],
        f"{document['metrics']['model']['ndcg_at_20']:.4f}",
        f"{document['metrics']['popularity']['recall_at_20_interval'][0]:.4f}",
        "`temperature` | `0.1`",
        "cold_start",
        "genre:A",
    ):
        assert str(fact) in text, fact
    assert "None" not in text.replace("`None`", "").replace("[None", "")


def test_status_answers_where_the_model_is_gone(trained: GraphProfile) -> None:
    gp = trained
    folder = gp.models.registry.folder
    folder.rename(folder.with_name("elsewhere"))
    gp._models = None
    assert "not in" in gp.status()["drift"]["error"]
    assert gp.status(drift=False)["drift"] is None


def test_a_version_without_a_reference(trained: GraphProfile) -> None:
    import json

    gp = trained
    path = gp.models.registry.folder / str(gp.models.in_use()) / "model.json"
    document = json.loads(path.read_text())
    del document["drift"]
    path.write_text(json.dumps(document))
    gp.load(days(8, 9, 2))
    found = gp.drift()
    assert found["inputs"] is None
    assert found["vectors"]["users"] == READERS
    assert "No reference" in gp.models.card(str(gp.models.in_use()))
