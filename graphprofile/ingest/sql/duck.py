"""Queries to DuckDB: its own files, and folders of Parquet or CSV files."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from graphprofile.errors import SourceError, UsageError
from graphprofile.ingest.files import DAMAGED, open_source
from graphprofile.ingest.header import read_header
from graphprofile.ingest.sql.address import Address
from graphprofile.ingest.sql.arrow_rows import ArrowQuery
from graphprofile.ingest.sql.query import Closers, missing_package, no_connection, no_rows, refused
from graphprofile.ingest.sql.source import SqlSource
from graphprofile.records import SourceFile

BATCH_ROWS = 60_000
MOST_OF_HEADER = 1 << 20
ENDINGS = {
    "parquet": (".parquet", ".pq"),
    "csv": (".csv", ".csv.gz", ".csv.zst", ".tsv", ".tsv.gz", ".tsv.zst"),
}
OPTIONS = {"memory_limit": "1GB", "threads": "2"}
"""What an address may say behind ``?``, with the defaults; what a sort needs beyond the memory goes to a folder."""


def open_duckdb(source: SqlSource, address: Address) -> ArrowQuery:
    """Run a query.

    A file is opened for reading only, and only that file, or that folder, can be read by it; the database in memory
    can read local files. No extension is fetched, so nothing comes over a network.

    Raises:
        SourceError: The file is no such database, the folder holds no file, or the query is refused.
        UsageError: The package is missing, or an option is unknown.
    """
    try:
        import duckdb
    except ImportError as error:
        raise missing_package(f"{address.scheme} addresses", "duckdb") from error
    unknown = sorted(set(address.options) - set(OPTIONS))
    if unknown:
        raise UsageError(f"{address.name}: there is no option {unknown[0]}.", f"Known: {', '.join(OPTIONS)}.")
    spilled = tempfile.mkdtemp(prefix="graphprofile-")
    closers = Closers()
    closers.add(lambda: shutil.rmtree(spilled, ignore_errors=True))
    config: dict[str, Any] = {
        **OPTIONS,
        **address.options,
        "temp_directory": spilled,
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    own_file = address.scheme == "duckdb" and address.path is not None
    try:
        try:
            connection = duckdb.connect(
                str(address.path) if own_file else ":memory:", read_only=own_file, config=config
            )
            closers.add(connection.close)
            connection.execute("SET TimeZone = 'UTC'")
        except duckdb.Error as error:
            raise no_connection(address, _said(error)) from error
        try:
            _close_off(connection, address)
            statements = connection.extract_statements(source.sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise no_rows(address)
            answer = connection.sql(source.sql, params=dict(source.params) or None)
            reader = answer.to_arrow_reader(BATCH_ROWS)
        except (duckdb.Error, OSError) as error:
            raise refused(address, _said(error)) from error
        closers.add(reader.close)
        return ArrowQuery(source, address, reader, closers, (duckdb.Error,), _said)
    except BaseException:
        closers.close()
        raise


def _close_off(connection: Any, address: Address) -> None:
    """Make a folder's files the table ``files``, and leave no other way to the disk than is needed."""
    if address.scheme != "duckdb":
        assert address.path is not None
        folder = address.path.absolute()
        files = _files(folder, address)
        table = (
            read_csv(files)
            if address.scheme == "csv"
            else f"SELECT * FROM read_parquet({_options(files)}, union_by_name = true)"  # nosec B608
        )
        connection.execute(f"CREATE VIEW files AS {table}")
        allowed = "allowed_directories" if folder.is_dir() else "allowed_paths"
        connection.execute(f"SET {allowed} = [{_quoted(str(folder))}]")
    if address.path is not None:
        connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def read_csv(files: Sequence[Path]) -> str:
    """A query for the rows of CSV files, whose columns are told by their headers and by nothing else.

    What DuckDB guesses from the head of a file leaves out lines that do not fit, and refuses the whole of it for one
    cell further down.

    Raises:
        SourceError: A file is not what its name says, or has no header.
    """
    groups: dict[tuple[tuple[str, ...], str], list[Path]] = {}
    for path in files:
        groups.setdefault(_header(path), []).append(path)
    return " UNION ALL BY NAME ".join(
        f"SELECT * FROM read_csv({_options(paths)}, auto_detect = false, header = true, skip = 0, "
        f"delim = {_quoted(separator)}, quote = '\"', escape = '\"', columns = {_texts(columns)})"  # nosec B608
        for (columns, separator), paths in groups.items()
    )


def _texts(columns: Sequence[str]) -> str:
    return "{" + ", ".join(f"{_quoted(name)}: 'VARCHAR'" for name in columns) + "}"


def _header(path: Path) -> tuple[tuple[str, ...], str]:
    opened = open_source(SourceFile(path, None))
    try:
        line = opened.stream.readline(MOST_OF_HEADER).decode("utf-8-sig").rstrip("\r\n")
    except (UnicodeDecodeError, *DAMAGED) as error:
        raise SourceError(
            f"{path}: the header cannot be read: {error}.", "Save the file as UTF-8."
        ) from error
    finally:
        opened.raw.close()
    return read_header(line, None, opened.format == "tsv", str(path))


def _options(files: Sequence[Path]) -> str:
    """The files, and whether the folders that they lie in are columns (``year=2026``)."""
    listed = ", ".join(_quoted(str(path)) for path in files)
    parts = any("=" in part for path in files for part in path.parts[:-1])
    return f"[{listed}], hive_partitioning = {str(parts).lower()}"


def _files(path: Path, address: Address) -> list[Path]:
    if path.is_file():
        return [path]
    endings = ENDINGS[address.scheme]
    found = sorted(
        entry
        for entry in path.rglob("*")
        if entry.name.lower().endswith(endings)
        and entry.is_file()
        and not any(part.startswith((".", "_")) for part in entry.relative_to(path).parts)
    )
    if not found:
        raise SourceError(
            f"{address.name}: the folder holds no {address.scheme} file.", f"Known: {', '.join(endings)}."
        )
    return found


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _said(error: Exception) -> str:
    """What DuckDB said, without its advice on how to leave such lines out, and without a statement of ours."""
    text = str(error).partition("\nPossible fixes:")[0].partition("\nLINE 1: CREATE VIEW files")[0]
    if "CSV Error" in text:
        text += "\nMend the line; or load the files without a query, which puts such lines into quarantine"
    return text
