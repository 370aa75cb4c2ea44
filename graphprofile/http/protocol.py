"""The connection itself: clients that dawdle, send endless headers or speak no HTTP are turned away here.

uvicorn waits for the headers of a first request as long as it takes, and its parser takes headers of any size.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from graphprofile.http.problems import MEDIA_TYPE, problem_bytes

HEADER_SECONDS = 10.0
HEADER_BYTES = 64 * 1024


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1.1 with a bound on how long, and how many bytes, the head of a request may take."""

    header_seconds = HEADER_SECONDS

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come: the clock runs until its first request is whole."""
        super().connection_made(transport)
        self._head_bytes = 0
        self._in_head = True
        self._timer: asyncio.TimerHandle | None = self.loop.call_later(self.header_seconds, self._dawdles)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes; those of a head are counted."""
        if self._in_head:
            if self._timer is None:
                self._timer = self.loop.call_later(self.header_seconds, self._dawdles)
            self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > HEADER_BYTES and not self.transport.is_closing():
            self._refuse(
                431, "headers_too_large", f"The head of the request is above {HEADER_BYTES:,} bytes."
            )

    def on_message_begin(self) -> None:
        """A head begins."""
        super().on_message_begin()
        self._in_head = True

    def on_headers_complete(self) -> None:
        """A head is whole."""
        self._in_head, self._head_bytes = False, 0
        self._stop_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """A body is whole; what comes now is the next head."""
        super().on_message_complete()
        self._in_head, self._head_bytes = True, 0

    def send_400_response(self, msg: str) -> None:
        """What came is no HTTP."""
        self._refuse(400, "bad_request", msg)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _dawdles(self) -> None:
        self._timer = None
        idle = self._head_bytes == 0
        if self.transport.is_closing() or not self._in_head:
            return
        if idle:
            self.transport.close()
        else:
            self._refuse(408, "too_slow", "The head of the request took too long.")

    def _refuse(self, status: int, code: str, detail: str) -> None:
        body: bytes = problem_bytes(status, code, detail)
        head: list[Any] = [
            STATUS_LINE[status],
            b"content-type: " + MEDIA_TYPE.encode() + b"\r\n",
            b"content-length: " + str(len(body)).encode() + b"\r\n",
            b"connection: close\r\n\r\n",
            body,
        ]
        self.transport.write(b"".join(head))
        self.transport.close()
