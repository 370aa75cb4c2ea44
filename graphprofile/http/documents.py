"""Documents that only HTTP has: lists with a cursor, chosen fields, verdicts on events."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from graphprofile.audience import Member
from graphprofile.browsing import ListedObject, ListedTag, ListedUser
from graphprofile.http.audit import AuditEntry
from graphprofile.insights import Insight
from graphprofile.records import Document, EmbeddingInfo, Recommendation, TagInterest


class ProfileDocument(Document):
    """A profile, or the fields of it that were asked for."""

    user_id: str
    as_of: str | None = None
    properties: dict[str, Any] | None = None
    first_seen: str | None = None
    last_seen: str | None = None
    events: dict[str, int] | None = None
    tags: list[TagInterest] | None = None
    embedding: EmbeddingInfo | None = None


class Profiles(Document):
    """Several profiles; ``missing`` are the ids of nobody."""

    profiles: list[ProfileDocument]
    missing: list[str]


class Tags(Document):
    """A user's interests."""

    user_id: str
    as_of: str | None
    tags: list[TagInterest]


class Recommendations(Document):
    """What was found, best first."""

    results: list[Recommendation]


class EmbeddingDocument(Document):
    """A user's vector; null where there is none."""

    id: str
    model: str | None
    computed_at: str | None
    status: str
    embedding: list[float] | None


class EmbeddingsDocument(Document):
    """Vectors of one model; ``missing`` are the ids of nobody."""

    model: str | None
    dimensions: int
    embeddings: list[EmbeddingDocument]
    missing: list[str]


class InsightList(Document):
    """The questions that can be asked."""

    insights: list[Insight]


class InsightAnswer(Document):
    """Rows of an insight; its columns are the keys."""

    name: str
    rows: list[dict[str, Any]]


Outcome = Literal["accepted", "late", "duplicate", "conflict", "rejected"]


class EventVerdict(Document):
    """What became of one event. ``late``: accepted, and older than the newest event there was."""

    event_id: str | None
    outcome: Outcome
    field: str | None = None
    reason: str | None = None


class EventsAnswer(Document):
    """What became of posted events, in their order."""

    batch: str | None
    dry_run: bool
    accepted: int
    late: int
    duplicates: int
    conflicts: int
    rejected: int
    events: list[EventVerdict]


class RowRefusal(Document):
    """A row that could not be used; ``row`` counts from 0."""

    row: int
    field: str
    reason: str


class UpsertAnswer(Document):
    """What became of descriptions; ``unchanged`` said nothing new."""

    batch: str | None
    applied: int
    unchanged: int
    rejected: list[RowRefusal]


class UserPage(Document):
    """Users; ``next`` is the cursor of the next page, null on the last."""

    users: list[ListedUser]
    next: str | None


class AudiencePage(Document):
    """People who meet conditions, as for :class:`UserPage`; ``count`` is null where it was not asked for."""

    words: str
    count: int | None
    users: list[Member]
    next: str | None


class ObjectPage(Document):
    """Items or content, as for :class:`UserPage`."""

    results: list[ListedObject]
    next: str | None


class TagPage(Document):
    """Tags, as for :class:`UserPage`."""

    tags: list[ListedTag]
    next: str | None


class BatchPage(Document):
    """Batches, newest first; their keys depend on what became of them. ``next`` as for :class:`UserPage`."""

    batches: list[dict[str, Any]]
    next: str | None


class AuditPage(Document):
    """Lines of the audit log, newest first."""

    entries: list[AuditEntry]
    next: str | None


class Health(Document):
    """Whether the server answers, and whether it can work."""

    status: Literal["ok", "going_down", "engine_unavailable"]


class Loose(Document):
    """A document whose keys depend on the store."""

    model_config = ConfigDict(extra="allow")


class Status(Loose):
    """Counts, last batches, lag, model, how fresh the vectors are."""

    engine: str
    users_awaiting_tags: int


class ModelDocument(Loose):
    """A model of the registry."""

    version: str


class ModelList(Document):
    """Versions, newest first."""

    in_use: str | None
    models: list[dict[str, Any]]


class EmbeddingsRequest(Document):
    """Whose vectors are wanted."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"ids": ["u1", "u2"]}})

    ids: list[str] = Field(min_length=1)


class CypherRequest(Document):
    """A query that only reads; without ``rows`` and ``seconds`` it has as many as the server allows."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "query": "MATCH (i:Item) WHERE i.title STARTS WITH $begin RETURN i.id AS id, i.title AS title LIMIT 3",
                "parameters": {"begin": "Book"},
            }
        },
    )

    query: str = Field(min_length=1, max_length=100_000)
    parameters: dict[str, Any] = Field(default_factory=dict)
    rows: int = Field(default=1_000, ge=1)
    seconds: float = Field(default=15.0, gt=0)


class CypherAnswer(Document):
    """What a query answered; ``truncated`` says that there were more rows."""

    columns: list[str]
    rows: list[dict[str, Any]]
    truncated: bool
    milliseconds: float
