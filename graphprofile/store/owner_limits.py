"""Ends queries of one connection when their time is over; a part of the owner process.

Loaded by the owner from this file, so that it starts without the rest of the package. The engine ends a query that it
is told to end at the next row, in whatever step it is, and a sleeping one when its thread is interrupted. It looks at
neither while it evaluates one expression, such as a ``reduce`` over a million numbers inside another one: then there is
no way but to end this process. What was committed is in the log; other clients start the next owner and go on.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
import time
from typing import Any

INTERRUPT_SECONDS = 1.0
GIVE_UP_SECONDS = 4.0
LOOK_SECONDS = 0.1
BUSY_SHARE = 0.5
EXIT_CODE = 3


class Limits:
    """The time limits that clients have set on their own connections.

    Args:
        engine: The :class:`owner.Engine`.
    """

    def __init__(self, engine: Any) -> None:
        self._engine = engine
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._timers: dict[int, tuple[int, threading.Timer]] = {}
        self._over: set[int] = set()

    def start(self, port: int, seconds: float) -> int:
        """From now on the client with this port has so many seconds; returns what :meth:`end` takes."""
        ticket = next(self._numbers)
        timer = threading.Timer(max(0.0, seconds), self._time_is_over, (ticket, port))
        timer.daemon = True
        with self._lock:
            self._timers[ticket] = port, timer
        timer.start()
        return ticket

    def end(self, ticket: int, *, clean: bool) -> bool:
        """The client needs the limit no more.

        Args:
            ticket: What :meth:`start` gave.
            clean: Whether its result was read to the end; else what runs still is ended here and now.

        Returns:
            Whether the time was over.
        """
        with self._lock:
            port, timer = self._timers.pop(ticket, (0, None))
            over = ticket in self._over
            self._over.discard(ticket)
        if timer is not None:
            timer.cancel()
            if not clean:
                for query in self._running(port):
                    query.terminate("graphprofile: its answer is not wanted any more")
        return over

    def _running(self, port: int) -> list[Any]:
        found = self._engine.server._java_server.getRunningQueries().getRunning()
        return [query for query in list(found) if str(query.getClientAddress()).endswith(f":{port}")]

    def _time_is_over(self, ticket: int, port: int) -> None:
        with self._lock:
            if ticket not in self._timers:
                return
            self._over.add(ticket)
        queries = self._running(port)
        for query in queries:
            query.terminate("graphprofile: its time is over")
        started = time.monotonic()
        connection = self._engine.connection_from(port)
        spent = _cpu_seconds(connection)
        interrupted = False
        while any(not query.isEnded() for query in queries):
            waited = time.monotonic() - started
            if not interrupted and waited > INTERRUPT_SECONDS and connection is not None:
                connection.interrupt()
                interrupted = True
            if waited > GIVE_UP_SECONDS:
                # One that waits for its client to fetch rows stands still, and ends when that comes or goes.
                if _cpu_seconds(connection) - spent > BUSY_SHARE * waited:
                    self._end_everything(queries)
                return
            time.sleep(LOOK_SECONDS)

    def _end_everything(self, queries: list[Any]) -> None:
        texts = "; ".join(str(query.getText()) for query in queries)
        print(
            f"the engine ends: nothing else ends the query that runs past its time: {texts}", file=sys.stderr
        )
        sys.stderr.flush()
        os._exit(EXIT_CODE)


def _cpu_seconds(thread: Any) -> float:
    """What a Java thread has computed so far."""
    if thread is None:
        return 0.0
    import jpype

    bean = jpype.JClass("java.lang.management.ManagementFactory").getThreadMXBean()
    return max(0, int(bean.getThreadCpuTime(thread.threadId()))) / 1e9
