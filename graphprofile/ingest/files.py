"""Files on disk: found, recognised by their content, and opened through their compression."""

from __future__ import annotations

import bz2
import difflib
import glob
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from graphprofile.errors import SourceError
from graphprofile.ingest.json_tokens import holds_rows
from graphprofile.records import SourceFile

COMPRESSIONS = {".gz": "gzip", ".xz": "xz", ".bz2": "bzip2", ".zst": "zstd"}
FORMATS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".inter": "tsv",
    ".item": "tsv",
    ".user": "tsv",
    ".data": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
DAMAGED = (EOFError, zlib.error, lzma.LZMAError, OSError)
"""What a decompressor raises where the data are cut or damaged."""

_COMPRESSED = {b"\x1f\x8b": "gzip", b"\xfd7zXZ\x00": "xz", b"BZh": "bzip2", b"\x28\xb5\x2f\xfd": "zstd"}
_FOREIGN = {
    b"\x89PNG\r\n\x1a\n": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a ZIP archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Excel or Word document",
    b"SQLite format 3\x00": "an SQLite database",
    b"\x7fELF": "a program",
    b"ARROW1": "an Arrow IPC file",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"Rar!": "a RAR archive",
}
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_SNIFF = 65_536


@dataclass(frozen=True)
class Opened:
    """A file recognised and ready to be read.

    Attributes:
        stream: Bytes, decompressed.
        raw: The file itself; its ``tell`` says how far reading has come.
        format: csv | tsv | jsonl | json (one array) | documents (JSON that holds its rows inside) | parquet.
        size: Bytes on disk.
    """

    stream: IO[bytes]
    raw: IO[bytes]
    format: str
    size: int


def expand_paths(patterns: Iterable[str | Path]) -> list[Path]:
    """Files named by paths, folders (every data file directly in them) and globs, each once, in order.

    Raises:
        SourceError: Nothing there; names the closest sibling.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        path = Path(pattern)
        if path.is_dir():
            inside = sorted(entry for entry in path.iterdir() if entry.is_file() and is_data_file(entry))
            if not inside:
                raise SourceError(f"{path}: the folder holds no data file.", f"Known: {', '.join(FORMATS)}.")
            found.update(dict.fromkeys(inside))
        elif path.exists():
            found[path] = None
        elif glob.has_magic(str(pattern)):
            matches = [Path(entry) for entry in sorted(glob.glob(str(pattern), recursive=True))]
            files = [entry for entry in matches if entry.is_file()]
            if not files:
                raise SourceError(
                    f"{pattern}: no file matches.", "Check the pattern; quote it for the shell."
                )
            found.update(dict.fromkeys(files))
        else:
            raise SourceError(f"{path}: no such file.", _sibling(path))
    return list(found)


def is_data_file(path: Path) -> bool:
    """Whether a name is one of a file that can be loaded."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes and suffixes[-1] in COMPRESSIONS:
        suffixes.pop()
    return bool(suffixes) and suffixes[-1] in FORMATS and not path.name.startswith(".")


def _sibling(path: Path) -> str | None:
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return f"There is no folder {path.parent}."
    close = difflib.get_close_matches(path.name, names, n=1)
    return f"Did you mean {path.parent / close[0]}?" if close else None


def named_format(path: Path) -> tuple[str | None, str | None]:
    """Format and compression as the name of a file says; None where it says nothing."""
    compression = COMPRESSIONS.get(path.suffix.lower())
    inner = path.with_suffix("") if compression else path
    return FORMATS.get(inner.suffix.lower()), compression


def open_source(source: SourceFile) -> Opened:
    """Open a file, after a look at what it really is.

    Raises:
        SourceError: No such file, not readable, empty, or not what its name says.
    """
    path = source.path
    try:
        raw = path.open("rb")
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise SourceError(f"{path}: no such file.", _sibling(path)) from error
    except IsADirectoryError as error:
        raise SourceError(f"{path}: is a folder.", "Name the files in it.") from error
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror or error}.") from error
    try:
        return _recognised(source, raw, size)
    except BaseException:
        raw.close()
        raise


def _recognised(source: SourceFile, raw: IO[bytes], size: int) -> Opened:
    path = source.path
    head = raw.read(_SNIFF)
    raw.seek(0)
    if not head:
        raise SourceError(f"{path}: the file is empty.", "Check how it was written.")
    by_name, named_compression = named_format(path)
    compression = next((name for magic, name in _COMPRESSED.items() if head.startswith(magic)), None)
    if compression != named_compression:
        if compression is None:
            raise SourceError(
                f"{path}: is not {named_compression} data; it looks like {_looks_like(head)}.",
                f"Rename it without {path.suffix}, or compress it.",
            )
        raise SourceError(
            f"{path}: looks like {compression} data.", f"Rename it to {path.name}{_suffix(compression)}."
        )
    stream: IO[bytes] = raw
    if compression is not None:
        with path.open("rb") as again:
            head = _head(_decompressed(again, compression), path, compression)
        if not head:
            raise SourceError(f"{path}: the file is empty once decompressed.", "Check how it was written.")
        stream = _decompressed(raw, compression)
    actual = _format(source, by_name, head)
    return Opened(stream, raw, actual, size)


def _head(stream: IO[bytes], path: Path, compression: str) -> bytes:
    read1: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
    head = b""
    try:
        while len(head) < _SNIFF and (part := read1(_SNIFF - len(head))):
            head += part
    except DAMAGED as error:
        if not head:
            raise SourceError(
                f"{path}: the {compression} data are damaged from the start: {error}.", "Get the file again."
            ) from error
    return head


def _format(source: SourceFile, by_name: str | None, head: bytes) -> str:
    path, looks = source.path, _looks_like(head)
    wanted = source.format or by_name
    if looks == "a Parquet file":
        if wanted not in (None, "parquet"):
            raise SourceError(f"{path}: looks like a Parquet file, not {wanted}.", "Rename it to .parquet.")
        return "parquet"
    if wanted == "parquet":
        raise SourceError(f"{path}: is no Parquet file; it looks like {looks}.", "Check how it was written.")
    if looks not in ("text", "JSON text", "UTF-16 text"):
        raise SourceError(
            f"{path}: looks like {looks}, not {wanted or 'a table'}.", "Give CSV, JSON Lines or Parquet."
        )
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if wanted == "json":
        if start.startswith(b"["):
            return "json"
        return "documents" if source.inside and holds_rows(start, source.inside) else "jsonl"
    if path.suffix.lower() == ".json" or (wanted in (None, "jsonl") and start.startswith(b"[")):
        if start.startswith(b"["):
            raise SourceError(
                f"{path}: holds one JSON array; rows are read one JSON object a line.",
                f"Convert it: jq -c '.[]' {path.name} > {path.stem}.jsonl",
            )
        wanted = wanted or "jsonl"
    if wanted is None:
        return "jsonl" if looks == "JSON text" else "csv"
    if wanted in ("csv", "tsv") and looks == "JSON text" and source.columns is None:
        raise SourceError(f"{path}: looks like JSON, not {wanted.upper()}.", "Rename it to .jsonl.")
    return wanted


def _looks_like(head: bytes) -> str:
    if head.startswith(b"PAR1"):
        return "a Parquet file"
    for magic, name in {**_FOREIGN, **{key: f"{word} data" for key, word in _COMPRESSED.items()}}.items():
        if head.startswith(magic):
            return name
    if head.startswith(_UTF16):
        return "UTF-16 text"
    start = head[:512].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "a web page or XML"
    # A NUL further down costs its line; one at the very start says that these are no lines at all.
    if b"\0" in head[:4096].partition(b"\n")[0]:
        return "binary data"
    if start.startswith((b'{"', b"{ ", b"{}", b"{\n")):
        return "JSON text"
    return "text"


def _decompressed(raw: IO[bytes], compression: str) -> IO[bytes]:
    if compression == "gzip":
        return cast(IO[bytes], gzip.GzipFile(fileobj=raw, mode="rb"))
    if compression == "xz":
        return lzma.LZMAFile(raw)
    if compression == "bzip2":
        return bz2.BZ2File(raw)
    import pyarrow as pa

    arrow: Any = pa
    return io.BufferedReader(_Arrow(arrow.CompressedInputStream(raw, "zstd")))


class _Arrow(io.RawIOBase):
    """An Arrow input stream as a Python one."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Bytes read into the buffer."""
        # Small reads: what one read has decompressed before it meets damage is lost.
        data: bytes = self._stream.read(min(len(buffer), 1 << 14))
        buffer[: len(data)] = data
        return len(data)


def _suffix(compression: str) -> str:
    return next(suffix for suffix, name in COMPRESSIONS.items() if name == compression)
