"""Bounds on a read: seconds, after which the engine's work on it ends too, and bytes of its answer.

On Neo4j the transaction has a time limit of its own. The embedded engine's owner process ends the query, see
:mod:`graphprofile.store.owner_limits`. An ArcadeDB server over Bolt has no such way: the connection is closed, and the
query goes on there until ``arcadedb.command.timeout`` of that server ends it.

Between the driver and its socket stands a :class:`Gauge` meanwhile: the driver holds an answer's row in memory wholly
before anybody sees it, and a row may be a list of a thousand million numbers.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import neo4j

from graphprofile.errors import EngineError, QueryTimeout, QueryTooLarge
from graphprofile.store.engines import Neo4j
from graphprofile.store.link import DRIVER_ERRORS, Link

ANSWER_BYTES = 16 << 20
GRACE_SECONDS = 5.0
"""How long the engine may take to end a query before the connection is closed over it."""
NEVER_SECONDS = 1e6
CLOCK_SECONDS = 0.05
LIMITED = {"graphprofile": "limited"}
"""Metadata by which our limited transactions are known on the server."""

_TIMED_OUT = re.compile(r"TransactionTimedOut|Transaction\.Terminated|LockClientStopped")
_NO_MEMORY = re.compile(r"OutOfMemory|arcadedb\.queryMax|heap budget", re.IGNORECASE)


@dataclass
class Limits:
    """What one read may take.

    Attributes:
        seconds: From now; None without an end.
        answer_bytes: Of all rows together, as they come over the wire; None without an end.
    """

    seconds: float | None = None
    answer_bytes: int | None = None
    _ends: float | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.seconds is not None:
            self._ends = time.monotonic() + self.seconds

    def left(self) -> float | None:
        """Seconds left.

        Raises:
            QueryTimeout: None are.
        """
        if self._ends is None:
            return None
        left = self._ends - time.monotonic()
        if left <= 0:
            raise self.timeout()
        return left

    @property
    def over(self) -> bool:
        """Whether the time is over."""
        return self._ends is not None and time.monotonic() >= self._ends

    def timeout(self) -> QueryTimeout:
        """The error for who took longer."""
        return QueryTimeout(
            f"The query took longer than {self.seconds:g} s and was ended.",
            "Ask for less (fewer rows, a narrower MATCH, a smaller range), or give it more seconds.",
        )


class Scope(threading.local):
    """The limits that hold for the reads of this thread now."""

    limits: Limits | None = None


@contextlib.contextmanager
def limited(link: Link, session: neo4j.Session, limits: Limits) -> Iterator[neo4j.Transaction]:
    """A read transaction within limits; it is rolled back at the end, finished or not.

    Raises:
        QueryTimeout: It took longer.
        QueryTooLarge: It needs more memory than the engine gives, or answers more bytes.
    """
    left = limits.left()
    timed: dict[str, Any] = {"timeout": left, "metadata": LIMITED} if isinstance(link.kind, Neo4j) else {}
    transaction = session.begin_transaction(**timed)
    gauge = Gauge(transaction, None if left is None else left + GRACE_SECONDS, limits.answer_bytes)
    channel, ticket = link.channel, None
    if channel is not None:
        # Without an end in time too: by its ticket a query is ended whose rows are not wanted any more.
        ticket = channel.ask(op="limit", port=gauge.port, seconds=left or NEVER_SECONDS)["ticket"]
    clean = False
    with gauge:
        try:
            yield transaction
            clean = True
        except Exception as error:
            outcome = _outcome(error, gauge, limits)
            if outcome is None:
                raise
            raise outcome from error
        finally:
            if channel is not None:
                with contextlib.suppress(*DRIVER_ERRORS, EngineError):
                    channel.ask(op="end_limit", ticket=ticket, clean=clean)
            gauge.allow(GRACE_SECONDS)
            with contextlib.suppress(Exception):
                transaction.rollback()


class Cut(Exception):
    """Raised inside :func:`limited` by who has rows enough; what is left of the query ends."""


def _outcome(error: Exception, gauge: Gauge, limits: Limits) -> EngineError | None:
    """What an error within limits means, None where it has nothing to do with them."""
    code = str(getattr(error, "code", None) or "")
    if gauge.full:
        return QueryTooLarge(
            f"The answer is larger than {(limits.answer_bytes or 0) >> 20} MiB.",
            "Return less of it: single properties instead of whole nodes, a slice of a list, a LIMIT.",
        )
    if gauge.late or (limits.over and (_TIMED_OUT.search(code) or isinstance(error, DRIVER_ERRORS))):
        return limits.timeout()
    if _NO_MEMORY.search(code) or _NO_MEMORY.search(str(error)):
        return QueryTooLarge(
            "The query needs more memory than the engine gives to one.",
            "Collect or sort less at once: aggregate, filter or LIMIT earlier.",
        )
    return None


class Gauge:
    """Counts what comes in for one transaction, and looks at the clock.

    Args:
        transaction: Open, and used by nobody else.
        seconds: From now; None without an end.
        most_bytes: None for any number.

    Attributes:
        port: The client's end of the connection.
        full: Whether more bytes came.
        late: Whether the time was over before the answer was.
    """

    def __init__(self, transaction: neo4j.Transaction, seconds: float | None, most_bytes: int | None) -> None:
        # The driver has no door here; its parts of these names are the same from 5.26 to 6.4. Where another version
        # has others, nothing is counted: Neo4j's own time limit is left then, and none on the embedded engine.
        self._inbox: Any = getattr(getattr(transaction, "_connection", None), "inbox", None)
        self._socket: Any = getattr(self._inbox, "_socket", None)
        self.port = 0 if self._socket is None else int(self._socket.getsockname()[1])
        self._ends = None if seconds is None else time.monotonic() + seconds
        self._left = most_bytes
        self.full = self.late = False

    def __enter__(self) -> Gauge:
        if self._socket is not None:
            self._inbox._socket = self
        return self

    def __exit__(self, *_: object) -> None:
        if self._socket is not None:
            self._inbox._socket = self._socket
            self._set_deadline(None)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)

    def allow(self, seconds: float) -> None:
        """What is left to say may take so long, and be of any size."""
        self._ends, self._left = time.monotonic() + seconds, None

    def recv_into(self, buffer: Any, count: int) -> int:
        """What the driver calls to read.

        Raises:
            OSError: Too much, or too late; the driver gives the connection up.
        """
        if self._ends is not None:
            left = self._ends - time.monotonic()
            if left <= 0:
                self.late = True
                raise OSError("the time of the query is over")
            self._set_deadline(left)
        try:
            received = int(self._socket.recv_into(buffer, count))
        except Exception:
            self.late = self._ends is not None and time.monotonic() >= self._ends - CLOCK_SECONDS
            raise
        if self._left is not None:
            self._left -= received
            if self._left < 0:
                self.full = True
                raise OSError("the answer is too large")
        return received

    def _set_deadline(self, seconds: float | None) -> None:
        setter = getattr(self._socket, "set_read_deadline", None) or self._socket.set_deadline
        setter(seconds)
