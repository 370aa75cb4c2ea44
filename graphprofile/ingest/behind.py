"""A chunk is written while the next one is read."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress

from graphprofile.errors import GraphProfileError
from graphprofile.ingest.counts import Counts


class Behind:
    """Runs one piece of work in a thread while the next is prepared; results come back in order."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="graphprofile-write")
        self._pending: tuple[Future[Counts], Callable[[Counts], None]] | None = None

    def start(self, work: Callable[[], Counts], done: Callable[[Counts], None]) -> None:
        """Wait for the work before, then start this; ``done`` gets its result in the caller's thread."""
        self.finish()
        self._pending = self._pool.submit(work), done

    def finish(self) -> None:
        """Wait for the work under way; raises what it raised."""
        if self._pending is not None:
            (future, done), self._pending = self._pending, None
            done(future.result())

    def __enter__(self) -> Behind:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is not None:
                # What was read before the failure is written, and its refused rows are kept.
                with suppress(GraphProfileError):
                    self.finish()
        finally:
            self._pool.shutdown(wait=True)
