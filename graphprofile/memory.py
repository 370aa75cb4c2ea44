"""Memory that the C library keeps after it was freed: less of it, and given back to the machine."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

_M_ARENA_MAX = -8
_ARENAS = 2


@cache
def _library() -> Any:
    """The C library where it is glibc, else None."""
    try:
        library = ctypes.CDLL(None)
        library.gnu_get_libc_version, library.malloc_trim, library.mallopt  # noqa: B018
    except (OSError, AttributeError, TypeError):
        return None
    return library


def give_back_memory() -> None:
    """Return freed memory to the machine: glibc keeps it per thread, some 200 MB over a long load.

    Does nothing with another C library. Takes some milliseconds.
    """
    if _library() is not None:
        _library().malloc_trim(0)


def share_arenas() -> None:
    """Let threads share two pools of memory, where glibc would give eight to each core.

    For programs that are graphprofile's own: it changes the whole process.
    """
    if _library() is not None:
        _library().mallopt(_M_ARENA_MAX, _ARENAS)
