"""Parts of a mapping file: how columns are cleaned, and where fields come from."""

from __future__ import annotations

import string
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from graphprofile.ingest.mapped.patterns import check_pattern, check_time_format, check_zone


class Strict(BaseModel):
    """A table of the file: a key that it does not know is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


Pattern = Annotated[str, BeforeValidator(check_pattern)]
TimeFormat = Annotated[str, BeforeValidator(check_time_format)]
Zone = Annotated[str, BeforeValidator(check_zone)]
Decimal = Literal[".", ","]
Thousands = Literal[",", ".", " ", "'", "_"]
ColumnType = Literal["text", "int", "float", "bool", "time", "list"]


class Replace(Strict):
    """Text that matches a pattern, replaced; ``$1`` is the first group."""

    pattern: Pattern
    by: str


class Choice(Strict):
    """A value for texts that match a pattern."""

    pattern: Pattern
    value: str


class Factor(Strict):
    """What a number is multiplied by.

    Attributes:
        unit: Of the rows it is for; every row's by default.
        since: First day it holds.
        until: First day it holds no more.
    """

    factor: float
    unit: str | None = None
    since: date | None = None
    until: date | None = None


class Convert(Strict):
    """Units or currencies brought to one.

    Attributes:
        unit: Column that names each row's unit.
        at: Column with the time that decides which factor holds.
        unknown: What becomes of a number without a factor.
    """

    factors: list[Factor] = Field(min_length=1)
    unit: str | None = None
    at: str | None = None
    unknown: Literal["reject", "null", "keep"] = "reject"

    @model_validator(mode="after")
    def _columns_are_named(self) -> Convert:
        if self.unit is None and any(factor.unit is not None for factor in self.factors):
            raise ValueError("factors of a unit need the column that names it: unit = COLUMN")
        if self.at is None and any(factor.since or factor.until for factor in self.factors):
            raise ValueError("factors with dates need the column with the time: at = COLUMN")
        return self


class Outliers(Strict):
    """Numbers far from the others of the file, flagged.

    Attributes:
        method: ``mad`` (robust z-score: distance from the median by the median distance, after Iglewicz and
            Hoaglin, 1993) or ``iqr`` (beyond the quartiles by so many interquartile ranges, after Tukey, 1977).
        threshold: 3.5 for ``mad`` and 3.0 for ``iqr`` by default.
    """

    method: Literal["mad", "iqr"]
    threshold: float | None = Field(None, gt=0)


class Column(Strict):
    """How one column of the source is cleaned, in this order."""

    trim: bool = False
    nfc: bool = False
    unquote: bool = False
    replace: list[Replace] = []
    missing: list[str] = []
    case: Literal["lower", "upper", "title", "fold"] | None = None
    map: dict[str, str] = {}
    unknown: Literal["keep", "reject", "null"] = "keep"
    on_missing: Literal["null", "default", "reject"] = "null"
    default: str | int | float | bool | None = None
    type: ColumnType | None = None
    decimal: Decimal | None = None
    thousands: Thousands | None = None
    separator: str = ";"
    formats: list[TimeFormat] = []
    time_zone: Zone | None = None
    on_invalid: Literal["reject", "null"] = "reject"
    convert: Convert | None = None
    outliers: Outliers | None = None
    keep_original: bool = False

    @model_validator(mode="after")
    def _parts_fit(self) -> Column:
        if self.on_missing == "default" and self.default is None:
            raise ValueError("on_missing = 'default' needs a default")
        if (
            self.default is not None
            and self.on_missing == "null"
            and "on_missing" not in self.model_fields_set
        ):
            raise ValueError("a default needs on_missing = 'default'")
        if self.decimal is not None and self.decimal == self.thousands:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}")
        if self.type not in (None, "int", "float") and (self.convert or self.outliers):
            raise ValueError(f"convert and outliers are for numbers, and type is {self.type}")
        if self.formats and self.type not in (None, "time"):
            raise ValueError(f"formats are those of times, and type is {self.type}")
        return self

    @property
    def number(self) -> bool:
        """Whether it becomes a number."""
        return self.type in ("int", "float") or self.convert is not None or self.outliers is not None


class Scale(Strict):
    """Ratings brought from one scale to another."""

    from_: tuple[float, float] = Field(alias="from", strict=False)
    to: tuple[float, float] = Field(strict=False)

    @model_validator(mode="after")
    def _has_a_length(self) -> Scale:
        if self.from_[0] == self.from_[1]:
            raise ValueError("from begins where it ends")
        return self


class Value(Strict):
    """Where a field comes from: one of ``column``, ``constant`` and ``template``; a text alone is a column.

    Attributes:
        map: The source's word -> ours.
        choices: Values by pattern, looked at after ``map``, in order.
        unknown: What becomes of a word that neither knows.
        default: For rows without a value; for unknown words too where ``unknown = "default"``.
        times: Column that a number is multiplied by.
    """

    column: str | None = None
    constant: str | int | float | bool | None = None
    template: str | None = None
    map: dict[str, str] = {}
    choices: list[Choice] = []
    unknown: Literal["reject", "keep", "null", "default"] = "reject"
    default: str | None = None
    formats: list[TimeFormat] = []
    time_zone: Zone | None = None
    scale: Scale | None = None
    times: str | None = None
    absolute: bool = False

    @model_validator(mode="after")
    def _one_origin(self) -> Value:
        given = [name for name in ("column", "constant", "template") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                "needs one of column, constant and template"
                + (f", not {' and '.join(given)}" if given else "")
            )
        if self.unknown == "default" and self.default is None:
            raise ValueError("unknown = 'default' needs a default")
        if self.template is not None:
            template_parts(self.template)
        return self

    def columns(self) -> Iterator[str]:
        """Columns of the source that it is made of."""
        if self.column is not None:
            yield self.column
        if self.template is not None:
            yield from (name for _, name in template_parts(self.template) if name is not None)
        if self.times is not None:
            yield self.times

    @property
    def number(self) -> bool:
        """Whether arithmetic is done with it."""
        return self.scale is not None or self.times is not None or self.absolute


def template_parts(template: str) -> list[tuple[str, str | None]]:
    """Text and column in turn, e.g. ``{order}-{line}``.

    Raises:
        ValueError: A brace that nothing closes, or one without a name.
    """
    parts = []
    for text, name, spec, conversion in string.Formatter().parse(template):
        if name is not None and (not name or spec or conversion):
            raise ValueError(f"{template!r}: write the name of a column between braces, {{{{ for a brace")
        parts.append((text, name))
    return parts


class Key(Strict):
    """An id made from columns; equal ones of a group are numbered in the order of the file.

    Attributes:
        key: Columns that identify the row within its group.
        group: Columns of a group that comes whole in one file, such as an order.
    """

    key: list[str] = Field(min_length=1)
    group: list[str] = []
    numbered: bool = True

    def columns(self) -> Iterator[str]:
        """Columns of the source that it is made of."""
        yield from (*self.group, *self.key)


class Tags(Strict):
    """Tags from one column."""

    column: str
    kind: str = Field("tag", pattern=r"^[a-z][a-z0-9_-]*$")
    separator: str | None = None
    weight: float = Field(1.0, gt=0)


def as_tags(given: Any) -> Any:
    """One column or one table as a list, and a name in it as a column."""
    if isinstance(given, str | dict):
        given = [given]
    return [_as_table(one) for one in given] if isinstance(given, list) else given


class Properties(Strict):
    """Which other columns become properties, and under which names.

    Attributes:
        keep: These columns, or ``"*"`` for all that no field is made of.
        drop: Not these.
        rename: Column -> property.
        add: Property -> where it comes from.
    """

    keep: list[str] | Literal["*"] = []
    drop: list[str] = []
    rename: dict[str, str] = {}
    add: dict[str, Annotated[Value, BeforeValidator(lambda given: _as_table(given))]] = {}


def _as_table(given: Any) -> Any:
    return {"column": given} if isinstance(given, str) else given


def as_key(given: Any) -> Any:
    """A table with a key as one, anything else as a value."""
    return Key.model_validate(given) if isinstance(given, dict) and "key" in given else _as_table(given)


From = Annotated[Value, BeforeValidator(_as_table)]
