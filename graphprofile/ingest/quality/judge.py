"""A batch held against thresholds: every figure, its limit, and what to do where it is passed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphprofile.errors import BatchRefused
from graphprofile.ingest.mapping import did_you_mean
from graphprofile.ingest.quality.compare import drift
from graphprofile.ingest.quality.record import Record
from graphprofile.ingest.quality.thresholds import Thresholds
from graphprofile.records import ThresholdResult


def judge(thresholds: Thresholds, record: Record, earlier: Sequence[Record] = ()) -> list[ThresholdResult]:
    """How a batch stands to each threshold.

    Args:
        thresholds: What was declared.
        record: Of the batch.
        earlier: Of the batches before it that came the same way.

    Returns:
        In the order of the declaration; ``figure`` is None where there is nothing to tell by, and then it is passed.
    """
    moved = drift(record, earlier) if thresholds.max_drift is not None else {}
    found = []
    for name, limit in thresholds.limits().items():
        figure, detail, chance = _figure(name, record, moved)
        least = name.startswith("min_")
        fails = figure is not None and (figure < limit if least else figure > limit)
        # An index that chance alone gives as often as once in twenty stops nothing.
        passed = not fails or (chance is not None and figure is not None and figure <= chance)
        found.append(ThresholdResult(name=name, limit=limit, figure=figure, passed=passed, detail=detail))
    return found


def require(results: Sequence[ThresholdResult]) -> None:
    """Stop a batch.

    Raises:
        BatchRefused: One threshold or more is not met.
    """
    wrong = [one for one in results if not one.passed]
    if not wrong:
        return
    told = "; ".join(
        f"{one.name} = {one.limit:g}, and it is {_shown(one.figure)} ({one.detail})" for one in wrong
    )
    first = wrong[0]
    raise BatchRefused(
        f"The batch was refused, and nothing of it was written: {told}.",
        f"Mend the source, or let it through: --fail-on {first.name}={_room(first)}, or --fail-on none. "
        "`--dry-run` shows every figure.",
    )


def _shown(figure: float | None) -> str:
    return "unknown" if figure is None else f"{figure:.4g}" if figure != int(figure) else f"{figure:.0f}"


def _room(one: ThresholdResult) -> str:
    """A limit that the figure meets."""
    figure = one.figure or 0.0
    if figure == int(figure):
        return f"{figure:.0f}"
    step = 1e-4 if one.name.startswith("max_") else -1e-4
    return f"{max(0.0, figure + step):.4f}"


def _figure(
    name: str, record: Record, moved: Mapping[str, Mapping[str, Any]]
) -> tuple[float | None, str, float | None]:
    """A figure, what it is made of, and what chance gives."""
    head, _, tail = name.partition(".")
    if head in ("min_rows", "max_rows"):
        rows = record.looked_at + record.unsent
        return rows, f"{rows:,} rows read", None
    if head == "min_completeness":
        return *_completeness(tail, record), None
    if head == "max_drift":
        value = moved[tail]["psi"]
        if value is None:
            return None, "too few events, here or before, to tell by", None
        where = ", ".join(
            f"{one['bin']}: {one['then']:.0%} to {one['now']:.0%}" for one in moved[tail]["changes"]
        )
        return value, where or "nothing moved", moved[tail]["by_chance"]
    part, whole, words = _counts(head, record)
    if not whole:
        return None, f"no {words}", None
    return part / whole, f"{part:,} of {whole:,} {words}", None


def _counts(name: str, record: Record) -> tuple[int, int, str]:
    events = record.total("read", "events")
    if name == "max_quarantined":
        return record.total("quarantined"), record.total("read"), "rows"
    if name == "max_late":
        return record.total("late", "events"), record.total("applied", "events"), "new events"
    if name == "max_future":
        return record.future, events, "events"
    return record.total(name.removeprefix("max_"), "events"), events, "events"


def _completeness(field: str, record: Record) -> tuple[float | None, str]:
    """The lowest share of rows with the field, over the kinds that have it."""
    shares = [
        (columns[field] / record.in_columns[kind], kind, columns[field], record.in_columns[kind])
        for kind, columns in record.filled.items()
        if field in columns and record.in_columns[kind]
    ]
    if shares:
        share, kind, filled, rows = min(shares)
        return share, f"{rows - filled:,} of {rows:,} rows of {kind} have none"
    if not sum(record.in_columns.values()):
        return None, "no rows"
    known = sorted({name for columns in record.filled.values() for name in columns})
    return 0.0, f"no row has such a field{did_you_mean(field, known)}"
