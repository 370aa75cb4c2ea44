"""The graph measures that are offered among the insights, described as a query file would be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphprofile.networks.measures import bridges, centrality, communities, influencers
from graphprofile.queries import Chart, Field


@dataclass(frozen=True)
class Measure:
    """A graph measure offered among the insights, described as a query file would be."""

    summary: str
    group: str
    chart: Chart
    parameters: tuple[Field, ...]
    columns: tuple[Field, ...]
    run: Callable[..., list[dict[str, Any]]]


_LIMIT = Field("limit", "int, rows, at least 1, at most 10000, default 20", "rows at most")
_SEED = Field("seed", "int, at least 0, default 0", "of the sample")
_MOST = Field("max_events", "int, events, at least 1, default 500000", "refuse a larger graph")
_BY = Field("by", "text, one of follows interests, default follows", "what links people")
_NEIGHBOURS = Field(
    "neighbours", "int, users, at least 1, at most 1000, default 10", "links per person, by interests"
)
_PERSON = (
    Field("user", "text", "id"),
    Field("name", "text", "the person's property `name`, or null"),
)

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
            _LIMIT,
            _SEED,
            _MOST,
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
    "influencers": Measure(
        "Whom do others turn to? PageRank on the graph of people: who follows whom (or otherwise dealt with a "
        "person), or with `by` interests who deals with the same things.",
        "communities",
        Chart("bar", {"x": "user", "y": "score"}),
        (_BY, _NEIGHBOURS, _LIMIT, _MOST),
        (
            *_PERSON,
            Field("score", "float, 0 to 1", "share of all"),
            Field("links", "int, users", "people who follow; by interests, people linked to"),
        ),
        influencers,
    ),
    "bridges": Measure(
        "Through whom are circles of people connected? Betweenness, estimated from a sample, on the graph of "
        "people: who follows whom, or with `by` interests who deals with the same things. People on no path "
        "between others are left out.",
        "communities",
        Chart("bar", {"x": "user", "y": "score"}),
        (
            _BY,
            Field(
                "samples", "int, nodes, at least 1, at most 10000, default 50", "sources it is estimated from"
            ),
            _NEIGHBOURS,
            _LIMIT,
            _SEED,
            _MOST,
        ),
        (
            *_PERSON,
            Field("score", "float, 0 to 1", "share of shortest paths"),
            Field("links", "int, users", "people linked to"),
        ),
        bridges,
    ),
}
