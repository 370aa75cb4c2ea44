"""Plots of the pages of a profile, as Plotly figures; templates draw them from documents that are masked already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from graphprofile.report_parts.figures import Figure, axis, colour, embedding_map, layout, safe
from graphprofile.report_parts.projection import Point

HEIGHT = 250
DAYS = {"day": 1, "week": 7, "month": 29, "quarter": 89, "year": 360}
MS_PER_DAY = 86_400_000
MARGIN = {"l": 40, "r": 8, "t": 8, "b": 38}


def _layout(**more: Any) -> Figure:
    return layout(
        font={"family": "var(--sans)", "size": 12, "color": "var(--muted)"},
        height=HEIGHT,
        hovermode="x unified",
        xaxis=axis("", type="date", showgrid=False, nticks=8, automargin=False),
        yaxis=axis("", rangemode="tozero", tickformat=",d", nticks=5),
        **more,
    )


def over_time(found: Mapping[str, Any]) -> Figure:
    """Stacked bars of events.

    Args:
        found: A :class:`graphprofile.report_parts.buckets.Series` as a document.
    """
    several = len(found["series"]) > 1
    traces = [
        {
            "type": "bar",
            "name": safe(name),
            "x": found["dates"],
            "y": events,
            "width": 0.8 * DAYS[found["bucket"]] * MS_PER_DAY,
            "marker": {"color": colour(number) if several else "var(--accent)", "line": {"width": 0}},
            "hovertemplate": "%{y:,}",
        }
        for number, (name, events) in enumerate(found["series"])
    ]
    axes: Figure = {}
    if len(found["dates"]) < 6:
        # One bar alone would fill the whole width.
        axes["xaxis"] = _few(found["dates"], found["bucket"])
    if max(map(sum, zip(*(events for _, events in found["series"]), strict=True)), default=0) < 6:
        axes["yaxis"] = {"dtick": 1}
    margin = {**MARGIN, "t": 34} if several else MARGIN
    return {
        "data": traces,
        "layout": _merged(_layout(barmode="stack", showlegend=several, margin=margin), axes),
        "narrow": {"layout": {"font": {"size": 11}, "xaxis": {"nticks": 4}, "height": HEIGHT + 20 * several}},
    }


def _few(dates: Sequence[str], bucket: str) -> Figure:
    room = timedelta(days=4 * DAYS[bucket])
    first, last = date.fromisoformat(dates[0]), date.fromisoformat(dates[-1])
    low = first - room if first > date.min + room else first
    high = last + room if last < date.max - room else last
    return {"range": [low.isoformat(), high.isoformat()]}


def _merged(base: Figure, more: Figure) -> Figure:
    return {**base, **{name: {**base[name], **part} for name, part in more.items()}}


def map_of_people(found: Mapping[str, Any]) -> Figure:
    """The embedding map with one person marked.

    Args:
        found: ``points`` as :func:`graphprofile.http.page.routes_map.document` gives them, ``tags``, and ``user_id``.
    """
    points = [
        Point(
            point["kind"],
            point["id"],
            _text(point.get("name") if point["kind"] == "user" else point.get("title")),
            point["tag"],
            point["x"],
            point["y"],
        )
        for point in found["points"]
    ]
    figure = embedding_map(points, found["tags"], found["user_id"])
    figure["layout"]["height"] = 560
    return figure


def _text(value: Any) -> str | None:
    return None if value in (None, "") else str(value)
