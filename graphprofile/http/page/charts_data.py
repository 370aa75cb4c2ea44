"""The plots of models and of data: they show counts and measures, nothing that a mask would hide.

They are handed to templates as JSON texts: a mask looks for names of properties in documents, and a plot's own
``title`` and ``name`` are none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from graphprofile.report_parts.buckets import Series
from graphprofile.report_parts.figures import COLOURS, OTHER, Figure, axis, colour, layout, metric, safe
from graphprofile.stability import LARGE, MODERATE

METHODS = {
    "model": "this model",
    "current": "the one in use then",
    "popularity": "popularity",
    "item_to_item": "item-to-item",
}
MEASURES = {"ndcg_at_20": "NDCG@20", "recall_at_20": "Recall@20"}
BANDS = {"stable": "var(--good)", "moderate": "var(--warn)", "large": "var(--bad)"}


def text(figure: Figure) -> str:
    """A figure as a template takes it."""
    return orjson.dumps(figure).decode()


def beside_baselines(metrics: Mapping[str, Any], measure: str) -> Figure:
    """A measure of a model and of what it was measured beside, with intervals."""
    rows = [_row(METHODS.get(name, name), values, measure) for name, values in metrics.items() if values]
    return metric([row for row in rows if row], f"{MEASURES[measure]}, with 95% intervals")


def versions(models: Sequence[Mapping[str, Any]], measure: str) -> Figure:
    """A measure of several versions, the one in use in the accent colour."""
    measured = [
        (model, row)
        for model in models
        if (row := _row(model["version"], (model["metrics"] or {}).get("model"), measure))
    ]
    figure = metric([row for _, row in measured], f"{MEASURES[measure]}, with 95% intervals")
    figure["data"][0]["marker"]["color"] = [
        "var(--accent)" if model["in_use"] else OTHER for model, _ in measured
    ]
    figure["narrow"] = {
        "layout": {"font": {"size": 10}, "xaxis": {"nticks": 3, "title": {"text": MEASURES[measure]}}}
    }
    return figure


def _row(
    name: str, values: Mapping[str, Any] | None, measure: str
) -> tuple[str, float, float | None, float | None] | None:
    if not values or values.get(measure) is None:
        return None
    low, high = values.get(f"{measure}_interval") or (None, None)
    return name, values[measure], low, high


def drift_of_inputs(inputs: Mapping[str, Mapping[str, Any]]) -> Figure:
    """How far each distribution is from the last training: a bar each, in the colour of its band."""
    known = [(name.replace("_", " "), found) for name, found in inputs.items() if found["psi"] is not None]
    lines = [
        {
            "type": "line",
            "x0": at,
            "x1": at,
            "yref": "paper",
            "y0": 0,
            "y1": 1,
            "line": {"color": "var(--muted)", "width": 1, "dash": "dot"},
        }
        for at in (MODERATE, LARGE)
    ]
    return {
        "data": [
            {
                "type": "bar",
                "orientation": "h",
                "x": [found["psi"] for _, found in known],
                "y": [safe(name) for name, _ in known],
                "marker": {"color": [BANDS[found["band"]] for _, found in known]},
                "customdata": [[found["band"], found["by_chance"]] for _, found in known],
                "hovertemplate": "%{y}: %{x:.3f}, %{customdata[0]}<br>"
                "up to %{customdata[1]:.3f} by chance<extra></extra>",
                "showlegend": False,
            }
        ],
        "layout": layout(
            height=90 + 40 * len(known),
            xaxis=axis("Population stability index", rangemode="tozero"),
            yaxis=axis("", autorange="reversed", showgrid=False, type="category"),
            shapes=lines,
            bargap=0.4,
        ),
        "narrow": {"layout": {"font": {"size": 11}}},
    }


def events_over_time(found: Series, scale: float = 1.0) -> Figure:
    """Events per stretch of time, stacked by type.

    Args:
        found: Counts, the largest type first.
        scale: What they are multiplied with, where a share of the users was looked at.
    """
    first, rest = found.series[:COLOURS], found.series[COLOURS:]
    series = list(first)
    if rest:
        series.append(
            ("all others", [sum(column) for column in zip(*(counts for _, counts in rest), strict=True)])
        )
    traces = [
        {
            "type": "bar",
            "name": safe(name.replace("_", " ")),
            "x": found.dates,
            "y": [round(count * scale) for count in counts],
            "marker": {"color": colour(number), "line": {"width": 0}},
            "hovertemplate": "%{y:,}",
        }
        for number, (name, counts) in enumerate(series)
    ]
    return {
        "data": traces,
        "layout": layout(
            height=340,
            barmode="stack",
            bargap=0.15,
            hovermode="x unified",
            showlegend=True,
            xaxis=axis(f"Time of the event, by {found.bucket}", showgrid=False, type="date"),
            yaxis=axis(f"Events per {found.bucket}", rangemode="tozero", tickformat=",d"),
        ),
        "narrow": {"layout": {"height": 320, "margin": {"l": 44, "r": 8}, "font": {"size": 11}}},
    }
