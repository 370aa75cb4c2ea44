"""Threads for calls that wait for the engine, so that the event loop never does."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from graphprofile.errors import EngineUnavailable
from graphprofile.http.problems import RETRY_SECONDS, Refusal

T = TypeVar("T")


class Workers:
    """A bounded pool, and a switch that is off while the engine is away.

    While it is off calls fail at once instead of filling the pool with waiting ones.

    Args:
        threads: How many calls run at once.
        waiting: How many more may wait for a thread.
        probe: Asks the engine anything; raises where it does not answer.
    """

    def __init__(self, threads: int, waiting: int, probe: Callable[[], object]) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="graphprofile-http")
        self._room = threads + waiting
        self._busy = 0
        self._probe = probe
        self._down = threading.Event()

    @property
    def engine_up(self) -> bool:
        """Whether the engine answered when it was last asked."""
        return not self._down.is_set()

    async def run(self, call: Callable[[], T]) -> T:
        """Run a call in a thread.

        Raises:
            EngineUnavailable: The engine is away.
            Refusal: Too many wait already.
        """
        if self._down.is_set():
            raise EngineUnavailable("The graph engine does not answer.")
        return await self.run_anyway(call)

    async def run_anyway(self, call: Callable[[], T]) -> T:
        """The same, whatever is known of the engine."""
        if self._busy >= self._room:
            raise Refusal(
                503,
                "busy",
                "Too many requests wait for the graph.",
                "Try again in a moment.",
                headers={"Retry-After": str(RETRY_SECONDS)},
            )
        self._busy += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, call)
        except EngineUnavailable:
            self._down.set()
            raise
        finally:
            self._busy -= 1

    def went_away(self) -> None:
        """Somebody else found the engine away."""
        self._down.set()

    def look(self) -> bool:
        """Ask the engine, and note whether it answers; waits for it."""
        try:
            self._probe()
        except Exception:
            self._down.set()
            return False
        self._down.clear()
        return True

    def close(self) -> None:
        """Wait for the calls under way."""
        self._pool.shutdown(wait=True, cancel_futures=True)
