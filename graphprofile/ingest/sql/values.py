"""What databases hold and the checks do not: told apart by the columns' types, refused, or brought into plain form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import polars as pl

from graphprofile.errors import SourceError
from graphprofile.records import RawChunk

BINARY = "is binary: give it as text or leave it out"
LEAVE_OUT = "Leave it out of the query, or give it as text: hex({column})."

_EXACT = 2**53
_TYPE, _TYPMOD = b"POSTGRESQL:type", b"POSTGRESQL:typmod"
_NUMERIC = b"graphprofile:numeric"


def plain_schema(schema: Any, name: str) -> Any:
    """The schema that rows are brought into: without types that only a driver knows.

    Raises:
        SourceError: A column cannot be taken as it is.
    """
    import pyarrow as pa

    return pa.schema([_plain_field(field, name) for field in schema])


def _plain_field(field: Any, name: str) -> Any:
    import pyarrow as pa

    metadata = field.metadata or {}
    known = metadata.get(_TYPE, b"").decode()
    if known == "money":
        raise _refused(name, field.name, "money, whose unit the server alone knows", "{column}::numeric")
    kind = field.type
    said = getattr(kind, "type_name", None) or known or str(kind)
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        inner = _plain_field(pa.field(field.name, kind.value_field.type), name)
        if inner.metadata and _NUMERIC in inner.metadata:
            return pa.field(field.name, pa.list_(pa.float64()))
        return pa.field(field.name, pa.list_(inner.type))
    if isinstance(kind, pa.BaseExtensionType):
        if kind.extension_name == "arrow.uuid":
            return pa.field(field.name, pa.string())
        if pa.types.is_string(kind.storage_type):
            if said == "numeric":
                scale = (int(metadata.get(_TYPMOD, b"-1")) - 4) & 0xFFFF
                whole = metadata.get(_TYPMOD, b"-1") != b"-1" and scale == 0
                return pa.field(field.name, pa.string(), metadata={_NUMERIC: b"whole" if whole else b"any"})
            return pa.field(field.name, pa.string())
        raise _refused(name, field.name, said, "{column}::text")
    if _is_binary(kind):
        raise SourceError(f"{name}: the column {field.name} is binary.", LEAVE_OUT.format(column=field.name))
    if pa.types.is_interval(kind):
        raise _refused(name, field.name, "an interval", "CAST({column} AS text)")
    return pa.field(field.name, kind)


def _is_binary(kind: Any) -> bool:
    import pyarrow as pa

    tests = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    return any(test(kind) for test in tests) or str(kind) == "binary_view"


def _refused(name: str, column: str, what: str, cast: str) -> SourceError:
    return SourceError(
        f"{name}: the column {column} is of the type {what}, which cannot be taken.",
        f"Leave it out of the query, or cast it: {cast.format(column=column)} AS {column}.",
    )


def plain_batch(batch: Any, schema: Any) -> Any:
    """Rows under the plain schema."""
    import pyarrow as pa

    columns = [_plain_array(column, field) for column, field in zip(batch.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(columns, names=schema.names)


def _plain_array(column: Any, field: Any) -> Any:
    import pyarrow as pa

    if isinstance(column.type, pa.BaseExtensionType):
        if column.type.extension_name == "arrow.uuid":
            return _uuid_texts(column.storage)
        return column.storage
    if pa.types.is_list(column.type) and isinstance(column.type.value_type, pa.BaseExtensionType):
        inner = _plain_array(column.values, field)
        if pa.types.is_floating(field.type.value_type):
            inner = inner.cast(pa.float64())
        return pa.ListArray.from_arrays(
            column.offsets, inner, mask=column.is_null() if column.null_count else None
        )
    return column


def _uuid_texts(storage: Any) -> Any:
    """UUIDs as they are written: 8-4-4-4-12 hexadecimal digits."""
    import pyarrow as pa

    digits = pl.Series(values=pl.from_arrow(storage.cast(pa.binary()))).bin.encode("hex")
    parts = [
        digits.str.slice(start, length) for start, length in ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))
    ]
    return pl.select(pl.concat_str(parts, separator="-")).to_series().to_arrow().cast(pa.string())


def natural(chunks: Iterator[RawChunk], schema: Any) -> Iterator[RawChunk]:
    """Chunks whose decimals are numbers: floats, and whole numbers where those would not be exact."""
    numeric = {
        field.name: field.metadata[_NUMERIC] == b"whole"
        for field in schema
        if field.metadata and _NUMERIC in field.metadata
    }
    for chunk in chunks:
        columns = []
        for column in chunk.frame.get_columns():
            dtype = column.dtype
            if column.name in numeric:
                column = exact_numbers(column, whole=numeric[column.name])
            elif isinstance(dtype, pl.Decimal):
                column = exact_numbers(column, whole=dtype.scale == 0)
            elif dtype == pl.Null:
                column = column.cast(pl.String)
            columns.append(column)
        yield replace(chunk, frame=pl.DataFrame(columns))


def exact_numbers(column: pl.Series, *, whole: bool) -> pl.Series:
    """Decimals, or numbers written out, as numbers.

    What becomes of one does not depend on the rows beside it: a column of whole numbers gives integers; any other
    floats, and integers where a whole number is too large to be an exact float.
    """
    if whole:
        fast = column.cast(pl.Int64, strict=False)
        if fast.null_count() == column.null_count():
            return fast
        return _objects(column, lambda value: int(value) if value.is_finite() else float(value))
    floats = column.cast(pl.Float64, strict=False)
    if not (floats.abs() >= _EXACT).any():
        return floats

    def one(value: Decimal) -> int | float:
        large = value.is_finite() and abs(value) > _EXACT and value == value.to_integral_value()
        return int(value) if large else float(value)

    return _objects(column, one)


def _objects(column: pl.Series, rule: Any) -> pl.Series:
    values = [None if value is None else rule(Decimal(value)) for value in column.to_list()]
    return pl.Series(column.name, values, dtype=pl.Object)
