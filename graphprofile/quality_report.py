"""The quality report: one HTML file on the rows of a batch, beside the batches before it."""

from __future__ import annotations

import time

from graphprofile.quality import Quality
from graphprofile.records import iso
from graphprofile.report_parts import quality_sections as sections
from graphprofile.report_parts.frame import framed
from graphprofile.report_parts.sections import Page


def build_quality_report(quality: Quality) -> str:
    """The page; it loads nothing from anywhere.

    Args:
        quality: As :func:`graphprofile.quality.read_quality` gives it.
    """
    page = Page()
    sections.add_thresholds(page, quality)
    sections.add_completeness(page, quality)
    sections.add_outcomes(page, quality)
    sections.add_time(page, quality)
    sections.add_events(page, quality)
    sections.add_drift(page, quality)
    sections.add_trend(page, quality)
    error = f"Numbers marked ≈ are estimates with a standard error of {quality.distinct_error:.1%}."
    return framed(
        page,
        title="Quality of a batch",
        kicker="graphprofile data quality",
        lead=sections.lead(quality),
        tiles=sections.tiles(quality),
        generated_at=iso(int(time.time()) * 1000) or "",
        notes=[error] if any(n >= quality.distinct_exact_below for n in quality.distinct.values()) else [],
    )
