"""Posts of events on their way into the graph: one thread writes what waits, many posts in one go."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import structlog

from graphprofile.errors import EngineUnavailable, GraphProfileError
from graphprofile.http.freshness import Freshness
from graphprofile.http.metrics import Metrics
from graphprofile.http.problems import RETRY_SECONDS, Refusal
from graphprofile.ingest.live import Checked, CheckedDescriptions, LiveBatch, Verdict
from graphprofile.profiles import GraphProfile
from graphprofile.records import Rejection

POSTS = 256
ROWS_AT_ONCE = 20_000
FRESH_BEFORE_ANSWER = 20
"""So many users are brought up to date before the answer; of more, each when he is read, or behind it."""


Described = tuple[str | None, int, int, list[Rejection]]
"""Batch, how many said something new, how many did not, and what the graph refused."""


@dataclass
class _Post:
    checked: Checked
    done: Future[tuple[str | None, list[Verdict]]] = field(default_factory=Future)


@dataclass
class _Description:
    checked: CheckedDescriptions
    done: Future[Described] = field(default_factory=Future)


class EventStream:
    """Takes checked posts from any thread.

    Args:
        gp: The graph.
        fresh: Is told whose events came.
        metrics: Where to count.
    """

    def __init__(self, gp: GraphProfile, fresh: Freshness, metrics: Metrics) -> None:
        self._gp, self._fresh, self._metrics = gp, fresh, metrics
        self._queue: queue.Queue[_Post | _Description | None] = queue.Queue(POSTS)
        self._batch: LiveBatch | None = None
        self._log = structlog.get_logger()
        self._thread = threading.Thread(target=self._run, name="graphprofile-stream", daemon=True)
        self._thread.start()

    def submit(self, checked: Checked) -> Future[tuple[str | None, list[Verdict]]]:
        """Have rows written; the future holds the batch and the verdict on each row.

        Raises:
            Refusal: Too much waits already.
        """
        post = _Post(checked)
        self._put(post)
        return post.done

    def note(self, checked: Checked) -> None:
        """Have rows that were all refused counted in the quality of the batch; where too much waits, they are not."""
        with suppress(queue.Full):
            self._queue.put_nowait(_Post(checked))

    def describe(self, checked: CheckedDescriptions) -> Future[Described]:
        """Have descriptions written.

        Raises:
            Refusal: Too much waits already.
        """
        post = _Description(checked)
        self._put(post)
        return post.done

    def _put(self, post: _Post | _Description) -> None:
        try:
            self._queue.put_nowait(post)
        except queue.Full:
            raise Refusal(
                503,
                "busy",
                "Too many posts wait to be written.",
                "Send the same again in a moment: what was written is not written twice.",
                headers={"Retry-After": str(RETRY_SECONDS)},
            ) from None
        self._metrics.waiting.set(self._queue.qsize())

    def close(self) -> None:
        """Write what waits, and end the batch."""
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        ended = False
        while not ended:
            posts, described, ended = self._gather()
            self._metrics.waiting.set(self._queue.qsize())
            if posts:
                self._write(posts)
            if described is not None:
                self._describe(described)
        if self._batch is not None:
            try:
                self._batch.close()
            except GraphProfileError as error:
                self._log.warning("batch left open", code=error.code, message=error.message)

    def _gather(self) -> tuple[list[_Post], _Description | None, bool]:
        """Posts of events up to the next description, which comes after them, and whether it is over."""
        posts: list[_Post] = []
        rows = 0
        post = self._queue.get()
        while isinstance(post, _Post):
            posts.append(post)
            rows += post.checked.rows
            if rows >= ROWS_AT_ONCE:
                return posts, None, False
            try:
                post = self._queue.get_nowait()
            except queue.Empty:
                return posts, None, False
        return posts, post, post is None

    def _open(self) -> LiveBatch:
        if self._batch is None:
            self._batch = self._gp.live_batch()
        return self._batch

    def _describe(self, post: _Description) -> None:
        try:
            batch = self._open()
            counts = batch.describe(post.checked)
        except BaseException as error:
            self._failed([post.done], error)
            return
        self._fresh.described()
        post.done.set_result((batch.id, counts.applied, counts.duplicates, counts.rejected))

    def _failed(self, waiting: Sequence[Future[Any]], error: BaseException) -> None:
        if not isinstance(error, GraphProfileError):
            self._log.error("cannot write", error=repr(error), exc_info=True)
        for one in waiting:
            one.set_exception(error)

    def _write(self, posts: Sequence[_Post]) -> None:
        try:
            batch = self._open()
            with self._fresh.writing():
                written = batch.write([post.checked for post in posts])
        except BaseException as error:
            self._failed([post.done for post in posts], error)
            return
        self._fresh.add(written.users, written.objects)
        if len(written.users) <= FRESH_BEFORE_ANSWER:
            try:
                self._fresh.bring_up(written.users)
            except EngineUnavailable:
                # The events are in; their users stay noted as behind.
                pass
            except GraphProfileError as error:
                self._log.error("cannot refresh", code=error.code, message=error.message)
        for post, verdicts in zip(posts, written.verdicts, strict=True):
            post.done.set_result((batch.id, verdicts))
