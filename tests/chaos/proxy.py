"""A TCP proxy that cuts, delays and swallows on demand; it knows one word of Bolt: COMMIT."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
import time

COMMIT = b"\x00\x02\xb0\x12\x00\x00"
"""A Bolt message alone in its chunk: a structure of no fields with the signature 0x12."""
_PIECE = 65_536


class _Pair:
    """One client and its connection to the server."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.client, self.server = client, server
        self.swallow = self.stall = False
        self.cut_at_answer = False

    def cut(self) -> None:
        """End both connections at once, without a goodbye."""
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # Only a shutdown wakes the thread that reads from it.
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(OSError):
                end.close()


class Proxy:
    """Listens on a port of its own and forwards to another one on loopback.

    Attributes:
        port: Where clients come in.
        longest_delay: Every piece waits up to so many seconds before it goes on.
        commits_to_cut: Numbers of the COMMITs (counted from now on) whose answer is kept back and whose
            connection is cut: the server has committed, the client does not know.
        cuts: How many connections were cut so far.
    """

    def __init__(self, target_port: int, rng: random.Random) -> None:
        self._target = target_port
        self._rng = rng
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.longest_delay = 0.0
        self.commits_to_cut: set[int] = set()
        self.cuts = 0
        self._commits = 0
        self._pairs: list[_Pair] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> int:
        """Cut every connection there is now.

        Returns:
            How many.
        """
        with self._lock:
            pairs, self._pairs = self._pairs, []
        for pair in pairs:
            pair.cut()
        self.cuts += len(pairs)
        return len(pairs)

    def swallow(self) -> int:
        """From now on forward nothing on the connections there are now, and leave them open.

        Returns:
            How many.
        """
        with self._lock:
            for pair in self._pairs:
                pair.swallow = True
            return len(self._pairs)

    def stall(self) -> None:
        """From now on take nothing from the clients there are now, whose sockets fill up, and leave them open."""
        with self._lock:
            for pair in self._pairs:
                pair.stall = True

    def close(self) -> None:
        """Listen no more and cut what is open."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._target), timeout=5)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            pair = _Pair(client, server)
            with self._lock:
                self._pairs.append(pair)
            threading.Thread(target=self._forward, args=(pair,), daemon=True).start()
            threading.Thread(target=self._answer, args=(pair,), daemon=True).start()

    def _forward(self, pair: _Pair) -> None:
        """From the client to the server."""
        tail = b""
        with contextlib.suppress(OSError):
            while data := pair.client.recv(_PIECE):
                # A COMMIT may lie across two pieces.
                seen = tail + data
                commits, tail = seen.count(COMMIT), seen[-len(COMMIT) + 1 :]
                for _ in range(commits):
                    with self._lock:
                        self._commits += 1
                        pair.cut_at_answer |= self._commits in self.commits_to_cut
                self._pass_on(pair, pair.server, data)
                if pair.stall:
                    return
        self._end(pair)

    def _answer(self, pair: _Pair) -> None:
        """From the server to the client."""
        with contextlib.suppress(OSError):
            while data := pair.server.recv(_PIECE):
                if pair.cut_at_answer:
                    self.cuts += 1
                    break
                self._pass_on(pair, pair.client, data)
        self._end(pair)

    def _pass_on(self, pair: _Pair, to: socket.socket, data: bytes) -> None:
        if self.longest_delay:
            time.sleep(self._rng.uniform(0, self.longest_delay))
        if not pair.swallow:
            to.sendall(data)

    def _end(self, pair: _Pair) -> None:
        if pair.swallow:
            return
        with self._lock:
            if pair in self._pairs:
                self._pairs.remove(pair)
        pair.cut()
