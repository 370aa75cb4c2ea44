"""A batch taken out again: the graph is then as if it had never seen it.

The parts of the batch say what it brought, those of the other batches what they brought too. An event that another
batch brought as well is handed over to that one; a version that had been refused because of the batch's takes its
place; descriptions are folded again from those that are left; nodes that nothing names any more go. Part after part,
each in a transaction that no load can come between, so an undo that was killed is gone on with by the same command.
Its refused rows go before the record is closed: see :mod:`graphprofile.ingest.undone`.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphprofile.errors import NotFound, StoreMismatch, UsageError
from graphprofile.ingest.claims import pack, unpack
from graphprofile.ingest.counts import Counts
from graphprofile.ingest.creation import as_frame, create_events
from graphprofile.ingest.describe import PLURAL, refold_nodes, refold_tags
from graphprofile.ingest.events import (
    SHORT_HASH,
    EventRow,
    Key,
    Stored,
    delete_events,
    hand_over_events,
    read_stored,
)
from graphprofile.ingest.ledger import bounds, is_alive, now_ms, stop_the_loads, this_writer
from graphprofile.ingest.others import (
    Claim,
    Others,
    claimed_keys,
    described_rows,
    other_rows,
    retracted_keys,
)
from graphprofile.ingest.retracted import find_retracted, forget_content, keep_content
from graphprofile.ingest.undone import reopen, require_readable, set_aside
from graphprofile.records import Progress, UndoResult
from graphprofile.tags import forget_interests

if TYPE_CHECKING:
    from graphprofile.store import Store, Transaction

KEYS_AT_ONCE = 400_000
"""Claims of other batches are looked through once for so many rows."""
ORDER = ("retracted", "users", "items", "content", "tags", "events")
"""Withdrawn events come back before they go with their batch; descriptions go first, so that events tell at last
which nodes nothing names any more."""
_NODES = {"user": "users", "item": "items", "content": "contents"}


def undo_batch(
    store: Store,
    batch: str,
    event_types: tuple[str, ...],
    *,
    data_dir: Path,
    progress: Progress | None = None,
) -> UndoResult:
    """Take a batch out; interests of the users touched are due afterwards.

    Args:
        store: The graph.
        batch: Id of the batch.
        event_types: All declared relationship types.
        data_dir: Where the quarantine lies.
        progress: Called with (what, parts done, parts in all).

    Raises:
        SourceError: Its quarantine file was mended into something that is no JSON; nothing was undone.
        NotFound: No such batch.
        UsageError: It is being loaded right now, or is undone already.
        StoreMismatch: It was loaded by a version that kept no parts.
    """
    started = time.perf_counter()
    require_readable(data_dir, batch)
    undo = _Undo(store, batch, event_types)
    undo.begin()
    undo.copy_for_claiming_batches()
    parts: dict[str, list[str]] = defaultdict(list)
    for row in store.read("load/list_parts_by_kind", **bounds(batch)):
        parts[row["kind"]].append(row["id"])
    done, total = 0, sum(map(len, parts.values()))
    for kind in ORDER:
        for group in undo.groups(kind, parts[kind]):
            for name in group:
                undo.part(kind, name)
                done += 1
                if progress:
                    progress(f"undo {batch}", done, total)
    refused = set_aside(data_dir, batch)
    reopened = reopen(store, data_dir, undo.record.get("retried"), batch)
    undo.finish()
    seconds = round(time.perf_counter() - started, 3)
    return UndoResult(batch=batch, refused=refused, reopened=reopened, seconds=seconds, **undo.total)


@dataclass
class _Undo:
    store: Store
    batch: str
    event_types: tuple[str, ...]
    total: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            ("events", "handed_over", "restored", "descriptions", "nodes"), 0
        )
    )
    record: dict[str, Any] = field(default_factory=dict)
    _others: Others = field(init=False)
    _claims: dict[str, dict[str, Any]] = field(default_factory=dict)

    def begin(self) -> None:
        found = self.store.read("load/read_batch", id=self.batch)
        if not found:
            raise NotFound(f"No batch {self.batch!r}.", "`graphprofile status` names the last ones.")
        record = self.record = found[0]["batch"]
        if record.get("state") == "undone":
            raise UsageError(f"Batch {self.batch} is undone already.")
        if record.get("undoable") is False:
            raise StoreMismatch(
                f"Batch {self.batch} was loaded by an older version, which kept no record of what it brought.",
                "Restore a backup from before it.",
            )
        writer = record.get("writer") or ""
        if record.get("state") in ("running", "undoing") and is_alive(writer, record.get("started_at")):
            raise UsageError(
                f"Batch {self.batch} is at work in another process.", "Wait for that, or stop it first."
            )

        def take(tx: Transaction) -> bool:
            stop_the_loads(tx)
            tx.run("load/close_lanes_of_batch", batch=self.batch)
            return bool(tx.run("load/begin_undo", id=self.batch, old=writer, new=this_writer()))

        # An undo that breaks off here can be gone on with by this process, too: no writer of its is at work.
        if not self.store.write(take):
            raise UsageError(f"Batch {self.batch} is at work in another process.", "Wait for that.")

    def copy_for_claiming_batches(self) -> None:
        """Files that other batches did not send because this one had taken them in: now they have brought them."""
        files = [key for key in self.record.get("files") or [] if key]
        claiming = self.store.read("load/find_claiming_batches", keys=files) if files else []
        mine = {key: number for number, key in enumerate(self.record.get("sources") or []) if key}
        for other in claiming:
            for number, key in enumerate(other["sources"] or []):
                if key in (other["unsent_files"] or []) and key in mine and other["id"] != self.batch:
                    self._copy(mine[key], other["id"], number)

    def _copy(self, source: int, other: str, number: int) -> None:
        prefix = f"{self.batch}/{source:04d}."
        for row in self.store.read("load/list_parts_by_kind", **bounds(self.batch)):
            if not row["id"].startswith(prefix):
                continue
            part = self.store.read("load/read_part", id=row["id"])[0]["part"]
            claims = unpack(part.get("claims"))
            if row["kind"] == "events":
                claims = {"repeated": _joined(claims), "others": claims.get("others", [])}
            properties = {
                **{"batch": other, "file": part["file"], "kind": row["kind"], "at": part["at"]},
                **Counts().as_properties(),
                "claims": pack(claims),
            }
            identifier = f"{other}/{number:04d}.^{row['id'].removeprefix(prefix)}"
            self.store.write(partial(_merge_part, identifier, properties))

    def groups(self, kind: str, parts: Sequence[str]) -> Iterable[list[str]]:
        """Parts in groups; what other batches brought of their rows is read once for each group."""
        group: list[str] = []
        wanted: set[Any] = set()
        for number, name in enumerate(parts):
            claims = unpack(self.store.read("load/read_part", id=name)[0]["part"].get("claims"))
            self._claims[name] = claims
            group.append(name)
            wanted.update(_keys(kind, claims))
            if len(wanted) >= KEYS_AT_ONCE or number == len(parts) - 1:
                self._others = Others(self.batch, kind, wanted)
                self._others.refresh(self.store.read)
                yield group
                group, wanted = [], set()
                self._claims.clear()

    def part(self, kind: str, name: str) -> None:
        """Undo one part, in one transaction."""
        claims = self._claims[name]
        work: Callable[[Transaction, dict[str, int], dict[str, Any]], None] = {
            "events": self._events,
            "retracted": self._retracted,
        }.get(kind, partial(self._descriptions, kind))

        def run(tx: Transaction) -> dict[str, int]:
            counts = dict.fromkeys(self.total, 0)
            self._others.refresh(tx.run, stop_the_loads(tx))
            work(tx, counts, claims)
            tx.run("load/delete_part", id=name)
            return counts

        for what, count in self.store.write(run).items():
            self.total[what] += count

    def finish(self) -> None:
        """Close the record."""

        def end(tx: Transaction) -> None:
            stop_the_loads(tx)
            tx.run("load/delete_unnamed_tags")
            tx.run("load/finish_undo", id=self.batch, now=now_ms())

        self.store.write(end)

    # --- withdrawals ---------------------------------------------------------------------------------------

    def _retracted(self, tx: Transaction, counts: dict[str, int], claims: dict[str, Any]) -> None:
        keys = [key for key in retracted_keys(claims) if key not in self._others.retracted]
        found = find_retracted(tx, keys)
        tx.run("load/delete_retracted", rows=[list(key) for key in sorted(found)])
        by_batch: dict[str, list[EventRow]] = defaultdict(list)
        for event in found.values():
            if event is not None:
                by_batch[event.batch or ""].append(event.row)
        for batch, rows in sorted(by_batch.items()):
            create_events(tx, as_frame(rows), batch)
            counts["restored"] += len(rows)

    # --- events --------------------------------------------------------------------------------------------

    def _events(self, tx: Transaction, counts: dict[str, int], claims: dict[str, Any]) -> None:
        asked = [_key_row(key, user) for key, user in claimed_keys(claims)]
        stored = read_stored(self.store, tx, asked, wide=False) if asked else {}
        mine = {key: event for key, event in stored.items() if event.batch == self.batch}
        withdrawn = {
            key: event
            for key, event in find_retracted(tx, [row.key for row in asked]).items()
            if event is not None and event.batch == self.batch
        }
        heirs = _Heirs(self._others)
        for row in other_rows(claims):
            heirs.keep_for_others(row)
        handed, gone, back = heirs.settle(mine)
        hand_over_events(tx, [mine[key].row for key in handed], handed)
        delete_events(tx, [mine[key].row for key in gone])
        for batch, rows in _by_batch(back).items():
            create_events(tx, as_frame(rows), batch)
        moved, lost, other = heirs.settle(withdrawn)
        keep_content(tx, [Stored(withdrawn[key].row, batch) for key, batch in moved.items()])
        keep_content(tx, other)
        forget_content(tx, [key for key in lost if key not in {event.row.key for event in other}])
        self._widen(tx, [(handed[key], mine[key].row.ts) for key in handed], back)
        for identifier, properties in heirs.parts(self.batch):
            tx.run("load/merge_part", id=identifier, properties=properties)
        counts["events"] += len(gone) - len(back)
        counts["handed_over"] += len(handed)
        counts["restored"] += len(back)
        named: dict[str, set[str]] = defaultdict(set)
        for event in (*(mine[key] for key in gone), *withdrawn.values()):
            named["user"].add(event.row.user_id)
            named[event.row.object_kind].add(event.row.object_id)
        counts["nodes"] += delete_unnamed(tx, named)

    def _widen(self, tx: Transaction, handed: list[tuple[str, int]], back: Sequence[Stored]) -> None:
        times: dict[str, list[int]] = defaultdict(list)
        for batch, ts in (*handed, *((event.batch or "", event.row.ts) for event in back)):
            times[batch].append(ts)
        if times:
            rows = [[batch, max(ts), min(ts)] for batch, ts in sorted(times.items())]
            tx.run("load/widen_batches", rows=rows)

    # --- descriptions --------------------------------------------------------------------------------------

    def _descriptions(
        self, kind: str, tx: Transaction, counts: dict[str, int], claims: dict[str, Any]
    ) -> None:
        ids = sorted({row.id for row in described_rows(claims)})
        left = {node: self._others.descriptions.get(node, []) for node in ids}
        if kind == "tags":
            refold_tags(tx, left, self.event_types)
        else:
            refold_nodes(tx, PLURAL[kind], left, self.event_types)
            kind_of_node = {"users": "user", "items": "item", "content": "content"}[kind]
            counts["nodes"] += delete_unnamed(tx, {kind_of_node: set(ids)})
        counts["descriptions"] += len(ids)


@dataclass
class _Heirs:
    """Who gets the events that a batch leaves."""

    others: Others
    _kept: dict[str, list[tuple[int, EventRow]]] = field(default_factory=lambda: defaultdict(list))

    def settle(self, events: Mapping[Key, Stored]) -> tuple[dict[Key, str], list[Key], list[Stored]]:
        """Decide for each event.

        Returns:
            Key -> batch of the events that stay as they are, keys of those that go, and the versions that take
            the place of some of these.
        """
        handed: dict[Key, str] = {}
        gone: list[Key] = []
        back: list[Stored] = []
        for key, event in events.items():
            heir = self._heir(key, event.row)
            if heir is not None and heir.row is None:
                handed[key] = heir.batch
                continue
            gone.append(key)
            if heir is not None and heir.row is not None:
                back.append(Stored(heir.row, heir.batch))
                self.keep_for_others(event.row)
        return handed, gone, back

    def keep_for_others(self, row: EventRow) -> None:
        """A version goes whose content only this batch or the graph had: who brought the same gets it."""
        for claim in self.others.claims(row.key):
            if claim.row is None and claim.hash == row.hash[:SHORT_HASH]:
                self._kept[claim.batch].append((claim.at, row))

    def parts(self, batch: str) -> Iterable[tuple[str, dict[str, Any]]]:
        """What :meth:`keep_for_others` collected, as parts of those batches."""
        for other, kept in sorted(self._kept.items()):
            first = kept[0][1]
            properties = {
                **{"batch": other, "file": "", "kind": "events", "at": min(at for at, _ in kept)},
                **Counts().as_properties(),
                "claims": pack({"others": [list(row) for _, row in kept]}),
            }
            yield f"{other}/~{batch}/{first.type}/{first.event_id}", properties

    def _heir(self, key: Key, row: EventRow) -> Claim | None:
        for claim in self.others.claims(key):
            if claim.row is not None:
                same = claim.row.hash == row.hash
                return claim._replace(row=None) if same else claim
            if claim.hash in ("", row.hash[:SHORT_HASH]):
                return claim
        return None


def delete_unnamed(tx: Transaction, named: Mapping[str, set[str]]) -> int:
    """Take away those of these nodes that nothing names any more.

    Args:
        tx: The transaction.
        named: user | item | content -> ids.
    """
    ids = sorted(set().union(*named.values())) if named else []
    if not ids:
        return 0
    still: set[tuple[str, str]] = set()
    for row in tx.run("load/find_retracted_ends", ids=ids):
        still |= {("user", row["user_id"]), (row["object_kind"], row["object_id"])}
    count = 0
    for kind, plural in _NODES.items():
        asked = sorted(named.get(kind, ()))
        if not asked:
            continue
        found = tx.run(f"load/find_unnamed_{plural}", ids=asked)
        unnamed = [row["id"] for row in found if (kind, row["id"]) not in still]
        if unnamed:
            if kind == "user":
                forget_interests(tx, unnamed)
            tx.run(f"load/delete_{plural}", ids=unnamed)
            count += len(unnamed)
    return count


def _keys(kind: str, claims: dict[str, Any]) -> Iterable[Any]:
    if kind == "events":
        return [key for key, _ in claimed_keys(claims)]
    if kind == "retracted":
        return retracted_keys(claims)
    return [row.id for row in described_rows(claims)]


def _joined(claims: dict[str, Any]) -> dict[str, Any]:
    """What a part applied and what it repeated, as one."""
    joined: dict[str, dict[str, list[str]]] = {}
    for entry in (claims.get("applied") or {}, claims.get("repeated") or {}):
        for event_type, columns in entry.items():
            mine = joined.setdefault(event_type, {"users": [], "ids": [], "hashes": []})
            mine["users"] += columns["users"]
            mine["ids"] += columns["ids"]
            mine["hashes"] += columns.get("hashes") or [""] * len(columns["ids"])
    return joined


def _by_batch(events: Iterable[Stored]) -> dict[str, list[EventRow]]:
    grouped: dict[str, list[EventRow]] = defaultdict(list)
    for event in events:
        grouped[event.batch or ""].append(event.row)
    return grouped


def _key_row(key: Key, user: str) -> EventRow:
    return EventRow(*key, user, "", "item", 0, None, None, None, "")


def _merge_part(identifier: str, properties: dict[str, Any], tx: Transaction) -> None:
    tx.run("load/merge_part", id=identifier, properties=properties)
