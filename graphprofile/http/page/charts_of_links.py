"""Charts of what belongs together: areas within areas, and nodes with links."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from graphprofile.http.page.answers import Answer, Row, short
from graphprofile.report_parts.figures import Figure, colour, layout, safe

MOST_LINKS = 60


def treemap(answer: Answer) -> Figure:
    """Areas within areas; a part below several stands in the first of them."""
    label, parent, value = (answer.axes[where] for where in ("label", "parent", "value"))
    first: dict[tuple[Any, Any], Row] = {}
    for row in answer.rows:
        first.setdefault((row.get("kind"), row[label]), row)
    above = {key: (key[0], row[parent]) for key, row in first.items()}
    placed = {key: above[key] if above[key] in first and not _loops(key, above) else None for key in first}
    below: dict[Any, float] = {}
    for key, whole in placed.items():
        if whole is not None:
            below[whole] = below.get(whole, 0) + first[key][value]
    kinds = list(dict.fromkeys(key[0] for key in first))
    roots = kinds if len(kinds) > 1 else []

    def id_(key: tuple[Any, Any]) -> str:
        return f"{key[0]}:{key[1]}"

    def over(key: tuple[Any, Any]) -> str:
        found = placed[key]
        return id_(found) if found else f"{key[0]}" if roots else ""

    # An event counts for each tag it has, so parts may be more than the whole: a part has what it has of its own.
    own = [max(0.0, row[value] - below.get(key, 0)) for key, row in first.items()]
    return {
        "data": [
            {
                "type": "treemap",
                "ids": [*(str(kind) for kind in roots), *map(id_, first)],
                "labels": [*(safe(kind) for kind in roots), *(safe(key[1]) for key in first)],
                "parents": [*("" for _ in roots), *map(over, first)],
                "values": [*(0 for _ in roots), *own],
                "branchvalues": "remainder",
                "customdata": [*("" for _ in roots), *(answer.hover(row) for row in first.values())],
                "hovertemplate": "<b>%{label}</b><br>%{customdata}<extra></extra>",
                "marker": {
                    "colors": [
                        *("var(--grid)" for _ in roots),
                        *(colour(kinds.index(key[0])) for key in first),
                    ],
                    "line": {"width": 1, "color": "var(--card)"},
                },
                "textfont": {"color": "var(--card)"},
                "tiling": {"pad": 2},
                "pathbar": {"visible": False},
                "root": {"color": "rgba(0,0,0,0)"},
            }
        ],
        "layout": layout(height=520, margin={"l": 0, "r": 0, "t": 8, "b": 8}),
        "narrow": {"layout": {"height": 460}},
    }


def _loops(key: Any, above: Mapping[Any, Any]) -> bool:
    seen = set()
    while key in above:
        if key in seen:
            return True
        seen.add(key)
        key = above[key]
    return False


def graph(answer: Answer) -> Figure:
    """Nodes and links, a link as wide as its value."""
    import networkx as nx

    source, target = answer.axes["source"], answer.axes["target"]
    value = answer.axes.get("value", "")
    rows = [row for row in answer.rows if row.get(source) is not None and row.get(target) is not None]
    links: nx.Graph[str] = nx.Graph()
    for row in rows[:MOST_LINKS]:
        links.add_edge(str(row[source]), str(row[target]), row=row, weight=float(row.get(value) or 1))
    if not links:
        return layout(height=80)
    # On a circle, those that are linked side by side: no name lies over another one.
    order = [
        node for part in nx.connected_components(links) for node in nx.dfs_preorder_nodes(links, min(part))
    ]
    turn = 2 * math.pi / len(order)
    place = {node: (math.sin(turn * at), math.cos(turn * at)) for at, node in enumerate(order)}
    strongest = max(weight for _, _, weight in links.edges(data="weight"))
    traces: list[Figure] = []
    for a, b, data in links.edges(data=True):
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": [place[a][0], place[b][0]],
                "y": [place[a][1], place[b][1]],
                "line": {"width": 1 + 4 * data["weight"] / strongest, "color": "var(--edge-strong)"},
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
    middle = [((place[a][0] + place[b][0]) / 2, (place[a][1] + place[b][1]) / 2) for a, b in links.edges]
    traces.append(
        {
            "type": "scatter",
            "mode": "markers",
            "x": [x for x, _ in middle],
            "y": [y for _, y in middle],
            "customdata": [answer.hover(row) for _, _, row in links.edges(data="row")],
            "hovertemplate": "%{customdata}<extra></extra>",
            "marker": {"size": 14, "color": "rgba(0,0,0,0)"},
            "showlegend": False,
        }
    )
    degree = dict(links.degree())
    traces.append(
        {
            "type": "scatter",
            "mode": "markers+text",
            "x": [place[node][0] for node in links],
            "y": [place[node][1] for node in links],
            "text": [safe(short(node, 24)) for node in links],
            "textposition": [_side(*place[node]) for node in links],
            "textfont": {"color": "var(--ink)", "shadow": "0 0 3px var(--card), 0 0 2px var(--card)"},
            "customdata": [f"<b>{safe(node)}</b><br>{degree[node]} links" for node in links],
            "hovertemplate": "%{customdata}<extra></extra>",
            "marker": {
                "size": [12 + min(16, 3 * degree[node]) for node in links],
                "color": "var(--accent)",
                "line": {"width": 1.5, "color": "var(--card)"},
            },
            "showlegend": False,
            "cliponaxis": False,
        }
    )
    return {
        "data": traces,
        "layout": layout(
            height=560,
            hovermode="closest",
            margin={"l": 0, "r": 0, "t": 8, "b": 8},
            xaxis={"visible": False, "fixedrange": True, "range": [-2.1, 2.1]},
            yaxis={"visible": False, "fixedrange": True, "range": [-1.2, 1.2]},
        ),
        "narrow": {
            "data": {
                str(len(traces) - 1): {
                    "textfont": {"color": "var(--ink)", "size": 9},
                    "text": [safe(short(node, 14)) for node in links],
                }
            },
            "layout": {"height": 440, "margin": {"l": 0, "r": 0}},
        },
    }


def _side(x: float, y: float) -> str:
    """Where the name of a node on the circle stands."""
    if abs(x) < 0.15:
        return "top center" if y > 0 else "bottom center"
    return "middle right" if x > 0 else "middle left"
