"""From a source's own columns to the generic ones: ``--map field=column``."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import polars as pl

from graphprofile.errors import SourceError, UsageError
from graphprofile.ingest.columns import settle
from graphprofile.ingest.fields import clean_text, is_missing, number
from graphprofile.ingest.nested import columns_of, reach
from graphprofile.ingest.times import parse_time
from graphprofile.records import Kind

REQUIRED: dict[Kind, tuple[str, ...]] = {
    "events": ("user_id", "event_type", "object_id", "timestamp"),
    "users": ("user_id",),
    "items": ("item_id",),
    "content": ("content_id",),
    "tags": ("tag",),
    "retracted": ("event_type", "event_id"),
}
OPTIONAL: dict[Kind, tuple[str, ...]] = {
    "events": ("event_id", "object_kind", "value", "retracted"),
    "users": ("updated_at",),
    "items": ("tags", "updated_at"),
    "content": ("tags", "updated_at"),
    "tags": ("part_of", "updated_at"),
    "retracted": (),
}
REJECT = "_reject"
SKIP = "_skip"
FLAGS = "\0flags"
"""What a mapping file flags in a row: the property ``flags``, which does not count as content of an event."""

_USUAL_NAMES = {
    "user_id": ("user", "userid", "customer", "customerid", "customer_id", "member", "member_id", "uid"),
    "event_type": ("event", "type", "action", "eventtype", "event_name"),
    "object_id": (
        "object",
        "item",
        "item_id",
        "itemid",
        "product",
        "product_id",
        "productid",
        "sku",
        "movieid",
    ),
    "timestamp": ("time", "ts", "date", "datetime", "created_at", "at", "event_time", "occurred_at"),
    "item_id": ("item", "id", "sku", "product_id", "productid", "movieid", "itemid"),
    "content_id": ("content", "id", "article_id", "post_id", "url"),
    "tag": ("name", "category", "id"),
}
_NODE_RESERVED = frozenset({"id", "rev", "tags_rev", "tags_due", "embed_due", "top_tags", "described"})
_RESERVED: dict[Kind, frozenset[str]] = {
    "events": frozenset(
        {"id", "event_id", "ts", "ts_precision", "value", "batch", "hash", "flags", "described"}
    ),
    "users": _NODE_RESERVED | {"interest_kinds", "interest_sums", "interests_at"},
    "items": _NODE_RESERVED,
    "content": _NODE_RESERVED,
    "tags": _NODE_RESERVED | {"kind", "name", "interest_events", "interest_direct"},
    "retracted": frozenset(),
}
_TRUE, _FALSE = {"true", "t", "yes", "y", "1"}, {"false", "f", "no", "n", "0"}


def _as_int(value: Any) -> int | None:
    found = number(value)
    if found is None:
        return None
    text = value.strip() if isinstance(value, str) else str(value)
    exact = int(text) if re.fullmatch(r"[+-]?\d{1,19}", text) else int(found)
    if exact != found and not re.fullmatch(r"[+-]?\d{1,19}", text):
        raise ValueError(f"{text!r} is no whole number")
    if not -(2**63) <= exact < 2**63:
        raise ValueError(f"{text!r} does not fit into 64 bits")
    return exact


def as_bool(value: Any) -> bool | None:
    """True or false, None for nothing; ValueError for anything else."""
    if is_missing(value):
        return None
    text = str(value).strip().lower()
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    raise ValueError(f"{value!r} is neither true nor false")


def _as_text(value: Any) -> str | None:
    return None if value is None else clean_text(str(value)) or None


def _as_time(value: Any) -> int | None:
    return None if is_missing(value) else parse_time(value, UTC)[0]


def _as_list(value: Any) -> list[str] | None:
    if is_missing(value):
        return None
    entries = value if isinstance(value, (list, tuple)) else str(value).split(";")
    return [
        text for text in (clean_text(str(entry)) for entry in entries if entry is not None) if text
    ] or None


TYPES: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "text": (_as_text, pl.String),
    "int": (_as_int, pl.Int64),
    "float": (number, pl.Float64),
    "bool": (as_bool, pl.Boolean),
    "time": (_as_time, pl.Int64),
    "list": (_as_list, pl.List(pl.String)),
}


@dataclass(frozen=True)
class Entry:
    """One ``--map``: a field, and the column or the constant it is taken from.

    Attributes:
        field: Field or property; empty leaves the column out.
        column: Column of the source; None for a constant.
        type: One of :data:`TYPES`, or None to take the values as they are.
        constant: The value of every row.
    """

    field: str
    column: str | None
    type: str | None = None
    constant: str | None = None


@dataclass(frozen=True)
class Mapping:
    """The ``--map`` options of one load."""

    entries: tuple[Entry, ...] = ()

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Mapping:
        """Read ``field=column``, ``field:type=column``, ``field==constant`` and ``-=column`` (leaves it out).

        Raises:
            UsageError: A text of another form, an unknown type, or a field given twice.
        """
        entries: list[Entry] = []
        for text in texts:
            found = re.fullmatch(
                r"(?P<field>[^=:]+)(?::(?P<type>[^=]*))?=(?P<constant>=?)(?P<column>.*)", text, re.S
            )
            if not found or not found["field"].strip() or (not found["column"] and not found["constant"]):
                raise UsageError(
                    f"Cannot read the mapping {text!r}.",
                    "Write --map field=column, e.g. --map user_id=customer.",
                )
            field, type_name = found["field"].strip(), found["type"]
            if type_name is not None and type_name not in TYPES:
                raise UsageError(f"Unknown type {type_name!r} in {text!r}.", f"Known: {', '.join(TYPES)}.")
            if field != "-" and any(entry.field == field for entry in entries):
                raise UsageError(f"The field {field!r} is mapped twice.", "Keep one of the two.")
            if found["constant"]:
                entries.append(Entry(field, None, type_name, found["column"]))
            else:
                entries.append(Entry("" if field == "-" else field, found["column"], type_name))
        return cls(tuple(entries))

    def to_texts(self) -> list[str]:
        """What :meth:`parse` reads."""
        return [
            f"{entry.field or '-'}{f':{entry.type}' if entry.type else ''}="
            + (f"={entry.constant}" if entry.column is None else entry.column)
            for entry in self.entries
        ]

    def fields(self, columns: Iterable[str]) -> tuple[str, ...]:
        """Names of the columns after the mapping."""
        taken = {entry.column for entry in self.entries}
        named = [entry.field for entry in self.entries if entry.field]
        return (*named, *(name for name in columns if name not in taken and name not in named))

    def apply(
        self, frame: pl.DataFrame, source: str, fixed_columns: bool = True, needed: Sequence[str] = ()
    ) -> pl.DataFrame:
        """The frame under the mapped names; a column that lost its name to a mapped one is left out.

        A name with points leads into objects where no column has it, see :func:`graphprofile.ingest.nested.reach`. Rows
        whose value does not have the declared type get a reason in the column ``_reject``.

        Args:
            frame: Rows as the source gave them.
            source: Of the rows, for messages.
            fixed_columns: Whether every row has every column.
            needed: Fields whose column some row must have even where each brings its own.

        Raises:
            SourceError: A mapped column that a file with fixed columns does not have, or no row of a needed field.
        """
        if not self.entries:
            return frame
        found = {
            entry.column: reach(frame, entry.column) for entry in self.entries if entry.column is not None
        }
        for entry in self.entries:
            must_be = fixed_columns or entry.field in needed
            if must_be and entry.column is not None and found[entry.column] is None:
                names = columns_of(frame)
                raise SourceError(
                    f"{source}: there is no column {entry.column!r}{did_you_mean(entry.column, names)}.",
                    f"Its columns: {listed(names)}.",
                )
        taken = {entry.column for entry in self.entries}
        named = {entry.field for entry in self.entries}
        series = [
            frame[name]
            for name in frame.columns
            if name not in taken and name not in named and name != REJECT
        ]
        reasons = frame[REJECT].to_list() if REJECT in frame.columns else [None] * frame.height
        for entry in self.entries:
            if not entry.field:
                continue
            if entry.column is None:
                column = pl.Series(entry.field, [entry.constant], dtype=pl.String).new_from_index(
                    0, frame.height
                )
            elif (there := found[entry.column]) is not None:
                column = there.alias(entry.field)
            else:
                column = pl.Series(entry.field, [None], dtype=pl.String).new_from_index(0, frame.height)
            if entry.type is not None:
                rule, dtype = TYPES[entry.type]
                empty = pl.Series(entry.field, [None], dtype=dtype).new_from_index(0, frame.height)
                column, errors = settle(empty, column, rule)
                for row, reason in errors.items():
                    reasons[row] = reasons[row] or f"{entry.field}: {reason}"
            series.append(column)
        if any(reason is not None for reason in reasons):
            series.append(pl.Series(REJECT, reasons, dtype=pl.String))
        return pl.DataFrame(series) if series else frame.select([])


NEAR = 0.7
"""How alike two names must be for one to be offered; at difflib's own 0.6 a few letters in common were enough."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """`` (did you mean 'x'?)`` where a known name is close, else nothing."""
    close = difflib.get_close_matches(
        name.lower(), {entry.lower(): entry for entry in known}, n=1, cutoff=NEAR
    )
    original = next((entry for entry in known if close and entry.lower() == close[0]), None)
    return f" (did you mean {original!r}?)" if original else ""


def listed(names: Iterable[str], limit: int = 30) -> str:
    """Names in one line, the first thirty of many."""
    every = list(names)
    return ", ".join(every[:limit]) + (f" and {len(every) - limit} more" if len(every) > limit else "")


def check_required(columns: Sequence[str], kind: Kind, source: str) -> None:
    """Refuse a source that lacks a required column.

    Raises:
        SourceError: Names what is missing, what is there and the ``--map`` to use.
    """
    missing = [name for name in REQUIRED[kind] if name not in columns]
    if not missing:
        return
    raise SourceError(
        f"{source}: no column {' and no column '.join(missing)}; its columns: {listed(columns) or 'none'}.",
        "Say which column holds it: "
        + " ".join(f"--map {name}={_likely(name, columns) or 'COLUMN'}" for name in missing)
        + ("; a fixed event type: --map event_type==purchased." if "event_type" in missing else "."),
    )


def _likely(field: str, columns: Sequence[str]) -> str | None:
    lower = {name.lower(): name for name in columns}
    for usual in _USUAL_NAMES.get(field, ()):
        if usual in lower and lower[usual] not in REQUIRED["events"]:
            return lower[usual]
    close = difflib.get_close_matches(field, list(lower), n=1)
    return lower[close[0]] if close else None


def guess_kind(columns: Iterable[str], source: str) -> Kind:
    """What rows with these columns describe.

    Raises:
        SourceError: The columns fit nothing.
    """
    names = set(columns)
    if {"user_id", "object_id"} <= names or {"user_id", "event_type"} <= names or "event_type" in names:
        return "events"
    for kind, key in (("items", "item_id"), ("content", "content_id"), ("users", "user_id"), ("tags", "tag")):
        if key in names:
            return kind  # type: ignore[return-value]
    raise SourceError(
        f"{source}: cannot tell what its rows are; its columns: {listed(columns) or 'none'}.",
        "Say it with --kind events, users, items or content, and name the columns with --map field=column.",
    )


def property_name(column: str, kind: Kind) -> str:
    """The property a column becomes: letters, digits and ``_``; names the system keeps get ``source_``.

    Raises:
        ValueError: Nothing is left of the name, or it is longer than 255 characters.
    """
    name = re.sub(r"\W", "_", clean_text(column))
    if not name.strip("_"):
        raise ValueError(f"the column name {column!r} has no letter")
    if len(name) > 255:
        raise ValueError(f"the column name {column[:40]!r}… is longer than 255 characters")
    if name[0].isdigit():
        name = f"_{name}"
    if name in _RESERVED[kind] or name.startswith("embedding"):
        name = f"source_{name}"
    return name
