"""Rows that could not be used, kept as they were: one JSON Lines file a batch, to be mended and tried again.

A line is ``{source, line, field, reason, row, kind, loader, map, time_zone, time_unit, key}``; ``row`` is an
object of the source's own columns, or the row's text where it could not be split (``columns``, ``separator`` and
``constants`` are then those of the file); ``key`` tells the row again when it was mended, see :func:`refusal_key`. Mend
``row`` in place, or delete the line.

Beside ``BATCH.jsonl``, whose rows are open, lie ``BATCH.also``, keys of rows that it refused and that lie open in an
earlier batch's file; ``BATCH.retried``, rows that a retry took in; ``BATCH.undone``, what was open when it was undone.
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import orjson

from graphprofile.errors import SourceError
from graphprofile.ingest.jsonable import writable
from graphprofile.ingest.lines import Lines, append_lines, is_torn, unwritable
from graphprofile.ingest.times import TIME_UNITS, TimeUnit
from graphprofile.records import KINDS, Kind, Rejection

FOLDER = "quarantine"


@dataclass(frozen=True)
class Origin:
    """How the rows of a source were read: what is needed to read them again.

    Attributes:
        kind: What the rows describe.
        loader: Name of the loader.
        mapping: The ``--map`` texts.
        time_zone: Zone of times that name none; None is the loader's.
        time_unit: Unit of times that are numbers.
    """

    kind: Kind
    loader: str
    mapping: tuple[str, ...] = ()
    time_zone: str | None = None
    time_unit: TimeUnit | None = None


@dataclass(frozen=True)
class QuarantinedRow:
    """One row of a quarantine file.

    Attributes:
        rejection: The row, and what is wrong with it.
        origin: How it was read.
        key: Its :func:`refusal_key` as it was refused, hex.
        retried_by: Batch that took it in, None while it is open.
    """

    rejection: Rejection
    origin: Origin
    key: str
    retried_by: str | None = None

    @classmethod
    def of(cls, rejection: Rejection, origin: Origin) -> QuarantinedRow:
        """A row that was refused just now."""
        return cls(rejection, origin, refusal_key(rejection, origin))

    @property
    def columns(self) -> dict[str, Any] | None:
        """The row as columns, None where its text still cannot be split."""
        row = self.rejection.row
        if isinstance(row, Mapping):
            return dict(row)
        if not isinstance(row, str) or self.rejection.field == "file":
            return None
        names, separator = self.rejection.columns, self.rejection.separator
        if names is None:
            return _object(row)
        if separator is None:
            return {**dict(self.rejection.constants), names[0]: row}
        try:
            cells = next(csv.reader([row], delimiter=separator, strict=True), [])
        except csv.Error:
            return None
        if len(cells) != len(names):
            return None
        return {**dict(self.rejection.constants), **dict(zip(names, cells, strict=True))}


@dataclass(frozen=True)
class QuarantineFile:
    """A quarantine file in a list.

    Attributes:
        batch: Batch whose rows it holds.
        path: Where it lies.
        rows: Rows in it.
        reasons: How many rows there are of each ``field: reason``, most first; reasons that differ in the
            values they quote count apart.
        written_at: When it was last changed, ISO 8601 UTC.
    """

    batch: str
    path: Path
    rows: int
    reasons: dict[str, int]
    written_at: str


class QuarantineWriter:
    """Writes the rejected rows of one batch as they come; there is no file until there is a row.

    Args:
        data_dir: The project's data folder.
        batch: Id of the batch.
        loader: Name of the loader that read the rows.
        mapping: The ``--map`` texts.
        time_zone: Zone of times that name none; None is the loader's.
        time_unit: Unit of times that are numbers.
        enabled: False counts the rows and writes nothing.
        suffix: End of the file's name; only ``.jsonl`` is listed and tried again.
    """

    def __init__(
        self,
        data_dir: Path,
        batch: str,
        *,
        loader: str = "generic",
        mapping: Sequence[str] = (),
        time_zone: str | None = None,
        time_unit: TimeUnit | None = None,
        enabled: bool = True,
        suffix: str = ".jsonl",
    ) -> None:
        self.path = quarantine_path(data_dir, batch).with_suffix(suffix)
        self.rows = 0
        self._loader, self._mapping = loader, tuple(mapping)
        self._time_zone, self._time_unit = time_zone, time_unit
        self._enabled = enabled
        self._lines = Lines(self.path)

    def add(self, rejected: Iterable[Rejection]) -> None:
        """Append rows.

        Raises:
            ConfigError: The folder cannot be written to, or the disk is full.
        """
        lines = [line_of(QuarantinedRow.of(rejection, self.origin_of(rejection))) for rejection in rejected]
        self.rows += len(lines)
        if self._enabled:
            self._lines.add(lines)

    def origin_of(self, rejection: Rejection) -> Origin:
        """How a row of this batch was read, and is to be read again."""
        kind = cast(Kind, rejection.kind)
        if rejection.checked:
            return Origin(kind, "generic")
        return Origin(kind, self._loader, self._mapping, self._time_zone, self._time_unit)

    def close(self) -> Path | None:
        """Force the rows onto the disk; the file's path, or None where there is none. May be repeated."""
        self._lines.close()
        return self.path if self.rows and self._enabled else None

    def __enter__(self) -> QuarantineWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def quarantine_path(data_dir: Path, batch: str) -> Path:
    """The quarantine file of a batch."""
    return data_dir / FOLDER / f"{batch}.jsonl"


def list_quarantine(data_dir: Path) -> list[QuarantineFile]:
    """The quarantine files that hold rows, oldest first.

    Raises:
        SourceError: A file was mended into something that is no JSON.
    """
    folder = data_dir / FOLDER
    found = []
    for path in sorted(folder.glob("*.jsonl"), key=lambda path: (path.stat().st_mtime, path.name)):
        reasons: Counter[str] = Counter()
        for row in read_quarantine(path, torn=True):
            reasons[f"{row.rejection.field}: {row.rejection.reason}"] += 1
        when = datetime.fromtimestamp(int(path.stat().st_mtime), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        found.append(QuarantineFile(path.stem, path, reasons.total(), dict(reasons.most_common()), when))
    return found


def refusal_key(rejection: Rejection, origin: Origin) -> str:
    """What makes two refusals the same row of the same source, read in the same way, whatever the reason; hex.

    Read in another way it is another refusal: a mapping that was mended, or a second one that makes other events.
    """
    row = [rejection.source, rejection.line, rejection.row]
    way = [origin.kind, origin.loader, origin.mapping, origin.time_zone, origin.time_unit]
    return blake2b(orjson.dumps(writable([*row, *way])), digest_size=16).hexdigest()


def refused_before(data_dir: Path, but: Path | None = None) -> dict[bytes, Path]:
    """Rows that lie in quarantine already, and where; a file that was mended into nonsense is passed over.

    Args:
        data_dir: The project's data folder.
        but: A file that is left out.

    Returns:
        Their keys in bytes.
    """
    found: dict[bytes, Path] = {}
    for path in sorted((data_dir / FOLDER).glob("*.jsonl")):
        if path == but:
            continue
        try:
            for row in read_quarantine(path, torn=True):
                found.setdefault(bytes.fromhex(row.key), path)
        except SourceError:
            continue
    return found


def read_quarantine(path: Path, *, torn: bool = False) -> Iterator[QuarantinedRow]:
    """The rows of a quarantine file.

    Args:
        path: The file.
        torn: Pass over a last line without an end that is no JSON: what a kill in the middle of a write leaves.

    Raises:
        SourceError: No such file, or a line that is not what this module writes; names file and line.
    """
    try:
        stream = path.open("rb")
    except OSError as error:
        raise SourceError(
            f"{path}: cannot be read: {error.strerror}.", "`graphprofile quarantine list` names them."
        ) from error
    with stream:
        for number, line in enumerate(stream, start=1):
            if line.strip() and not (torn and is_torn(line)):
                yield _parsed(line, path, number)


def rows_by_origin(rows: Iterable[QuarantinedRow]) -> dict[Origin, list[QuarantinedRow]]:
    """Rows that are read in the same way together, in the order of their first row."""
    groups: dict[Origin, list[QuarantinedRow]] = {}
    for row in rows:
        groups.setdefault(row.origin, []).append(row)
    return groups


def finish_retry(
    path: Path, left: Sequence[QuarantinedRow], taken: Sequence[QuarantinedRow], batch: str
) -> Path:
    """Keep the rows that are still refused; those that were taken in go to ``.retried``, as they were mended.

    Args:
        path: The quarantine file.
        left: Rows that stay open.
        taken: Rows that were taken in.
        batch: Batch that took them in.

    Returns:
        Where the open rows lie, or the others where none is open.

    Raises:
        ConfigError: The folder cannot be written to.
    """
    done = path.with_suffix(".retried")
    try:
        # First: after a kill in between they are open and tried once more.
        append_lines(done, (line_of(replace(row, retried_by=batch)) for row in taken))
        if not left:
            path.unlink()
            return done
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        append_lines(fresh, map(line_of, left))
        os.replace(fresh, path)
    except OSError as error:
        raise unwritable(path, error) from error
    return path


def line_of(row: QuarantinedRow) -> bytes:
    """A row as a line of a quarantine file."""
    rejection, origin = row.rejection, row.origin
    document: dict[str, Any] = {
        "source": rejection.source,
        "line": rejection.line,
        "field": rejection.field,
        "reason": rejection.reason,
        "row": writable(rejection.row),
        "kind": origin.kind,
        "loader": origin.loader,
        "map": list(origin.mapping),
        "time_zone": origin.time_zone,
        "time_unit": origin.time_unit,
        "key": row.key,
    }
    if rejection.columns is not None:
        document["columns"] = list(rejection.columns)
        document["separator"] = rejection.separator
    if rejection.constants:
        document["constants"] = dict(rejection.constants)
    if row.retried_by is not None:
        document["retried_by"] = row.retried_by
    return orjson.dumps(writable(document)) + b"\n"


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _parsed(line: bytes, path: Path, number: int) -> QuarantinedRow:
    try:
        entry = orjson.loads(line)
        kind, unit = entry["kind"], entry.get("time_unit")
        if kind not in KINDS or (unit is not None and unit not in TIME_UNITS):
            raise ValueError(f"kind {kind!r}, time_unit {unit!r}")
        rejection = Rejection(
            source=str(entry["source"]),
            line=int(entry["line"]),
            field=str(entry["field"]),
            reason=str(entry["reason"]),
            row=entry["row"],
            kind=kind,
            columns=tuple(map(str, entry["columns"])) if entry.get("columns") else None,
            separator=entry.get("separator"),
            constants=tuple((str(k), str(v)) for k, v in (entry.get("constants") or {}).items()),
        )
        zone = entry.get("time_zone")
        mapping = tuple(map(str, entry.get("map") or ()))
        origin = Origin(
            cast(Kind, kind), str(entry["loader"]), mapping, None if zone is None else str(zone), unit
        )
        # Lines of older versions have none.
        key = bytes.fromhex(entry.get("key") or refusal_key(rejection, origin)).hex()
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise SourceError(
            f"{path}, line {number}: is not a line of the quarantine: {error}.",
            "Mend the line, or delete it.",
        ) from error
    return QuarantinedRow(rejection, origin, key, entry.get("retried_by"))
