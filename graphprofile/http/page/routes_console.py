"""``/console``: a Cypher query of one's own, its answer as a table, a graph or a chart."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from graphprofile import queries
from graphprofile.browsing import typical_user
from graphprofile.http.caller import Administers
from graphprofile.http.page.site import page
from graphprofile.http.routes_console import answer_query
from graphprofile.profiles import GraphProfile
from graphprofile.reading import watermark

router = APIRouter(include_in_schema=False)

RISING = {"window_days": 3650.0, "kind": None, "min_users": 1, "smoothing": 5.0, "limit": 20}
TOGETHER = {"event": None, "days": 36_500.0, "items": 50, "min_users": 1, "limit": 20}
Example = dict[str, str]


@router.get("/console")
async def console(
    caller: Administers,
    q: Annotated[str, Query(max_length=20_000, description="A query to begin with.")] = "",
) -> Response:
    """The editor, with queries to begin with."""
    gp, options = caller.service.gp, caller.service.options
    examples = await caller.run(lambda: examples_of(gp))
    return page(
        caller,
        "console.html",
        title="Console",
        section="console",
        examples=examples,
        query_text=q,
        rows=options.console_rows,
        seconds=options.console_seconds,
        hidden=sorted(caller.hidden),
    )


@router.post("/console/run")
async def run(caller: Administers) -> Response:
    """As ``POST /v1/cypher``, for who is signed in: the API takes no cookie."""
    return await answer_query(caller)


def examples_of(gp: GraphProfile) -> list[Example]:
    """Queries with parameters that fit this graph; those of two insights among them."""
    found = [
        _example(
            "What the graph holds",
            "MATCH (n)\nRETURN labels(n)[0] AS label, count(*) AS nodes\nORDER BY nodes DESC",
        ),
        _example(
            "Most wanted items",
            "MATCH (u:User)-[e]->(i:Item)\nRETURN coalesce(i.title, i.id) AS item, count(DISTINCT u) AS people,\n"
            "  count(e) AS events\nORDER BY people DESC, item\nLIMIT 20",
        ),
        _example(
            "Events by year",
            "MATCH (:User)-[e]->()\nWHERE e.ts IS NOT NULL\n"
            "RETURN datetime({epochMillis: e.ts}).year AS year, count(*) AS events\nORDER BY year",
        ),
        _example(
            "Items and their tags, drawn",
            "MATCH p = (:Item)-[:HAS_TAG]->(:Tag)\nRETURN p\nLIMIT 60",
        ),
    ]
    typical = typical_user(gp.store, gp.vocabulary.types)
    if typical is not None:
        user = typical["id"]
        found += [
            _example(
                "Somebody's items, drawn",
                "MATCH p = (:User {id: $user})-[e]->(i:Item)\nWHERE e.ts IS NOT NULL\n"
                "RETURN p\nORDER BY e.ts DESC\nLIMIT 40",
                {"user": user},
            ),
            _example(
                "Somebody's interests",
                "MATCH (:User {id: $user})-[r:INTERESTED_IN]->(t:Tag)\n"
                "RETURN t.name AS tag, r.long AS score, r.events AS events\nORDER BY score DESC\nLIMIT 15",
                {"user": user},
            ),
        ]
    newest = watermark(gp.store)
    if newest is not None:
        for name, title, parameters in (
            ("rising_tags", "Tags on the rise", RISING),
            ("bought_together", "Things that go together", TOGETHER),
        ):
            found.append(_insight(gp, name, title, {**parameters, "as_of": newest}))
    return found


def _insight(gp: GraphProfile, name: str, title: str, parameters: dict[str, Any]) -> Example:
    """An insight's own query, the event types of this graph in it."""
    return _example(title, queries.text(f"insights/{name}", tuple(gp.vocabulary.positive_types)), parameters)


def _example(title: str, query: str, parameters: dict[str, Any] | None = None) -> Example:
    return {"label": title, "query": query, "parameters": json.dumps(parameters or {}, ensure_ascii=False)}
