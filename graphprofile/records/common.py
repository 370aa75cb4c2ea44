"""What records of either way are made with: kinds, times, pieces of sequences, the system's own names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Literal, TypeVar

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


Progress = Callable[[str, int, int | None], None]
"""Called with (what, done, total or None)."""


def chunks(sequence: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    """Stretches of at most ``size``."""
    for start in range(0, len(sequence), size):
        yield sequence[start : start + size]


def batched(rows: Iterable[T], size: int) -> Iterator[list[T]]:
    """Lists of at most ``size`` rows."""
    iterator = iter(rows)
    while part := list(islice(iterator, size)):
        yield part


def plain(properties: Mapping[str, Any], hidden: frozenset[str]) -> dict[str, Any]:
    """Source properties of a node: without the ones the system keeps."""
    return {name: value for name, value in sorted(properties.items()) if name not in hidden}


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
