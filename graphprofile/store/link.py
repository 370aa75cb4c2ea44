"""A connection that is mended when it breaks, and the loop that repeats what failed for a passing reason."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import neo4j
from neo4j import GraphDatabase, NotificationMinimumSeverity
from neo4j.exceptions import ConfigurationError, DriverError, Neo4jError
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    wait_random_exponential,
)

from graphprofile.errors import EngineError, EngineUnavailable, RetriesExhausted, UsageError
from graphprofile.logs import log
from graphprofile.settings import Settings
from graphprofile.store import embedded
from graphprofile.store.engines import ArcadeDB, Engine, Neo4j, connection_lost, engine_of
from graphprofile.store.silence import bound_silence

T = TypeVar("T")
DRIVER_ERRORS = (Neo4jError, DriverError, OSError)
CONNECT_ATTEMPTS = 3
LOST_EMBEDDED = 3
VIOLATIONS = 5
SCHEMES = ("neo4j", "neo4j+s", "neo4j+ssc", "bolt", "bolt+s", "bolt+ssc")

# The driver logs what it also raises; without a handler of the program's own that would go to stderr.
logging.getLogger("neo4j").addHandler(logging.NullHandler())


class Passing(Exception):
    """Carries a driver error that is worth another attempt; never leaves this package."""

    def __init__(self, cause: Exception, *, lost: bool) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.lost = lost


class Link:
    """The driver, and for the embedded engine the control connection to its owner.

    Attributes:
        kind: The engine at the other end.
        uri: Its Bolt address.
        channel: Control connection to the owner of the embedded store, None for a server.
    """

    def __init__(self, settings: Settings) -> None:
        """Connect at once.

        Raises:
            EngineUnavailable: Nobody answers, or the embedded engine does not start.
            AuthenticationFailed: Wrong user or password.
            EngineError: No such database.
            UsageError: The URI is none.
        """
        if settings.uri is not None and settings.uri.partition("://")[0] not in SCHEMES:
            raise UsageError(
                f"{settings.uri} is not the address of a graph engine.",
                "Write it as neo4j://HOST:7687 or bolt://HOST:7687.",
            )
        self.settings = settings
        self.kind: Engine = Neo4j() if settings.uri else ArcadeDB()
        self.uri = settings.uri or ""
        self.channel: embedded.Channel | None = None
        self._driver: neo4j.Driver | None = None
        self._database: str | None = None
        self._bookmarks: Any = None
        self._idle: dict[tuple[bool, int], list[neo4j.Session]] = {}
        self._lock = threading.RLock()
        self._generation = 0
        self._closed = False
        self._pid = os.getpid()
        for attempt in range(CONNECT_ATTEMPTS):
            try:
                self._connect()
                return
            except EngineUnavailable:
                # An embedded owner may end between the moment it is found and the first word to it.
                if settings.uri or attempt == CONNECT_ATTEMPTS - 1 or self.channel is None:
                    raise
            finally:
                if self._driver is None:
                    self._disconnect(leave=True)

    @contextlib.contextmanager
    def session(self, *, read_only: bool, fetch_size: int = 1000) -> Iterator[neo4j.Session]:
        """A driver's session, used again where the last use of it went well.

        A session that is made anew each time ends as cyclic garbage with a destructor, and a Ctrl-C that comes
        while Python collects such garbage is lost in there.

        Raises:
            UsageError: The store was closed.
            OSError: The connection is lost and could not be mended yet.
        """
        with self._lock:
            if self._closed:
                raise UsageError("The store is closed.", "Open it again.")
            if self._driver is None:
                raise ConnectionResetError("the connection is lost")
            generation, idle = self._generation, self._idle.setdefault((read_only, fetch_size), [])
            session = (
                idle.pop()
                if idle
                else self._driver.session(
                    database=self._database,
                    default_access_mode=neo4j.READ_ACCESS if read_only else neo4j.WRITE_ACCESS,
                    fetch_size=fetch_size,
                    bookmark_manager=self._bookmarks,
                )
            )
        try:
            yield session
        except BaseException:
            # Interrupted in the middle of a message the driver fails in ways of its own, which would hide why.
            with contextlib.suppress(Exception):
                session.close()
            raise
        with self._lock:
            if generation == self._generation and self._driver is not None:
                idle.append(session)
                return
        with contextlib.suppress(*DRIVER_ERRORS):
            session.close()

    def repeat(self, attempt: Callable[[], T], where: str, *, own: bool = False) -> T:
        """Do something until it succeeds, fails for good, or it is ``settings.retry_seconds`` since it failed first.

        Args:
            attempt: What to do, wholly, each time.
            where: What it is, for messages.
            own: Whether the statement is the user's own text.
        """
        lost = violations = 0
        failed_first: float | None = None

        def over(_: RetryCallState) -> bool:
            # An attempt may take minutes, or minutes may pass until a silent connection is given up.
            nonlocal failed_first
            failed_first = time.monotonic() if failed_first is None else failed_first
            return time.monotonic() - failed_first >= seconds

        def once() -> T:
            nonlocal lost, violations
            generation = self._generation
            try:
                return attempt()
            except Exception as error:
                # An interrupted driver may raise whatever its broken state gives; the interrupt is what counts.
                interrupt = _interrupt_behind(error)
                if interrupt is not None:
                    raise interrupt from None
                if not isinstance(error, (Passing, *DRIVER_ERRORS)):
                    raise
                failure = error if isinstance(error, Passing) else self.failure(error, where, own=own)
                if not isinstance(failure, Passing):
                    raise failure from error
                if self.kind.violates(failure.cause):
                    violations += 1
                    if violations >= VIOLATIONS:
                        raise self.translate(failure.cause, where) from failure.cause
                if failure.lost:
                    lost += 1
                    # An embedded engine that dies again and again does so because of what is asked of it.
                    if self.settings.uri is None and lost > LOST_EMBEDDED:
                        raise self.translate(failure.cause, where) from failure.cause
                    self._reconnect(generation)
                raise failure from failure.cause

        seconds = self.settings.retry_seconds
        retrying = Retrying(
            retry=retry_if_exception_type(Passing),
            wait=wait_random_exponential(multiplier=0.02, max=2.0),
            stop=over,
            before_sleep=partial(_log_repeat, where),
            reraise=True,
        )
        try:
            return retrying(once)
        except Passing as error:
            if error.lost:
                raise self.translate(error.cause, where) from error.cause
            raise RetriesExhausted(
                f"{where}: other writers were in the way for {seconds:g} s: {error.cause}",
                "Run fewer writers at a time, or raise retry_seconds.",
            ) from error.cause

    def failure(self, error: Exception, where: str, *, own: bool = False) -> Exception:
        """What to raise for a driver's error inside :meth:`repeat`."""
        lost = connection_lost(error)
        if lost or self.kind.transient(error):
            return Passing(error, lost=lost)
        return self.translate(error, where, own=own)

    def commit_failure(self, error: Exception) -> Exception:
        """As :meth:`failure`, for a commit: a violation found there may be a race, settled by repeating."""
        if self.kind.violations_race and self.kind.violates(error):
            return Passing(error, lost=False)
        return self.failure(error, "commit")

    def translate(self, error: Exception, where: str, *, own: bool = False) -> EngineError | UsageError:
        """The project's own error for a driver's."""
        if connection_lost(error) and self.settings.uri is None:
            root = embedded.store_folder(self.settings)
            return EngineUnavailable(
                f"{where}: the embedded engine of {root} is gone: {error}",
                f"See {root / 'engine.log'}; where it says OutOfMemoryError, raise heap_size.",
            )
        if own:
            return self.kind.translate_own(error, self.uri)
        return self.kind.translate(error, where, self.uri)

    def close(self) -> None:
        """Leave the engine; may be repeated."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            # A forked child has the parent's connections in hand, but they are not its own to say goodbye on.
            if self._pid == os.getpid():
                self._disconnect(leave=True)

    def _connect(self) -> None:
        user, self._database = self.settings.user, self.settings.database
        password = self.settings.password.get_secret_value() if self.settings.password else ""
        if self.settings.uri is None:
            self.channel = embedded.connect(self.settings)
            endpoint = self.channel.endpoint
            self.uri, user, password = endpoint.uri, endpoint.user, endpoint.password
            self._database = endpoint.database
        driver = None
        try:
            driver = GraphDatabase.driver(
                self.uri,
                auth=(user, password),
                connection_timeout=10.0,
                connection_acquisition_timeout=60.0,
                keep_alive=True,
                notifications_min_severity=NotificationMinimumSeverity.OFF,
                warn_notification_severity=NotificationMinimumSeverity.OFF,
                telemetry_disabled=True,
                user_agent="graphprofile",
            )
            if self.settings.uri is not None:
                bound_silence(driver, self.settings.silent_seconds)
            kind = engine_of(driver.get_server_info().agent)
            # Engines check the database's name only when something runs in it.
            with driver.session(database=self._database) as session:
                session.run("RETURN 1").consume()
        except (*DRIVER_ERRORS, ConfigurationError, ValueError) as error:
            if driver is not None:
                driver.close()
            if isinstance(error, (ConfigurationError, ValueError)):
                raise UsageError(f"{self.uri}: {error}", "Mend the URI, e.g. neo4j://HOST:7687.") from error
            raise self.translate(error, "connecting") from error
        self.kind, self._driver = kind, driver
        self._bookmarks = GraphDatabase.bookmark_manager() if isinstance(kind, Neo4j) else None

    def _disconnect(self, *, leave: bool) -> None:
        driver, self._driver = self._driver, None
        channel, self.channel = self.channel, None
        idle, self._idle = self._idle, {}
        for session in (session for sessions in idle.values() for session in sessions):
            with contextlib.suppress(*DRIVER_ERRORS):
                session.close()
        if driver is not None:
            with contextlib.suppress(*DRIVER_ERRORS):
                driver.close()
        if channel is not None:
            if leave:
                channel.close()
            else:
                channel.abandon()

    def _reconnect(self, generation: int) -> None:
        """Once per lost connection, whichever thread comes first; a server that is away is waited for."""
        with self._lock:
            if self._closed or generation != self._generation:
                return
            self._disconnect(leave=False)
            with contextlib.suppress(EngineUnavailable):
                self._connect()
                self._generation += 1
                log.info("engine_is_back", uri=self.uri, engine=self.kind.name)


def _log_repeat(where: str, state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome is not None else None
    if isinstance(error, Passing):
        tell, what = (log.warning, "engine_lost") if error.lost else (log.debug, "writers_met")
        tell(what, where=where, attempt=state.attempt_number, error=" ".join(str(error.cause).split()))


def _interrupt_behind(error: BaseException) -> BaseException | None:
    """The Ctrl-C or exit during whose handling an error came up, None where there was none."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, (KeyboardInterrupt, SystemExit)):
            return seen
        seen = seen.__cause__ or seen.__context__
    return None
