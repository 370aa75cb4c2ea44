"""The one way to the graph: named queries in explicit transactions, repeated while errors are passing."""

from __future__ import annotations

import atexit
import contextlib
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import neo4j

from graphprofile import queries
from graphprofile.errors import EngineError, UsageError
from graphprofile.settings import Settings
from graphprofile.store import asking, bulk, embedded
from graphprofile.store.drawing import drawable
from graphprofile.store.engines import (
    Neo4j,
    write_clause,
    writes_refused,
)
from graphprofile.store.limits import ANSWER_BYTES, Limits, Scope, limited
from graphprofile.store.link import DRIVER_ERRORS, Link
from graphprofile.store.reading import plain
from graphprofile.store.schema import create_schema
from graphprofile.store.transaction import Transaction, all_rows, roll_back, run_statement
from graphprofile.store.vectors import VectorIndexes

T = TypeVar("T")
STREAM_FETCH_SIZE = 5000


class Store(VectorIndexes):
    """A graph on either engine: a server by its URI, or the embedded engine without one.

    May be used from several threads. Closes itself at the end of the program.

    Attributes:
        settings: How it was opened.
        engine: ``arcadedb`` or ``neo4j``.
        embedded: Whether it is the embedded store in the data folder.
    """

    def __init__(self, settings: Settings) -> None:
        """Connect at once; see :meth:`open`."""
        self.settings = settings
        self.embedded = settings.uri is None
        self._link = Link(settings)
        self.engine = self._link.kind.name
        self._scope = Scope()
        _open_stores.add(self)

    @classmethod
    def open(cls, settings: Settings) -> Store:
        """Connect to the engine the settings name; the embedded one is started where nobody runs it.

        Raises:
            EngineUnavailable: Nobody answers at the URI, or the embedded engine does not start.
            AuthenticationFailed: Wrong user or password.
            EngineError: No such database.
            UsageError: The URI is none.
        """
        return cls(settings)

    @property
    def looks_up_relationships(self) -> bool:
        """Whether the engine finds a relationship by an indexed property of its own."""
        return self._link.kind.looks_up_relationships

    @property
    def writers(self) -> int:
        """How many transactions of one load are worth writing side by side."""
        return self._link.kind.writers

    @property
    def builds_vector_index_at_once(self) -> bool:
        """See :class:`graphprofile.store.engines.Engine`."""
        return self._link.kind.builds_vector_index_at_once

    @property
    def cannot_hold(self) -> frozenset[str]:
        """Kinds of property value that the engine has no place for, as :class:`store.values.Encoder` names them."""
        return self._link.kind.cannot_hold

    @property
    def uri(self) -> str:
        """The Bolt address in use."""
        return self._link.uri

    def read(self, query: str, /, *, event_types: Sequence[str] = (), **params: Any) -> list[dict[str, Any]]:
        """Run a named query that only reads and collect its rows; repeated while errors are passing.

        Raises:
            EngineError: The statement failed; names the query.
        """
        text = queries.text(query, tuple(event_types))

        def attempt() -> list[dict[str, Any]]:
            with self._reading() as runner:
                return all_rows(run_statement(runner, text, params))

        return self._link.repeat(attempt, f"query {query}")

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Everything that this thread reads inside the block has so many seconds together.

        A query that runs then is ended, also in the engine: see :mod:`graphprofile.store.limits`.

        Raises:
            QueryTimeout: By a read inside the block.
        """
        outer, self._scope.limits = self._scope.limits, Limits(seconds)
        try:
            yield
        finally:
            self._scope.limits = outer

    def check_time(self) -> None:
        """For who works in this process inside :meth:`within`.

        Raises:
            QueryTimeout: The time of this thread is over.
        """
        if self._scope.limits is not None:
            self._scope.limits.left()

    @contextlib.contextmanager
    def _reading(self, fetch_size: int = 1000) -> Iterator[neo4j.Session | neo4j.Transaction]:
        """What a query that only reads is run by, within the limits that hold."""
        limits = self._scope.limits
        with self._link.session(read_only=True, fetch_size=fetch_size) as session:
            if limits is None:
                yield session
                return
            with limited(self._link, session, limits) as transaction:
                yield transaction

    def ask(self, text: str, params: Mapping[str, Any], *, rows: int, seconds: float) -> asking.Rows:
        """Run somebody's Cypher text that only reads this graph, within limits.

        Args:
            text: One statement; see :func:`graphprofile.store.asking.refuse_all_but_reading`.
            params: Its ``$parameters``.
            rows: At most so many; more are not fetched.
            seconds: After these it is ended.

        Returns:
            Rows of values as :func:`graphprofile.store.drawing.drawable` makes them.

        Raises:
            QueryTimeout: It took longer.
            QueryTooLarge: It needs more memory than the engine gives, or answers more than 16 MiB.
            UsageError: It does more than read, or cannot be run as it stands.
        """
        asking.refuse_all_but_reading(text)
        limits = Limits(seconds, ANSWER_BYTES)
        return asking.ask(self._link, text, params, limits, most_rows=rows, convert=drawable)

    def runaways(self) -> int:
        """How many queries were ended for their time and go on in the engine nevertheless.

        Neo4j looks whether a query was ended between rows, not while it evaluates one expression.
        """
        kind = self._link.kind
        return kind.runaways(self._statement) if isinstance(kind, Neo4j) else 0

    def stream(
        self, query: str, /, *, event_types: Sequence[str] = (), **params: Any
    ) -> Iterator[dict[str, Any]]:
        """Run a named query that only reads and hand out its rows as they come, never all at once in memory.

        A failure before the first row is repeated; a later one is raised, since rows are already out.

        Raises:
            EngineError: The statement failed; names the query.
        """
        text = queries.text(query, tuple(event_types))
        where = f"query {query}"
        with contextlib.ExitStack() as stack:

            def attempt() -> tuple[neo4j.Result, neo4j.Record | None]:
                stack.close()
                reading = self._reading(STREAM_FETCH_SIZE)
                result = run_statement(stack.enter_context(reading), text, params)
                return result, next(iter(result), None)

            result, record = self._link.repeat(attempt, where)
            keys = result.keys()
            try:
                while record is not None:
                    yield dict(zip(keys, record.values(), strict=True))
                    record = next(iter(result), None)
            except DRIVER_ERRORS as error:
                raise self._link.translate(error, where) from error

    def cypher(
        self, text: str, params: Mapping[str, Any] | None = None, *, read_only: bool = True
    ) -> list[dict[str, Any]]:
        """Run a Cypher text of the user's own.

        Args:
            text: One statement.
            params: Its ``$parameters``.
            read_only: Refuse a text that writes. Neo4j runs it in a read transaction, which refuses by
                itself; on ArcadeDB the text is searched for writing clauses, and rolled back after it ran.

        Returns:
            Rows of plain values, see :func:`graphprofile.store.reading.plain`.

        Raises:
            UsageError: The text writes although ``read_only``, or cannot be run as it stands.
        """
        parameters = dict(params or {})
        if read_only:
            self._link.kind.refuse_writes(text)
            limits = self._scope.limits
            if limits is not None:
                return asking.ask(self._link, text, parameters, limits, most_rows=None, convert=plain).rows
        in_transactions = write_clause(text, only="TRANSACTIONS") is not None

        def attempt() -> list[dict[str, Any]]:
            with self._link.session(read_only=read_only) as session:
                if in_transactions:
                    return _plain_rows(run_statement(session, text, parameters))
                transaction = session.begin_transaction()
                try:
                    result = run_statement(transaction, text, parameters)
                    rows = _plain_rows(result)
                    counters = result.consume().counters
                except BaseException:
                    roll_back(transaction)
                    raise
                if not read_only:
                    transaction.commit()
                    return rows
                roll_back(transaction)
                if counters.contains_updates or counters.contains_system_updates:
                    raise writes_refused("it changed something")
                return rows

        try:
            return self._link.repeat(attempt, "query", own=True)
        except (TypeError, ValueError, OverflowError) as error:
            raise UsageError(
                f"A parameter of the query cannot be sent: {error}",
                "Use text, numbers, booleans, times, lists and maps of those.",
            ) from error

    def write(self, work: Callable[[Transaction], T]) -> T:
        """Do a unit of work in one transaction and commit it.

        Transient errors, deadlocks, write conflicts and a lost connection roll it back and repeat the whole
        of ``work``, for at most ``settings.retry_seconds``. A connection that is lost while committing leaves
        open whether the commit came through, so ``work`` must be such that doing it twice does no harm.

        Args:
            work: Gets the :class:`Transaction`; its return value is handed on.

        Raises:
            RetriesExhausted: Still in conflict when the time was over.
            EngineUnavailable: The engine went away and did not come back in that time.
            ConstraintViolated: A uniqueness constraint objected; nothing was written.
            EngineError: A statement failed; nothing was written.
        """

        def attempt() -> T:
            with self._link.session(read_only=False) as session:
                transaction = session.begin_transaction()
                try:
                    value = work(Transaction(self._link, transaction))
                except BaseException:
                    roll_back(transaction)
                    raise
                try:
                    transaction.commit()
                except DRIVER_ERRORS as error:
                    raise self._link.commit_failure(error) from error
                return value

        return self._link.repeat(attempt, "commit")

    def create_schema(self, event_types: Sequence[str]) -> dict[str, int]:
        """Uniqueness constraints and indexes, as far as they are missing; returns when they are online.

        Args:
            event_types: Relationship types of the declared vocabulary.

        Returns:
            How many the graph needs and now has: ``constraints``, and ``indexes`` beside those.

        Raises:
            EngineError: One cannot be made, e.g. because what is there already is not unique.
        """
        return create_schema(self._statement, self._link.kind, event_types)

    def require_alone(self) -> None:
        """Refuse where others use the embedded store; see :func:`graphprofile.store.bulk.require_alone`."""
        bulk.require_alone(self._bulk_channel())

    def bulk_write(
        self, folder: Path, rules: Mapping[str, Any], progress: Callable[[int, int], None]
    ) -> None:
        """Have the embedded engine write prepared files; see :func:`graphprofile.store.bulk.write`.

        The store stays marked as unfinished until :meth:`bulk_finish`.
        """
        bulk.write(self._bulk_channel(), folder, rules, progress)

    def bulk_finish(self) -> None:
        """End a bulk load; see :func:`graphprofile.store.bulk.finish`."""
        bulk.finish(self._bulk_channel())

    def _bulk_channel(self) -> embedded.Channel:
        if self._link.channel is None:
            raise EngineError(f"{self.uri} is a server: only the embedded engine takes a bulk load.")
        return self._link.channel

    def close(self) -> None:
        """Leave the engine; the embedded one ends when nobody else uses it and it was not told to stay."""
        self._link.close()
        _open_stores.discard(self)

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _statement(self, text: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        """A schema statement, which engines run outside of explicit transactions."""

        def attempt() -> list[dict[str, Any]]:
            try:
                with self._link.session(read_only=False) as session:
                    return all_rows(run_statement(session, text, params))
            except DRIVER_ERRORS as error:
                if self._link.kind.made_meanwhile(error):
                    return []
                raise

        return self._link.repeat(attempt, "schema")


_open_stores: weakref.WeakSet[Store] = weakref.WeakSet()


@atexit.register
def _close_open_stores() -> None:
    """What was left open at the end of the program, Ctrl-C included."""
    for store in list(_open_stores):
        store.close()


def _plain_rows(result: neo4j.Result) -> list[dict[str, Any]]:
    keys = result.keys()
    return [dict(zip(keys, map(plain, record.values()), strict=True)) for record in result]
