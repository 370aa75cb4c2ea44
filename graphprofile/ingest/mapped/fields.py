"""Fields of one table out of cleaned columns: constants, templates, maps, scales, keys and tags."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
import polars_hash

from graphprofile.ingest.columns import keep, nulls
from graphprofile.ingest.fields import shown
from graphprofile.ingest.mapped.clean import Cleaned, moments
from graphprofile.ingest.mapped.model import Rules
from graphprofile.ingest.mapped.parts import Key, Scale, Tags, Value, template_parts
from graphprofile.ingest.mapped.texts import as_text, lists, numbers_of
from graphprofile.ingest.occurrences import Counts, Occurrences

TIMES = frozenset({"timestamp", "updated_at"})
NUMBERS = frozenset({"value"})
_JOINT = "\x1f"
_NOTHING = "\x00"


@dataclass
class Fields:
    """Builds the fields of one chunk.

    Attributes:
        cleaned: The chunk's columns.
        rules: The mapping.
        height: Rows of the chunk.
        refused: (field, position -> reason) of rows that cannot be used.
    """

    cleaned: Cleaned
    rules: Rules
    height: int
    refused: list[tuple[str, dict[int, str]]] = field(default_factory=list)

    def field(self, name: str, value: Value) -> pl.Series:
        """One field."""
        column = self._looked_up(name, value, self._origin(value))
        if value.number or name in NUMBERS:
            column = self._number(name, value, column)
        if name in TIMES or value.formats:
            column = self._time(name, value, column)
        return column.alias(name)

    def _origin(self, value: Value) -> pl.Series:
        if value.constant is not None:
            return pl.Series([value.constant]).new_from_index(0, self.height)
        if value.column is not None:
            return self.cleaned.columns[value.column]
        pieces: list[pl.Series] = []
        for text, name in template_parts(str(value.template)):
            if text:
                pieces.append(pl.Series([text]).new_from_index(0, self.height))
            if name is not None:
                pieces.append(as_text(self.cleaned.columns[name]))
        return (
            pl.select(pl.concat_str(pieces)).to_series()
            if pieces
            else nulls(pl.Series([""]).clear(self.height), pl.String)
        )

    def _looked_up(self, name: str, value: Value, column: pl.Series) -> pl.Series:
        if not (value.map or value.choices):
            if value.default is None:
                return column
            text = as_text(column)
            return keep(text, text.str.len_bytes() > 0).fill_null(value.default)
        text = as_text(column)
        found = (
            text.replace_strict(value.map, default=None, return_dtype=pl.String)
            if value.map
            else nulls(text, pl.String)
        )
        for choice in value.choices:
            mine = found.is_null() & text.str.contains(choice.pattern).fill_null(False)
            found = found.zip_with(~mine, pl.Series([choice.value]).new_from_index(0, self.height))
        empty = text.is_null() | (text == "").fill_null(False)
        if value.default is not None:
            use = empty if value.unknown != "default" else found.is_null()
            found = found.zip_with(
                ~(use & found.is_null()), pl.Series([value.default]).new_from_index(0, self.height)
            )
        unknown = found.is_null() & ~empty
        if value.unknown == "keep":
            return found.zip_with(~unknown, text)
        if value.unknown == "reject" and unknown.any():
            known = ", ".join([*value.map, *(choice.pattern for choice in value.choices)][:8])
            rows = unknown.arg_true().to_list()
            self._refuse(
                name, {row: f"{shown(text[row])} is not in the map (it has {known})" for row in rows}
            )
        return found

    def _number(self, name: str, value: Value, column: pl.Series) -> pl.Series:
        numbers = self._as_number(name, value.column or name, column)
        if value.times is not None:
            factor = self._as_number(value.times, value.times, self.cleaned.columns[value.times])
            # Cents: 6 at 2.55 are 15.3, not 15.299999999999999.
            numbers = (numbers * factor).round_sig_figs(14)
        if value.absolute:
            numbers = numbers.abs()
        return numbers if value.scale is None else self._scaled(name, value.scale, numbers)

    def _as_number(self, name: str, source: str, column: pl.Series) -> pl.Series:
        own = self.rules.column(source)
        found, errors = numbers_of(
            column, own.decimal or self.rules.source.decimal, own.thousands or self.rules.source.thousands
        )
        self._refuse(name, errors)
        return found

    def _scaled(self, name: str, scale: Scale, numbers: pl.Series) -> pl.Series:
        (low, high), (first, last) = scale.from_, scale.to
        outside = ~numbers.is_between(min(low, high), max(low, high)).fill_null(True)
        rows = outside.arg_true().to_list()
        self._refuse(
            name, {row: f"{numbers[row]:g} is outside its scale, {low:g} to {high:g}" for row in rows}
        )
        return ((numbers - low) * ((last - first) / (high - low)) + first).round_sig_figs(14)

    def _time(self, name: str, value: Value, column: pl.Series) -> pl.Series:
        if isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is not None:
            return column
        own = self.rules.column(value.column) if value.column is not None else None
        formats = value.formats or (own.formats if own else [])
        found, errors = moments(
            column, formats, value.time_zone or (own.time_zone if own else None), self.rules
        )
        self._refuse(name, errors)
        return found

    def key(self, name: str, key: Key, seen: Occurrences, counted: pl.Series) -> pl.Series:
        """Ids made from columns; rows that are not counted (left out on purpose) take no number."""
        columns = [as_text(self.cleaned.columns[part]) for part in key.columns()]
        own = columns[len(key.group) :]
        empty = pl.select(pl.all_horizontal([part.is_null() for part in own])).to_series()
        rows = (empty & counted).arg_true().to_list()
        self._refuse(name, dict.fromkeys(rows, f"all columns of the key are empty: {', '.join(key.key)}"))
        hashes = key_hashes(columns)
        if not key.numbered:
            return hashes.alias(name)
        number = np.ones(self.height, dtype=np.int64)
        number[counted.to_numpy()] = numbered(hashes.filter(counted), seen)
        if number.max(initial=1) == 1:
            return hashes.alias(name)
        later = pl.Series(number)
        return pl.select(
            pl.when(later > 1).then(pl.format("{}-{}", hashes, later)).otherwise(hashes).alias(name)
        ).to_series()

    def tags(self, declared: list[Tags]) -> pl.Series:
        """Tags of several columns as one list; weights other than 1 make objects of them."""
        weighted = any(tag.weight != 1 for tag in declared)
        parts: list[pl.Series] = []
        for number, tag in enumerate(declared):
            column = self.cleaned.columns[tag.column]
            if not isinstance(column.dtype, pl.List):
                column = lists(as_text(column), tag.separator)
            names = column.cast(pl.List(pl.String))
            element: Any = pl.element()
            made = (
                pl.struct(
                    element.alias("name"), pl.lit(tag.kind).alias("kind"), pl.lit(tag.weight).alias("weight")
                )
                if weighted
                else pl.concat_str(pl.lit(f"{tag.kind}:"), element)
            )
            parts.append(names.list.eval(made).alias(str(number)))
        frame = pl.DataFrame(parts)
        empty: Any = pl.lit([], dtype=parts[0].dtype)
        whole = frame.select(
            pl.concat_list([pl.col(part.name).fill_null(empty) for part in parts])
        ).to_series()
        return keep(whole, whole.list.len() > 0).alias("tags")

    def _refuse(self, name: str, errors: dict[int, str]) -> None:
        if errors:
            self.refused.append((name, errors))


def key_hashes(columns: list[pl.Series]) -> pl.Series:
    """32 hex digits for what the columns say together."""
    texts = pl.select(
        pl.concat_str([column.fill_null(_NOTHING) for column in columns], separator=_JOINT).alias("key")
    )
    return texts.select(polars_hash.col("key").chash.sha2_256().str.head(32)).to_series()


def numbered(hashes: pl.Series, seen: Occurrences) -> Counts:
    """How many times each key has come so far."""
    keys = hashes.str.head(16).str.to_integer(base=16, dtype=pl.UInt64)
    return seen.number(keys.to_numpy())
