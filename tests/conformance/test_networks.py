"""Communities, centrality and the export to NetworkX, on graphs with an obvious answer."""

from __future__ import annotations

import pytest

from graphprofile.errors import UsageError
from graphprofile.insights import run_insight
from graphprofile.networks import centrality, communities, to_networkx
from graphprofile.store import Store
from graphprofile.vocabulary import Vocabulary

from .small_graph import Event, at, fill

RULES = Vocabulary()

# Two circles of five, each with six things of its own of which everybody misses one; everybody has a kettle.
GREENS = [f"green{n}" for n in range(5)]
REDS = [f"red{n}" for n in range(5)]
CIRCLES: list[Event] = [
    (person, "PURCHASED", f"{colour}-thing{n}", n)
    for colour, people in (("green", GREENS), ("red", REDS))
    for at_, person in enumerate(people)
    for n in range(6)
    if n != at_
] + [(person, "PURCHASED", "kettle", 9) for person in GREENS + REDS]
COLOURS = {
    f"{colour}-thing{n}": [("colour", colour), ("use", "tea")]
    for colour in ("green", "red")
    for n in range(6)
}


def test_communities_are_the_circles(store: Store) -> None:
    fill(store, CIRCLES, tags=COLOURS, names={"red0": "Red Nought"})
    for by in ("items", "tags"):
        rows = communities(store, RULES, by=by, members=100)  # type: ignore[arg-type]
        groups: dict[int, set[str]] = {}
        for row in rows:
            groups.setdefault(row["community"], set()).add(row["user"])
            assert row["size"] == 5
            assert row["top_tags"] == [row["user"].rstrip("0123456789")]
            assert row["name"] == ("Red Nought" if row["user"] == "red0" else None)
        assert sorted(groups) == [1, 2]
        assert sorted(map(sorted, groups.values())) == [GREENS, REDS]


def test_communities_are_the_same_again_and_can_be_cut_short(store: Store) -> None:
    fill(store, CIRCLES, tags=COLOURS)
    first = run_insight(store, RULES, "communities", members="2", seed="7")
    assert len(first) == 4
    assert run_insight(store, RULES, "communities", members=2, seed=7) == first
    assert communities(store, RULES, min_size=6) == []


def test_central_is_what_everybody_has(store: Store) -> None:
    fill(store, CIRCLES, titles={"kettle": "A kettle"})
    for method in ("pagerank", "betweenness"):
        rows = centrality(store, RULES, method=method, limit=3)  # type: ignore[arg-type]
        assert len(rows) == 3
        assert {key: rows[0][key] for key in ("id", "kind", "title", "users")} == {
            "id": "kettle",
            "kind": "item",
            "title": "A kettle",
            "users": 10,
        }
        assert rows[0]["score"] > rows[1]["score"]


def test_whole_graph_in_networkx(store: Store) -> None:
    fill(
        store,
        [("ada", "PURCHASED", "tea", 1), ("ada", "PURCHASED", "tea", 2), ("ben", "FOLLOWED", "user:ada", 3)],
        tags={"tea": [("genre", "Green tea")]},
        broader=[("genre", "Green tea", "genre", "Drinks")],
        names={"ada": "Ada"},
        titles={"tea": "Tea"},
        values={0: 2.5},
    )
    graph = to_networkx(store, RULES)
    green, drinks = ("Tag", "genre", "Green tea"), ("Tag", "genre", "Drinks")
    assert set(graph.nodes) == {("User", "ada"), ("User", "ben"), ("Item", "tea"), green, drinks}
    assert graph.nodes["User", "ada"]["name"] == "Ada"
    assert graph.nodes["Item", "tea"]["title"] == "Tea"
    assert not {"rev", "embedding", "tags_due"} & set(graph.nodes["User", "ada"])
    edges = {(a, b, data["type"]) for a, b, data in graph.edges(data=True)}
    assert edges == {
        (("User", "ada"), ("Item", "tea"), "PURCHASED"),
        (("User", "ben"), ("User", "ada"), "FOLLOWED"),
        (("Item", "tea"), green, "HAS_TAG"),
        (green, drinks, "PART_OF"),
    }
    bought = graph[("User", "ada")][("Item", "tea")]
    assert {(d["event_id"], d["ts"], d["value"]) for d in bought.values()} == {
        ("e0", at(1), 2.5),
        ("e1", at(2), None),
    }
    assert to_networkx(store, RULES, events=False).number_of_edges() == 2


def test_larger_graph_than_asked_for_is_refused(store: Store) -> None:
    fill(store, CIRCLES)
    with pytest.raises(UsageError, match="The graph has 60 events, more than max_events = 59"):
        to_networkx(store, RULES, max_events=59)
    with pytest.raises(UsageError, match="max_events"):
        run_insight(store, RULES, "central_items", max_events=10)
    assert to_networkx(store, RULES, max_events=60).number_of_edges() == 60
