"""One explicit transaction, and how its statements are run."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import neo4j

from graphprofile import queries
from graphprofile.store.link import DRIVER_ERRORS, Link
from graphprofile.store.parameters import unprinted


class Transaction:
    """One explicit transaction; made by :meth:`Store.write`."""

    def __init__(self, link: Link, transaction: neo4j.Transaction) -> None:
        self._link = link
        self._transaction = transaction

    def run(
        self,
        query: str,
        /,
        *,
        event_types: Sequence[str] = (),
        quoted_names: Sequence[str] = (),
        **params: Any,
    ) -> list[dict[str, Any]]:
        """Run a named query and collect its rows.

        Args:
            query: Name of a file under ``cypher/``, e.g. ``tags/list_due``.
            event_types: Relationship types for a file that works on events.
            quoted_names: Labels, or a relationship type, for a file that takes any.
            **params: The query's parameters.

        Raises:
            ConstraintViolated: A uniqueness constraint objected; the transaction is over.
            EngineError: The statement failed; names the query.
        """
        text = queries.text(query, tuple(event_types), tuple(quoted_names))
        try:
            return all_rows(run_statement(self._transaction, text, params))
        except DRIVER_ERRORS as error:
            raise self._link.failure(error, f"query {query}") from error


def run_statement(
    runner: neo4j.Session | neo4j.Transaction, text: str, parameters: Mapping[str, Any]
) -> neo4j.Result:
    """Run a statement by the driver, whose type wants literal strings only: ours come from files or the user."""
    statement: Any = text
    return runner.run(statement, unprinted(parameters))


def all_rows(result: neo4j.Result) -> list[dict[str, Any]]:
    """The rows of a result."""
    keys = result.keys()
    return [dict(zip(keys, record.values(), strict=True)) for record in result]


def roll_back(transaction: neo4j.Transaction) -> None:
    """Undo, whatever state the driver is in: a transaction that cannot be told to end ends with its session."""
    with contextlib.suppress(Exception):
        transaction.rollback()
