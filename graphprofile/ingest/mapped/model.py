"""What a mapping file may say."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

import orjson
from pydantic import BeforeValidator, Field, model_validator

from graphprofile.ingest.mapped.parts import (
    Column,
    Decimal,
    From,
    Key,
    Pattern,
    Properties,
    Strict,
    Tags,
    Thousands,
    Value,
    Zone,
    as_key,
    as_tags,
)
from graphprofile.ingest.quality.thresholds import Thresholds
from graphprofile.records import Kind

EVERY = "*"
TABLES: tuple[Kind, ...] = ("items", "content", "users", "events")
"""Tables in the order they are read: descriptions first, which saves work and changes nothing."""
LABEL = "mapping:"


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
    event_id: Annotated[Value | Key | None, BeforeValidator(as_key)] = None
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
    tags: Annotated[list[Tags], BeforeValidator(as_tags)] = Field([])
    updated_at: From | None = None


class Content(Table):
    """Rows that describe content."""

    content_id: From
    title: From | None = None
    text: From | None = None
    tags: Annotated[list[Tags], BeforeValidator(as_tags)] = Field([])
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
    tables: list[Kind] = Field([])


class Duplicates(Strict):
    """Rows of one file with the same key: the first stays, the others are left out and counted."""

    key: list[str] = Field(min_length=1)
    tables: list[Kind] = Field([])


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
            raise ValueError(
                f"there is no encoding {self.encoding!r}: use a name such as utf-8 or cp1252"
            ) from error
        if self.decimal == self.thousands:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}")
        return self


class Rules(Strict):
    """A whole mapping file."""

    source: Source = Source()
    columns: dict[str, Column] = Field({})
    skip: list[Skip] = Field([])
    duplicates: Duplicates | None = None
    quality: Thresholds | None = None
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
        """16 hex digits of how it reads rows; comments, the order of keys and thresholds do not count."""
        return hashlib.sha256(self.to_json(orjson.OPT_SORT_KEYS)).hexdigest()[:16]

    @property
    def label(self) -> str:
        """What stands for the loader's name in records: ``mapping:`` and the fingerprint."""
        return LABEL + self.fingerprint()

    def to_json(self, option: int = 0) -> bytes:
        """What :func:`graphprofile.ingest.mapped.check.from_json` reads: how rows are read, without thresholds."""
        document = self.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"quality"})
        return orjson.dumps(document, option=option)
