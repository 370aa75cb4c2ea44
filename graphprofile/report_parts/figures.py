"""The plots of the report, as Plotly figures in plain dictionaries.

Colours and fonts are written ``var(--name)``: the page's script puts the value of that CSS variable there, so
that a plot follows light and dark. ``narrow`` holds what is different on a phone: properties by number of the
trace, and parts of the layout.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

from graphprofile.report_parts.neighbourhood import NARROW, WIDE, Canvas, Neighbourhood
from graphprofile.report_parts.projection import Point

Figure = dict[str, Any]

COLOURS = 8
OTHER = "var(--other)"
_SIZES = {"person": 26, "object": 10, "tag": 16, "other": 15}


def colour(number: int) -> str:
    """The n-th colour of the palette."""
    return f"var(--c{number})" if number < COLOURS else OTHER


def safe(text: object) -> str:
    """Text for Plotly, which takes what looks like HTML for formatting."""
    return html.escape(str(text), quote=False)


def layout(**more: Any) -> Figure:
    """What all plots have in common."""
    return {
        "font": {"family": "var(--sans)", "size": 13, "color": "var(--muted)"},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "margin": {"l": 56, "r": 16, "t": 8, "b": 48},
        "hoverlabel": {
            "bgcolor": "var(--card)",
            "bordercolor": "var(--line)",
            "font": {"family": "var(--sans)", "size": 13, "color": "var(--ink)"},
            "align": "left",
        },
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "xanchor": "left", "yanchor": "bottom"},
        "dragmode": False,
        **more,
    }


def axis(title: str, **more: Any) -> Figure:
    """An axis that cannot be zoomed."""
    return {
        "title": {"text": safe(title), "standoff": 12, "font": {"size": 13}},
        "gridcolor": "var(--grid)",
        "linecolor": "var(--line)",
        "zeroline": False,
        "fixedrange": True,
        "automargin": True,
        **more,
    }


def interests_over_time(
    dates: Sequence[str], series: Sequence[tuple[str, Sequence[int]]], bucket: str
) -> Figure:
    """Stacked areas of events per tag.

    Args:
        dates: First day of each bucket, ISO 8601.
        series: (tag, events per bucket), the largest first.
        bucket: day, week, month, quarter or year.
    """
    traces = [
        {
            "type": "scatter",
            "mode": "lines",
            "stackgroup": "all",
            "name": safe(tag),
            "x": list(dates),
            "y": list(events),
            "line": {"width": 0.75, "color": colour(number)},
            "fillcolor": colour(number),
            "opacity": 0.9,
            "hovertemplate": "%{y:,}",
        }
        for number, (tag, events) in enumerate(series)
    ]
    return {
        "data": traces,
        "layout": layout(
            height=400,
            hovermode="x unified",
            xaxis=axis(f"Time, by {bucket}", showgrid=False, type="date"),
            yaxis=axis(f"Events per {bucket}", rangemode="tozero", tickformat=",d"),
        ),
        "narrow": {"layout": {"height": 420, "margin": {"l": 44, "r": 8}, "font": {"size": 11}}},
    }


def embedding_map(points: Sequence[Point], tags: Sequence[str], person: str | None) -> Figure:
    """Points in the plane, coloured by tag: circles are users, diamonds items.

    Args:
        points: All points.
        tags: Tags with a colour of their own, the most frequent first.
        person: Id of the user to be marked, or None.
    """
    groups: dict[str | None, list[Point]] = {tag: [] for tag in tags}
    groups[None] = []
    for point in points:
        if not (point.kind == "user" and point.id == person):
            groups[point.tag if point.tag in groups else None].append(point)
    traces = [
        _points(
            group, safe(tag if tag is not None else "other"), colour(number) if tag is not None else OTHER
        )
        for number, (tag, group) in enumerate(groups.items())
        if group
    ]
    marked = [point for point in points if point.kind == "user" and point.id == person]
    if marked:
        label = safe(marked[0].name or marked[0].id)
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": label,
                "x": [marked[0].x],
                "y": [marked[0].y],
                "hovertemplate": f"{label}<extra></extra>",
                "showlegend": False,
                "cliponaxis": False,
                "marker": {
                    "symbol": "star",
                    "size": 20,
                    "color": "var(--accent)",
                    "line": {"width": 1.5, "color": "var(--card)"},
                },
            }
        )
    notes = [
        {
            "x": point.x,
            "y": point.y,
            "text": f"<b>{safe(point.name or point.id)}</b>",
            "font": {"color": "var(--ink)", "size": 14},
            "bgcolor": "var(--card)",
            "bordercolor": "var(--accent)",
            "borderpad": 4,
            "arrowcolor": "var(--accent)",
            "arrowhead": 0,
            "ax": 0,
            "ay": -44,
        }
        for point in marked
    ]
    bare = {"showticklabels": False, "showgrid": False, "ticks": ""}
    return {
        "data": traces,
        "layout": layout(
            height=640,
            margin={"l": 40, "r": 12, "t": 8, "b": 44},
            hovermode="closest",
            xaxis=axis("First direction of the map (no unit)", **bare),
            yaxis=axis("Second direction (no unit)", **bare),
            annotations=notes,
        ),
        "narrow": {"layout": {"height": 480, "margin": {"l": 28, "r": 4}, "font": {"size": 11}}},
    }


def _points(group: Sequence[Point], name: str, fill: str) -> Figure:
    users = [point.kind == "user" for point in group]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "x": [point.x for point in group],
        "y": [point.y for point in group],
        "text": [safe(point.name or point.id) for point in group],
        "customdata": [[point.kind, safe(point.tag) if point.tag else "no tag"] for point in group],
        "hovertemplate": "%{text}<br>%{customdata[0]}, %{customdata[1]}<extra></extra>",
        "marker": {
            "color": fill,
            "symbol": ["circle" if user else "diamond" for user in users],
            "size": [9 if user else 6 for user in users],
            "opacity": [0.95 if user else 0.75 for user in users],
            "line": {"width": [1 if user else 0 for user in users], "color": "var(--card)"},
        },
    }


def neighbourhood(graph: Neighbourhood) -> Figure:
    """The graph around one person; positions are pixels of the canvas."""
    fills = {"person": "var(--accent)", "object": "var(--c0)", "tag": "var(--c2)", "other": "var(--c4)"}
    titles = {"person": "this person", "object": "items", "tag": "tags", "other": "people who share items"}
    wide, narrow = _graph_traces(graph, WIDE, fills, titles), _graph_traces(graph, NARROW, fills, titles)
    return {
        "data": wide,
        "layout": _graph_layout(WIDE),
        "narrow": {
            "data": {str(number): trace for number, trace in enumerate(narrow)},
            "layout": _graph_layout(NARROW),
        },
    }


def _graph_layout(canvas: Canvas) -> Figure:
    # Axes without marks: a drawing of links has directions, but no quantity along them.
    bare = {"visible": False, "fixedrange": True}
    return layout(
        height=int(canvas.height) + 40,
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        hovermode="closest",
        font={"family": "var(--sans)", "size": 12 if canvas is WIDE else 10.5, "color": "var(--muted)"},
        xaxis={**bare, "range": [0, canvas.width]},
        yaxis={**bare, "range": [0, canvas.height]},
    )


def _graph_traces(
    graph: Neighbourhood, canvas: Canvas, fills: Mapping[str, str], titles: Mapping[str, str]
) -> list[Figure]:
    traces: list[Figure] = []
    for of_person, line in ((False, "var(--edge)"), (True, "var(--edge-strong)")):
        xs: list[float | None] = []
        ys: list[float | None] = []
        for a, b in graph.edges:
            if (a == 0) == of_person:
                xs += [graph.nodes[a].x * canvas.width, graph.nodes[b].x * canvas.width, None]
                ys += [graph.nodes[a].y * canvas.height, graph.nodes[b].y * canvas.height, None]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": xs,
                "y": ys,
                "line": {"width": 1.2, "color": line},
                "hoverinfo": "skip",
                "showlegend": False,
            }
        )
    for kind, fill in fills.items():
        nodes = [node for node in graph.nodes if node.kind == kind]
        bold = kind in ("person", "tag")
        traces.append(
            {
                "type": "scatter",
                "mode": "markers+text",
                "name": titles[kind],
                "x": [node.x * canvas.width for node in nodes],
                "y": [node.y * canvas.height for node in nodes],
                "text": [
                    (f"<b>{safe(node.short)}</b>" if bold else safe(node.short))
                    if node.side[canvas.name]
                    else ""
                    for node in nodes
                ],
                "textposition": [node.side[canvas.name] or "middle right" for node in nodes],
                "textfont": {
                    "color": "var(--ink)" if kind != "object" else "var(--muted)",
                    "shadow": "0 0 3px var(--card), 0 0 3px var(--card), 0 0 2px var(--card)",
                },
                "customdata": [
                    "<br>".join([f"<b>{safe(node.label)}</b>", *map(safe, node.hover)]) for node in nodes
                ],
                "hovertemplate": "%{customdata}<extra></extra>",
                "cliponaxis": False,
                "marker": {
                    "size": _SIZES[kind],
                    "color": fill,
                    "symbol": "square" if kind == "tag" else "circle",
                    "line": {"width": 1.5, "color": "var(--card)"},
                },
            }
        )
    return traces


def metric(rows: Sequence[tuple[str, float, float | None, float | None]], title: str) -> Figure:
    """One measure of several methods: a dot each, with its interval.

    Args:
        rows: (method, value, lower end, upper end), best known first; the first is ours.
        title: Of the axis.
    """
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "markers",
                "x": [value for _, value, _, _ in rows],
                "y": [safe(name) for name, _, _, _ in rows],
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [
                        max(0.0, high - value) if high is not None else 0 for _, value, _, high in rows
                    ],
                    "arrayminus": [
                        max(0.0, value - low) if low is not None else 0 for _, value, low, _ in rows
                    ],
                    "color": "var(--muted)",
                    "thickness": 1.5,
                    "width": 5,
                },
                "marker": {
                    "size": 13,
                    "color": ["var(--accent)" if n == 0 else "var(--other)" for n in range(len(rows))],
                },
                "hovertemplate": "%{y}: %{x:.3f}<extra></extra>",
                "showlegend": False,
            }
        ],
        "layout": layout(
            height=90 + 44 * len(rows),
            xaxis=axis(title, rangemode="tozero", tickformat=".2f"),
            yaxis=axis("", autorange="reversed", showgrid=False, type="category"),
            hovermode="closest",
        ),
        "narrow": {"layout": {"font": {"size": 12}}},
    }
