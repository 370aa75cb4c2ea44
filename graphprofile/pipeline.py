"""One step ahead: the next pieces are made in threads while the one before is worked on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

S = TypeVar("S")
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


def made_ahead(make: Callable[[S], T], items: Iterable[S], *, workers: int = 2) -> Generator[T, None, None]:
    """``make`` of every item, in their order; the next ones are made while the caller works on the one before.

    Args:
        make: Runs in several threads at once.
        items: What to make something of.
        workers: Threads; as many results wait at most, beside the one the caller holds.
    """
    coming: deque[Future[T]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="graphprofile-ahead") as pool:
        try:
            for item in items:
                coming.append(pool.submit(make, item))
                if len(coming) > workers:
                    yield coming.popleft().result()
            while coming:
                yield coming.popleft().result()
        finally:
            for future in coming:
                future.cancel()
