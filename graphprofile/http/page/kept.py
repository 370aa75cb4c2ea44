"""What takes long to read and is shown often: kept for a while, and read once however many ask for it."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")
MOST = 32


class Kept:
    """Answers of one server; belongs to its event loop."""

    def __init__(self) -> None:
        self._answers: OrderedDict[Hashable, tuple[asyncio.Future[Any], float]] = OrderedDict()

    async def get(self, key: Hashable, seconds: float, read: Callable[[], Awaitable[T]]) -> T:
        """The answer that is kept under a key, or a new one.

        Args:
            key: What is asked.
            seconds: How long an answer holds.
            read: Finds it; who asks meanwhile waits for the same.
        """
        found = self._answers.get(key)
        if found is None or found[1] <= time.monotonic():
            task = asyncio.ensure_future(_awaited(read))
            # Also where nobody waits any more, so that a failure is not reported as forgotten.
            task.add_done_callback(lambda done: self._forget(key, done))
            found = task, time.monotonic() + seconds
            self._answers[key] = found
            while len(self._answers) > MOST:
                self._answers.popitem(last=False)
        self._answers.move_to_end(key)
        # One who goes away does not take the answer from the others.
        answer: T = await asyncio.shield(found[0])
        return answer

    def _forget(self, key: Hashable, done: asyncio.Future[Any]) -> None:
        """A failure is not kept, nor that there is nothing yet."""
        if done.cancelled() or done.exception() is not None or done.result() is None:
            kept = self._answers.get(key)
            if kept is not None and kept[0] is done:
                del self._answers[key]


async def _awaited(read: Callable[[], Awaitable[T]]) -> T:
    return await read()
