"""The plots of the quality report, as Plotly figures in plain dictionaries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from graphprofile.quality import Quality, TrendPoint
from graphprofile.report_parts.figures import Figure, axis, colour, layout, safe

NARROW: Figure = {"layout": {"margin": {"l": 44, "r": 8}, "font": {"size": 11}}}
HERE, BEFORE = "this batch", "earlier batches"


def volume(quality: Quality, unit: str) -> Figure:
    """Events by stretch of time.

    Args:
        quality: The document.
        unit: Of a stretch: hour, day, …
    """
    starts = [start for start, _ in quality.volume.stretches]
    return {
        "data": [
            {
                "type": "bar",
                "x": starts,
                "y": [count for _, count in quality.volume.stretches],
                "width": quality.volume.stretch_hours * 3_600_000 * (0.9 if len(starts) < 200 else 1),
                "offset": 0,
                "marker": {"color": "var(--accent)"},
                "hovertemplate": "%{x}<br>%{y:,} events<extra></extra>",
                "showlegend": False,
            }
        ],
        "layout": layout(
            height=300,
            hovermode="closest",
            xaxis=axis(f"Time (UTC), by {unit}", showgrid=False, type="date"),
            yaxis=axis(f"Events per {unit}", rangemode="tozero", tickformat=",d"),
        ),
        "narrow": NARROW,
    }


def beside(
    names: Sequence[str], now: Sequence[float], before: Sequence[float] | None, title: str, height: int = 280
) -> Figure:
    """Shares of this batch beside those of the earlier ones.

    Args:
        names: Of the bins.
        now: Share of each, 0 to 1.
        before: The same of the earlier batches, None where there are none.
        title: Of the axis of the bins.
        height: Pixels.
    """
    series = [(HERE, now, "var(--accent)"), *([(BEFORE, before, "var(--other)")] if before else [])]
    return {
        "data": [
            {
                "type": "bar",
                "name": name,
                "x": [safe(each) for each in names],
                "y": list(shares),
                "marker": {"color": fill},
                "hovertemplate": "%{x}: %{y:.1%}<extra>" + name + "</extra>",
                "showlegend": before is not None,
            }
            for name, shares, fill in series
        ],
        "layout": layout(
            height=height,
            barmode="group",
            bargap=0.2,
            hovermode="closest",
            xaxis=axis(title, showgrid=False, type="category"),
            yaxis=axis("Share of events", rangemode="tozero", tickformat=".0%"),
        ),
        "narrow": NARROW,
    }


def lines(
    points: Sequence[TrendPoint],
    series: Mapping[str, Sequence[float | None]],
    title: str,
    *,
    share: bool = True,
    bands: Sequence[float] = (),
) -> Figure:
    """One line for each figure over the batches, the oldest first.

    Args:
        points: The batches.
        series: Name -> figure of each batch, None where there is none.
        title: Of the vertical axis.
        share: Whether the figures lie between 0 and 1 and read as per cent.
        bands: Heights at which a thin line is drawn.
    """
    at = [safe(f"{(point.started_at or '')[:16].replace('T', ' ')} · {point.batch[-6:]}") for point in points]
    fmt = ".1%" if share else ",.3~f"
    return {
        "data": [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "name": safe(name),
                "x": at,
                "y": list(figures),
                "line": {"width": 2, "color": colour(number)},
                "marker": {"size": 7},
                "connectgaps": False,
                "hovertemplate": f"%{{x}}<br>%{{y:{fmt}}}<extra>{safe(name)}</extra>",
                "showlegend": len(series) > 1,
            }
            for number, (name, figures) in enumerate(series.items())
        ],
        "layout": layout(
            height=300,
            hovermode="closest",
            # Ids of batches would take more room than the lines: they show where the pointer is.
            xaxis=axis(
                "Batches, the latest on the right", showgrid=False, type="category", showticklabels=False
            ),
            yaxis=axis(title, tickformat=".0%" if share else ",~f", rangemode="tozero"),
            shapes=[
                {
                    "type": "line",
                    "xref": "paper",
                    "x0": 0,
                    "x1": 1,
                    "y0": height,
                    "y1": height,
                    "line": {"width": 1, "dash": "dot", "color": "var(--muted)"},
                }
                for height in bands
            ],
        ),
        "narrow": NARROW,
    }
