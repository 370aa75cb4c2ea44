"""The vector index on both engines: what is written by plain SET is found, and nearly all of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from graphprofile.errors import EngineError, UsageError
from graphprofile.settings import Settings
from graphprofile.store import Store

WRITE = "UNWIND $rows AS r MERGE (n:Content {id: r[0]}) SET n.embedding = r[1]"


def write(store: Store, vectors: dict[str, list[float]]) -> None:
    store.cypher(WRITE, {"rows": [[key, vector] for key, vector in vectors.items()]}, read_only=False)


def unit(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_finds_the_nearest_with_their_cosine(store: Store) -> None:
    store.create_vector_index("Content", 2)
    write(store, {"east": [2.0, 0.0], "north": [0.0, 1.0], "west": [-1.0, 0.0], "north-east": [1.0, 1.0]})
    found = store.vector_search("Content", [1.0, 0.0], 10)
    assert [key for key, _ in found] == ["east", "north-east", "north", "west"]
    assert [score for _, score in found] == pytest.approx([1.0, 0.5**0.5, 0.0, -1.0], abs=1e-4)
    assert [key for key, _ in store.vector_search("Content", [0.0, 3.0], 1)] == ["north"]


def test_vectors_there_before_the_index_are_in_it(store: Store) -> None:
    write(store, {"a": [1.0, 0.0], "b": [0.0, 1.0]})
    store.create_vector_index("Content", 2)
    assert [key for key, _ in store.vector_search("Content", [1.0, 0.1], 2)] == ["a", "b"]


def test_changed_and_deleted_vectors(store: Store) -> None:
    store.create_vector_index("Content", 2)
    write(store, {"a": [1.0, 0.0], "b": [0.7, 0.7]})
    write(store, {"a": [0.0, 1.0]})
    assert store.vector_search("Content", [1.0, 0.0], 1)[0][0] == "b"
    assert [key for key, _ in store.vector_search("Content", [0.0, 1.0], 2)] == ["a", "b"]
    store.cypher("MATCH (n:Content {id: 'a'}) REMOVE n.embedding", read_only=False)
    assert [key for key, _ in store.vector_search("Content", [0.0, 1.0], 2)] == ["b"]
    store.cypher("MATCH (n:Content) DELETE n", read_only=False)
    assert store.vector_search("Content", [0.0, 1.0], 2) == []


def test_is_made_again_for_other_dimensions_only(store: Store) -> None:
    store.create_vector_index("Content", 2)
    write(store, {"a": [1.0, 0.0]})
    store.create_vector_index("Content", 2)
    assert store.vector_search("Content", [1.0, 0.0], 1) == [("a", pytest.approx(1.0, abs=1e-6))]
    store.create_vector_index("Content", 3)
    write(store, {"b": [0.0, 0.0, 1.0]})
    assert [key for key, _ in store.vector_search("Content", [0.0, 0.0, 1.0], 5)] == ["b"]


def test_reads_back_what_was_written(store: Store) -> None:
    store.create_vector_index("User", 4)
    vector = [0.5, -0.25, 0.125, 1.0]
    store.cypher("CREATE (:User {id: 'u', embedding: $v})", {"v": vector}, read_only=False)
    assert store.cypher("MATCH (u:User) RETURN u.embedding AS v") == [{"v": vector}]


def test_another_connection_may_make_it(store: Store, settings_for_store: Settings) -> None:
    with Store.open(settings_for_store) as other:
        other.create_vector_index("Item", 2)
    store.cypher("CREATE (:Item {id: 'i', embedding: [1.0, 0.0]})", read_only=False)
    assert [key for key, _ in store.vector_search("Item", [1.0, 0.0], 3)] == ["i"]


def test_no_index(store: Store) -> None:
    with pytest.raises(EngineError, match="no vector index over User") as raised:
        store.vector_search("User", [1.0, 0.0], 3)
    assert raised.value.hint is not None


def test_wrong_questions(store: Store) -> None:
    store.create_vector_index("Content", 2)
    write(store, {"a": [1.0, 0.0]})
    with pytest.raises(EngineError, match="3 dimensions"):
        store.vector_search("Content", [1.0, 0.0, 0.0], 3)
    for vector in ([], [0.0, 0.0], [float("nan"), 1.0], [float("inf"), 1.0]):
        with pytest.raises(UsageError, match="finite"):
            store.vector_search("Content", vector, 3)
    with pytest.raises(UsageError, match="k is 0"):
        store.vector_search("Content", [1.0, 0.0], 0)
    with pytest.raises(UsageError, match="'Tag'"):
        store.create_vector_index("Tag", 2)


def test_recall_against_exact_search(store: Store) -> None:
    generator = np.random.default_rng(7)
    centres = generator.normal(size=(50, 64))
    vectors = unit(centres[generator.integers(0, 50, 5000)] + 0.6 * generator.normal(size=(5000, 64)))
    asked = unit(centres[generator.integers(0, 50, 100)] + 0.6 * generator.normal(size=(100, 64)))
    store.create_vector_index("Content", 64)
    for start in range(0, 5000, 1000):
        write(store, {f"c{i}": vectors[i].tolist() for i in range(start, start + 1000)})
    exact = np.argsort(-(asked @ vectors.T), axis=1)[:, :20]
    hits = 0
    for query, nearest in zip(asked, exact, strict=True):
        found = store.vector_search("Content", query.tolist(), 20)
        hits += len({int(key[1:]) for key, _ in found} & set(nearest.tolist()))
        for key, score in found:
            assert score == pytest.approx(float(query @ vectors[int(key[1:])]), abs=1e-3)
    assert hits / (100 * 20) >= 0.95
