"""Rows that could not be used, kept as they were: one JSON Lines file a batch, to be mended and tried again.

A line is ``{source, line, field, reason, row, kind, loader, map, time_zone, time_unit}``; ``row`` is an
object of the source's own columns, or the row's text where it could not be split (``columns``, ``separator`` and
``constants`` are then those of the file). Mend ``row`` in place, or delete the line.

Beside ``BATCH.jsonl``, whose rows are open, lie ``BATCH.also``, keys of rows that it refused and that lie open in an
earlier batch's file; ``BATCH.retried``, rows that a retry took in; ``BATCH.undone``, what was open when it was undone.
"""

from __future__ import annotations

import csv
import itertools
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import IO, Any, TypeAlias, cast

import orjson

from graphprofile.errors import SourceError
from graphprofile.ingest.jsonable import writable
from graphprofile.ingest.lines import is_torn, open_lines, unwritable, write_lines
from graphprofile.ingest.times import TIME_UNITS, TimeUnit
from graphprofile.records import KINDS, Kind, Rejection

FOLDER = "quarantine"
LINES_AT_ONCE = 1_000


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
        retried_by: Batch that took it in, None while it is open.
    """

    rejection: Rejection
    origin: Origin
    retried_by: str | None = None

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


Refused: TypeAlias = tuple[Rejection, Origin]


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
        self._stream: IO[bytes] | None = None

    def add(self, rejected: Iterable[Rejection]) -> None:
        """Append rows.

        Raises:
            ConfigError: The folder cannot be written to, or the disk is full.
        """
        lines = [line_of(rejection, self.origin_of(rejection)) for rejection in rejected]
        self.rows += len(lines)
        if not lines or not self._enabled:
            return
        try:
            if self._stream is None:
                self._stream = open_lines(self.path)
            whole = os.fstat(self._stream.fileno()).st_size
            try:
                write_lines(self._stream, b"".join(lines))
            except OSError:
                # No half line stays, which nobody could read.
                with suppress(OSError):
                    os.ftruncate(self._stream.fileno(), whole)
                raise
        except OSError as error:
            raise unwritable(self.path, error) from error

    def origin_of(self, rejection: Rejection) -> Origin:
        """How a row of this batch was read, and is to be read again."""
        kind = cast(Kind, rejection.kind)
        if rejection.checked:
            return Origin(kind, "generic")
        return Origin(kind, self._loader, self._mapping, self._time_zone, self._time_unit)

    def close(self) -> Path | None:
        """Force the rows onto the disk; the file's path, or None where there is none. May be repeated."""
        if self._stream is not None:
            stream, self._stream = self._stream, None
            try:
                with stream:
                    os.fsync(stream.fileno())
            except OSError as error:
                raise unwritable(self.path, error) from error
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


def refusal_key(rejection: Rejection, origin: Origin) -> bytes:
    """What makes two refusals the same row of the same source, read in the same way, whatever the reason.

    Read in another way it is another refusal: a mapping that was mended, or a second one that makes other events.
    """
    row = [rejection.source, rejection.line, rejection.row]
    way = [origin.kind, origin.loader, origin.mapping, origin.time_zone, origin.time_unit]
    return blake2b(orjson.dumps(writable([*row, *way])), digest_size=16).digest()


def refused_before(data_dir: Path, but: Path | None = None) -> dict[bytes, Path]:
    """Rows that lie in quarantine already, and where; a file that was mended into nonsense is passed over.

    Args:
        data_dir: The project's data folder.
        but: A file that is left out.
    """
    found: dict[bytes, Path] = {}
    for path in sorted((data_dir / FOLDER).glob("*.jsonl")):
        if path == but:
            continue
        try:
            for row in read_quarantine(path, torn=True):
                found.setdefault(refusal_key(row.rejection, row.origin), path)
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


def finish_retry(path: Path, left: Sequence[Refused], taken: Sequence[Refused], batch: str) -> Path:
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
        append_rows(done, (line_of(rejection, origin, retried_by=batch) for rejection, origin in taken))
        if not left:
            path.unlink()
            return done
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        append_rows(fresh, (line_of(rejection, origin) for rejection, origin in left))
        os.replace(fresh, path)
    except OSError as error:
        raise unwritable(path, error) from error
    return path


def append_rows(path: Path, lines: Iterable[bytes]) -> None:
    """Append lines to a file and force them onto the disk; there is no file without a line.

    Raises:
        OSError: The file cannot be written to.
    """
    for first in (lines := iter(lines)):
        with open_lines(path) as stream:
            write_lines(stream, first)
            while some := b"".join(itertools.islice(lines, LINES_AT_ONCE)):
                write_lines(stream, some)
            os.fsync(stream.fileno())


def line_of(rejection: Rejection, origin: Origin, *, retried_by: str | None = None) -> bytes:
    """A row as a line of a quarantine file."""
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
    }
    if rejection.columns is not None:
        document["columns"] = list(rejection.columns)
        document["separator"] = rejection.separator
    if rejection.constants:
        document["constants"] = dict(rejection.constants)
    if retried_by is not None:
        document["retried_by"] = retried_by
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
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise SourceError(
            f"{path}, line {number}: is not a line of the quarantine: {error}.",
            "Mend the line, or delete it.",
        ) from error
    return QuarantinedRow(rejection, origin, entry.get("retried_by"))
