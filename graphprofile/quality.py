"""The quality of a batch as a document: figures of its record, drift against earlier batches, the trend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphprofile.batches import FIRST, read_batches
from graphprofile.errors import NotFound, UsageError
from graphprofile.ingest.claims import unpack
from graphprofile.ingest.quality.compare import BATCHES, Earlier, drift, read_earlier
from graphprofile.ingest.quality.histogram import edge, quantile
from graphprofile.ingest.quality.record import Record
from graphprofile.ingest.quality.sketch import ERROR, KEPT
from graphprofile.records import Document, ThresholdResult, iso

if TYPE_CHECKING:
    from graphprofile.store import Store

TREND = 12
"""Batches of a trend."""
_LOOKED_AT = 100


class Completeness(Document):
    """Rows of one kind, and in how many of them each column says something."""

    rows: int
    columns: dict[str, float]
    uncounted_columns: int = 0


class Refused(Document):
    """Rows refused for one reason, without the values that it quotes."""

    kind: str
    field: str
    reason: str
    rows: int


class Bin(Document):
    """Numbers from ``low`` on, up to the next bin."""

    low: float
    count: int


class Lateness(Document):
    """How far events lie behind the newest one before the batch.

    ``share`` of the applied events; ``behind`` and the quantiles are of all events read, also of those that were there
    already. Quantiles are at most a sixteenth too small.
    """

    watermark: str | None
    late: int
    share: float | None
    behind: int
    p50_seconds: float | None
    p95_seconds: float | None
    lag_seconds: list[Bin]


class Values(Document):
    """Values of the events that have one; quantiles are at most a sixteenth too near to zero."""

    events: int
    low: float | None
    p05: float | None
    p50: float | None
    p95: float | None
    high: float | None
    bins: list[Bin]


class Volume(Document):
    """Events by stretch of time: begin of each stretch with events, and how many."""

    stretch_hours: int
    oldest: str | None
    newest: str | None
    stretches: list[tuple[str, int]]


class Moved(Document):
    """The population stability index of one distribution; null where there are too few events to tell by."""

    psi: float | None
    band: str | None
    by_chance: float | None
    changes: list[dict[str, Any]]


class TrendPoint(Document):
    """One batch in the trend; shares as in :class:`Quality`."""

    batch: str
    source: str
    started_at: str | None
    rows: int
    shares: dict[str, float | None]
    completeness: dict[str, float]
    distinct: dict[str, int]
    p95_seconds: float | None
    psi: dict[str, float | None]


class Quality(Document):
    """Answer of ``report --quality``: what the rows of a batch looked like.

    ``unsent`` rows lie in files that were taken in whole before: they count as duplicates of the load, and everything
    here is of the ``read`` ones. ``shares``: of ``quarantined`` among all rows; of ``duplicates``, ``conflicts`` and
    ``future`` among the events; of ``late`` among the applied events. ``distinct`` is exact below
    ``distinct_exact_below``, else an estimate with the relative standard error ``distinct_error``. ``against``: earlier
    batches that came the same way, which ``drift`` is measured against, and ``before`` their distributions.
    """

    batch: str
    source: str
    loader: str
    started_at: str | None
    finished_at: str | None
    read: int
    unsent: int
    rows: dict[str, dict[str, int]]
    shares: dict[str, float | None]
    completeness: dict[str, Completeness]
    refused: list[Refused]
    skipped: dict[str, int]
    cleaned: dict[str, int]
    flagged: dict[str, int]
    lateness: Lateness
    volume: Volume
    hours_of_day: list[int]
    event_types: dict[str, int]
    values: Values
    distinct: dict[str, int]
    distinct_error: float
    distinct_exact_below: int
    against: list[str]
    before: dict[str, dict[str, float]]
    drift: dict[str, Moved]
    thresholds: list[ThresholdResult]
    trend: list[TrendPoint]


def read_quality(store: Store, batch: str | None = None) -> Quality:
    """The quality of one batch, beside the batches before it that came the same way.

    Args:
        store: The graph.
        batch: Id of the batch; None takes the latest finished one that has a record.

    Raises:
        NotFound: No such batch.
        UsageError: It has no record: it is under way, broken off, undone, left behind by a killed service, or of an
            older version.
    """
    found = _latest(store) if batch is None else _one(store, batch)
    record = Record.unpacked(found.get("quality"))
    if record is None:
        raise UsageError(
            f"Batch {found['id']} has no quality record: {_why(found)}.",
            "`graphprofile report --quality` without --batch takes the latest that has one.",
        )
    started = int(found.get("started_at") or 0)
    earlier = read_earlier(store, str(found.get("way")), started, TREND + BATCHES)
    mine = Earlier(str(found["id"]), str(found.get("source") or ""), started, record)
    line = [mine, *earlier]
    verdict = unpack(found.get("verdict")).get("thresholds", [])
    before = [one.record for one in earlier[:BATCHES]]
    return Quality(
        batch=mine.batch,
        source=mine.source,
        loader=str(found.get("loader") or ""),
        started_at=iso(started),
        finished_at=iso(found.get("finished_at")),
        read=record.looked_at,
        unsent=record.unsent,
        rows=record.outcomes,
        shares=shares_of(record),
        completeness=_completeness(record),
        refused=[
            Refused(kind=kind, field=name, reason=reason, rows=rows)
            for kind, name, reason, rows in sorted(record.refused, key=lambda entry: -entry[3])
        ],
        skipped=record.skipped,
        cleaned=record.cleaned,
        flagged=record.flagged,
        lateness=_lateness(record),
        volume=Volume(
            stretch_hours=record.stretch_hours,
            oldest=iso(record.oldest_ts),
            newest=iso(record.newest_ts),
            stretches=[(iso(start) or "", count) for start, count in record.volume],
        ),
        hours_of_day=record.hours_of_day,
        event_types=record.event_types,
        values=_values(record),
        distinct=record.distinct,
        distinct_error=round(ERROR, 4),
        distinct_exact_below=KEPT,
        against=[one.batch for one in earlier[:BATCHES]],
        before=_before(before),
        drift={name: Moved(**moved) for name, moved in drift(record, before).items()},
        thresholds=[ThresholdResult(**one) for one in verdict],
        trend=[_point(line, place) for place in reversed(range(min(TREND, len(line))))],
    )


def _latest(store: Store) -> Mapping[str, Any]:
    place = FIRST
    while found := read_batches(store, _LOOKED_AT, place):
        for one in found:
            if one.get("state") == "done" and one.get("quality"):
                return one
        place = (int(found[-1].get("started_at") or 0), str(found[-1]["id"]))
    raise NotFound(
        "No batch has a quality record yet.", "Load something first: `graphprofile load events.csv`."
    )


def _one(store: Store, batch: str) -> Mapping[str, Any]:
    found = store.read("load/read_batch", id=batch)
    if not found:
        raise NotFound(f"No batch {batch!r}.", "`graphprofile status` names the last ones.")
    one: Mapping[str, Any] = found[0]["batch"]
    return one


def _why(batch: Mapping[str, Any]) -> str:
    state = batch.get("state")
    if state == "done":
        return "an older version loaded it, or a service that was killed left it behind"
    return "it is undone" if state in ("undone", "undoing") else "it has not come to its end"


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None


def shares_of(record: Record) -> dict[str, float | None]:
    """The shares of a record, as in :class:`Quality`."""
    events = record.total("read", "events")
    return {
        "quarantined": _share(record.total("quarantined"), record.total("read")),
        "duplicates": _share(record.total("duplicates", "events"), events),
        "conflicts": _share(record.total("conflicts", "events"), events),
        "late": _share(record.total("late", "events"), record.total("applied", "events")),
        "future": _share(record.future, events),
    }


def _completeness(record: Record) -> dict[str, Completeness]:
    return {
        kind: Completeness(
            rows=rows,
            columns={name: round(count / rows, 6) for name, count in record.filled[kind].items()}
            if rows
            else {},
            uncounted_columns=record.uncounted_columns.get(kind, 0),
        )
        for kind, rows in record.in_columns.items()
    }


def _lateness(record: Record) -> Lateness:
    seconds = [_in_seconds(quantile(record.lag, share)) for share in (0.5, 0.95)]
    return Lateness(
        watermark=iso(record.watermark),
        late=record.total("late", "events"),
        share=shares_of(record)["late"],
        behind=record.behind,
        p50_seconds=seconds[0],
        p95_seconds=seconds[1],
        lag_seconds=[Bin(low=edge(key) / 1000, count=count) for key, count in record.lag.items()],
    )


def _in_seconds(ms: float | None) -> float | None:
    return None if ms is None else round(ms / 1000, 3)


def _values(record: Record) -> Values:
    return Values(
        events=sum(record.values.values()),
        low=record.low,
        p05=quantile(record.values, 0.05),
        p50=quantile(record.values, 0.5),
        p95=quantile(record.values, 0.95),
        high=record.high,
        bins=[Bin(low=edge(key), count=count) for key, count in record.values.items()],
    )


def _before(earlier: Sequence[Record]) -> dict[str, dict[str, float]]:
    """Shares of the earlier batches together, by distribution."""
    hours: list[Mapping[str, int]] = [
        dict(zip(map(str, range(24)), one.hours_of_day, strict=True)) for one in earlier
    ]
    values = ({f"{edge(key):g}": count for key, count in one.values.items()} for one in earlier)
    return {
        "event_types": _together(one.event_types for one in earlier),
        "hours": _together(hours),
        "value": _together(values),
    }


def _together(counts: Iterable[Mapping[str, int]]) -> dict[str, float]:
    total: dict[str, int] = {}
    for one in counts:
        for name, count in one.items():
            total[name] = total.get(name, 0) + count
    whole = sum(total.values())
    return {name: round(count / whole, 6) for name, count in total.items() if count}


def _point(line: Sequence[Earlier], place: int) -> TrendPoint:
    one, before = line[place], [each.record for each in line[place + 1 : place + 1 + BATCHES]]
    record = one.record
    rows = record.in_columns.get("events", 0)
    return TrendPoint(
        batch=one.batch,
        source=one.source,
        started_at=iso(one.started_at),
        rows=record.looked_at,
        shares=shares_of(record),
        completeness={
            name: round(count / rows, 6) for name, count in record.filled.get("events", {}).items() if rows
        },
        distinct=record.distinct,
        p95_seconds=_in_seconds(quantile(record.lag, 0.95)),
        psi={name: moved["psi"] for name, moved in drift(record, before).items()},
    )
