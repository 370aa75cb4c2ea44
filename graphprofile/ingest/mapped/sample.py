"""A look at a file: its head and a few stretches of the rest, in bounded time whatever its size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from graphprofile.errors import SourceError
from graphprofile.ingest.files import DAMAGED, Opened, open_source
from graphprofile.ingest.header import read_header
from graphprofile.ingest.nested import unfolded
from graphprofile.ingest.rows import native_column
from graphprofile.ingest.text import CsvLines
from graphprofile.records import SourceFile

HEAD, STRETCH, STRETCHES = 1 << 20, 1 << 16, 16
PARQUET_ROWS = 4_000
_WRONG_FEW = 0.05
"""A file of which so few lines are no UTF-8 is UTF-8 with bad lines; one with more is in another encoding."""


@dataclass
class Sample:
    """What was seen of a file.

    Attributes:
        path: The file.
        format: csv | tsv | jsonl | parquet.
        frame: Rows under the source's names.
        encoding: As it seems.
        separator: Of a CSV file.
        whole: Whether all of the file was seen.
        refused: Lines of the sample that are no rows, with the first reason.
        notes: What a person should know of the file as a whole.
    """

    path: Path
    format: str
    frame: pl.DataFrame
    encoding: str = "utf-8"
    separator: str | None = None
    whole: bool = True
    refused: int = 0
    notes: list[str] = field(default_factory=list)


def take_sample(path: Path) -> Sample:
    """Look at a file.

    Raises:
        SourceError: It cannot be read, or holds no rows.
    """
    opened = open_source(SourceFile(path, None))
    try:
        if opened.format == "parquet":
            return _parquet(path, opened)
        data, whole = _stretches(opened, path)
    finally:
        opened.raw.close()
    found = Sample(path, opened.format, pl.DataFrame(), whole=whole)
    text = _decoded(data, found)
    if opened.format == "jsonl":
        found.frame = _objects(text, found)
    else:
        found.frame = _rows(text, found)
    if not found.frame.height:
        raise SourceError(f"{path}: the file holds no rows.", "Check how it was written.")
    return found


def _stretches(opened: Opened, path: Path) -> tuple[bytes, bool]:
    """Whole lines of the head and of stretches at even distances; of a compressed file the head alone."""
    try:
        head = opened.stream.read(HEAD)
    except DAMAGED as error:
        raise SourceError(f"{path}: the file is cut or damaged: {error}.", "Get it again.") from error
    if opened.stream is not opened.raw or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return (head, False) if len(head) == HEAD else (head, True)
    if len(head) >= opened.size:
        return head, True
    parts = [head[: head.rfind(b"\n") + 1]]
    step = (opened.size - HEAD) // STRETCHES
    for number in range(STRETCHES):
        opened.raw.seek(HEAD + number * step)
        part = opened.raw.read(STRETCH)
        start, end = part.find(b"\n") + 1, part.rfind(b"\n") + 1
        parts.append(part[start:end])
    return b"".join(parts), False


def _decoded(data: bytes, found: Sample) -> bytes:
    """The sample as UTF-8; says which encoding it takes the file to have."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        cut = data if len(data) % 2 == 0 else data[:-1]
        found.encoding = "utf-16"
        return cut.decode("utf-16", "replace").encode()
    data = data.removeprefix(b"\xef\xbb\xbf")
    lines = data.split(b"\n")
    wrong = sum(not _is_utf8(line) for line in lines)
    if not wrong:
        return data
    if (
        wrong <= max(1, _WRONG_FEW * len(lines))
        and len(lines) > 20
        and any(not line.isascii() and _is_utf8(line) for line in lines)
    ):
        found.notes.append(
            f"{wrong} of {len(lines)} lines seen are no UTF-8, others are: the encodings are mixed. Those lines will "
            "be refused; mend them at their source."
        )
        return data
    found.encoding = "cp1252"
    found.notes.append(
        f"{wrong} of {len(lines)} lines seen are no UTF-8; cp1252 is the usual other one in Western Europe. Look at "
        "the accents in the preview: cp1250 and cp1251 are those of the East."
    )
    return data.decode("cp1252", "replace").encode()


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _rows(text: bytes, found: Sample) -> pl.DataFrame:
    text = text.replace(b"\r\n", b"\n")
    if b"\n" not in text and b"\r" in text:
        text = text.replace(b"\r", b"\n")
    header, _, body = text.lstrip(b"\n").partition(b"\n")
    columns, found.separator = read_header(
        header.decode("utf-8"), None, found.format == "tsv", str(found.path)
    )
    if not found.whole:
        body = body[: body.rfind(b"\n") + 1]
    table = CsvLines(columns, found.separator, True).table(body, 2, True)
    found.refused = len(table.refused)
    if table.refused:
        line, reason, _ = table.refused[0]
        where = f"line {line}" if found.whole else "one of them"
        found.notes.append(f"{found.refused} lines seen are no rows; {where}: {reason}.")
    if any(name.replace(".", "").replace(",", "").isdigit() for name in columns):
        found.notes.append(
            "The first line looks like data, not like names: if it is, give the names in [source], columns = [...]."
        )
    return table.frame


def _objects(text: bytes, found: Sample) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    lines = text.split(b"\n")
    if not found.whole and lines:
        lines.pop()
    for line in lines:
        if line.strip():
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError:
                row = None
            if isinstance(row, dict):
                rows.append(row)
            else:
                found.refused += 1
    names = dict.fromkeys(name for row in rows for name in row)
    if found.refused:
        found.notes.append(f"{found.refused} lines seen are no JSON objects.")
    return unfolded(pl.DataFrame([native_column(name, [row.get(name) for row in rows]) for name in names]))


def _parquet(path: Path, opened: Opened) -> Sample:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(opened.raw)
        groups = file.num_row_groups
        step = max(1, groups // STRETCHES)
        parts = [_first(file.iter_batches(PARQUET_ROWS, row_groups=[at])) for at in range(0, groups, step)]
        table = pa.Table.from_batches([part for part in parts if part is not None], schema=file.schema_arrow)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{path}: the Parquet file cannot be read: {error}.", "Get it again.") from error
    frame = unfolded(pl.DataFrame(table))
    if not frame.height:
        raise SourceError(f"{path}: the file holds no rows.", "Check how it was written.")
    return Sample(path, "parquet", frame, whole=frame.height == file.metadata.num_rows)


def _first(batches: Iterator[Any]) -> Any:
    return next(batches, None)
