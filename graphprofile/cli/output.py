"""What commands print: one JSON document, or tables for people; progress on stderr."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from graphprofile.records import Progress


COPIED = frozenset({"version", "batch", "id", "file", "user"})
"""Columns whose values people copy: never broken over lines."""


def print_json(document: Any) -> None:
    """One document on stdout and nothing else; NaN and infinity become null."""
    sys.stdout.write(json.dumps(finite(document), ensure_ascii=False, indent=2, default=str) + "\n")


def finite(value: Any) -> Any:
    """The same value with NaN and infinities replaced by None, which JSON has no word for."""
    if isinstance(value, float):
        return value if value == value and value not in (float("inf"), float("-inf")) else None
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


def show_error(as_json: bool, code: str, message: str, hint: str | None) -> None:
    """An error on stderr, as a JSON document or as lines for people."""
    if as_json:
        print(json.dumps({"error": {"code": code, "message": message, "hint": hint}}), file=sys.stderr)
        return
    print(f"Error: {message}", file=sys.stderr)
    if hint:
        print(f"  {hint}", file=sys.stderr)


def note(text: str) -> None:
    """A remark for people, on stderr."""
    print(text, file=sys.stderr)


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    title: str | None = None,
    *,
    stderr: bool = False,
    exact: bool = False,
) -> None:
    """A table for people; numbers to the right, ``exact`` ones as they are."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(
            (isinstance(row[index], int | float) and not isinstance(row[index], bool)) or row[index] is None
            for row in rows
        )
        table.add_column(
            column,
            justify="right" if numeric else "left",
            overflow="fold",
            no_wrap=column in COPIED,
        )
    for row in rows:
        table.add_row(*(escape(cell(value, exact=exact)) for value in row))
    # Piped into a file or another program a table is as wide as it needs to be.
    stream = sys.stderr if stderr else sys.stdout
    Console(file=stream, width=None if stream.isatty() else 200).print(table)


def print_pairs(pairs: Mapping[str, Any], title: str | None = None) -> None:
    """Names and values, one pair a line."""
    if title:
        print(title)
    width = max((len(name) for name in pairs), default=0)
    for name, value in pairs.items():
        print(f"  {name.ljust(width)}  {cell(value)}")


def cell(value: Any, *, exact: bool = False) -> str:
    """A value as people read it; an ``exact`` number can be read back: the shortest text that gives it again."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        if exact:
            return repr(value)
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:.0f}"
    if isinstance(value, list | tuple):
        return ", ".join(cell(item, exact=exact) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {cell(item, exact=exact)}" for key, item in value.items())
    return str(value)


@contextlib.contextmanager
def progress_bar(enabled: bool) -> Iterator[Progress | None]:
    """A progress bar on stderr, or None where nobody would see one."""
    if not enabled or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    with Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        tasks: dict[str, Any] = {}

        def step(what: str, done: int, total: int | None) -> None:
            # What follows a colon is how it stands, not another task.
            task = what.partition(":")[0]
            if task not in tasks:
                tasks[task] = bar.add_task(task, total=total)
            bar.update(tasks[task], description=what, completed=done, total=total)

        yield step
