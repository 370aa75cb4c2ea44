"""The graph for other programs, read back by these programs' own readers; and figures put on the nodes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from graphprofile import GraphProfile
from graphprofile.cli.app import run
from graphprofile.errors import UsageError
from graphprofile.networks import analyze
from graphprofile.store import Store
from graphprofile.vocabulary import Vocabulary

from .small_graph import Event, at, fill

EVENTS: list[Event] = [
    ("ada", "PURCHASED", "tea", 1),
    ("ada", "PURCHASED", "tea", 2),
    ("ben", "VIEWED", "tea", 2),
    ("ben", "READ", "content:guide", 3),
    ("ben", "FOLLOWED", "user:ada", 4),
]
NASTY = "Ada <\"&'> \x01 \n ü 🫖"


def shop(store: Store) -> None:
    """A graph with everything in it, and a person whose name is hard to write down."""
    fill(
        store,
        EVENTS,
        tags={"tea": [("genre", "Green tea")], "content:guide": [("genre", "How-to")]},
        broader=[("genre", "Green tea", "genre", "Drinks")],
        names={"ada": NASTY},
        titles={"tea": "Tea"},
        values={0: 2.5},
        users=["zoe"],
    )
    store.cypher(
        "MATCH (u:User {id: 'ada'}) SET u.age = 36, u.score = 1.5, u.member = true, u.likes = ['a', 'b'] "
        "WITH u MATCH (v:User {id: 'ben'}) SET v.score = 2, v.age = 'unknown'",
        read_only=False,
    )


def test_graphml_is_read_by_networkx(gp: GraphProfile, tmp_path: Path) -> None:
    shop(gp.store)
    result = gp.export("graphml", tmp_path / "g.graphml")
    assert result.nodes == {"Content": 1, "Item": 1, "Tag": 3, "User": 3}
    assert result.edges["PURCHASED"] == 2
    assert result.bytes == (tmp_path / "g.graphml").stat().st_size
    assert [entry.name for entry in tmp_path.iterdir() if "g.graphml" in entry.name] == ["g.graphml"]
    graph = nx.read_graphml(tmp_path / "g.graphml")
    assert graph.is_directed()
    assert graph.is_multigraph()
    assert set(graph.nodes) == {
        *("User:ada", "User:ben", "User:zoe", "Item:tea", "Content:guide"),
        *("Tag:genre:Green tea", "Tag:genre:How-to", "Tag:genre:Drinks"),
    }
    ada, ben = graph.nodes["User:ada"], graph.nodes["User:ben"]
    assert ada["name"] == ada["label"] == NASTY.replace("\x01", "\ufffd")
    assert (ada["type"], ada["user_id"], ada["member"], ada["score"]) == ("User", "ada", True, 1.5)
    # Numbers of both kinds are floating ones, numbers and text are text, lists are JSON.
    assert (ben["score"], ada["age"], ben["age"]) == (2.0, "36", "unknown")
    assert json.loads(ada["likes"]) == ["a", "b"]
    assert not {"rev", "tags_due", "embedding"} & set(ada)
    assert (graph.nodes["Tag:genre:Drinks"]["kind"], graph.nodes["Item:tea"]["label"]) == ("genre", "Tea")
    bought = list(graph.get_edge_data("User:ada", "Item:tea").values())
    assert {(edge["label"], edge["ts"], edge.get("value")) for edge in bought} == {
        ("PURCHASED", at(1), 2.5),
        ("PURCHASED", at(2), None),
    }
    interest = graph.get_edge_data("User:ada", "Tag:genre:Drinks")
    assert {edge["label"] for edge in interest.values()} == {"INTERESTED_IN"}
    assert graph.has_edge("Tag:genre:Green tea", "Tag:genre:Drinks")
    # Again without: the file is replaced.
    smaller = gp.export("graphml", tmp_path / "g.graphml", events=False, interests=False)
    assert smaller.edges == {"HAS_TAG": 2, "PART_OF": 1}
    assert nx.read_graphml(tmp_path / "g.graphml").number_of_edges() == 3


def test_ids_that_xml_cannot_hold_stay_apart(gp: GraphProfile, tmp_path: Path) -> None:
    ids = ["a\tb", "a b", "a%09b", "a\x01", "a%01", "x:y", "é"]
    gp.store.cypher("UNWIND $ids AS id CREATE (:User {id: id})", {"ids": ids}, read_only=False)
    gp.store.cypher(
        "CREATE (:Tag {kind: 'a:b', name: 'c'}), (:Tag {kind: 'a', name: 'b:c'})", read_only=False
    )
    gp.export("graphml", tmp_path / "g.graphml")
    graph = nx.read_graphml(tmp_path / "g.graphml")
    assert graph.number_of_nodes() == len(ids) + 2


def test_parquet_is_a_folder_of_tables(gp: GraphProfile, tmp_path: Path) -> None:
    shop(gp.store)
    gp.store.cypher("MATCH ()-[e:READ]->() SET e.device = 'phone'", read_only=False)
    gp.export("parquet", tmp_path / "tables")
    tables: dict[str, list[dict[str, Any]]] = {
        path.stem: pq.read_table(path).to_pylist() for path in (tmp_path / "tables").iterdir()
    }
    assert {name: len(rows) for name, rows in tables.items()} == {
        **{"users": 3, "items": 1, "content": 1, "tags": 3},
        **{"has_tag": 2, "part_of": 1, "interests": 5, "events": 5},
    }
    (ada,) = (row for row in tables["users"] if row["user_id"] == "ada")
    assert (ada["name"], ada["age"], ada["score"], ada["likes"]) == (NASTY, "36", 1.5, ["a", "b"])
    assert "rev" not in ada
    (bought,) = (row for row in tables["events"] if row["event_id"] == "e0")
    assert round(bought.pop("timestamp").timestamp() * 1000) == at(1)
    assert bought == {
        **{"event_id": "e0", "user_id": "ada", "event_type": "purchased", "object_id": "tea"},
        **{"object_kind": "item", "value": 2.5, "properties": None},
    }
    (read,) = (row for row in tables["events"] if row["event_type"] == "read")
    assert json.loads(read["properties"]) == {"device": "phone"}
    assert tables["part_of"] == [
        {"kind": "genre", "name": "Green tea", "broader_kind": "genre", "broader_name": "Drinks"}
    ]
    with pytest.raises(UsageError, match="is there already"):
        gp.export("parquet", tmp_path / "tables")


def test_exported_events_load_again(gp: GraphProfile, wipe: Any, tmp_path: Path) -> None:
    shop(gp.store)
    gp.export("parquet", tmp_path / "tables")
    empty: GraphProfile = wipe(gp)
    result = empty.load(tmp_path / "tables" / "events.parquet")
    assert (result.applied, result.quarantined, result.read) == (5, 0, 5)
    assert empty.cypher(
        "MATCH (:User {id: 'ada'})-[e:PURCHASED {event_id: 'e0'}]->(i) RETURN e.ts AS ts, i.id AS id"
    ) == [{"ts": at(1), "id": "tea"}]


def test_pyg_reads_a_heterodata(gp: GraphProfile, tmp_path: Path) -> None:
    shop(gp.store)
    gp.export("pyg", tmp_path / "graph.pt")
    data = torch.load(tmp_path / "graph.pt", weights_only=False)
    data.validate()
    assert data["user"].user_id == ["ada", "ben", "zoe"]
    assert (data["item"].num_nodes, data["content"].num_nodes, data["tag"].num_nodes) == (1, 1, 3)
    assert next(zip(data["tag"].kind, data["tag"].name, strict=True)) == ("genre", "Drinks")
    bought = data["user", "purchased", "item"]
    assert bought.edge_index.tolist() == [[0, 0], [0, 0]]
    assert sorted(bought.ts.tolist()) == [at(1), at(2)]
    assert np.isnan(bought.value.numpy()).sum() == 1
    assert data["user", "followed", "user"].edge_index.tolist() == [[1], [0]]
    assert data["item", "has_tag", "tag"].weight.tolist() == [1.0]
    assert data["user", "interested_in", "tag"].edge_index.shape == (2, 5)
    assert "x" not in data["user"]


def test_pyg_has_the_vectors_of_the_model_in_use(gp: GraphProfile, tmp_path: Path) -> None:
    shop(gp.store)
    gp.store.cypher(
        "MATCH (u:User {id: 'ben'}) SET u.embedding = [1.0, 2.0], u.embedding_model = 'v1' "
        "CREATE (:Model {version: 'v1', in_use: true, state: 'champion'})",
        read_only=False,
    )
    gp.export("pyg", tmp_path / "graph.pt")
    data = torch.load(tmp_path / "graph.pt", weights_only=False)
    assert data["user"].x.tolist() == [[0.0, 0.0], [1.0, 2.0], [0.0, 0.0]]
    assert data["user"].has_x.tolist() == [False, True, False]


@pytest.mark.parametrize("format_", ["graphml", "parquet", "pyg"])
def test_empty_graph_is_exported(gp: GraphProfile, tmp_path: Path, format_: Any) -> None:
    result = gp.export(format_, tmp_path / "nothing")
    assert (result.nodes, result.edges) == ({}, {})


@pytest.mark.parametrize("format_", ["graphml", "parquet", "pyg"])
def test_places_that_cannot_be_written_are_named(gp: GraphProfile, tmp_path: Path, format_: Any) -> None:
    with pytest.raises(UsageError, match="there is no folder"):
        gp.export(format_, tmp_path / "no" / "such")
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match=r"is there already|it is a folder"):
        gp.export(format_, tmp_path / "folder")
    with pytest.raises(UsageError, match="no format 'csv'"):
        gp.export("csv", tmp_path / "x")  # type: ignore[arg-type]


# --- figures on the nodes ---------------------------------------------------------------------------------

CIRCLES: list[Event] = [
    (f"{colour}{person}", "VIEWED", f"{colour}-thing{thing}", thing)
    for colour in ("green", "red")
    for person in range(5)
    for thing in range(6)
    if person != thing
] + [(f"{colour}{person}", "VIEWED", "kettle", 9) for colour in ("green", "red") for person in range(5)]


def test_figures_are_put_on_nodes_and_stay_out_of_the_digest(gp: GraphProfile) -> None:
    fill(gp.store, [*CIRCLES, ("loner", "DISLIKED", "kettle", 1)])
    before = gp.digest()
    result = gp.analyze()
    assert (result.users, result.items, result.content, result.communities) == (10, 13, 0, 2)
    assert gp.digest() == before
    read = "MATCH (n) WHERE n.network_version IS NOT NULL RETURN n.id AS id, properties(n) AS p"
    found = {row["id"]: row["p"] for row in gp.cypher(read)}
    assert len(found) == 23
    assert {p["network_version"] for p in found.values()} == {result.version}
    circles = {
        id_[:-1]: p["network_community"] for id_, p in found.items() if id_[-1:].isdigit() and "-" not in id_
    }
    assert sorted(circles.values()) == [1, 2]
    assert max(found, key=lambda id_: found[id_]["network_betweenness"]) == "kettle"
    assert sum(p["network_pagerank"] for p in found.values()) == pytest.approx(1.0)
    assert "network_community" not in found["kettle"]
    # The same graph gives the same figures and the same version; the profile shows what the source said.
    again = gp.analyze()
    assert (again.version, again.cleared) == (result.version, 0)
    assert gp.analyze(seed=1).version != result.version
    assert gp.profile("green0").properties == {}
    assert gp.to_networkx().nodes["User", "green0"]["network_community"] in (1, 2)


def test_who_takes_no_part_any_more_loses_the_figures(store: Store) -> None:
    fill(store, CIRCLES)
    first = analyze(store, Vocabulary())
    store.cypher("MATCH (:User {id: 'red0'})-[e:VIEWED]->() DELETE e", read_only=False)
    second = analyze(store, Vocabulary(), samples=0)
    assert second.version != first.version
    assert second.cleared == 1
    left = "MATCH (n) WHERE n.network_at IS NOT NULL RETURN count(n) AS n, count(n.network_betweenness) AS b"
    assert store.cypher(left) == [{"n": 22, "b": 0}]


def test_nothing_to_analyze(store: Store) -> None:
    result = analyze(store, Vocabulary())
    assert (result.users, result.items, result.communities) == (0, 0, 0)


def test_larger_graph_is_not_analyzed(gp: GraphProfile) -> None:
    fill(gp.store, CIRCLES)
    with pytest.raises(UsageError, match="more than max_events = 10"):
        gp.analyze(max_events=10)


# --- command line -----------------------------------------------------------------------------------------


def test_commands(
    gp: GraphProfile,
    store_env: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fill(gp.store, CIRCLES)
    for name, value in store_env.items():
        monkeypatch.setenv(name, value)
    assert run(["analyze", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["users"], said["communities"]) == (10, 2)
    assert run(["analyze"]) == 0
    assert "2 communities of 10 users" in capsys.readouterr().out
    out = tmp_path / "g.graphml"
    assert run(["export", "--format", "graphml", "--out", str(out), "--no-interests", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["nodes"] == {"Item": 13, "User": 10}
    assert run(["export", "--format", "parquet", "--out", str(tmp_path / "t"), "--no-events"]) == 0
    assert "23 nodes and 0 edges" in capsys.readouterr().out
    assert run(["export", "--format", "parquet", "--out", str(tmp_path / "t")]) == 2
    assert "is there already" in capsys.readouterr().err
    assert run(["insights", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert {"name", "group", "kind", "question", "notes", "parameters", "columns", "chart"} == set(listed[0])
    assert run(["insights"]) == 0
    shown = capsys.readouterr().out
    assert shown.index("Customers") < shown.index("Journeys") < shown.index("Growth")
