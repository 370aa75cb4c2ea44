"""Queries to DuckDB: its own files, and folders of Parquet or CSV files."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from graphprofile.errors import SourceError, UsageError
from graphprofile.ingest.sql.address import Address
from graphprofile.ingest.sql.arrow_rows import ArrowQuery
from graphprofile.ingest.sql.query import Closers, missing_package, no_connection, no_rows, refused
from graphprofile.ingest.sql.source import SqlSource

BATCH_ROWS = 60_000
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
        files = _files(address.path.absolute(), address)
        listed = ", ".join(_quoted(str(path)) for path in files)
        parts = str(any("=" in part for path in files for part in path.parts[:-1])).lower()
        common = f"union_by_name = true, hive_partitioning = {parts}"
        if address.scheme == "parquet":
            table = f"read_parquet([{listed}], {common})"
        else:
            # Types that are guessed from the head of a file refuse the whole of it for one cell further down.
            table = f"read_csv([{listed}], {common}, header = true, all_varchar = true)"
        connection.execute(f"CREATE VIEW files AS SELECT * FROM {table}")
        folder = address.path.absolute()
        allowed = "allowed_directories" if folder.is_dir() else "allowed_paths"
        connection.execute(f"SET {allowed} = [{_quoted(str(folder))}]")
    if address.name != "duckdb:":
        connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


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
    return str(error)
