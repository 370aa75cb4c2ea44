"""Queries of people whom the server does not know: read-only beyond what engines guard, and within limits."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphprofile.errors import EngineError, QueryTooLarge, UsageError
from graphprofile.store.engines import connection_lost, readings, write_clause, writes_refused
from graphprofile.store.limits import Cut, Limits, limited
from graphprofile.store.link import DRIVER_ERRORS, Link
from graphprofile.store.transaction import run_statement

FETCH_SIZE = 1000

READING_PROCEDURES = (
    "db.labels",
    "db.relationshiptypes",
    "db.propertykeys",
    "db.schema.visualization",
    "db.schema.nodetypeproperties",
    "db.schema.reltypeproperties",
    "db.index.vector.querynodes",
    "db.index.vector.queryrelationships",
    "db.index.fulltext.querynodes",
    "db.index.fulltext.queryrelationships",
)
SHOWN = ("INDEX", "INDEXES", "CONSTRAINT", "CONSTRAINTS")

_CALL = re.compile(r"(?<![.:$\w])CALL\b(?!\s*[:.)\]=,])\s*([({]|[\w.]*)", re.IGNORECASE)
_SHOW = re.compile(r"(?<![.:$\w])SHOW\s+(?:ALL\s+)?(\w*)", re.IGNORECASE)
_COMMAND = re.compile(
    r"(?<![.:$\w])(USE\s+[\w'.]|TERMINATE\s+TRANSACTIONS?|GRANT\s|DENY\s|REVOKE\s|RENAME\s|ENABLE\s+SERVER|"
    r"START\s+DATABASE|STOP\s+DATABASE|DEALLOCATE\s|DRYRUN\s|REALLOCATE\s)",
    re.IGNORECASE,
)


def refuse_all_but_reading(text: str) -> None:
    """Refuse a text that does anything but read this graph.

    Beside clauses that write: procedures but :data:`READING_PROCEDURES`, commands for the server and other databases,
    several statements. Errs on the side of refusing, as :func:`graphprofile.store.engines.write_clause` does.

    Raises:
        UsageError: It does, and names what.
    """
    clause = write_clause(text)
    if clause:
        raise writes_refused(clause, allow=None)
    for reading in readings(text):
        for found in _CALL.finditer(reading):
            name = found.group(1)
            if name not in ("(", "{") and name.lower() not in READING_PROCEDURES:
                raise UsageError(
                    f"The procedure {name or 'of a quoted name'} is not called from here.",
                    f"Those are: {', '.join(READING_PROCEDURES)}.",
                )
        for found in _SHOW.finditer(reading):
            if found.group(1).upper() not in SHOWN and found.start() == len(reading) - len(reading.lstrip()):
                raise UsageError(
                    f"SHOW {found.group(1).upper()} is not run from here.",
                    "Indexes and constraints are shown.",
                )
        command = _COMMAND.search(reading)
        if command:
            word = command.group(1).split()[0].upper()
            raise UsageError(
                f"{word} is a command for the server, and not run from here.", "Put a name in back-ticks."
            )
        if ";" in reading.rstrip().rstrip(";"):
            raise UsageError("There are several statements.", "Send them one at a time.")


@dataclass(frozen=True)
class Rows:
    """What a query answered.

    Attributes:
        columns: In the order of the query.
        rows: Values by column.
        truncated: Whether there were more rows.
    """

    columns: list[str]
    rows: list[dict[str, Any]]
    truncated: bool


def ask(
    link: Link,
    text: str,
    params: Mapping[str, Any],
    limits: Limits,
    *,
    most_rows: int | None,
    convert: Callable[[Any], Any],
) -> Rows:
    """Run a text that only reads, within limits; what is beyond the rows asked for is never fetched.

    Args:
        link: To the engine.
        text: One statement.
        params: Its parameters.
        limits: Time and bytes.
        most_rows: None for all.
        convert: Makes a driver's value plain.

    Raises:
        QueryTimeout: It took longer.
        QueryTooLarge: It needs more memory than the engine gives, or answers more bytes.
        UsageError: It writes, or cannot be run as it stands.
    """
    fetch_size = FETCH_SIZE if most_rows is None else min(FETCH_SIZE, most_rows + 1)

    def attempt() -> Rows:
        columns: list[str] = []
        rows: list[dict[str, Any]] = []
        begun = False
        try:
            with (
                link.session(read_only=True, fetch_size=fetch_size) as session,
                limited(link, session, limits) as transaction,
            ):
                begun = True
                result = run_statement(transaction, text, params)
                columns += result.keys()
                for record in result:
                    if most_rows is not None and len(rows) == most_rows:
                        raise Cut
                    rows.append(dict(zip(columns, map(convert, record.values()), strict=True)))
                counters = result.consume().counters
        except Cut:
            return Rows(columns, rows, truncated=True)
        except DRIVER_ERRORS as error:
            # Once more would end the next engine too.
            if begun and link.channel is not None and connection_lost(error):
                raise QueryTooLarge(
                    "The engine ended while it worked on the query, most likely for lack of memory.",
                    "Build smaller lists and texts; a larger heap_size under [store] helps, too.",
                ) from error
            raise
        if counters.contains_updates or counters.contains_system_updates:
            raise writes_refused("it changed something", allow=None)
        return Rows(columns, rows, truncated=False)

    try:
        return link.repeat(attempt, "query", own=True)
    except EngineError as error:
        # The embedded engine has one code for what is wrong with a query and for what is wrong with itself.
        if type(error) is EngineError:
            raise UsageError(f"The query failed: {error.message}", error.hint) from error
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise UsageError(
            f"A parameter of the query cannot be sent: {error}",
            "Use text, numbers, booleans, times, lists and maps of those.",
        ) from error
