"""Options that take rows from a database instead of files: ``--sql`` and what goes with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from graphprofile.cli.options import read_password
from graphprofile.errors import ConfigError


def query_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of everything that can read a database."""
    for option in (
        click.option(
            "--driver", metavar="NAME", help="With --sql: an ADBC driver, for a database not known here."
        ),
        click.option(
            "--from-password-file",
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE",
            help="With --sql: file that holds the database's password; PGPASSWORD and ~/.pgpass count too.",
        ),
        click.option(
            "--param",
            "parameters",
            multiple=True,
            metavar="NAME=VALUE",
            help="With --sql: value of $NAME in the query, as text.",
        ),
        click.option(
            "--from",
            "database_uri",
            metavar="URI",
            help="With --sql: sqlite:///FILE, duckdb:///FILE, parquet:///DIR, csv:///DIR or "
            "postgresql://USER@HOST/DB.",
        ),
        click.option(
            "--sql-file",
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE",
            help="As --sql, with the query in a file.",
        ),
        click.option("--sql", metavar="SELECT", help="Load the rows of a query to the database --from."),
    ):
        function = option(function)
    return function


def take_query(options: dict[str, Any], sources: tuple[str, ...]) -> tuple[Any, ...]:
    """The sources: those that are named, or the query of the options, which leave ``options``.

    Raises:
        ConfigError: The query's or the password's file cannot be read.
        UsageError: The query or the address cannot be used.
    """
    sql, path, uri = options.pop("sql"), options.pop("sql_file"), options.pop("database_uri")
    parameters, secret = options.pop("parameters"), options.pop("from_password_file")
    driver = options.pop("driver")
    context = click.get_current_context()
    if sql is None and path is None:
        for name, value in (
            ("--from", uri),
            ("--param", parameters),
            ("--from-password-file", secret),
            ("--driver", driver),
        ):
            if value:
                raise click.UsageError(f"{name} goes with --sql or --sql-file.", context)
        return sources
    if sql is not None and path is not None:
        raise click.UsageError("--sql and --sql-file do not go together.", context)
    if uri is None:
        raise click.UsageError("--sql needs --from URI: the database that answers it.", context)
    if sources:
        raise click.UsageError(f"--sql takes no source, here also {sources[0]}.", context)
    from graphprofile.ingest.sql.source import SqlSource

    return (
        SqlSource(
            uri,
            sql if path is None else _read_query(path),
            params=_pairs(parameters),
            password=None if secret is None else read_password(secret, "--from-password-file"),
            driver=driver,
        ),
    )


def _pairs(parameters: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for text in parameters:
        name, equals, value = text.partition("=")
        name = name.strip().removeprefix("$")
        if not equals or not name or name in pairs:
            why = "comes twice" if name in pairs else "is no NAME=VALUE"
            raise click.UsageError(f"--param {name or text} {why}.", click.get_current_context())
        pairs[name] = value
    return pairs


def _read_query(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "is not UTF-8"
        raise ConfigError(f"{path}: the query cannot be read: {why}.", "Check --sql-file.") from error
