"""Rows are built while Python's collector of cycles stands still."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_inside = 0
_was_on = False


@contextmanager
def uncollected() -> Iterator[None]:
    """Nothing is searched for cycles in here, in no thread; for stretches of a chunk's length.

    What JSON holds has no cycles, and a million small objects make the collector walk over all of them again and again:
    that took as long as parsing them.
    """
    global _inside, _was_on
    with _lock:
        if not _inside:
            _was_on = gc.isenabled()
            gc.disable()
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if not _inside and _was_on:
                gc.enable()
