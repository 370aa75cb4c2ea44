"""Rows in the generic columns: checked, cleaned, or refused with a reason."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import polars as pl

from graphprofile.ingest.columns import first, identifiers, keep, numbers, properties_as_json, times
from graphprofile.ingest.descriptions import check_descriptions
from graphprofile.ingest.fields import MAX_NAME, clean_text, is_missing, shown
from graphprofile.ingest.identity import complete_ids, content_hashes
from graphprofile.ingest.mapping import FLAGS, REJECT, as_bool, did_you_mean
from graphprofile.ingest.occurrences import Occurrences
from graphprofile.ingest.times import DAY_MS, TimeUnit, check_future, zone
from graphprofile.ingest.verdicts import (
    Verdicts,
    add_loader_reasons,
    coalesced,
    column_of,
    each,
    mapped,
    property_columns,
    rejections,
)
from graphprofile.records import OBJECT_LABELS, EventChunk, Kind, RawChunk, RetractionChunk
from graphprofile.vocabulary import EventRule, Vocabulary

__all__ = [
    "ANY_TYPE",
    "EVENT_SCHEMA",
    "check_descriptions",
    "check_events",
    "check_retracted",
    "event_type",
    "split_retracted",
]

ANY_TYPE = "*"
"""As the type of a withdrawal: the event of this id, whatever its type."""
EVENT_SCHEMA: dict[str, Any] = {
    "type": pl.String,
    "event_id": pl.String,
    "user_id": pl.String,
    "object_id": pl.String,
    "object_kind": pl.String,
    "ts": pl.Int64,
    "ts_precision": pl.String,
    "value": pl.Float64,
    "properties": pl.String,
    "hash": pl.String,
    "line": pl.Int64,
}


def check_events(
    raw: RawChunk,
    vocabulary: Vocabulary,
    *,
    time_zone: str = "UTC",
    time_unit: TimeUnit | None = None,
    now_ms: int | None = None,
    original: pl.DataFrame | None = None,
    occurrences: Occurrences | None = None,
) -> EventChunk:
    """Check events in the generic columns.

    Args:
        raw: Rows after the loader's ``transform`` and the mapping.
        vocabulary: Which events there are.
        time_zone: Zone of times that name none.
        time_unit: Unit of times that are numbers; None tells it by their size.
        now_ms: The present, epoch ms; the clock's by default.
        original: The rows as the source gave them, for the quarantine; ``raw.frame`` by default.
        occurrences: Counts of identical rows of this source so far; needed where rows bring no ``event_id``.

    Raises:
        UsageError: Unknown time zone.
    """
    frame, height = raw.frame, raw.frame.height
    bad = Verdicts()
    add_loader_reasons(frame, bad)
    users, errors = identifiers(column_of(frame, "user_id"))
    bad.add("user_id", errors)
    types, errors = mapped(column_of(frame, "event_type"), lambda value: event_type(value, vocabulary))
    bad.add("event_type", errors)
    objects, errors = identifiers(column_of(frame, "object_id"))
    bad.add("object_id", errors)
    rules = {rule.type: rule for rule in vocabulary.events.values()}
    kinds = _object_kinds(frame, types, rules, bad)
    ts, precision, errors = times(column_of(frame, "timestamp"), zone(time_zone), time_unit)
    bad.add("timestamp", errors)
    _refuse_future(ts, now_ms, bad)
    values, errors = numbers(column_of(frame, "value"))
    bad.add("value", errors)
    _check_values(values, types, rules, bad)
    native, canonical = _properties(frame, "events", bad)
    given = _given_ids(frame, raw.fixed_columns, bad)

    checked = pl.DataFrame(
        {
            "type": types,
            "event_id": given,
            "user_id": users,
            "object_id": objects,
            "object_kind": kinds,
            "ts": ts,
            "ts_precision": precision,
            "value": values,
            "properties": native,
            "canonical": canonical,
            "line": pl.Series(raw.lines, dtype=pl.Int64),
        }
    )
    if bad.reasons:
        checked = checked.filter(~bad.mask(height))
    hashes = content_hashes(checked)
    ids = complete_ids(checked["event_id"], hashes, occurrences or Occurrences())
    checked = checked.with_columns(hashes.alias("hash"), ids.alias("event_id")).select(
        pl.col(name).cast(dtype) for name, dtype in EVENT_SCHEMA.items()
    )
    rejected = [*raw.rejected, *rejections(raw, bad, frame if original is None else original)]
    return EventChunk(
        frame=checked,
        rejected=rejected,
        read=height + len(raw.rejected),
        source=raw.source,
        position=raw.position,
        size=raw.size,
    )


def check_retracted(
    raw: RawChunk, vocabulary: Vocabulary, *, original: pl.DataFrame | None = None
) -> RetractionChunk:
    """Check withdrawals of events: which type, which id; :data:`ANY_TYPE` becomes one of each type there is.

    Args:
        raw: Rows after the loader's ``transform`` and the mapping.
        vocabulary: Which events there are.
        original: The rows as the source gave them, for the quarantine; ``raw.frame`` by default.
    """
    frame = raw.frame
    bad = Verdicts()
    add_loader_reasons(frame, bad)
    types, errors = mapped(
        column_of(frame, "event_type"),
        lambda value: ANY_TYPE if value == ANY_TYPE else event_type(value, vocabulary),
    )
    bad.add("event_type", errors)
    ids, errors = identifiers(column_of(frame, "event_id"))
    bad.add("event_id", errors)
    checked = pl.DataFrame(
        {"type": types, "event_id": ids, "line": pl.Series(raw.lines, dtype=pl.Int64)},
        schema={"type": pl.String, "event_id": pl.String, "line": pl.Int64},
    )
    if bad.reasons:
        checked = checked.filter(~bad.mask(frame.height))
    checked = _of_each_type(checked, vocabulary)
    rejected = [*raw.rejected, *rejections(raw, bad, frame if original is None else original)]
    return RetractionChunk(
        frame=checked,
        rejected=rejected,
        read=checked.height + len(rejected),
        source=raw.source,
        position=raw.position,
        size=raw.size,
    )


def _of_each_type(checked: pl.DataFrame, vocabulary: Vocabulary) -> pl.DataFrame:
    """Withdrawals of whatever type as one of each."""
    anything = checked["type"] == ANY_TYPE
    if not anything.any():
        return checked
    types = pl.DataFrame({"type": list(vocabulary.types)})
    each_type = checked.filter(anything).drop("type").join(types, how="cross").select(checked.columns)
    return pl.concat([checked.filter(~anything), each_type]).sort("line", maintain_order=True)


def split_retracted(
    raw: RawChunk, original: pl.DataFrame
) -> tuple[RawChunk, pl.DataFrame, tuple[RawChunk, pl.DataFrame] | None]:
    """Take the rows of events that say ``retracted`` out of a chunk.

    Returns:
        The events and their original rows, and the same of the withdrawals, None where there are none. A value
        that is neither true nor false stays with the events and is refused there.
    """
    if "retracted" not in raw.frame.columns:
        return raw, original, None
    flags, errors = each(raw.frame["retracted"], as_bool)
    reasons = [f"retracted: {errors[row]}" if row in errors else None for row in range(raw.frame.height)]
    frame = raw.frame.drop("retracted")
    if errors:
        before = column_of(frame, REJECT)
        frame = frame.with_columns(pl.coalesce(before, pl.Series(reasons, dtype=pl.String)).alias(REJECT))
    gone = pl.Series([flag is True for flag in flags], dtype=pl.Boolean)
    if not gone.any():
        return replace(raw, frame=frame), original, None
    lines = pl.Series(raw.lines, dtype=pl.Int64)
    events = replace(raw, frame=frame.filter(~gone), lines=lines.filter(~gone).to_list())
    withdrawn = replace(raw, frame=frame.filter(gone), lines=lines.filter(gone).to_list(), kind="retracted")
    if events.frame.height:
        withdrawn = replace(withdrawn, rejected=[])
    return events, original.filter(~gone), (withdrawn, original.filter(gone))


def event_type(value: Any, vocabulary: Vocabulary) -> str:
    """The relationship type of an event's name.

    The name as declared; else without regard to case, and with ``-`` or a space for ``_``.

    Raises:
        ValueError: No such event; says the line to add to ``graphprofile.toml``.
    """
    if is_missing(value):
        raise ValueError("is missing: every event needs one")
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is no event type: use text")
    name = clean_text(value)
    rule = vocabulary.events.get(name)
    if rule is None:
        folded = name.casefold().replace("-", "_").replace(" ", "_")
        rules = vocabulary.events.items()
        rule = next((r for known, r in rules if folded in (known.casefold(), r.type.casefold())), None)
    if rule is not None:
        return rule.type
    if len(name) > MAX_NAME:
        raise ValueError(f"unknown event type {shown(name)}")
    raise ValueError(
        f"unknown event type {name!r}{did_you_mean(name, vocabulary.events)}; "
        f"to declare it add to graphprofile.toml:\n{vocabulary.suggest(name)}"
    )


def _object_kinds(
    frame: pl.DataFrame, types: pl.Series, rules: dict[str, EventRule], bad: Verdicts
) -> pl.Series:
    """Kinds of object: as given, else item, or what the event takes where that is no item."""
    default: dict[str, str] = {
        name: "item" if "item" in rule.objects else rule.objects[0] for name, rule in rules.items()
    }
    present = types.unique().drop_nulls().to_list()
    usual = {default[name] for name in present}
    if len(usual) == 1:
        kinds = pl.Series("object_kind", [usual.pop()]).new_from_index(0, frame.height)
    else:
        kinds = types.replace_strict(default, default="item", return_dtype=pl.String)
    if "object_kind" not in frame.columns:
        return kinds
    given, errors = mapped(frame["object_kind"], _object_kind)
    blank = {row for row in errors if is_missing(frame["object_kind"][row])}
    bad.add("object_kind", {row: reason for row, reason in errors.items() if row not in blank})
    kinds = first(given, kinds)
    allowed = {(name, kind) for name in present for kind in rules[name].objects}
    refused = {
        (name, kind)
        for name, kind in zip(types.to_list(), kinds.to_list(), strict=True)
        if name is not None and (name, kind) not in allowed
    }
    if refused:
        bad.add(
            "object_kind",
            {
                row: f"{pair[0]} takes {' or '.join(rules[pair[0]].objects)}, not {pair[1]}"
                for row, pair in enumerate(zip(types.to_list(), kinds.to_list(), strict=True))
                if pair in refused
            },
        )
    return kinds


def _object_kind(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{shown(value)} is no kind of object: use {', '.join(OBJECT_LABELS)}")
    kind = clean_text(value).lower()
    if kind not in OBJECT_LABELS:
        raise ValueError(f"{shown(value)} is no kind of object: use {', '.join(OBJECT_LABELS)}")
    return kind


def _refuse_future(ts: pl.Series, now_ms: int | None, bad: Verdicts) -> None:
    now = int(time.time() * 1000) if now_ms is None else now_ms
    for row in (ts > now + DAY_MS).fill_null(False).arg_true().to_list():
        try:
            check_future(ts[row], now)
        except ValueError as error:
            bad.add("timestamp", {row: str(error)})


def _check_values(values: pl.Series, types: pl.Series, rules: dict[str, EventRule], bad: Verdicts) -> None:
    for name in types.unique().drop_nulls().to_list():
        rule = rules[name]
        mine = types == name
        if rule.value == "rating" and values.null_count():
            rows = (mine & values.is_null()).fill_null(False).arg_true().to_list()
            bad.add("value", dict.fromkeys(rows, f"is missing: {name} needs one"))
        if rule.minimum is not None:
            _refuse_values(values, mine & (values < rule.minimum), f"below {rule.minimum:g}", name, bad)
        if rule.maximum is not None:
            _refuse_values(values, mine & (values > rule.maximum), f"above {rule.maximum:g}", name, bad)


def _refuse_values(values: pl.Series, beyond: pl.Series, words: str, name: str, bad: Verdicts) -> None:
    for row in beyond.fill_null(False).arg_true().to_list():
        bad.add("value", {row: f"{values[row]:g} is {words}, the limit of {name}"})


def _properties(frame: pl.DataFrame, kind: Kind, bad: Verdicts) -> tuple[pl.Series, pl.Series]:
    """Properties of every row as JSON text (null where there are none) and as canonical text."""
    native: dict[str, pl.Series] = {}
    canonical: dict[str, pl.Series] = {}
    for name, source in property_columns(frame, kind, bad):
        one, two, errors = properties_as_json(frame[source])
        bad.add(source, errors)
        if source == FLAGS:
            # What is unusual depends on the rows around it: the event is the same in any batch.
            native[name] = one
            canonical[name] = one.clear(frame.height)
            continue
        if name in native:
            one = pl.Series(coalesced(native[name].to_list(), one.to_list(), source, bad), dtype=pl.String)
            two = pl.Series(coalesced(canonical[name].to_list(), two.to_list(), source, bad), dtype=pl.String)
        native[name], canonical[name] = one, two
    if not native:
        empty = column_of(frame, "")
        return empty, empty.fill_null("{}")
    written = _objects(canonical)
    same = all(native[name] is canonical[name] for name in native)
    stored = written if same else _objects(native)
    return keep(stored, stored != "{}"), written


def _objects(columns: dict[str, pl.Series]) -> pl.Series:
    names = sorted(columns)
    if any(columns[name].null_count() for name in names):
        entries = [pl.concat_str(pl.lit(f'"{name}":'), columns[name]) for name in names]
        parts = [pl.lit("{"), pl.concat_str(entries, separator=",", ignore_nulls=True)]
    else:
        parts = []
        for name in names:
            parts += [pl.lit(f'{"," if parts else "{"}"{name}":'), pl.lit(columns[name])]
    return pl.select(pl.concat_str(*parts, pl.lit("}"))).to_series()


def _given_ids(frame: pl.DataFrame, fixed_columns: bool, bad: Verdicts) -> pl.Series:
    """Ids the source gives; null where an id is to be made."""
    if "event_id" not in frame.columns:
        return column_of(frame, "event_id")
    ids, errors = identifiers(frame["event_id"])
    if errors and not fixed_columns:
        values = frame["event_id"].to_list()
        errors = {row: reason for row, reason in errors.items() if values[row] is not None}
    bad.add("event_id", errors)
    return ids
