"""What a mapping file may say."""

from __future__ import annotations

import hashlib
import string
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from graphprofile.ingest.mapped.patterns import check_pattern, check_time_format, check_zone
from graphprofile.records import Kind

EVERY = "*"
TABLES: tuple[Kind, ...] = ("items", "content", "users", "events")
"""Tables in the order they are read: descriptions first, which saves work and changes nothing."""
LABEL = "mapping:"


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
        if self.default is not None and self.on_missing == "null" and "on_missing" not in self.model_fields_set:
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
            raise ValueError("needs one of column, constant and template" + (f", not {' and '.join(given)}" if given else ""))
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


def _as_key(given: Any) -> Any:
    return Key.model_validate(given) if isinstance(given, dict) and "key" in given else _as_table(given)


From = Annotated[Value, BeforeValidator(_as_table)]


class Table(Strict):
    """What the rows of one kind are made of."""

    properties: Properties = Properties()

    def fields(self) -> dict[str, Value | Key]:
        """The fields that are given."""
        named = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: found for name, found in named.items() if isinstance(found, Value | Key)}

    def tagged(self) -> list[Tags]:
        """Where tags come from."""
        found: list[Tags] = getattr(self, "tags", [])
        return found


class Events(Table):
    """Rows that are events."""

    user_id: From
    event_type: From
    object_id: From
    timestamp: From
    event_id: Annotated[Value | Key | None, BeforeValidator(_as_key)] = None
    object_kind: From | None = None
    value: From | None = None
    retracted: From | None = None


class Users(Table):
    """Rows that describe users."""

    user_id: From
    updated_at: From | None = None


class Items(Table):
    """Rows that describe items."""

    item_id: From
    title: From | None = None
    tags: list[Tags] = []
    updated_at: From | None = None


class Content(Table):
    """Rows that describe content."""

    content_id: From
    title: From | None = None
    text: From | None = None
    tags: list[Tags] = []
    updated_at: From | None = None


class Condition(Strict):
    """What a column must be; everything that is said must hold."""

    column: str
    equals: str | None = None
    among: list[str] | None = None
    starts_with: str | None = None
    matches: Pattern | None = None
    below: float | None = None
    above: float | None = None
    missing: bool | None = None
    negate: bool = False

    @model_validator(mode="after")
    def _says_something(self) -> Condition:
        if not self.model_fields_set - {"column", "negate"}:
            raise ValueError("says nothing: use equals, among, starts_with, matches, below, above or missing")
        return self


class Skip(Strict):
    """Rows left out on purpose (robots, traffic of our own), counted under the reason; all conditions must hold."""

    reason: str = Field(min_length=1)
    when: list[Condition] = Field(min_length=1)
    tables: list[Kind] = []


class Duplicates(Strict):
    """Rows of one file with the same key: the first stays, the others are left out and counted."""

    key: list[str] = Field(min_length=1)
    tables: list[Kind] = []


class Source(Strict):
    """How the file is written, where it does not say so itself; defaults for all columns."""

    format: Literal["csv", "tsv", "jsonl", "parquet"] | None = None
    encoding: str = "utf-8-sig"
    separator: str | None = Field(None, min_length=1, max_length=1)
    columns: list[str] | None = None
    quoting: bool = True
    decimal: Decimal = "."
    thousands: Thousands | None = None
    time_zone: Zone = "UTC"
    ambiguous: Literal["earliest", "latest", "reject"] = "earliest"
    nonexistent: Literal["shift", "reject"] = "shift"

    @model_validator(mode="after")
    def _is_readable(self) -> Source:
        try:
            "".encode(self.encoding)
        except LookupError as error:
            raise ValueError(f"there is no encoding {self.encoding!r}: use a name such as utf-8 or cp1252") from error
        if self.decimal == self.thousands:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}")
        return self


class Rules(Strict):
    """A whole mapping file."""

    source: Source = Source()
    columns: dict[str, Column] = {}
    skip: list[Skip] = []
    duplicates: Duplicates | None = None
    events: Events | None = None
    users: Users | None = None
    items: Items | None = None
    content: Content | None = None

    @model_validator(mode="after")
    def _has_a_table(self) -> Rules:
        if not self.tables():
            raise ValueError("says of no row what it is: add [events], [users], [items] or [content]")
        return self

    def tables(self) -> dict[Kind, Table]:
        """The tables that are given, in the order they are read."""
        return {kind: table for kind in TABLES if (table := getattr(self, kind)) is not None}

    def column(self, name: str) -> Column:
        """The rules of a column: its own over those of ``*``."""
        every, own = self.columns.get(EVERY), self.columns.get(name)
        if every is None or own is None:
            return own or every or Column()
        said = {key: getattr(own, key) for key in own.model_fields_set}
        return every.model_copy(update=said)

    def fingerprint(self) -> str:
        """16 hex digits of what it says; comments and the order of keys do not count."""
        document = self.model_dump(mode="json", by_alias=True, exclude_unset=True)
        return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]

    @property
    def label(self) -> str:
        """What stands for the loader's name in records: ``mapping:`` and the fingerprint."""
        return LABEL + self.fingerprint()

    def to_json(self) -> bytes:
        """What :func:`graphprofile.ingest.mapped.check.from_json` reads."""
        return orjson.dumps(self.model_dump(mode="json", by_alias=True, exclude_unset=True))
