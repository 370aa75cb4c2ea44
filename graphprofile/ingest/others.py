"""What the other batches brought, as far as it concerns the rows of a batch that is undone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from graphprofile.ingest.claims import unpack
from graphprofile.ingest.events import SHORT_HASH, EventRow
from graphprofile.ingest.ledger import Progress
from graphprofile.records import Description

Run = Callable[..., list[dict[str, Any]]]
"""Runs a named query: ``Store.read``, or ``run`` of a transaction."""


class Claim(NamedTuple):
    """A version of an event that another batch brought too.

    ``row`` is None where the version is the one that was stored then; ``hash`` is the begin of its hash.
    """

    at: int
    part: str
    batch: str
    hash: str
    row: EventRow | None


@dataclass
class Others:
    """Rows of one kind that other batches brought, by what they are known by.

    Attributes:
        batch: The batch that is undone.
        kind: events | users | items | content | tags | retracted.
        wanted: Keys that matter: of events and withdrawals (type, id), else ids.
    """

    batch: str
    kind: str
    wanted: set[Any]
    events: dict[tuple[str, str], list[Claim]] = field(default_factory=lambda: defaultdict(list))
    descriptions: dict[str, list[Description]] = field(default_factory=lambda: defaultdict(list))
    retracted: set[tuple[str, str]] = field(default_factory=set)
    _read: set[str] = field(default_factory=set)
    _progress: Progress | None = None

    def refresh(self, run: Run, progress: Progress | None = None) -> None:
        """Take in what has been committed since the last time.

        Args:
            run: Reads.
            progress: How far the loads have come, where they are stopped: nothing is read again while it is the same.
        """
        if progress is not None and progress == self._progress:
            return
        leaving = {row["id"] for row in run("load/list_leaving_batches")}
        for row in run("load/list_other_parts", batch=self.batch, kind=self.kind):
            if row["id"] not in self._read and row["batch"] not in leaving:
                self._take(run("load/read_part", id=row["id"]))
                self._read.add(row["id"])
        if progress is not None:
            self._progress = progress

    def claims(self, key: tuple[str, str]) -> list[Claim]:
        """Claims on an event, the earliest first."""
        return sorted(self.events.get(key, ()), key=lambda claim: claim[:3])

    def _take(self, found: list[dict[str, Any]]) -> None:
        for record in found:
            part = record["part"]
            claims = unpack(part.get("claims"))
            if self.kind == "events":
                for claim in _event_claims(part, claims):
                    if claim[0] in self.wanted:
                        self.events[claim[0]].append(claim[1])
            elif self.kind == "retracted":
                self.retracted |= self.wanted & set(retracted_keys(claims))
            else:
                for row in described_rows(claims):
                    if row.id in self.wanted:
                        self.descriptions[row.id].append(row)


def claimed_keys(claims: dict[str, Any]) -> Iterator[tuple[tuple[str, str], str]]:
    """Keys and users of all events that a part speaks of, whatever became of them."""
    for entry in (claims.get("applied") or {}, claims.get("repeated") or {}):
        for event_type, columns in entry.items():
            for user, event_id in zip(columns["users"], columns["ids"], strict=True):
                yield (event_type, event_id), user
    for fields in claims.get("others") or ():
        row = EventRow(*fields)
        yield row.key, row.user_id


def retracted_keys(claims: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Keys of the events that a part withdrew."""
    for event_type, ids in (claims.get("retracted") or {}).items():
        for event_id in ids:
            yield event_type, event_id


def described_rows(claims: dict[str, Any]) -> Iterator[Description]:
    """Descriptions that a part brought."""
    for node, properties, tags, updated_at in claims.get("rows") or ():
        yield Description(node, properties, tags, updated_at, 0)


def other_rows(claims: dict[str, Any]) -> Iterable[EventRow]:
    """Versions of events that a part brought and that are not stored."""
    return [EventRow(*fields) for fields in claims.get("others") or ()]


def _event_claims(part: dict[str, Any], claims: dict[str, Any]) -> Iterator[tuple[tuple[str, str], Claim]]:
    at, name, batch = part["at"], part["id"], part["batch"]
    for event_type, columns in (claims.get("repeated") or {}).items():
        hashes = columns.get("hashes") or [""] * len(columns["ids"])
        for event_id, digest in zip(columns["ids"], hashes, strict=True):
            yield (event_type, event_id), Claim(at, name, batch, digest, None)
    for row in other_rows(claims):
        yield row.key, Claim(at, name, batch, row.hash[:SHORT_HASH], row)
