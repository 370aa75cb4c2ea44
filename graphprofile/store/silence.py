"""A bound on how long a server's machine may answer nothing at all: its connection is then given up.

It is the operating system that asks (TCP keepalive) and waits (``TCP_USER_TIMEOUT``, RFC 5482), and the other machine's
that answers, however long the engine works on a statement. So a bound breaks no statement that takes minutes. An engine
that hangs on a machine that answers is for the driver to find: Neo4j promises a word now and then
(``connection.recv_timeout_seconds``), and the driver gives up when it does not come.
"""

from __future__ import annotations

import contextlib
import socket
from typing import Any

import neo4j

PROBES = 5


def bound_silence(driver: neo4j.Driver, seconds: float) -> None:
    """Have every connection that the driver opens from now on given up after so many seconds without an answer.

    Args:
        driver: No connection of it is open yet.
        seconds: At least one; 0 leaves it to the operating system, which takes hours.
    """
    # The driver has no door here; its parts of these names are the same from 5.26 to 6.4. Where another version has
    # others, the operating system's own bounds hold.
    pool: Any = getattr(driver, "_pool", None)
    opener = getattr(pool, "opener", None)
    if not seconds or opener is None:
        return

    def opened(*args: Any, **options: Any) -> Any:
        connection = opener(*args, **options)
        found = getattr(getattr(connection, "socket", None), "_socket", None)
        if isinstance(found, socket.socket):
            bound(found, seconds)
        return connection

    pool.opener = opened


def bound(connected: socket.socket, seconds: float) -> None:
    """Set the options of one TCP socket, as far as the platform has them.

    Args:
        connected: The socket.
        seconds: Half of them may pass in silence before the first question; then :data:`PROBES` are asked.
    """
    idle = max(1, int(seconds / 2))
    between = max(1, int((seconds - idle) / PROBES))
    options = {
        # macOS calls the first one by another name.
        "TCP_KEEPIDLE" if hasattr(socket, "TCP_KEEPIDLE") else "TCP_KEEPALIVE": idle,
        "TCP_KEEPINTVL": between,
        "TCP_KEEPCNT": PROBES,
        # What was sent and is not taken: no question is asked then, and Linux alone has a bound for it.
        "TCP_USER_TIMEOUT": int(seconds * 1000),
    }
    for name, value in options.items():
        option = getattr(socket, name, None)
        if option is not None:
            # A bound that cannot be set is no reason not to connect.
            with contextlib.suppress(OSError):
                connected.setsockopt(socket.IPPROTO_TCP, option, value)
