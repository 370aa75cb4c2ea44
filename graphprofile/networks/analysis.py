"""Communities, PageRank and betweenness put on the nodes, with the time and the version of their computation."""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING, Any

from graphprofile.networks.reading import (
    betweenness,
    check_size,
    circles,
    likeness_graph,
    read_pairs,
    things_graph,
)
from graphprofile.records import Document, Progress, chunks, iso
from graphprofile.store import Store
from graphprofile.vocabulary import Vocabulary

if TYPE_CHECKING:
    from graphprofile.networks.reading import Graph, Pairs

METHODS = 1
"""Raised when the same graph and choices would give other figures."""

NODES_PER_TRANSACTION = 2_000
PLURALS = {"User": "users", "Item": "items", "Content": "contents"}


class AnalysisResult(Document):
    """Answer of ``analyze``."""

    version: str
    computed_at: str
    users: int
    items: int
    content: int
    communities: int
    cleared: int
    seconds: float


def analyze(
    store: Store,
    vocabulary: Vocabulary,
    *,
    neighbours: int = 10,
    resolution: float = 1.0,
    samples: int = 50,
    seed: int = 0,
    max_events: int = 2_000_000,
    progress: Progress | None = None,
) -> AnalysisResult:
    """Put ``network_community``, ``network_pagerank`` and ``network_betweenness`` on users, items and content.

    All by events of positive weight. Communities (of users; 1 is the largest) as the insight of that name finds them;
    PageRank and betweenness, from a sample of sources, on the graph of people and things. Beside them stand
    ``network_at`` (epoch ms) and ``network_version``, which is the same for the same graph and choices. Nodes that
    take no part lose what an earlier analysis left on them. None of this enters the digest.

    Args:
        store: The graph.
        vocabulary: Declares the event types.
        neighbours: Links per person in the graph whose communities are found.
        resolution: Above 1 gives more and smaller communities.
        samples: Sources betweenness is estimated from; 0 leaves it out.
        seed: Of communities and sample.
        max_events: Largest number of events to be taken; a million of them need about 1 GB.
        progress: Called with (what, done, total).

    Raises:
        UsageError: The graph has more events.
    """
    started = time.perf_counter()
    check_size(store, vocabulary, max_events)
    choices = {
        "methods": METHODS,
        "neighbours": neighbours,
        "resolution": resolution,
        "samples": samples,
        "seed": seed,
        "rules": vocabulary.fingerprint(),
    }
    if progress:
        progress("reading events", 0, None)
    pairs, _ = read_pairs(store, vocabulary)
    version = _version(choices, pairs)
    if progress:
        progress("communities", 0, None)
    communities = _communities(pairs, neighbours, resolution, seed)
    if progress:
        progress("centrality", 0, None)
    ranks, between = _centrality(things_graph(pairs), samples, seed)
    now = int(time.time() * 1000)
    counts = dict.fromkeys(PLURALS, 0)
    cleared = 0
    for label, plural in PLURALS.items():
        rows = [
            [node[1], communities.get(node[1]) if label == "User" else None, rank, between.get(node)]
            for node, rank in ranks.items()
            if node[0] == label
        ]
        counts[label] = len(rows)
        for done, part in enumerate(chunks(rows, NODES_PER_TRANSACTION)):
            _write(store, f"networks/write_{plural}", rows=list(part), now=now, version=version)
            if progress:
                progress(f"figures of {plural}", done * NODES_PER_TRANSACTION + len(part), len(rows))
        while some := _write(store, f"networks/clear_{plural}", version=version, limit=NODES_PER_TRANSACTION)[
            0
        ]["cleared"]:
            cleared += some
    return AnalysisResult(
        version=version,
        computed_at=iso(now) or "",
        users=counts["User"],
        items=counts["Item"],
        content=counts["Content"],
        communities=len(set(communities.values())),
        cleared=cleared,
        seconds=round(time.perf_counter() - started, 3),
    )


def _write(store: Store, query: str, **parameters: Any) -> list[dict[str, Any]]:
    return store.write(lambda tx: tx.run(query, **parameters))


def _version(choices: dict[str, Any], pairs: Pairs) -> str:
    """A name for these choices on this graph: who dealt with what, and how often."""
    digest = hashlib.sha256(json.dumps(choices, sort_keys=True).encode())
    for user in sorted(pairs):
        digest.update(json.dumps([user, sorted(pairs[user].items())]).encode())
    return f"n{METHODS}-{digest.hexdigest()[:12]}"


def _communities(pairs: Pairs, neighbours: int, resolution: float, seed: int) -> dict[str, int]:
    """Number of everybody's community, 1 the largest."""
    graph, users = likeness_graph(pairs, neighbours)
    groups = circles(graph, resolution, seed)
    return {users[node]: number for number, group in enumerate(groups, start=1) for node in group}


def _centrality(
    graph: Graph, samples: int, seed: int
) -> tuple[dict[tuple[str, str], float], dict[tuple[str, str], float]]:
    """PageRank and betweenness of people and things."""
    import networkx as nx

    if not len(graph):
        return {}, {}
    return nx.pagerank(graph, weight="weight"), betweenness(graph, samples, seed)
