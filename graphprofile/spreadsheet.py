"""CSV that people open in a spreadsheet: no cell of it is taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

FORMULA = ("=", "+", "-", "@", "\t", "\r")
SEPARATOR = "; "


def guarded(value: Any) -> Any:
    """A cell: text that a spreadsheet would run gets an apostrophe in front; numbers stay numbers."""
    if isinstance(value, list | tuple):
        value = SEPARATOR.join(str(one) for one in value if one is not None)
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value


def csv_lines(rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Rows as lines of CSV (RFC 4180)."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    for row in rows:
        writer.writerow([guarded(value) for value in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
