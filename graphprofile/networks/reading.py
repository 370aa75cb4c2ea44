"""The graph, or a part of it, in memory: bounded, and refused rather than answered from a part of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from graphprofile.errors import UsageError
from graphprofile.records import NETWORK_PROPERTIES, SYSTEM_PROPERTIES
from graphprofile.store import Store
from graphprofile.vocabulary import Vocabulary

if TYPE_CHECKING:
    import networkx as nx
    import numpy as np
    from scipy.sparse import csr_array

    # Named here only: the stubs know the classes as generic, the classes at run time are not.
    Graph: TypeAlias = nx.Graph[Any]
    DiGraph: TypeAlias = nx.DiGraph[Any]
    MultiDiGraph: TypeAlias = nx.MultiDiGraph[Any]
    Matrix: TypeAlias = csr_array[Any, Any]

# An object that more people share says little about any two of them, and costs the square of their number.
HUB_USERS = 2000
BLOCK_ROWS = 2000

INTERNAL = SYSTEM_PROPERTIES - {"id", "kind", "top_tags"} - NETWORK_PROPERTIES

Pairs: TypeAlias = dict[str, Counter[tuple[str, str]]]
"""Events of each person on each thing, (label, id)."""


def to_networkx(
    store: Store, vocabulary: Vocabulary, *, events: bool = True, max_events: int = 500_000
) -> MultiDiGraph:
    """The whole graph in NetworkX.

    Nodes are ``("User", id)``, ``("Item", id)``, ``("Content", id)`` and ``("Tag", kind, name)``, with their
    ``label`` and the source's properties as attributes (no vectors, nothing the system keeps for itself).
    Edges carry their relationship type as ``type``; events ``event_id``, ``ts`` (epoch ms), ``value``; tags
    ``weight``.

    Args:
        store: The graph.
        vocabulary: Declares the event types.
        events: Whether events come along.
        max_events: Largest number of events to be taken; a million of them need about 1 GB.

    Raises:
        UsageError: The graph has more events.
    """
    import networkx as nx

    graph: MultiDiGraph = nx.MultiDiGraph()
    if events:
        check_size(store, vocabulary, max_events)
    for row in store.stream("networks/read_nodes"):
        node = ("Tag", row["kind"], row["name"]) if row["label"] == "Tag" else (row["label"], row["id"])
        properties = {key: value for key, value in row["properties"].items() if key not in INTERNAL}
        graph.add_node(node, **{**properties, "label": row["label"]})
    for row in store.stream("networks/read_object_tags"):
        tag = ("Tag", row["kind"], row["name"])
        graph.add_edge(
            (row["label"], row["object"]), tag, key="HAS_TAG", type="HAS_TAG", weight=row["weight"]
        )
    for row in store.stream("networks/read_broader_tags"):
        tag, broader = ("Tag", row["kind"], row["name"]), ("Tag", row["broader_kind"], row["broader_name"])
        graph.add_edge(tag, broader, key="PART_OF", type="PART_OF")
    if events:
        for row in store.stream("networks/read_events", event_types=vocabulary.types):
            graph.add_edge(
                ("User", row["user"]),
                (row["label"], row["object"]),
                key=f"{row['type']}:{row['event_id']}",
                type=row["type"],
                event_id=row["event_id"],
                ts=row["ts"],
                value=row["value"],
            )
    return graph


def check_size(store: Store, vocabulary: Vocabulary, max_events: int) -> None:
    """Refuse a graph with more events than that.

    Raises:
        UsageError: It has more.
    """
    _check(store.read("networks/count_events", event_types=vocabulary.types)[0]["events"], max_events)


def _check(found: int, max_events: int) -> None:
    if found > max_events:
        raise UsageError(
            f"The graph has {found:,} events, more than max_events = {max_events:,}.",
            "Give a larger max_events if the memory is there.",
        )


def read_pairs(store: Store, vocabulary: Vocabulary) -> tuple[Pairs, dict[str, str | None]]:
    """What everybody dealt with by events of positive weight, and everybody's name."""
    names: dict[str, str | None] = {}
    things: Pairs = {}
    for row in store.stream("networks/read_objects_of_users", event_types=vocabulary.positive_types):
        names[row["user"]] = row["name"]
        things[row["user"]] = Counter((label, id_) for label, id_ in row["objects"])
    return things, names


def things_graph(pairs: Pairs) -> Graph:
    """People and things, nodes (label, id), linked where somebody dealt with something; weight log(1 + events)."""
    import networkx as nx

    graph: Graph = nx.Graph()
    for user in sorted(pairs):
        for thing, events in sorted(pairs[user].items()):
            graph.add_edge(("User", user), thing, weight=math.log1p(events))
    return graph


def likeness_graph(basis: Mapping[str, Mapping[Any, float]], neighbours: int) -> tuple[Graph, list[str]]:
    """People linked to those most alike; nodes are places in the list of people that comes with it."""
    import networkx as nx

    users = sorted(basis)
    graph: Graph = nx.Graph()
    graph.add_nodes_from(range(len(users)))
    graph.add_weighted_edges_from(nearest([basis[user] for user in users], neighbours))
    return graph, users


def circles(graph: Graph, resolution: float, seed: int) -> list[set[int]]:
    """Louvain communities of a likeness graph, the largest first."""
    import networkx as nx

    groups = nx.community.louvain_communities(graph, weight="weight", resolution=resolution, seed=seed)
    return sorted(groups, key=lambda group: (-len(group), min(group)))


def betweenness(graph: Graph, samples: int, seed: int) -> dict[Any, float]:
    """Share of shortest paths through each node, estimated from so many sources; empty without nodes or sources."""
    import networkx as nx

    most = min(samples, len(graph))
    return nx.betweenness_centrality(graph, k=most, seed=seed) if most else {}


def people_graph(
    store: Store, vocabulary: Vocabulary, by: str, *, neighbours: int, max_events: int
) -> Graph | DiGraph:
    """People linked to people, nodes are ids.

    Args:
        store: The graph.
        vocabulary: Declares the event types; those of positive weight count.
        by: ``follows``: from who follows (or otherwise dealt with) somebody to that person, weight log(1 + events).
            ``interests``: to those most alike by the things they dealt with, weight the cosine, without direction.
        neighbours: Links per person, by interests.
        max_events: Largest number of events to be taken.

    Raises:
        UsageError: The graph has more events.
    """
    import networkx as nx

    if by == "interests":
        check_size(store, vocabulary, max_events)
        graph, users = likeness_graph(read_pairs(store, vocabulary)[0], neighbours)
        return nx.relabel_nodes(graph, dict(enumerate(users)))
    types = vocabulary.positive_types
    _check(store.read("networks/count_follows", event_types=types)[0]["events"], max_events)
    follows: DiGraph = nx.DiGraph()
    rows = store.stream("networks/read_follows", event_types=types)
    for user, others in sorted((row["user"], row["others"]) for row in rows):
        for other, events in sorted(Counter(others).items()):
            if other != user:
                follows.add_edge(user, other, weight=math.log1p(events))
    return follows


def names_of(store: Store, users: Sequence[str]) -> dict[str, str | None]:
    """The property ``name`` of some users."""
    return {row["user"]: row["name"] for row in store.read("networks/read_names", ids=list(users))}


def nearest(rows: Sequence[Mapping[Any, float]], neighbours: int) -> list[tuple[int, int, float]]:
    """Links (row, row, cosine) from each row to its nearest, each pair once; rows are weighted by idf."""
    import numpy as np

    matrix = _weighted(rows)
    links: dict[tuple[int, int], float] = {}
    transposed = matrix.T.tocsr()
    for start in range(0, matrix.shape[0], BLOCK_ROWS):
        block = (matrix[start : start + BLOCK_ROWS] @ transposed).tocsr()
        for offset in range(block.shape[0]):
            columns: np.ndarray[Any, Any] = block.indices[block.indptr[offset] : block.indptr[offset + 1]]
            values = block.data[block.indptr[offset] : block.indptr[offset + 1]]
            row = start + offset
            other = (columns != row) & (values > 0)
            columns, values = columns[other], np.round(values[other], 12)
            order = np.lexsort((columns, -values))[:neighbours]
            for column, value in zip(columns[order].tolist(), values[order].tolist(), strict=True):
                links[(min(row, column), max(row, column))] = value
    return [(a, b, weight) for (a, b), weight in sorted(links.items())]


def _weighted(rows: Sequence[Mapping[Any, float]]) -> Matrix:
    """Rows as a sparse matrix: log(1 + count) x idf, rows of length 1, hubs left out."""
    import numpy as np
    from scipy.sparse import csr_array

    spread = Counter(key for row in rows for key in row)
    kept = sorted(key for key, people in spread.items() if 1 < people <= max(HUB_USERS, 2))
    index = {key: column for column, key in enumerate(kept)}
    idf = {key: math.log(len(rows) / spread[key]) for key in kept}
    entries = [
        (number, index[key], math.log1p(count) * idf[key])
        for number, row in enumerate(rows)
        for key, count in row.items()
        if key in index and idf[key] > 0
    ]
    at, column, value = (np.array(part) for part in zip(*entries, strict=True)) if entries else ([], [], [])
    matrix = csr_array((value, (at, column)), shape=(len(rows), len(kept)), dtype=np.float64)
    length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    scale = np.divide(1.0, length, out=np.zeros_like(length), where=length > 0)
    matrix.data *= np.repeat(scale, np.diff(matrix.indptr))
    return matrix
