"""A mapping file as a loader: raw columns of a source in, the generic columns out, chunk by chunk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from graphprofile.errors import UsageError
from graphprofile.ingest.mapped.absent import require_every, require_some
from graphprofile.ingest.mapped.check import used_columns
from graphprofile.ingest.mapped.clean import Cleaned, Usual, clean, usual_of
from graphprofile.ingest.mapped.fields import Fields, key_hashes, numbered
from graphprofile.ingest.mapped.model import Condition, Rules, Skip, Table
from graphprofile.ingest.mapped.parts import Key, Value
from graphprofile.ingest.mapped.texts import as_text
from graphprofile.ingest.mapping import FLAGS, REJECT, SKIP
from graphprofile.ingest.nested import reach
from graphprofile.ingest.occurrences import Occurrences
from graphprofile.ingest.rows import ROWS
from graphprofile.ingest.sql.source import SqlSource
from graphprofile.records import Kind, RawChunk, SourceFile

SAMPLE = 1_000_000
"""Numbers that decide what is usual in a column, drawn evenly from the whole file."""


class MappingLoader:
    """Reads sources as a mapping file says.

    Args:
        rules: What the file says.
    """

    summary = "as a mapping file says"

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.name = rules.label
        self.time_zone = rules.source.time_zone

    def sources(self, paths: Sequence[Path], kind: Kind | None) -> list[SourceFile]:
        """Every file once for each table.

        Raises:
            UsageError: The mapping has no table of the kind that is asked for.
        """
        source = self.rules.source
        return [
            SourceFile(
                path,
                each,
                source.format,
                source.encoding,
                source.separator,
                None if source.columns is None else tuple(source.columns),
                source.quoting,
            )
            for each in self.kinds(kind)
            for path in paths
        ]

    def kinds(self, kind: Kind | None) -> list[Kind]:
        """The tables to read: all of them, or the one asked for.

        Raises:
            UsageError: There is no such table.
        """
        tables = self.rules.tables()
        if kind is not None and kind not in tables:
            raise UsageError(
                f"The mapping says nothing of {kind}.", f"It has {', '.join(tables)}; add [{kind}] to it."
            )
        return list(tables) if kind is None else [kind]

    def transform(self, frame: pl.DataFrame, kind: Kind) -> pl.DataFrame:
        """One frame that stands for a whole source."""
        raw = RawChunk(kind, ROWS, frame, range(1, frame.height + 1))
        return self.begin(frame, kind).transform(raw)

    def begin(self, source: Any, kind: Kind) -> MappedReading:
        """What reads one source from its beginning: it knows which keys have come.

        A file with outliers to be flagged is read once more, for what is usual in it.
        """
        return MappedReading(self.rules, kind, self._usual(source, kind))

    def _usual(self, source: Any, kind: Kind) -> dict[str, Usual]:
        from graphprofile.ingest.read import CHECK_ROWS, read_source

        wanted = [name for name in self.rules.columns if self.rules.columns[name].outliers is not None]
        if not wanted:
            return {}
        if not isinstance(source, SourceFile | SqlSource | RawChunk | pl.DataFrame):
            raise UsageError(
                "Outliers are flagged in files, queries and data frames, which can be read twice.",
                "Write the rows into a file, or take `outliers` out of the mapping.",
            )
        draws = {name: _Draw() for name in wanted}
        first = MappedReading(self.rules, kind, {})
        for raw in read_source(source, kind, chunk_rows=CHECK_ROWS):
            cleaned, _ = first.cleaned_columns(raw)
            stay = first.staying(cleaned, raw.frame.height)
            for name in set(wanted) & cleaned.columns.keys():
                draws[name].add(cleaned.columns[name].cast(pl.Float64).filter(stay).drop_nulls().to_numpy())
        found = {}
        for name, draw in draws.items():
            rule = self.rules.columns[name].outliers
            assert rule is not None
            usual = usual_of(draw.values, rule.method, rule.threshold)
            if usual is not None:
                found[name] = usual
        return found


class _Draw:
    """An even sample of numbers of unknown count, the same for the same file."""

    def __init__(self) -> None:
        self._random = np.random.default_rng(0)
        self.values = np.zeros(0)
        self._tickets = np.zeros(0)

    def add(self, values: Any) -> None:
        """Give each number a ticket; those with the lowest stay."""
        self.values = np.concatenate([self.values, values])
        self._tickets = np.concatenate([self._tickets, self._random.random(len(values))])
        if len(self.values) > 2 * SAMPLE:
            stay = np.argpartition(self._tickets, SAMPLE)[:SAMPLE]
            self.values, self._tickets = self.values[stay], self._tickets[stay]


class MappedReading:
    """One source under way.

    Args:
        rules: The mapping.
        kind: What its rows are to become.
        usual: What is usual in columns whose outliers are flagged.
    """

    def __init__(self, rules: Rules, kind: Kind, usual: dict[str, Usual]) -> None:
        self.rules, self.kind, self.usual = rules, kind, usual
        self.table: Table = rules.tables()[kind]
        self._keys, self._duplicates = Occurrences(), Occurrences()
        self._changed: Counter[str] = Counter()
        self._begun = False

    @cached_property
    def _needed(self) -> set[str] | None:
        """Columns that this table is made of, None where it takes all."""
        return used_columns(self.rules, self.kind)

    @cached_property
    def _own(self) -> set[str] | None:
        """Columns that end up in this table, None where all do; others decide at most whether a row stays."""
        said = self.table.properties
        if said.keep == "*":
            return None
        origins = (*self.table.fields().values(), *said.add.values())
        own = {name for origin in origins for name in origin.columns()}
        return own | {*said.keep, *said.rename, *(tag.column for tag in self.table.tagged())}

    def _is_own(self, column: str) -> bool:
        return self._own is None or column in self._own

    def changed(self) -> dict[str, int]:
        """``kind.column.rule`` -> values changed since it was last asked."""
        found, self._changed = self._changed, Counter()
        return dict(sorted(found.items()))

    def transform(self, raw: RawChunk) -> pl.DataFrame:
        """Rows in the generic columns, in the same order; reasons in ``_reject`` and ``_skip``.

        Raises:
            SourceError: A file with fixed columns lacks one that the mapping names; or none of the first rows has one
                that each of them needs.
        """
        cleaned, absent = self.cleaned_columns(raw)
        height = raw.frame.height
        if not self._begun and not self._skipped(cleaned, height, but=absent).is_not_null().all():
            self._begun = True
            require_some(raw, self.rules, self.kind, absent)
        skipped = self._skipped(cleaned, height)
        stay = skipped.is_null()
        skipped = self._without_duplicates(cleaned, skipped, stay)
        stay = skipped.is_null()
        made = Fields(cleaned, self.rules, height)
        columns: dict[str, pl.Series] = {}
        for name, origin in self.table.fields().items():
            if isinstance(origin, Value):
                columns[name] = made.field(name, origin)
            elif isinstance(origin, Key):
                columns[name] = made.key(name, origin, self._keys, stay)
        if self.table.tagged():
            columns["tags"] = made.tags(self.table.tagged())
        self._add_properties(columns, cleaned, made, raw.frame.columns)
        self._add_flags(columns, cleaned, height)
        for (column, rule), count in cleaned.changed.items():
            if count and self._is_own(column):
                self._changed[f"{self.kind}.{column}.{rule}"] += count
        refused = [(name, errors) for name, errors in cleaned.refused if self._is_own(name)]
        columns[REJECT] = _reasons([*refused, *made.refused], height)
        columns[SKIP] = skipped
        return pl.DataFrame([column.alias(name) for name, column in columns.items()])

    def cleaned_columns(self, raw: RawChunk) -> tuple[Cleaned, list[str]]:
        """The columns that are needed, cleaned; and the names of those that no row has.

        Raises:
            SourceError: A file with fixed columns lacks one.
        """
        needed, there = self._needed, raw.frame.columns
        names = [name for name in there if needed is None or name in needed]
        others = sorted((used_columns(self.rules, self.kind, named=True) or set()) - set(there))
        found = {name: reach(raw.frame, name) for name in others}
        absent = [name for name, column in found.items() if column is None]
        require_every(raw, absent)
        empty = pl.Series("", [], dtype=pl.String).clear(raw.frame.height)
        reached = [(empty if column is None else column).alias(name) for name, column in found.items()]
        frame = pl.DataFrame([*(raw.frame[name] for name in names), *reached])
        return clean(frame, self.rules, self.usual), absent

    def staying(self, cleaned: Cleaned, height: int) -> pl.Series:
        """Which rows no rule leaves out."""
        return self._skipped(cleaned, height).is_null()

    def _skipped(self, cleaned: Cleaned, height: int, but: Sequence[str] = ()) -> pl.Series:
        """Why rows are left out, null where they stay; rules that look at some columns may be disregarded."""
        reasons = pl.Series(SKIP, [], dtype=pl.String).clear(height)
        for skip in self.rules.skip:
            if skip.tables and self.kind not in skip.tables:
                continue
            if any(condition.column in but for condition in skip.when):
                continue
            mine = _holds(skip, cleaned) & reasons.is_null()
            reasons = reasons.zip_with(~mine, pl.Series([skip.reason]).new_from_index(0, height))
        return reasons.alias(SKIP)

    def _without_duplicates(self, cleaned: Cleaned, skipped: pl.Series, stay: pl.Series) -> pl.Series:
        rule = self.rules.duplicates
        if rule is None or (rule.tables and self.kind not in rule.tables):
            return skipped
        hashes = key_hashes([as_text(cleaned.columns[name]) for name in rule.key])
        number = np.ones(len(skipped), dtype=np.int64)
        number[stay.to_numpy()] = numbered(hashes.filter(stay), self._duplicates)
        again = pl.Series(number > 1)
        reason = pl.Series([f"duplicate of {', '.join(rule.key)}"]).new_from_index(0, len(skipped))
        return skipped.zip_with(~again, reason)

    def _add_properties(
        self, columns: dict[str, pl.Series], cleaned: Cleaned, made: Fields, there: list[str]
    ) -> None:
        said = self.table.properties
        kept = list(said.keep)
        if said.keep == "*":
            taken = {name for origin in self.table.fields().values() for name in origin.columns()}
            taken |= {tag.column for tag in self.table.tagged()}
            kept = [name for name in there if name not in taken]
        for name in dict.fromkeys([*kept, *said.rename]):
            if name not in said.drop:
                columns[_free(said.rename.get(name, name), columns)] = cleaned.columns[name]
        for name, origin in said.add.items():
            columns[_free(name, columns)] = made.field(name, origin)
        for name, was in cleaned.originals.items():
            if self._is_own(name) and was.null_count() < len(was):
                columns[_free(f"original_{said.rename.get(name, name)}", columns)] = was

    def _add_flags(self, columns: dict[str, pl.Series], cleaned: Cleaned, height: int) -> None:
        if not cleaned.flags:
            return
        words = [
            pl.select(pl.when(odd).then(pl.lit(f"outlier: {name}"))).to_series().alias(name)
            for name, odd in sorted(cleaned.flags.items())
            if self._is_own(name)
        ]
        if not words:
            return
        found = pl.DataFrame(words).select(pl.concat_list(pl.all()).list.drop_nulls()).to_series()
        columns[FLAGS] = found.zip_with(found.list.len() > 0, found.clear(height))


def _free(name: str, columns: dict[str, pl.Series]) -> str:
    """The name, or one beside it where a field has it."""
    return name if name not in columns else f"source_{name}"


def _reasons(refused: list[tuple[str, dict[int, str]]], height: int) -> pl.Series:
    if not refused:
        return pl.Series(REJECT, [], dtype=pl.String).clear(height)
    reasons: list[str | None] = [None] * height
    for name, errors in refused:
        for row, why in errors.items():
            reasons[row] = reasons[row] or f"{name}: {why}"
    return pl.Series(REJECT, reasons, dtype=pl.String)


def _holds(skip: Skip, cleaned: Cleaned) -> pl.Series:
    found: pl.Series | None = None
    for condition in skip.when:
        one = _meets(condition, cleaned.columns[condition.column])
        found = one if found is None else found & one
    assert found is not None
    return found


def _meets(condition: Condition, column: pl.Series) -> pl.Series:
    text = as_text(column)
    empty = text.is_null() | (text == "").fill_null(False)
    found = pl.Series([True]).new_from_index(0, len(text))
    if condition.missing is not None:
        found &= empty if condition.missing else ~empty
    if condition.equals is not None:
        found &= text == condition.equals
    if condition.among is not None:
        found &= text.is_in(condition.among)
    if condition.starts_with is not None:
        found &= text.str.starts_with(condition.starts_with)
    if condition.matches is not None:
        found &= text.str.contains(condition.matches)
    if condition.below is not None or condition.above is not None:
        number = text.cast(pl.Float64, strict=False)
        if condition.below is not None:
            found &= number < condition.below
        if condition.above is not None:
            found &= number > condition.above
    found = found.fill_null(False)
    return ~found if condition.negate else found
