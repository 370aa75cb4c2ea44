"""What comes in: files, and chunks of columns that loaders make of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, runtime_checkable

from graphprofile.records.common import Kind

if TYPE_CHECKING:
    import polars as pl

    from graphprofile.ingest.quality.filled import Filled


@dataclass(frozen=True)
class Rejection:
    """One row put into quarantine.

    Attributes:
        source: File name, or ``<rows>`` for rows handed over in Python.
        line: Line in the file, counted from 1 (CSV, JSON Lines), or row number from 1 (others).
        field: The field at fault, or "row".
        reason: What is wrong and what to do.
        row: The row as it was.
        kind: What the row was to become.
        columns: Header of a CSV file whose row could not be split; ``row`` is then its text.
        separator: Separator of that file; None with ``columns`` where the text is the one column of its row.
        constants: What the source says in every row, beside the text of ``row``.
        checked: ``row`` has the generic columns already (conflicts): neither loader nor mapping is applied
            when it is tried again.
    """

    source: str
    line: int
    field: str
    reason: str
    row: Any
    kind: str = "events"
    columns: tuple[str, ...] | None = None
    separator: str | None = None
    constants: tuple[tuple[str, str], ...] = ()
    checked: bool = False


@dataclass
class RawChunk:
    """A stretch of rows as a source gave them.

    Attributes:
        kind: What the rows describe.
        source: File name.
        frame: Columns under the source's own names; text for CSV, native types elsewhere.
        lines: Line (or row) number of each row in ``frame``.
        rejected: Rows that could not even be split into columns.
        position: Bytes (files) or rows (others) read so far.
        size: Their total, or None where nobody knows.
        fixed_columns: Every row has every column (CSV, Parquet, frames); False where each row brings its
            own (JSON Lines, dicts), so that an absent field says nothing of the others.
    """

    kind: Kind
    source: str
    frame: pl.DataFrame
    lines: Sequence[int]
    rejected: list[Rejection] = field(default_factory=list)
    position: int = 0
    size: int | None = None
    fixed_columns: bool = True


@dataclass
class EventChunk:
    """Checked events, columns of one length.

    Attributes:
        frame: ``type`` (relationship type), ``event_id``, ``user_id``, ``object_id``, ``object_kind``
            (item | content | user), ``ts`` (int64, epoch ms), ``ts_precision`` (day-exact: null, else
            "month" | "year"), ``value`` (float64 or null), ``properties`` (JSON text or null), ``hash``
            (content of the event, 32 hex digits), ``line`` (int64).
        rejected: Rows for the quarantine.
        read: Rows read, good and bad; not those left out on purpose.
        source: File name.
        position: Bytes (files) or rows (others) read so far.
        size: Their total, or None where nobody knows.
        source_number: Place of the source among those of its batch.
        skipped: Reason -> rows that the loader left out on purpose.
        cleaned: Rule of a mapping file -> values that it changed.
        filled: Of the stretch that this one begins: how many rows have a value in each column, and all of its
            events; None of the others.
    """

    frame: pl.DataFrame
    rejected: list[Rejection]
    read: int
    source: str
    kind: Literal["events"] = "events"
    position: int = 0
    size: int | None = None
    source_number: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    cleaned: dict[str, int] = field(default_factory=dict)
    filled: Filled | None = None


@dataclass
class RetractionChunk:
    """Checked withdrawals of events.

    Attributes:
        frame: ``type`` (relationship type), ``event_id``, ``line`` (int64).
        rejected: Rows for the quarantine.
        read: Rows read, good and bad.
        source: File name.
        position: As for :class:`EventChunk`.
        size: As for :class:`EventChunk`.
        source_number: As for :class:`EventChunk`.
        filled: As for :class:`EventChunk`.
    """

    frame: pl.DataFrame
    rejected: list[Rejection]
    read: int
    source: str
    kind: Literal["retracted"] = "retracted"
    position: int = 0
    size: int | None = None
    source_number: int = 0
    filled: Filled | None = None


@dataclass
class Description:
    """What one row says of a user, an item, a piece of content or a tag.

    Attributes:
        id: The node's id (for tags: ``kind:name``).
        properties: Property name -> value (text, int, float, bool or list of one of these); no nulls.
        tags: Direct tags as (kind, name, weight), or None where the row does not speak of tags. For
            ``kind="tags"``: the broader tags it is part of.
        updated_at: Epoch ms of the description, or None (counts as oldest).
        line: Line in the source.
        row: The row as it was.
    """

    id: str
    properties: dict[str, Any]
    tags: list[tuple[str, str, float]] | None
    updated_at: int | None
    line: int
    row: Any = None


@dataclass
class DescriptionChunk:
    """Checked descriptions of one kind.

    Attributes:
        kind: What they describe.
        rows: What is said, each thing once: of rows that say the same of a node the latest stands for all.
        rejected: Rows for the quarantine.
        read: Rows read, good and bad, repeats too; not those left out on purpose.
        source: File name.
        position: Bytes (files) or rows (others) read so far.
        size: Their total, or None where nobody knows.
        repeats: Good rows that another one in ``rows`` stands for: duplicates.
        skipped: Reason -> rows that the loader left out on purpose.
        cleaned: Rule of a mapping file -> values that it changed.
        filled: As for :class:`EventChunk`.
    """

    kind: Kind
    rows: list[Description]
    rejected: list[Rejection]
    read: int
    source: str
    position: int = 0
    size: int | None = None
    source_number: int = 0
    repeats: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    cleaned: dict[str, int] = field(default_factory=dict)
    filled: Filled | None = None


Chunk: TypeAlias = EventChunk | DescriptionChunk | RetractionChunk
"""Rows ready to be written."""


Heading: TypeAlias = Callable[[Sequence[Sequence[str]]], tuple[int, Sequence[str]]]
"""First records of a CSV file, three at most -> how many of them are its header, and what its columns are called."""


@dataclass(frozen=True)
class Runs:
    """How a text file's records are marked, where each is a run of lines.

    Attributes:
        begins: The line that begins a record; case does not matter.
        ends: The line that ends it.
        leaves_out: Regular expression of lines, unfolded, of which nothing is kept (pictures), or None.
        nests: Regular expression of a line after which a record may begin within this one, or None.
    """

    begins: str
    ends: str
    leaves_out: str | None = None
    nests: str | None = None


@dataclass(frozen=True)
class SourceFile:
    """One file of a source, as a loader lists it.

    Attributes:
        path: Where it lies.
        kind: What its rows describe; None is told by its columns.
        format: csv | tsv | jsonl | json (JSON Lines, one array of objects, or documents that hold their rows
            ``inside``) | parquet | runs; None is told by the name.
        encoding: Of text files.
        separator: Of CSV files; None is told by the first line.
        columns: Column names of a CSV file that has no header line.
        quoting: Whether ``"`` quotes fields of a CSV file; False takes it as any other character.
        together: Column whose equal values, one row after the other, make a group that is transformed as a whole.
        fill: Columns whose blank cells take the value of their group's first row.
        inside: Fields of a JSON document whose arrays hold the rows, such as ``items`` or ``first.items``.
        heading: What tells the columns of a CSV file whose header is more than one line of different names.
        constants: Columns that the file lacks, with the text of every row.
        runs: With ``format="runs"``: the records' marks. A row has the one column ``record``.
        at_once: Most rows transformed at once, where a row becomes many; None takes what is quick.
    """

    path: Path
    kind: Kind | None
    format: str | None = None
    encoding: str = "utf-8-sig"
    separator: str | None = None
    columns: tuple[str, ...] | None = None
    quoting: bool = True
    together: str | None = None
    fill: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()
    heading: Heading | None = None
    constants: tuple[tuple[str, str], ...] = ()
    runs: Runs | None = None
    at_once: int | None = None


class Loader(Protocol):
    """What turns one source's files into the generic columns.

    ``transform`` returns a frame of the same height and order whose columns are the generic ones of
    ``design`` (see ``docs/loading.md``); a row it cannot use gets a reason in the column ``_reject``
    (text ``field: reason``, null where the row is fine). A row that is in order and none of this kind's business
    gets a reason in ``_skip``: it is counted under that reason and neither checked, read nor quarantined.

    A row that holds several events may become several: then the frame has a column ``_row``, the place (from 0) of
    the row that each of its own was made of. Every row must be named; one that gives nothing says why in ``_skip``.
    """

    name: str
    summary: str
    time_zone: str

    def sources(self, paths: Sequence[Path], kind: Kind | None) -> list[SourceFile]:
        """The files to read, descriptions and events in any order."""
        ...

    def transform(self, frame: pl.DataFrame, kind: Kind) -> pl.DataFrame:
        """Raw columns to generic columns, row by row."""
        ...


class Reading(Protocol):
    """One source under way, for loaders whose rows depend on the rows before them."""

    def transform(self, raw: RawChunk) -> pl.DataFrame:
        """As :meth:`Loader.transform`."""
        ...

    def changed(self) -> dict[str, int]:
        """Rule -> values that it changed since this was last asked."""
        ...


@runtime_checkable
class ReadingLoader(Protocol):
    """A :class:`Loader` that reads every source from its beginning by a :class:`Reading` of its own."""

    def begin(self, source: Any, kind: Kind) -> Reading:
        """What reads the source."""
        ...
