"""The state of the data: batches, refused rows, freshness, events over time."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from graphprofile.batches import count_batches
from graphprofile.http.caller import ReadsProfiles
from graphprofile.http.keys import ADMIN
from graphprofile.http.page import charts_data
from graphprofile.http.page.reads_data import LOOKED_AT, advice, read_events, read_health
from graphprofile.http.page.reads_quality import read_last_quality
from graphprofile.http.page.site import fragment, page
from graphprofile.http.paging import Cursor
from graphprofile.http.routes_graph import read_batches
from graphprofile.ingest.overview import overview
from graphprofile.stability import LARGE, MODERATE

router = APIRouter(include_in_schema=False)

BATCHES = 20
NEWEST_ROWS = 20
REASONS = 30


@router.get("/data")
async def show_data(caller: ReadsProfiles, cursor: Cursor = None) -> Response:
    """Batches at once; what takes longer to count comes a moment later."""
    store = caller.service.gp.store
    batches, following = await read_batches(caller, BATCHES, cursor)
    return page(
        caller,
        "data.html",
        title="Data",
        section="data",
        batches=batches,
        following=following,
        older=cursor is not None,
        total=await caller.run(lambda: count_batches(store)),
        admin=caller.principal.may(ADMIN),
    )


@router.get("/data/batches")
async def more_batches(caller: ReadsProfiles, cursor: Cursor = None) -> Response:
    """The next rows of the table."""
    batches, following = await read_batches(caller, BATCHES, cursor)
    return fragment(caller, "_batches.html", batches=batches, following=following)


@router.get("/data/health")
async def show_health(caller: ReadsProfiles) -> Response:
    """Counts and freshness."""
    gp = caller.service.gp
    admin = caller.principal.may(ADMIN)
    health = await caller.run(lambda: read_health(gp))
    where = {"uri": gp.store.uri, "data_dir": str(gp.settings.data_dir)} if admin else None
    return fragment(
        caller, "_health.html", health=health, advice=advice(health), where=where, version=_version()
    )


@router.get("/data/events")
async def show_events(caller: ReadsProfiles) -> Response:
    """Events per type, and over time."""
    gp = caller.service.gp
    found = await caller.run(lambda: read_events(gp))
    series, share = found.series, found.share
    return fragment(
        caller,
        "_data_events.html",
        types=[{"event": kind, "count": count} for kind, count in found.types.items()],
        total=sum(found.types.values()),
        counted=found.counted,
        share=share,
        looked_at=LOOKED_AT,
        bucket=series.bucket if series else None,
        too_coarse=round(series.too_coarse / share) if series else 0,
        figure=charts_data.text(charts_data.events_over_time(series, 1 / share)) if series else None,
    )


@router.get("/data/quality")
async def show_quality(caller: ReadsProfiles) -> Response:
    """What the rows of the last batches looked like."""
    store = caller.service.gp.store
    batches = await caller.run(lambda: read_last_quality(store))
    return fragment(caller, "_quality.html", batches=batches, bands=[MODERATE, LARGE])


@router.get("/data/quarantine")
async def show_quarantine(caller: ReadsProfiles) -> Response:
    """Refused rows by reason; the rows themselves for administrators who may see every property."""
    data_dir = caller.service.gp.settings.data_dir
    admin = caller.principal.may(ADMIN)
    # A refused row has the columns of its source: no mask knows which of them is private.
    shows_rows = admin and not caller.hidden
    found = await caller.service.workers.run_anyway(
        lambda: overview(data_dir, newest=NEWEST_ROWS if shows_rows else 0)
    )
    if shows_rows and found.newest:
        caller.note("quarantine.read", "ok")
    files = [one.to_json() for one in found.batches[:REASONS]]
    return fragment(
        caller,
        "_quarantine.html",
        rows=found.rows,
        complete=found.complete,
        files=files if admin else [{**one, "problem": one["problem"] and ""} for one in files],
        more_files=max(0, len(found.batches) - REASONS),
        reasons=[one.to_json() for one in found.reasons[:REASONS]],
        more_reasons=max(0, len(found.reasons) - REASONS),
        newest=[_row_text(one.to_json()) for one in found.newest],
        admin=admin,
    )


def _row_text(row: dict[str, Any]) -> dict[str, Any]:
    given = row.pop("row")
    if isinstance(given, dict):
        cells = [{"column": str(name), "value": str(value)} for name, value in given.items()]
    else:
        cells = [{"column": "", "value": str(given)}]
    return {**row, "cells": cells}


def _version() -> str:
    from graphprofile import __version__

    return __version__
