"""Audiences: people who meet conditions."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from graphprofile.cli.options import Connection, common
from graphprofile.cli.output import note, print_json, print_table
from graphprofile.errors import UsageError

if TYPE_CHECKING:
    from graphprofile.audience import Audience

DONE = 0
CONDITION = "CONDITION"


@click.command(
    epilog="Example: graphprofile audience --all 'interest tag=Poetry share=0.2' --none 'did days=365'"
)
@click.option("--all", "all_of", multiple=True, metavar=CONDITION, help="Must hold; may be repeated.")
@click.option("--any", "any_of", multiple=True, metavar=CONDITION, help="One of these must hold.")
@click.option("--none", "none_of", multiple=True, metavar=CONDITION, help="May not hold.")
@click.option("--count", "count_only", is_flag=True, help="Only how many there are.")
@click.option("--csv", "out", metavar="FILE", help="Write all of them there; - for stdout.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="So many are shown."
)
@common
def audience(
    connection: Connection,
    all_of: tuple[str, ...],
    any_of: tuple[str, ...],
    none_of: tuple[str, ...],
    count_only: bool,
    out: str | None,
    limit: int,
) -> int:
    """Count and list the people who meet conditions.

    \b
    interest tag=Poetry             also share=0.2, score=1.5, top=3
    property city=Paris             = != < <= > >=
    did event=purchased times=2     also days=30, since=, until=, tag=, item=
    seen last since=2024-01-01      first or last; also until=, days=
    like user=u1 user=u2 k=100      the people nearest to these
    vector status=fresh             fresh, stale, cold_start or missing
    """  # noqa: D301
    with connection.open() as gp:
        found = gp.audience(all_of, any_of, none_of)
        if out is not None:
            rows = _write(found, out)
            if connection.as_json and out != "-":
                print_json({"words": found.words(), "rows": rows, "out": out})
            elif out != "-":
                print(f"{rows:,} people written to {out}")
            return DONE
        count = found.count()
        users = [] if count_only else found.page(limit)
    if connection.as_json:
        document = {"words": found.words(), "count": count}
        print_json(document if count_only else {**document, "users": [user.to_json() for user in users]})
    elif count_only:
        print(count)
    else:
        note(found.words())
        print_table(
            ["id", "name", "top tags", "events", "last seen"],
            [
                (
                    user.id,
                    user.properties.get("name"),
                    ", ".join(user.top_tags[:3]),
                    user.events,
                    (user.last_seen or "")[:10],
                )
                for user in users
            ],
            title=f"{count:,} people" + (f"; the first {limit:,}" if count > limit else ""),
        )
    return DONE


def _write(found: Audience, out: str) -> int:
    """All people as CSV; returns how many.

    Raises:
        UsageError: The file cannot be written.
    """
    if out == "-":
        return sum(1 for line in _lines(found) if sys.stdout.write(line)) - 1
    try:
        with Path(out).open("w", encoding="utf-8", newline="") as file:
            return sum(1 for line in _lines(found) if file.write(line)) - 1
    except OSError as error:
        raise UsageError(
            f"{out}: cannot be written: {error.strerror or error}.", "Name another file."
        ) from error


def _lines(found: Audience) -> Iterator[str]:
    from graphprofile.spreadsheet import csv_lines

    return csv_lines(found.table())
