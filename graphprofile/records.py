"""The records that come in (columns, in bulk) and go out (pydantic models, one document per command)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypeVar, runtime_checkable

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import polars as pl

    from graphprofile.ingest.quality.filled import Filled

T = TypeVar("T")

Kind = Literal["events", "users", "items", "content", "tags", "retracted"]
KINDS: tuple[Kind, ...] = ("events", "users", "items", "content", "tags", "retracted")
LABELS: dict[str, str] = {"users": "User", "items": "Item", "content": "Content"}
OBJECT_LABELS: dict[str, str] = {"item": "Item", "content": "Content", "user": "User"}

FeedbackSort = Literal["explicit", "implicit"]
EmbeddingStatus = Literal["fresh", "stale", "cold_start", "missing"]


def iso(ts: int | None) -> str | None:
    """Epoch milliseconds as ISO 8601 in UTC, e.g. ``1921-03-01T00:00:00Z``; None stays None."""
    if ts is None:
        return None
    seconds, milliseconds = divmod(int(ts), 1000)
    try:
        moment = datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
    text = moment.strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    return f"{text}.{milliseconds:03d}Z" if milliseconds else f"{text}Z"


def epoch_ms(value: str | int | datetime) -> int:
    """A moment that a person gave, as epoch milliseconds.

    Args:
        value: ISO 8601 (also a year or a month alone; UTC where no zone is given), a number of milliseconds, or a
            datetime.

    Raises:
        ValueError: It cannot be read as a time.
    """
    if isinstance(value, str):
        text = value.strip()
        if re.fullmatch(r"-?\d{5,}", text):
            return int(text)
        for pattern, rest in ((r"\d{4}", "-01-01"), (r"\d{4}-\d\d", "-01")):
            if re.fullmatch(pattern, text):
                text += rest
        value = datetime.fromisoformat(text)
    if isinstance(value, datetime):
        return round((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp() * 1000)
    return int(value)


# --- coming in: chunks of columns -------------------------------------------------------------------------


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


Progress = Callable[[str, int, int | None], None]
"""Called with (what, done, total or None)."""


# --- going out: documents ---------------------------------------------------------------------------------


class Document(BaseModel):
    """Base of everything that is printed with ``--json`` or served over HTTP."""

    model_config = ConfigDict(extra="forbid")

    def to_json(self) -> dict[str, Any]:
        """The document as plain values."""
        return self.model_dump(mode="json")


class InitResult(Document):
    """Answer of ``init``."""

    engine: str
    constraints: int
    indexes: int
    config_file: str | None
    store_id: str


class ThresholdResult(Document):
    """How a batch stands to one threshold; ``figure`` is None where there is nothing to tell by."""

    name: str
    limit: float
    figure: float | None
    passed: bool
    detail: str


class LoadResult(Document):
    """Answer of ``load``; ``read`` = applied + duplicates + conflicts + quarantined.

    ``late`` and ``replaced`` are parts of ``applied``. ``unsent`` are duplicates too: rows of files that an earlier
    batch had taken in whole. ``resumed``: an earlier process had begun the batch; the counts are those of both.
    ``skipped``: reason -> rows that the loader left out on purpose, which are not in ``read``. ``cleaned``: rule of a
    mapping file, as ``kind.column.rule`` -> values that it changed. ``thresholds``: how the batch stands to each that
    was declared, before it was written.
    """

    batch: str
    read: int
    applied: int
    duplicates: int
    conflicts: int
    quarantined: int
    late: int
    replaced: int = 0
    unsent: int = 0
    resumed: bool = False
    quarantine_file: str | None
    replaced_file: str | None = None
    seconds: float
    events_per_second: float
    dry_run: bool = False
    skipped: dict[str, int] = {}
    cleaned: dict[str, int] = {}
    thresholds: list[ThresholdResult] = []


class UndoResult(Document):
    """Answer of ``load --undo``.

    ``events`` and ``nodes`` were removed; ``handed_over`` events stay, since another batch had brought them too;
    ``restored`` events came back: other versions of removed ones, or ones that the batch had withdrawn;
    ``descriptions`` nodes gave way to their earlier descriptions.
    """

    batch: str
    events: int
    handed_over: int
    restored: int
    descriptions: int
    nodes: int
    seconds: float


class TagsResult(Document):
    """Answer of ``tags``."""

    users: int
    tags: int
    max_relative_error: float | None
    seconds: float


class EmbedResult(Document):
    """Answer of ``embed``."""

    users: int
    items: int
    model: str
    seconds: float


class TrainResult(Document):
    """Answer of ``train``; ``resumed_epochs`` were trained before it was broken off and not again."""

    model: str
    promoted: bool
    reason: str
    metrics: dict[str, dict[str, Any] | None]
    seconds: float
    resumed_epochs: int = 0


class UpdateResult(Document):
    """Answer of ``update``; ``embed`` is None before the first training.

    ``retrained_because`` names the declared thresholds of drift that were passed, and ``train`` is then what the
    training gave.
    """

    load: LoadResult
    tags: TagsResult
    embed: EmbedResult | None
    retrained_because: list[str] = []
    train: TrainResult | None = None


class TagInterest(Document):
    """A person's interest in one tag.

    ``score`` equals ``long``, both as of the profile's ``as_of``; ``share`` of the positive scores of the
    person's direct tags of that kind; ``lift`` against everybody's share.
    """

    tag: str
    kind: str
    score: float
    share: float | None
    lift: float | None
    short: float
    long: float
    events: int
    last_at: str


class EmbeddingInfo(Document):
    """Where a vector comes from and whether it is up to date."""

    model: str | None
    computed_at: str | None
    status: EmbeddingStatus
    dimensions: int | None


class Profile(Document):
    """Answer of ``profile``."""

    user_id: str
    as_of: str | None
    properties: dict[str, Any]
    first_seen: str | None
    last_seen: str | None
    events: dict[str, int]
    tags: list[TagInterest]
    embedding: EmbeddingInfo | None


class Recommendation(Document):
    """One thing recommended, or one neighbour, with reasons."""

    id: str
    kind: str
    title: str | None
    score: float
    because: list[str]


class PathStep(Document):
    """One event behind a score; ``feedback`` says whether it is something said (explicit) or done (implicit).

    ``contribution``: for a tag its own decayed part of the score, which the parts sum to; for an item what the score
    loses without this one event, which need not sum to anything.
    """

    event_id: str
    event: str
    at: str
    object_id: str
    object_kind: str
    title: str | None
    tags: list[str]
    feedback: FeedbackSort
    contribution: float
    batch: str | None


class Explanation(Document):
    """Answer of ``explain``: for a tag the contributions sum to the score."""

    user_id: str
    tag: str | None
    item: str | None
    as_of: str | None
    score: float
    paths: list[PathStep]


class SaysAndDoes(Document):
    """What is said and what is done about one thing.

    ``explicit`` and ``implicit`` are scores as of the document's ``as_of``; ``says`` and ``does`` lie between -1 and
    1 and don't depend on it, None without an event of that sort; ``disagreement`` lies between 0 and 1.
    """

    disagreement: float
    says: float | None
    does: float | None
    explicit: float
    implicit: float
    explicit_events: int
    implicit_events: int
    last_at: str


class TagFeedback(SaysAndDoes):
    """Explicit and implicit feedback on what has a tag."""

    tag: str
    kind: str


class ObjectFeedback(SaysAndDoes):
    """Explicit and implicit feedback on an item, on content or on a user."""

    id: str
    kind: str
    title: str | None


class Feedback(Document):
    """Answer of ``feedback``: tags and things, where they disagree most first."""

    user_id: str
    as_of: str | None
    tags: list[TagFeedback]
    objects: list[ObjectFeedback]


def plain(properties: Mapping[str, Any], hidden: frozenset[str]) -> dict[str, Any]:
    """Source properties of a node: without the ones the system keeps."""
    return {name: value for name, value in sorted(properties.items()) if name not in hidden}


def chunks(sequence: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Stretches of at most ``size``."""
    for start in range(0, len(sequence), size):
        yield sequence[start : start + size]


def batched(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most ``size`` rows."""
    iterator = iter(rows)
    while part := list(islice(iterator, size)):
        yield part


NETWORK_PROPERTIES = frozenset(
    {"network_community", "network_pagerank", "network_betweenness", "network_at", "network_version"}
)
"""What ``analyze`` puts on nodes."""

SYSTEM_PROPERTIES = NETWORK_PROPERTIES | frozenset(
    {
        "id",
        "kind",
        "rev",
        "tags_rev",
        "tags_due",
        "embed_due",
        "top_tags",
        "described",
        "described_by",
        "interest_events",
        "interest_direct",
        "interest_kinds",
        "interest_sums",
        "interests_at",
        "embedding",
        "embedding_model",
        "embedding_at",
        "embedding_rev",
        "embedding_status",
        "embedding_before",
        "embedding_before_model",
        "embedding_before_at",
        "embedding_before_rev",
        "embedding_before_status",
        "event_id",
        "ts",
        "ts_precision",
        "value",
        "batch",
        "hash",
    }
)
"""Property names the system keeps on nodes and events; a source's column of such a name is renamed."""
