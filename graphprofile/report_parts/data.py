"""What a report shows; every part that may be missing is None or empty, and then the report is smaller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphprofile.records import Profile, Recommendation
from graphprofile.report_parts.neighbourhood import Neighbourhood
from graphprofile.report_parts.projection import Point


@dataclass(frozen=True)
class InterestsOverTime:
    """Events per tag and stretch of time.

    Attributes:
        kind: Kind of the tags.
        bucket: day, week, month, quarter or year.
        dates: First day of each bucket, ISO 8601.
        series: (tag, events per bucket), the largest first.
        total_tags: How many tags of this kind there are among the most frequent ones.
        coarse: Whether events dated too coarsely for the buckets were left out.
    """

    kind: str
    bucket: str
    dates: list[str]
    series: list[tuple[str, list[int]]]
    total_tags: int
    coarse: bool


@dataclass(frozen=True)
class EmbeddingMap:
    """Points of users and items.

    Attributes:
        points: All of them.
        tags: Tags with a colour of their own, most frequent first.
        kind: Kind of these tags, or None where there are none.
        users: How many users have a vector and an event; the points may be a sample.
        items: How many items have both.
    """

    points: list[Point]
    tags: list[str]
    kind: str | None
    users: int
    items: int


@dataclass(frozen=True)
class ReportData:
    """Everything :func:`graphprofile.report.build_report` puts on the page.

    Attributes:
        title: Of the page.
        engine: ``arcadedb`` or ``neo4j``.
        generated_at: ISO 8601.
        first_at: Time of the oldest event, ISO 8601, or None in an empty store.
        as_of: Time of the newest event, ISO 8601, or None in an empty store.
        nodes: Number of nodes by label.
        active_users: Users with an event.
        events: Number of events by name, largest first.
        model: Version of the model in use, or None.
        interests: Interests over time.
        map: Map of the embeddings.
        person: Name of the person in focus.
        profile: Of that person.
        graph: Around that person.
        recommendations: For that person.
        metrics: By method (model, current, popularity, item_to_item): recall_at_20, ndcg_at_20, users and
            ``…_interval`` [low, high].
        batches: The last batches, newest first, as stored.
        vectors: Numbers of fresh, stale and missing vectors by label.
        notes: What was left out, and what to do about it.
    """

    title: str
    engine: str
    generated_at: str
    first_at: str | None = None
    as_of: str | None = None
    nodes: Mapping[str, int] = field(default_factory=dict)
    active_users: int = 0
    events: Mapping[str, int] = field(default_factory=dict)
    model: str | None = None
    interests: InterestsOverTime | None = None
    map: EmbeddingMap | None = None
    person: str | None = None
    profile: Profile | None = None
    graph: Neighbourhood | None = None
    recommendations: Sequence[Recommendation] = ()
    metrics: Mapping[str, Mapping[str, Any] | None] = field(default_factory=dict)
    batches: Sequence[Mapping[str, Any]] = ()
    vectors: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    notes: Sequence[str] = ()
