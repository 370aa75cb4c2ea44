"""The quarantine in short: how many rows were refused for which reason, and the newest of them.

Reasons quote what they refuse. Here every quotation is left out, so that reasons of one kind count together and say
nothing of anybody; the rows themselves are for those who may see everything.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from graphprofile.errors import SourceError
from graphprofile.ingest.quarantine import FOLDER, QuarantinedRow, read_quarantine
from graphprofile.records import Document

MOST_ROWS = 50_000
LEFT_OUT = "…"

_QUOTED = re.compile(r"""'(?:\\.|[^'\\])*'?|"(?:\\.|[^"\\])*"?""")
_VALUE = re.compile(r"^.* (?=is (?:no|more than) )")
_LONG = re.compile(r"\S*(?:\d{5}|@)\S*")
_REST = re.compile(r"(?<=the engine refused it).*|; to declare it .*", re.DOTALL)


class RefusedReason(Document):
    """Rows that were refused for one reason; ``batches`` brought them."""

    field: str
    reason: str
    rows: int
    batches: int
    newest_batch: str


class RefusedRow(Document):
    """One refused row, as it was."""

    batch: str
    source: str
    line: int
    kind: str
    field: str
    reason: str
    row: Any


class RefusedBatch(Document):
    """A batch with refused rows; ``rows`` is None where its file was not looked into, or cannot be read."""

    batch: str
    written_at: str
    rows: int | None
    problem: str | None = None


@dataclass
class Overview:
    """The quarantine in short.

    Attributes:
        rows: Rows that were looked at.
        complete: Whether these are all.
        reasons: Most rows first.
        batches: Newest first.
        newest: Rows, the last ones of the newest batches first.
    """

    rows: int = 0
    complete: bool = True
    reasons: list[RefusedReason] = field(default_factory=list)
    batches: list[RefusedBatch] = field(default_factory=list)
    newest: list[RefusedRow] = field(default_factory=list)


def overview(data_dir: Path, *, most_rows: int = MOST_ROWS, newest: int = 20) -> Overview:
    """What lies in quarantine, newest batches first; older files are counted as files once enough rows were read.

    Args:
        data_dir: The project's data folder.
        most_rows: Rows to look at.
        newest: Rows to show.
    """
    found = Overview()
    rows: Counter[tuple[str, str]] = Counter()
    batches: dict[tuple[str, str], list[str]] = {}
    for written, path in _files(data_dir):
        if found.rows >= most_rows:
            found.complete = False
            found.batches.append(RefusedBatch(batch=path.stem, written_at=written, rows=None))
            continue
        last: deque[QuarantinedRow] = deque(maxlen=newest)
        here = 0
        problem = None
        try:
            for row in read_quarantine(path, torn=True):
                if found.rows >= most_rows:
                    found.complete = False
                    break
                here += 1
                found.rows += 1
                key = row.rejection.field, without_values(row.rejection.reason)
                rows[key] += 1
                if path.stem not in batches.setdefault(key, [])[-1:]:
                    batches[key].append(path.stem)
                last.append(row)
        except SourceError as error:
            problem = error.message
        found.batches.append(
            RefusedBatch(batch=path.stem, written_at=written, rows=None if problem else here, problem=problem)
        )
        found.newest += [_shown(path.stem, row) for row in reversed(last)][: newest - len(found.newest)]
    found.reasons = [
        RefusedReason(
            field=key[0],
            reason=key[1],
            rows=count,
            batches=len(batches[key]),
            newest_batch=batches[key][0],
        )
        for key, count in sorted(rows.items(), key=lambda pair: (-pair[1], pair[0]))
    ]
    return found


def without_values(reason: str) -> str:
    """A reason without what it quotes."""
    short = _REST.sub("", reason)
    short = _VALUE.sub(f"{LEFT_OUT} ", _QUOTED.sub(LEFT_OUT, short))
    return _LONG.sub(LEFT_OUT, short)


def _files(data_dir: Path) -> list[tuple[str, Path]]:
    """Quarantine files and when they were last changed, newest first."""
    found = [(path.stat().st_mtime, path.name, path) for path in (data_dir / FOLDER).glob("*.jsonl")]
    return [
        (datetime.fromtimestamp(int(changed), UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), path)
        for changed, _, path in sorted(found, reverse=True)
    ]


def _shown(batch: str, row: QuarantinedRow) -> RefusedRow:
    rejection = row.rejection
    return RefusedRow(
        batch=batch,
        source=rejection.source,
        line=rejection.line,
        kind=rejection.kind,
        field=rejection.field,
        reason=rejection.reason,
        row=rejection.row,
    )
