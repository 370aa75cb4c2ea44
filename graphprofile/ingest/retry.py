"""Refused rows once more, after their file or the vocabulary was mended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from graphprofile.ingest.apply import OnConflict
from graphprofile.ingest.ledger import Ledger
from graphprofile.ingest.planned import checked_chunks
from graphprofile.ingest.quarantine import (
    Origin,
    QuarantinedRow,
    finish_retry,
    read_quarantine,
    rows_by_origin,
)
from graphprofile.ingest.recipes import Recipe, recipe_of
from graphprofile.ingest.session import Batch, finished, new_batch_id, run_batch
from graphprofile.ingest.stretches import Checked
from graphprofile.records import LoadResult, Progress, Rejection
from graphprofile.vocabulary import Vocabulary

if TYPE_CHECKING:
    from graphprofile.store import Store


def retry_file(
    store: Store,
    vocabulary: Vocabulary,
    path: Path,
    *,
    on_conflict: OnConflict = "keep",
    progress: Progress | None = None,
) -> LoadResult:
    """Load the rows of a quarantine file again; those still refused stay in it with their new reasons.

    Raises:
        SourceError: The file is not what the quarantine writes.
    """
    left: list[QuarantinedRow] = []
    groups = rows_by_origin(read_quarantine(path))
    readable: dict[Origin, list[QuarantinedRow]] = {}
    still: dict[Origin, set[int]] = defaultdict(set)
    for origin, rows in groups.items():
        readable[origin] = [row for row in rows if row.columns is not None]
        left += [row for row in rows if row.columns is None]

    def again() -> Iterator[Checked]:
        for number, (origin, rows) in enumerate(readable.items()):
            recipe = recipe_of(origin, path.parent)
            for _, chunk in checked_chunks(
                [[row.columns for row in rows]] if rows else [], vocabulary, recipe
            ):
                chunk.source_number = number
                yield origin, chunk

    def refuse(rejected: Sequence[Rejection], origin: Origin) -> None:
        for rejection in rejected:
            number = rejection.line - 1
            row = readable[origin][number]
            still[origin].add(number)
            now = replace(row.rejection, field=rejection.field, reason=rejection.reason)
            left.append(replace(row, rejection=now))

    unreadable = len(left)
    batch = Batch(f"quarantine {path.stem}", new_batch_id(), Recipe("quarantine"), on_conflict)
    properties = {
        "source": batch.source,
        "loader": "quarantine",
        "kind": "any",
        "vocabulary": vocabulary.fingerprint(),
        "way": batch.way,
        "retried": path.stem,
    }
    ledger = Ledger.open(store, batch.id, properties, lanes=store.writers)
    result = run_batch(store, vocabulary, again(), batch, refuse, ledger=ledger, progress=progress)
    taken = [
        row
        for origin, rows in readable.items()
        for number, row in enumerate(rows)
        if number not in still[origin]
    ]
    kept = finish_retry(path, left, taken, batch.id)
    return finished(
        result,
        read=result.read + unreadable,
        quarantined=result.quarantined + unreadable,
        quarantine_file=str(kept) if left else None,
    )
