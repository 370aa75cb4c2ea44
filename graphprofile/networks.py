"""What Cypher is not for: communities and centrality by NetworkX, and the graph for use elsewhere.

Everything here reads the graph into memory and says so: each function has a bound on the events it takes and
refuses a larger graph instead of answering from a part of it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from graphprofile.errors import UsageError
from graphprofile.queries import Chart, Field
from graphprofile.reading import titles_of
from graphprofile.records import SYSTEM_PROPERTIES
from graphprofile.store import Store
from graphprofile.vocabulary import Vocabulary

if TYPE_CHECKING:
    import networkx as nx
    import numpy as np
    from scipy.sparse import csr_array

    # Named here only: the stubs know the classes as generic, the classes at run time are not.
    Graph: TypeAlias = nx.Graph[Any]
    MultiDiGraph: TypeAlias = nx.MultiDiGraph[Any]
    Matrix: TypeAlias = csr_array[Any, Any]

# An object that more people share says little about any two of them, and costs the square of their number.
HUB_USERS = 2000
BLOCK_ROWS = 2000

INTERNAL = SYSTEM_PROPERTIES - {"id", "kind", "top_tags"}


@dataclass(frozen=True)
class Measure:
    """A graph measure offered among the insights, described as a query file would be."""

    summary: str
    group: str
    chart: Chart
    parameters: tuple[Field, ...]
    columns: tuple[Field, ...]
    run: Callable[..., list[dict[str, Any]]]


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
        _check_size(store, vocabulary, max_events)
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


def communities(
    store: Store,
    vocabulary: Vocabulary,
    *,
    by: Literal["items", "tags"] = "items",
    neighbours: int = 10,
    resolution: float = 1.0,
    min_size: int = 3,
    members: int = 5,
    seed: int = 0,
    max_events: int = 2_000_000,
) -> list[dict[str, Any]]:
    """Groups of people with the same taste: Louvain on a nearest-neighbour graph of the users.

    Users are rows of a user-object (or user-tag) matrix weighted by inverse document frequency; each is
    linked to the ``neighbours`` others of the largest cosine, so that the projection stays sparse however
    popular an object is (those of more than 2,000 people are left out). Louvain: Blondel et al., J. Stat.
    Mech. 2008.

    Args:
        store: The graph.
        vocabulary: Declares the event types; those of positive weight count.
        by: What makes two people alike: the things they dealt with, or the tags of these.
        neighbours: Links per user.
        resolution: Above 1 gives more and smaller groups.
        min_size: Groups of fewer people are left out.
        members: People listed per group, the most typical first (by the weight of their links inside it).
        seed: Of Louvain's order; the same graph and seed give the same groups.
        max_events: Largest number of events to be taken.

    Returns:
        Rows ``community`` (1 is the largest), ``size``, ``user``, ``name``, ``top_tags`` (of the community:
        what its people have more of than everybody).

    Raises:
        UsageError: The graph has more events, or ``by`` is neither.
    """
    import networkx as nx

    if by not in ("items", "tags"):
        raise UsageError(f"communities: by = {by!r} is neither items nor tags.")
    _check_size(store, vocabulary, max_events)
    tags = {
        row["user"]: {(kind, name): events for kind, name, events in row["tags"]}
        for row in store.stream("networks/read_tags_of_users")
    }
    names: dict[str, str | None] = {}
    things: dict[str, Counter[Any]] = {}
    for row in store.stream("networks/read_objects_of_users", event_types=positive_types(vocabulary)):
        names[row["user"]] = row["name"]
        things[row["user"]] = Counter((label, id_) for label, id_ in row["objects"])
    basis: Mapping[str, Mapping[Any, float]] = (
        things if by == "items" else {user: tags[user] for user in things if user in tags}
    )
    users = sorted(basis)
    graph: Graph = nx.Graph()
    graph.add_nodes_from(range(len(users)))
    graph.add_weighted_edges_from(_nearest([basis[user] for user in users], neighbours))
    groups = nx.community.louvain_communities(graph, weight="weight", resolution=resolution, seed=seed)
    groups = sorted(groups, key=lambda group: (-len(group), min(group)))
    everybody = _tag_counts(tags, users)
    rows = []
    for number, group in enumerate((g for g in groups if len(g) >= max(1, min_size)), start=1):
        inside = graph.subgraph(group).degree(weight="weight")
        typical = sorted(group, key=lambda node: (-inside[node], node))
        top = _distinctive(_tag_counts(tags, [users[node] for node in group]), everybody)
        rows += [
            {
                "community": number,
                "size": len(group),
                "user": users[node],
                "name": names[users[node]],
                "top_tags": top,
            }
            for node in typical[:members]
        ]
    return rows


def centrality(
    store: Store,
    vocabulary: Vocabulary,
    *,
    method: Literal["pagerank", "betweenness"] = "pagerank",
    samples: int = 100,
    limit: int = 20,
    seed: int = 0,
    max_events: int = 500_000,
) -> list[dict[str, Any]]:
    """The things that hold the audience together, by their place in the graph of people and things.

    PageRank (Page et al. 1999; damping .85, edges weighted by log(1 + events)) finds what is reached from
    everywhere; betweenness (Brandes 2001, estimated from ``samples`` random sources) finds bridges between
    circles.

    Args:
        store: The graph.
        vocabulary: Declares the event types; those of positive weight count.
        method: ``pagerank`` or ``betweenness``.
        samples: Sources betweenness is estimated from.
        limit: Rows at most.
        seed: Of the sources.
        max_events: Largest number of events to be taken.

    Returns:
        Rows ``id``, ``kind`` (item or content), ``title``, ``score`` (PageRank: share of all; betweenness:
        share of shortest paths), ``users`` (people), highest score first.

    Raises:
        UsageError: The graph has more events, or no such method.
    """
    import networkx as nx

    if method not in ("pagerank", "betweenness"):
        raise UsageError(f"central_items: method = {method!r} is neither pagerank nor betweenness.")
    _check_size(store, vocabulary, max_events)
    pairs: dict[str, Counter[tuple[str, str]]] = {
        row["user"]: Counter((label, id_) for label, id_ in row["objects"])
        for row in store.stream("networks/read_objects_of_users", event_types=positive_types(vocabulary))
    }
    graph: Graph = nx.Graph()
    for user in sorted(pairs):
        for thing, events in sorted(pairs[user].items()):
            graph.add_edge(("User", user), thing, weight=math.log1p(events))
    if not len(graph):
        return []
    if method == "pagerank":
        scores = nx.pagerank(graph, weight="weight")
    else:
        scores = nx.betweenness_centrality(graph, k=min(samples, len(graph)), seed=seed)
    best = sorted(
        ((round(score, 12), node) for node, score in scores.items() if node[0] != "User"),
        key=lambda pair: (-pair[0], pair[1]),
    )[:limit]
    titles = titles_of(store, [node for _, node in best])
    return [
        {
            "id": node[1],
            "kind": node[0].lower(),
            "title": titles.get(node),
            "score": score,
            "users": graph.degree(node),
        }
        for score, node in best
    ]


def positive_types(vocabulary: Vocabulary) -> tuple[str, ...]:
    """Relationship types of the events that speak for an interest, sorted."""
    return tuple(sorted(rule.type for rule in vocabulary.events.values() if rule.weight > 0))


def _check_size(store: Store, vocabulary: Vocabulary, max_events: int) -> None:
    found = store.read("networks/count_events", event_types=vocabulary.types)[0]["events"]
    if found > max_events:
        raise UsageError(
            f"The graph has {found:,} events, more than max_events = {max_events:,}.",
            "Give a larger max_events if the memory is there.",
        )


def _nearest(rows: list[Mapping[Any, float]], neighbours: int) -> list[tuple[int, int, float]]:
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


def _weighted(rows: list[Mapping[Any, float]]) -> Matrix:
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


def _tag_counts(
    tags: Mapping[str, Mapping[tuple[str, str], int]], users: list[str]
) -> Counter[tuple[str, str]]:
    """How many of these people have each tag."""
    return Counter(tag for user in users for tag in tags.get(user, {}))


def _distinctive(
    inside: Counter[tuple[str, str]], everybody: Counter[tuple[str, str]], top: int = 5
) -> list[str]:
    """The tags a group has more of than everybody: people inside x log(share inside / share of all)."""
    total_inside, total = sum(inside.values()), sum(everybody.values())
    scored = [
        (people * math.log((people / total_inside) / (everybody[tag] / total)), tag)
        for tag, people in inside.items()
        if people > 1
    ]
    scored = [(round(score, 9), tag) for score, tag in scored if score > 0]
    return [tag[1] for _, tag in sorted(scored, key=lambda pair: (-pair[0], pair[1]))[:top]]


MEASURES: dict[str, Measure] = {
    "communities": Measure(
        "Which circles of people share a taste? Louvain communities of the graph in which everybody is "
        "linked to those most alike. `top_tags` is what a circle has more of than everybody.",
        "communities",
        Chart("bar", {"x": "community", "y": "size"}),
        (
            Field("by", "text, one of items tags, default items", "what makes two people alike"),
            Field("neighbours", "int, users, at least 1, default 10", "links per person"),
            Field("resolution", "float, above 0, default 1", "above 1 gives more and smaller circles"),
            Field("min_size", "int, users, at least 1, default 3", "smaller circles are left out"),
            Field(
                "members", "int, rows per circle, at least 1, default 5", "people listed, most typical first"
            ),
            Field("seed", "int, at least 0, default 0", "the same seed gives the same circles"),
            Field("max_events", "int, events, at least 1, default 2000000", "refuse a larger graph"),
        ),
        (
            Field("community", "int", "number, 1 is the largest"),
            Field("size", "int, users", "people in it"),
            Field("user", "text", "id of a member"),
            Field("name", "text", "the person's property `name`, or null"),
            Field("top_tags", "list of text", "of the circle"),
        ),
        communities,
    ),
    "central_items": Measure(
        "Which things hold the audience together? PageRank on the graph of people and things, or betweenness "
        "(bridges between circles) estimated from a sample.",
        "communities",
        Chart("bar", {"x": "id", "y": "score", "series": "kind"}),
        (
            Field("method", "text, one of pagerank betweenness, default pagerank", "the measure"),
            Field("samples", "int, nodes, at least 1, default 100", "sources betweenness is estimated from"),
            Field("limit", "int, rows, at least 1, default 20", "rows at most"),
            Field("seed", "int, at least 0, default 0", "of the sample"),
            Field("max_events", "int, events, at least 1, default 500000", "refuse a larger graph"),
        ),
        (
            Field("id", "text", "of the thing"),
            Field("kind", "text", "item or content"),
            Field("title", "text", "its title, or null"),
            Field("score", "float", "share of all (pagerank) or of shortest paths (betweenness)"),
            Field("users", "int, users", "people with an event on it"),
        ),
        centrality,
    ),
}
