"""Memory that the C library keeps after it was freed, given back to the machine."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache


@cache
def _trim() -> Callable[[int], int] | None:
    try:
        trim: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError, TypeError):
        return None
    return trim


def give_back_memory() -> None:
    """Return freed memory to the machine: glibc keeps it per thread, some 200 MB over a long load.

    Does nothing with another C library. Takes some milliseconds.
    """
    trim = _trim()
    if trim is not None:
        trim(0)
