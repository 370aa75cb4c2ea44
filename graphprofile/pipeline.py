"""One step ahead: the next piece is made in a thread while the one before is worked on."""

from __future__ import annotations

from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

T = TypeVar("T")


def ahead(pieces: Generator[T, None, None]) -> Generator[T, None, None]:
    """The same pieces; each is made while the caller works on the one before, so that two are held at a time.

    Worth it where making one waits for an engine or a disk, or runs outside Python's lock. All of ``pieces`` runs in
    one thread that is not the caller's. What it raises is raised here, in its place.
    """
    end = object()
    with closing(pieces), ThreadPoolExecutor(1, thread_name_prefix="graphprofile-ahead") as pool:
        coming = pool.submit(next, pieces, end)
        while (piece := coming.result()) is not end:
            coming = pool.submit(next, pieces, end)
            yield piece  # type: ignore[misc]
