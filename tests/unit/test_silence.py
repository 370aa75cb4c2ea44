"""A TCP connection whose other end answers nothing is given up by the operating system, within our bound."""

from __future__ import annotations

import socket
import sys
import time

import pytest

from graphprofile.store.silence import bound

SECONDS = 2
SLOW_MACHINE_SECONDS = 120


@pytest.mark.skipif(sys.platform != "linux", reason="the other systems have no bound for what is not taken")
def test_what_nobody_takes_is_given_up() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
    ):
        taken, _ = server.accept()
        with taken:
            bound(client, SECONDS)
            client.settimeout(SLOW_MACHINE_SECONDS)
            started = time.monotonic()
            with pytest.raises(OSError, match="timed out") as caught:
                client.sendall(bytes(256 << 20))
            # By the system, and not by this test's own limit.
            assert caught.value.errno is not None
            assert time.monotonic() - started < SLOW_MACHINE_SECONDS


@pytest.mark.skipif(not hasattr(socket, "TCP_KEEPIDLE"), reason="the option has another name here")
@pytest.mark.parametrize("seconds", [0.5, 2, 300, 43_200])
def test_all_questions_are_asked_within_the_bound(seconds: float) -> None:
    with socket.socket() as made:
        bound(made, seconds)
        idle, between, probes = (
            made.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
            for name in ("TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT")
        )
    assert min(idle, between, probes) >= 1
    assert idle + between * probes <= max(seconds, 6)
