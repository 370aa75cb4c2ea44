"""What goes out: pydantic models, one document per command."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from graphprofile.records.common import EmbeddingStatus, FeedbackSort


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


class RefusedRows(Document):
    """Rows refused for one reason; ``reason`` is the first one's, others may name another value."""

    field: str
    reason: str
    rows: int
    source: str
    line: int


class LoadResult(Document):
    """Answer of ``load``; ``read`` = applied + duplicates + conflicts + quarantined.

    ``late`` and ``replaced`` are parts of ``applied``. ``unsent`` are duplicates too: rows of files that an earlier
    batch had taken in whole. ``resumed``: an earlier process had begun the batch; the counts are those of both.
    ``skipped``: reason -> rows that the loader left out on purpose, which are not in ``read``. ``cleaned``: rule of a
    mapping file, as ``kind.column.rule`` -> values that it changed. ``thresholds``: how the batch stands to each that
    was declared, before it was written. ``reasons``: why rows of this process were refused or in conflict, the most
    frequent first. ``tied``: descriptions that said another thing of the same ``updated_at``, or both of none; the
    larger value stands, whatever the order.
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
    reasons: list[RefusedRows] = []
    tied: int = 0


class UndoResult(Document):
    """Answer of ``load --undo``.

    ``events`` and ``nodes`` were removed; ``handed_over`` events stay, since another batch had brought them too;
    ``restored`` events came back: other versions of removed ones, or ones that the batch had withdrawn;
    ``descriptions`` nodes gave way to their earlier descriptions. Of the quarantine, ``refused`` rows of the batch left
    the open ones, and ``reopened`` are open again, which the batch, a retry, had taken in.
    """

    batch: str
    events: int
    handed_over: int
    restored: int
    descriptions: int
    nodes: int
    refused: int
    reopened: int
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
