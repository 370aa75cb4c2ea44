"""Parameters of a query, written ``$name``: found in the text, and bound by the database itself."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any

from graphprofile.errors import UsageError

# What quotes and comments hold is no parameter; a dollar-quoted text of PostgreSQL looks most like one.
_PARTS = re.compile(
    r"""
    (?<!\w)[eE]'(?:[^'\\]|\\.|'')*'
  | '(?:[^']|'')*'
  | "(?:[^"]|"")*"
  | `[^`]*`
  | --[^\n]*
  | /\*.*?\*/
  | (?P<quote>\$(?:[A-Za-z_]\w*)?\$).*?(?P=quote)
  | (?<![\w$])\$(?P<name>[A-Za-z_]\w*)
    """,
    re.DOTALL | re.VERBOSE,
)


def parameter_names(sql: str) -> list[str]:
    """Names of the parameters, in the order of their first use."""
    return list(dict.fromkeys(found["name"] for found in _PARTS.finditer(sql) if found["name"]))


def check_parameters(sql: str, given: Mapping[str, Any]) -> None:
    """Refuse a query whose parameters are not those that are given.

    Raises:
        UsageError: One has no value, or is not in the query.
    """
    names = parameter_names(sql)
    for name in names:
        if name not in given:
            raise UsageError(f"The query has ${name}, and no value for it.", f"Give one: --param {name}=...")
    for name in given:
        if name not in names:
            raise UsageError(
                f"There is no ${name} in the query.",
                f"Its parameters: {', '.join(f'${one}' for one in names) or 'none'}.",
            )


def numbered(sql: str) -> tuple[str, list[str]]:
    """The query with ``$1``, ``$2`` in place of names, and the names in that order.

    Places keep their width where they can, so that the position of an error is that in the query as it was written.
    """
    names = parameter_names(sql)
    numbers = {name: f"${place}" for place, name in enumerate(names, start=1)}
    return _replaced(sql, numbers.__getitem__), names


def marked(sql: str) -> tuple[str, list[str]]:
    """The query with ``?`` in place of names, and the names in order, one for each place."""
    names = [found["name"] for found in _PARTS.finditer(sql) if found["name"]]
    return _replaced(sql, lambda _: "?"), names


def without_end(sql: str) -> str:
    """The query without the semicolon that ends it, and without what follows that."""
    bare = _PARTS.sub(lambda found: " " * len(found[0]) if found[0][:2] in ("--", "/*") else found[0], sql)
    return sql[: len(bare.rstrip().rstrip(";"))]


def _replaced(sql: str, text_of: Any) -> str:
    def one(found: re.Match[str]) -> str:
        name = found["name"]
        return str(text_of(name)).ljust(len(name) + 1) if name else found[0]

    return _PARTS.sub(one, sql)


def as_text(value: Any) -> Any:
    """A parameter's value for databases that take numbers and text only."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    return value.isoformat() if isinstance(value, (datetime, date, time)) else str(value)
