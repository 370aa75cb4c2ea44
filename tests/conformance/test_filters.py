"""Recommendations under conditions, diverse, exact, and by the classic methods, on both engines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from graphprofile import GraphProfile, searching
from graphprofile.cli.app import run
from graphprofile.errors import NotFound, UsageError
from graphprofile.filters import Filters, resolve

from .conftest import event

T0 = 1_700_000_000_000
HOUR = 3_600_000
READERS = 16
SHELF = 16


def shop() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Two circles of readers with a shelf each; every second book is old, every fourth sold out."""
    rng = np.random.default_rng(3)
    items = [
        {
            "item_id": f"{side}{n:02}",
            "title": f"{side} {n}",
            "year": 1900 + n,
            "pages": str(100 * n),
            "author": "Woolf" if n % 2 else "Joyce",
            "languages": ["en", "fr"] if n % 3 == 0 else ["en"],
            "signed": n % 2 == 0,
            **({"available": n % 4 != 0} if n < 12 else {}),
            "tags": [f"genre:{side}{n % 2}", "form:book"],
        }
        for side in "AB"
        for n in range(SHELF)
    ]
    events = [
        event(f"{side}{reader}-{n}", f"{side.lower()}{reader}", f"{side}{n:02}", ts=T0 + when * HOUR + reader)
        for side in "AB"
        for reader in range(READERS)
        for when, n in enumerate(rng.permutation(SHELF)[:6])
    ]
    return items, events


@pytest.fixture
def trained(gp: GraphProfile) -> GraphProfile:
    items, events = shop()
    genres = [{"tag": f"genre:{side}{n}", "part_of": f"genre:{side}"} for side in "AB" for n in "01"]
    gp.load(genres, kind="tags")
    gp.load(items, kind="items")
    gp.load(
        [{"content_id": "essay", "title": "Essay", "author": "Woolf", "tags": "genre:A0"}], kind="content"
    )
    gp.load(events)
    gp.load([event("essay-1", "a3", "essay", object_kind="content")])
    gp.update_tags()
    gp.train(epochs=3)
    return gp


def ids(found: list[Any]) -> list[str]:
    return [one.id for one in found]


def test_conditions(trained: GraphProfile) -> None:
    gp = trained
    everything = gp.recommend("a0", 100, allow_seen=True)
    order = ids(everything)
    assert len(order) == 2 * SHELF + 1
    number = {id_: int(id_[1:]) for id_ in order if id_ != "essay"}

    def asked(**filters: Any) -> list[str]:
        """With conditions, the same order; from the index and by looking at each alike."""
        found = ids(gp.recommend("a0", 100, allow_seen=True, **filters))
        assert ids(gp.recommend("a0", 100, allow_seen=True, exact=True, **filters)) == found
        assert ids(gp.recommend("a0", 3, allow_seen=True, **filters)) == found[:3]
        return found

    def those(condition: Any) -> list[str]:
        return [id_ for id_ in order if id_ != "essay" and condition(id_, number[id_])]

    assert asked() == order
    assert asked(kind="content") == ["essay"]
    assert asked(where=["year>=1912"]) == those(lambda _, n: n >= 12)
    assert asked(where=["year < 1903", "author=Joyce"]) == those(lambda _, n: n in (0, 2))
    assert asked(where=["year!=1900"]) == those(lambda _, n: n != 0)
    # Numbers that a file brought as text are compared as numbers.
    assert asked(where=["pages<=900"]) == those(lambda _, n: n <= 9)
    assert asked(where=[("pages", ">", 900)]) == those(lambda _, n: n > 9)
    assert asked(where=["languages=fr"]) == those(lambda _, n: n % 3 == 0)
    assert asked(where=["languages!=fr"]) == those(lambda _, n: n % 3 != 0)
    assert asked(where=["signed=false"]) == those(lambda _, n: n % 2 == 1)
    assert asked(where=["author>K"]) == [id_ for id_ in order if id_ == "essay" or number[id_] % 2]
    assert asked(where=["author=' OR true"]) == []
    # A tag, and what is part of it.
    assert asked(tags=["genre:B1"]) == those(lambda id_, n: id_[0] == "B" and n % 2)
    assert asked(tags=["A"]) == [id_ for id_ in order if id_ == "essay" or id_[0] == "A"]
    assert asked(tags=["A0", "form:book"]) == those(lambda id_, n: id_[0] == "A" and n % 2 == 0)
    # Only what is marked as not available is left out.
    assert asked(available=True) == [id_ for id_ in order if id_ == "essay" or number[id_] not in (0, 4, 8)]
    assert asked(tags=["B"], where=["year>1910"], available=True) == those(
        lambda id_, n: id_[0] == "B" and n > 10
    )

    seen = {row["id"] for row in gp.cypher("MATCH (:User {id: 'a0'})-[:VIEWED]->(o) RETURN o.id AS id")}
    unseen = ids(gp.recommend("a0", 5, where=["year>=1904"]))
    assert unseen == [id_ for id_ in those(lambda _, n: n >= 4) if id_ not in seen][:5]
    # Neighbours under the same conditions.
    near = ids(gp.similar_items("B01", 100, tags=["B"], where=["signed=true"]))
    assert set(near) == set(those(lambda id_, n: id_[0] == "B" and n % 2 == 0))
    assert near == ids(gp.similar_items("B01", 100, tags=["B"], where=["signed=true"], exact=True))


def test_few_matches_among_many_are_found_without_asking_the_index_for_all(
    trained: GraphProfile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(searching, "WIDEST_SEARCH", 4)
    gp = trained
    asked: list[int] = []
    search = gp.store.vector_search_of

    def counted(model: str, label: str, vector: Any, k: int) -> Any:
        asked.append(k)
        return search(model, label, vector, k)

    monkeypatch.setattr(gp.store, "vector_search_of", counted)
    assert ids(gp.recommend("a0", 1, kind="item", tags=["B1"], where=["year=1915"])) == ["B15"]
    assert max(asked) < 2 * SHELF


def test_the_indexes_are_asked_with_the_user(trained: GraphProfile, monkeypatch: pytest.MonkeyPatch) -> None:
    gp = trained
    exact = ids(gp.recommend("a0", 5, exact=True))
    search = gp.models._recommender._search
    apart: list[str] = []
    found = search.find
    monkeypatch.setattr(
        search, "find", lambda prefix, *a, **k: apart.append(prefix) or found(prefix, *a, **k)
    )
    assert ids(gp.recommend("a0", 5)) == exact
    assert apart == []
    # One that is not there, as while a model is trained on Neo4j: what is nearest is found another way.
    monkeypatch.setattr(search, "indexes", lambda prefixes: ["no such index" for _ in prefixes])
    assert ids(gp.recommend("a0", 5)) == exact
    assert apart == ["i:", "c:"]


def test_diversity(trained: GraphProfile) -> None:
    gp = trained
    plain = ids(gp.recommend("a0", 6, allow_seen=True))
    assert ids(gp.recommend("a0", 6, allow_seen=True, diversity=0.0)) == plain
    assert {id_[0] for id_ in plain} == {"A"}
    mixed = ids(gp.recommend("a0", 6, allow_seen=True, diversity=0.9))
    assert mixed[0] == plain[0]
    assert {id_[0] for id_ in mixed} >= {"A", "B"}
    vectors = {
        row["id"]: np.array(row["v"])
        for row in gp.cypher("MATCH (o:Item) RETURN o.id AS id, o.embedding AS v")
    }
    dim = gp.models.model()[1].dim

    def likeness(found: list[str]) -> float:
        taste = np.array([vectors[id_][:dim] for id_ in found if id_ in vectors])
        taste /= np.linalg.norm(taste, axis=1, keepdims=True)
        return float((taste @ taste.T)[np.triu_indices(len(taste), 1)].mean())

    assert likeness(mixed) < likeness(plain)
    assert len(gp.similar_items("A01", 4, diversity=0.5)) == 4


def test_everybody_under_the_same_conditions(trained: GraphProfile, tmp_path: Path) -> None:
    gp = trained
    options: dict[str, Any] = {"tags": ["A"], "where": ["year>1903"], "kind": "item", "diversity": 0.3}
    gp.recommend_all(tmp_path / "all.parquet", 4, **options)
    frame = pl.read_parquet(tmp_path / "all.parquet").sort("rank")
    for user in ("a0", "b1"):
        assert frame.filter(pl.col("user_id") == user)["id"].to_list() == ids(
            gp.recommend(user, 4, **options)
        )


def test_conditions_hold_while_the_next_model_is_written(trained: GraphProfile, tmp_path: Path) -> None:
    gp = trained
    options: dict[str, Any] = {"tags": ["A"], "where": ["year>1903"], "kind": "item"}

    def asked() -> list[list[str]]:
        gp.recommend_all(tmp_path / "all.parquet", 4, **options)
        return [
            ids(gp.recommend("a0", 5, **options)),
            ids(gp.recommend("a0", 5, exact=True)),
            ids(gp.recommend("a0", 5, diversity=0.5, **options)),
            ids(gp.similar_items("A01", 5, tags=["A"])),
            pl.read_parquet(tmp_path / "all.parquet")["id"].to_list(),
        ]

    before = asked()
    gp.store.write(lambda tx: tx.run("embed/announce_model", version="next"))
    assert asked() == before
    # Half of the items hold vectors of the next model already, which lead elsewhere.
    gp.cypher(
        "MATCH (o:Item) WHERE o.year % 2 = 0 SET o.embedding_before = o.embedding, "
        "o.embedding_before_model = o.embedding_model, o.embedding = $other, o.embedding_model = 'next'",
        {"other": [1.0] * gp.models.model()[1].dimensions},
        read_only=False,
    )
    assert asked() == before


def test_classic_methods(trained: GraphProfile) -> None:
    gp = trained
    seen = {row["id"] for row in gp.cypher("MATCH (:User {id: 'a0'})-[:VIEWED]->(o) RETURN o.id AS id")}
    for method in ("item_knn", "user_knn", "svd"):
        found = ids(gp.recommend("a0", 5, method=method, kind="item"))
        assert {id_[0] for id_ in found} == {"A"}, method
        assert not seen & set(found)
        signed = ids(gp.recommend("a0", 5, method=method, where=["signed=true"], tags=["A"]))
        assert signed, method
        assert all(int(id_[1:]) % 2 == 0 for id_ in signed)
        assert len(gp.recommend("a0", 5, method=method, diversity=0.5)) == 5
    everybodys = gp.cypher(
        "MATCH (u:User)-[:VIEWED]->(o) RETURN o.id AS id, count(u) AS n ORDER BY n DESC, id"
    )
    popular = [row["id"] for row in everybodys if row["id"] not in seen]
    assert ids(gp.recommend("a0", 5, method="popularity")) == popular[:5]
    # What was fitted is fitted anew when somebody's events change.
    gp.load([event(f"new{n}", f"n{n}", "Fresh") for n in range(40)])
    assert ids(gp.recommend("a0", 1, method="popularity")) == ["Fresh"]
    gp.load([event("odd", "odd", "A01", kind="disliked")])
    stranger = gp.recommend("odd", 1, method="svd")
    assert ids(stranger) == ["Fresh"]
    assert "knows nothing" in stranger[0].because[0]


def test_methods_are_measured_side_by_side(trained: GraphProfile) -> None:
    document = trained.evaluate(methods=["popularity", "item_knn", "svd"])
    assert list(document["metrics"]) == ["popularity", "item_knn", "svd"]
    figures = {name: values["ndcg_at_20"] for name, values in document["metrics"].items()}
    assert figures["item_knn"] > figures["popularity"]
    assert document["settings"]["svd"]["settings"]["dimension"] > 0
    assert {"users", "at"} <= document["split"].keys()


@pytest.mark.parametrize(
    ("filters", "message", "hint"),
    [
        ({"tags": ["Poetri"]}, "No tag 'Poetri'", "genre:Poetry"),
        ({"tags": ["form:boks"]}, "No tag 'form:boks'", "form:books"),
        ({"where": ["yaer>1900"]}, "no item or content has such a property", "year"),
        ({"where": ["year~1900"]}, "'~' is no operator", ">="),
        ({"where": ["year"]}, "is no condition", "year>=1990"),
        ({"where": ["year>soon"]}, "no number", ""),
        ({"where": ["signed=perhaps"]}, "neither true nor false", ""),
        ({"where": ["languages>en"]}, "lists", ""),
        ({"where": ["embedding=1"]}, "keeps that property itself", ""),
    ],
)
def test_wrong_conditions_are_named(
    gp: GraphProfile, filters: dict[str, Any], message: str, hint: str
) -> None:
    gp.load(
        [
            {
                "item_id": "i1",
                "year": 1922,
                "signed": True,
                "languages": ["en"],
                "tags": "genre:Poetry;form:books",
            }
        ],
        kind="items",
    )
    with pytest.raises(UsageError) as raised:
        resolve(gp.store, Filters(**filters), "available")
    assert message in raised.value.message
    assert hint in (raised.value.hint or "")


def test_ratings_are_predicted(gp: GraphProfile) -> None:
    rng = np.random.default_rng(0)
    taste, quality = rng.choice([-1.0, 1.0], 30), rng.choice([-1.0, 1.0], 20)
    rows = [
        event(
            f"{u}-{i}",
            f"u{u}",
            f"i{i}",
            kind="rated",
            value=float(np.clip(3 + 1.5 * taste[u] * quality[i], 1, 5)),
        )
        for u in range(30)
        for i in rng.permutation(20)[:14]
    ]
    gp.load(rows)
    given = {(row["user_id"], row["object_id"]) for row in rows}
    liked = [i for i in range(20) if quality[i] == taste[0] and ("u0", f"i{i}") not in given]
    other = [i for i in range(20) if quality[i] != taste[0] and ("u0", f"i{i}") not in given]
    high = gp.predict_ratings("u0", [f"i{i}" for i in liked])
    low = gp.predict_ratings("u0", [f"i{i}" for i in other])
    assert min(high, default=5) > 3 > max(low, default=1)
    with pytest.raises(NotFound):
        gp.predict_ratings("u0", ["nosuch"])
    with pytest.raises(UsageError, match="no method 'svdd'") as raised:
        gp.recommend("u0", method="svdd")
    assert "Did you mean svd" in str(raised.value.hint)
    with pytest.raises(UsageError, match="looks at every object anyway"):
        gp.recommend("u0", method="svd", exact=True)


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["--tag", "Poetri"], "No tag 'Poetri'", "genre:Poetry"),
        (["--tag", " "], "is no tag", "KIND:NAME"),
        (["--where", "yaer>1900"], "no item or content has such a property", "Did you mean year?"),
        (["--where", "year>soon"], "no number", None),
        (["--where", "year"], "is no condition", "year>=1990"),
        (["--where", "=3"], "is no condition", "year>=1990"),
        (["--where", "year~3"], "'~' is no operator", ">="),
        (["--method", "item_nkk"], "There is no method 'item_nkk'", "Did you mean item_knn?"),
        (["--method", "svd", "--exact"], "looks at every object anyway", "Leave --exact out"),
        (["--diversity", "1.5"], "The diversity is 1.5", "0 (the best ones) to 1"),
        (["--diversity", "nan"], "The diversity is nan", "0 (the best ones) to 1"),
    ],
)
def test_wrong_inputs_on_the_command_line(
    gp: GraphProfile,
    store_env: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
    hint: str | None,
) -> None:
    gp.load([{"item_id": "i1", "year": 1922, "tags": "genre:Poetry"}], kind="items")
    gp.load([event("1", "ann", "i1"), event("2", "bob", "i1")])
    for name, value in store_env.items():
        if name.startswith("GRAPHPROFILE_"):
            monkeypatch.setenv(name, value)
    method = [] if "--method" in arguments else ["--method", "popularity"]
    assert run(["recommend", "ann", *method, *arguments, "--json"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    error = json.loads(err)["error"]
    assert error["code"] == ("unknown_property" if "has such a property" in message else "usage")
    assert message in error["message"]
    assert hint is None or hint in error["hint"]
