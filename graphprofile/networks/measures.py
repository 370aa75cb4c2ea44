"""What Cypher is not for: communities, centrality, influence and bridges, by NetworkX.

Everything here reads the graph into memory and says so: each function has a bound on the events it takes and
refuses a larger graph instead of answering from a part of it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any, Literal

from graphprofile.errors import UsageError
from graphprofile.networks.reading import (
    betweenness,
    check_size,
    circles,
    likeness_graph,
    names_of,
    people_graph,
    read_pairs,
    things_graph,
)
from graphprofile.reading import titles_of
from graphprofile.store import Store
from graphprofile.vocabulary import Vocabulary


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
    if by not in ("items", "tags"):
        raise UsageError(f"communities: by = {by!r} is neither items nor tags.")
    check_size(store, vocabulary, max_events)
    tags = {
        row["user"]: {(kind, name): events for kind, name, events in row["tags"]}
        for row in store.stream("networks/read_tags_of_users")
    }
    things, names = read_pairs(store, vocabulary)
    basis: Mapping[str, Mapping[Any, float]] = (
        things if by == "items" else {user: tags[user] for user in things if user in tags}
    )
    graph, users = likeness_graph(basis, neighbours)
    groups = circles(graph, resolution, seed)
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
    check_size(store, vocabulary, max_events)
    graph = things_graph(read_pairs(store, vocabulary)[0])
    if not len(graph):
        return []
    if method == "pagerank":
        scores = nx.pagerank(graph, weight="weight")
    else:
        scores = betweenness(graph, samples, seed)
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


def influencers(
    store: Store,
    vocabulary: Vocabulary,
    *,
    by: Literal["follows", "interests"] = "follows",
    neighbours: int = 10,
    limit: int = 20,
    max_events: int = 500_000,
) -> list[dict[str, Any]]:
    """The people others turn to, by PageRank (Page et al. 1999; damping .85) on the graph of people.

    Args:
        store: The graph.
        vocabulary: Declares the event types; those of positive weight count.
        by: What links people: one follows the other, or they deal with the same things.
        neighbours: Links per person, by interests.
        limit: Rows at most.
        max_events: Largest number of events to be taken.

    Returns:
        Rows ``user``, ``name``, ``score`` (share of all), ``links`` (people who follow, or neighbours).

    Raises:
        UsageError: The graph has more events.
    """
    import networkx as nx

    graph = people_graph(store, vocabulary, by, neighbours=neighbours, max_events=max_events)
    scores = nx.pagerank(graph, weight="weight") if graph.number_of_edges() else {}
    degree = graph.in_degree if graph.is_directed() else graph.degree
    return _best_people(store, scores, degree, limit)


def bridges(
    store: Store,
    vocabulary: Vocabulary,
    *,
    by: Literal["follows", "interests"] = "follows",
    samples: int = 50,
    neighbours: int = 10,
    limit: int = 20,
    seed: int = 0,
    max_events: int = 500_000,
) -> list[dict[str, Any]]:
    """The people through whom circles are connected: betweenness (Brandes 2001) on the graph of people.

    Estimated from ``samples`` random sources; who follows whom makes no difference here.

    Args:
        store: The graph.
        vocabulary: Declares the event types; those of positive weight count.
        by: What links people: one follows the other, or they deal with the same things.
        samples: Sources betweenness is estimated from.
        neighbours: Links per person, by interests.
        limit: Rows at most.
        seed: Of the sources.
        max_events: Largest number of events to be taken.

    Returns:
        Rows ``user``, ``name``, ``score`` (share of shortest paths), ``links`` (people linked to).

    Raises:
        UsageError: The graph has more events.
    """
    found = people_graph(store, vocabulary, by, neighbours=neighbours, max_events=max_events)
    graph = found.to_undirected() if found.is_directed() else found
    scores = betweenness(graph, samples, seed)
    return _best_people(
        store, {user: score for user, score in scores.items() if score > 0}, graph.degree, limit
    )


def _best_people(store: Store, scores: Mapping[str, float], degree: Any, limit: int) -> list[dict[str, Any]]:
    best = sorted((-round(score, 12), user) for user, score in scores.items())[:limit]
    names = names_of(store, [user for _, user in best])
    return [
        {"user": user, "name": names.get(user), "score": -score, "links": degree(user)}
        for score, user in best
    ]


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
