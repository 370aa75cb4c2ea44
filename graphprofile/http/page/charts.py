"""Rows of an insight as a figure of its declared type; see :data:`graphprofile.queries.CHARTS`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphprofile.http.page.answers import Answer, Row, figure_text, short, text_of, words
from graphprofile.http.page.charts_of_links import graph, treemap
from graphprofile.insights import Insight
from graphprofile.report_parts.figures import Figure, axis, colour, layout, safe

MOST_BARS = 30
MOST_POINTS = 400
MOST_LABELS = 12
SCALE = [[0.0, "var(--grid)"], [1.0, "var(--accent)"]]


def chart_of(insight: Insight, rows: Sequence[Row]) -> Figure | None:
    """The figure of an answer; None where it is better read as a table, or as paths.

    Args:
        insight: What was asked.
        rows: The answer, without what the caller may not see.
    """
    draw = _DRAWN.get(insight.chart.type)
    return draw(Answer(insight, rows)) if draw and rows else None


def says(insight: Insight) -> str:
    """What the figure shows, for those who do not see it."""
    axes = ", ".join(f"{axis_}: {words(column)}" for axis_, column in insight.chart.axes.items())
    return f"{insight.question} A {insight.chart.type} chart; {axes}. The table below has the same figures."


def _bar(answer: Answer) -> Figure:
    """Bars from the left, the first row on top; one for each value of x."""
    column, rows, seen = answer.axes["x"], [], set()
    for row in answer.rows:
        key = (row.get(column), row.get(answer.axes.get("series", "")))
        if key not in seen and row.get(answer.axes["y"]) is not None:
            seen.add(key)
            rows.append(row)
    rows = rows[:MOST_BARS]
    labels = [answer.label(row, "x") for row in rows]
    if column == "community":
        labels = [
            f"{label}: {text_of((row.get('top_tags') or [''])[:2], '')}"
            for label, row in zip(labels, rows, strict=True)
        ]
    series = list(dict.fromkeys(row.get(answer.axes.get("series", "")) for row in rows))
    places = [str(number) for number in range(len(rows))]
    traces = []
    for number, one in enumerate(series):
        mine = [at for at, row in enumerate(rows) if row.get(answer.axes.get("series", "")) == one]
        traces.append(
            {
                "type": "bar",
                "orientation": "h",
                "name": safe(one),
                "y": [places[at] for at in mine],
                "x": [rows[at][answer.axes["y"]] for at in mine],
                "customdata": [f"<b>{safe(labels[at])}</b><br>{answer.hover(rows[at])}" for at in mine],
                "hovertemplate": "%{customdata}<extra></extra>",
                "marker": {"color": "var(--accent)" if len(series) == 1 else colour(number)},
                "showlegend": len(series) > 1,
            }
        )
    wide = [safe(short(label)) for label in labels]
    tight = [safe(short(label, 20)) for label in labels]
    ticks = {"tickmode": "array", "tickvals": places, "ticktext": wide, "type": "category"}
    down = axis("", autorange="reversed", showgrid=False, **ticks)
    return {
        "data": traces,
        "layout": layout(
            height=96 + 26 * len(rows) + (30 if len(series) > 1 else 0),
            barmode="overlay",
            bargap=0.28,
            hovermode="closest",
            xaxis=answer.number_axis("y"),
            yaxis={**down, "categoryarray": places, "categoryorder": "array"},
        ),
        "narrow": {"layout": {"font": {"size": 11}, "margin": {"r": 8}, "yaxis": {"ticktext": tight}}},
    }


def _line(answer: Answer) -> Figure:
    """A line over time or age, with its points."""
    rows = sorted(answer.rows, key=lambda row: row[answer.axes["x"]])
    over_time = answer.axes["x"].endswith("_at")
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": [row[answer.axes["x"]] for row in rows],
                "y": [row[answer.axes["y"]] for row in rows],
                "customdata": [answer.hover(row) for row in rows],
                "hovertemplate": "%{customdata}<extra></extra>",
                "line": {"color": "var(--accent)", "width": 2.5},
                "marker": {"color": "var(--accent)", "size": 7},
                "showlegend": False,
            }
        ],
        "layout": layout(
            height=380,
            hovermode="closest",
            xaxis=axis(
                "Begin of the period" if over_time else answer.title("x"),
                showgrid=False,
                type="date" if over_time else "linear",
            ),
            yaxis={**answer.number_axis("y"), "rangemode": "tozero"},
        ),
        "narrow": {"layout": {"height": 320, "margin": {"l": 44, "r": 8}, "font": {"size": 11}}},
    }


def _scatter(answer: Answer) -> Figure:
    """Points; the first rows carry their name as far as there is room, the others show it when pointed at."""
    rows = answer.rows[:MOST_POINTS]
    column = answer.axes.get("series", "")
    series = list(dict.fromkeys(row.get(column) for row in rows))
    free = _room(answer, rows)
    traces = []
    for number, one in enumerate(series):
        mine = [(at, row) for at, row in enumerate(rows) if row.get(column) == one]
        names = [answer.label(row, "label") if "label" in answer.axes else "" for _, row in mine]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers+text",
                "name": safe(one),
                "x": [row[answer.axes["x"]] for _, row in mine],
                "y": [row[answer.axes["y"]] for _, row in mine],
                "text": [
                    safe(short(name, 22)) if at in free else ""
                    for (at, _), name in zip(mine, names, strict=True)
                ],
                "textposition": "top center",
                "textfont": {"color": "var(--muted)", "size": 12},
                "customdata": [
                    f"<b>{safe(name)}</b><br>{answer.hover(row)}"
                    for (_, row), name in zip(mine, names, strict=True)
                ],
                "hovertemplate": "%{customdata}<extra></extra>",
                "marker": {
                    "size": 11,
                    "opacity": 0.8,
                    "color": "var(--accent)" if len(series) == 1 else colour(number),
                    "line": {"width": 1, "color": "var(--card)"},
                },
                "showlegend": len(series) > 1,
                "cliponaxis": False,
            }
        )
    return {
        "data": traces,
        "layout": layout(
            height=480,
            hovermode="closest",
            margin={"l": 56, "r": 24, "t": 28, "b": 48},
            xaxis=answer.number_axis("x"),
            yaxis=answer.number_axis("y"),
        ),
        "narrow": {
            "layout": {"height": 420, "margin": {"l": 44, "r": 12}, "font": {"size": 11}},
            "data": {str(number): {"mode": "markers"} for number in range(len(traces))},
        },
    }


def _room(answer: Answer, rows: Sequence[Row]) -> set[int]:
    """Places of the rows whose name fits without lying over another one."""

    def scaled(where: str) -> list[float]:
        values = [float(row[answer.axes[where]]) for row in rows]
        low, high = min(values), max(values)
        return [(value - low) / ((high - low) or 1.0) for value in values]

    taken: list[tuple[float, float]] = []
    free: set[int] = set()
    for at, (x, y) in enumerate(zip(scaled("x"), scaled("y"), strict=True)):
        if len(free) < MOST_LABELS and all(abs(x - a) > 0.17 or abs(y - b) > 0.06 for a, b in taken):
            taken.append((x, y))
            free.add(at)
    return free


def _heatmap(answer: Answer) -> Figure:
    """Cells; where there is no row there is no cell."""
    xs = _ordered(answer.values("x"), answer.axes["x"])
    ys = _ordered(answer.values("y"), answer.axes["y"])
    cells = {(row[answer.axes["x"]], row[answer.axes["y"]]): row for row in answer.rows}
    names = [[cells.get((x, y)) for x in xs] for y in ys]
    column = answer.axes["value"]
    few = len(xs) * len(ys) <= 150 and len(xs) <= 14
    kind = answer.types[column]
    form = {"tickformat": ".0%"} if answer.is_share("value") else {}
    trace = {
        "type": "heatmap",
        "x": [text_of(x, answer.axes["x"]) for x in xs],
        "y": [text_of(y, answer.axes["y"]) for y in ys],
        "z": [[row[column] if row else None for row in line] for line in names],
        "customdata": [[answer.hover(row) if row else "" for row in line] for line in names],
        "hovertemplate": "%{customdata}<extra></extra>",
        "hoverongaps": False,
        "colorscale": SCALE,
        "zmin": 0,
        "zmax": max((row[column] for row in answer.rows if row.get(column)), default=1),
        "xgap": 2,
        "ygap": 2,
        "colorbar": {"thickness": 10, "outlinewidth": 0, "len": 0.9, **form},
    }
    if few:
        trace["text"] = [
            [figure_text(row[column], kind, column) if row else "" for row in line] for line in names
        ]
        trace["texttemplate"] = "%{text}"
        # Without a colour each cell takes the one that stands out.
        trace["textfont"] = {"size": 11}
    where = {"type": "category", "showgrid": False}
    return {
        "data": [trace],
        "layout": layout(
            height=max(260, 110 + 34 * len(ys)),
            xaxis=axis(answer.title("x"), **where),
            yaxis=axis(
                "" if answer.axes["y"] == "weekday" else answer.title("y"), autorange="reversed", **where
            ),
        ),
        "narrow": {
            "data": {"0": {"showscale": False, "texttemplate": ""}},
            "layout": {"font": {"size": 11}, "margin": {"l": 40, "r": 4}, "yaxis": {"title": {"text": ""}}},
        },
    }


def _funnel(answer: Answer) -> Figure:
    """Steps from above, each as wide as those who reached it."""
    values = answer.values("value")
    stages = [f"{at + 1}. {text_of(stage, '')}" for at, stage in enumerate(answer.values("stage"))]
    first = values[0] or 1
    return {
        "data": [
            {
                "type": "funnel",
                "y": [safe(stage) for stage in stages],
                "x": values,
                "text": [f"{value:,} · {value / first:.0%}" for value in values],
                "textinfo": "text",
                "textposition": "auto",
                "textfont": {"color": "var(--card)"},
                "outsidetextfont": {"color": "var(--ink)"},
                "customdata": [answer.hover(row) for row in answer.rows],
                "hovertemplate": "%{customdata}<extra></extra>",
                "marker": {"color": "var(--accent)"},
                "connector": {"fillcolor": "var(--accent-soft)", "line": {"width": 0}},
            }
        ],
        "layout": layout(
            height=110 + 70 * len(stages),
            xaxis=axis("", visible=False),
            yaxis=axis("", showgrid=False),
            funnelgap=0.2,
            margin={"l": 56, "r": 16, "t": 8, "b": 16},
        ),
    }


def beside_everybody(tags: Sequence[Row]) -> Figure | None:
    """Tags of an audience: its share of events, and everybody's, the largest lift on top.

    Args:
        tags: As :class:`graphprofile.audience.AudienceTag` has them.
    """
    if not tags:
        return None
    names = [str(number) for number in range(len(tags))]
    hover = [
        f"<b>{safe(tag['tag'])}</b> ({safe(tag['kind'])})<br>audience: {tag['share']:.1%}<br>"
        f"everybody: {tag['everybody']:.1%}<br>lift: {tag['lift']:.1f}"
        for tag in tags
    ]
    dots = [("everybody", "var(--other)", 10), ("this audience", "var(--accent)", 13)]
    traces: list[Figure] = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": [one for tag in tags for one in (tag["everybody"], tag["share"], None)],
            "y": [one for name in names for one in (name, name, None)],
            "line": {"width": 3, "color": "var(--line)"},
            "hoverinfo": "skip",
            "showlegend": False,
        }
    ]
    for (name, fill, size), column in zip(dots, ("everybody", "share"), strict=True):
        traces.append(
            {
                "type": "scatter",
                "mode": "markers+text" if column == "share" else "markers",
                "name": name,
                "x": [tag[column] for tag in tags],
                "y": names,
                "text": [f"×{tag['lift']:.1f}" for tag in tags] if column == "share" else None,
                "textposition": "middle right",
                "textfont": {"color": "var(--ink)"},
                "customdata": hover,
                "hovertemplate": "%{customdata}<extra></extra>",
                "marker": {"size": size, "color": fill},
                "cliponaxis": False,
            }
        )
    high = max(tag["share"] for tag in tags)
    labels = [safe(short(str(tag["tag"]), 26)) for tag in tags]
    ticks = {"type": "category", "tickmode": "array", "tickvals": names, "ticktext": labels}
    form = ".0%" if high >= 0.05 else ".1%" if high >= 0.005 else ".2%"
    return {
        "data": traces,
        "layout": layout(
            height=110 + 30 * len(tags),
            hovermode="closest",
            margin={"l": 56, "r": 48, "t": 8, "b": 48},
            xaxis=axis(
                "Share of the events on tags of its kind", range=[-0.01 * high, 1.12 * high], tickformat=form
            ),
            yaxis=axis("", autorange="reversed", showgrid=False, **ticks),
        ),
        "narrow": {"layout": {"font": {"size": 11}}},
    }


_DRAWN: dict[str, Callable[[Answer], Figure]] = {
    "bar": _bar,
    "line": _line,
    "scatter": _scatter,
    "heatmap": _heatmap,
    "funnel": _funnel,
    "treemap": treemap,
    "graph": graph,
}


def _ordered(values: Sequence[Any], column: str) -> list[Any]:
    found = [value for value in dict.fromkeys(values) if value is not None]
    if column == "next":
        return sorted(found, key=lambda value: (value == "nothing", value))
    return (
        list(range(24)) if column == "hour" else list(range(1, 8)) if column == "weekday" else sorted(found)
    )
