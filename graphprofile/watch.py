"""A folder that new files come into: each is loaded once, as a batch of its own, when it has stopped growing."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphprofile.errors import BatchRefused, EngineError, GraphProfileError, SourceError, UsageError
from graphprofile.ingest.files import is_data_file
from graphprofile.ingest.planned import file_keys, plan_sources
from graphprofile.ingest.recipes import Recipe
from graphprofile.ingest.seen import read_before
from graphprofile.records import LoadResult

if TYPE_CHECKING:
    from graphprofile.profiles import GraphProfile

SETTLE_SECONDS = 2.0
POLL_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 60.0

Version = tuple[int, int]
"""Size in bytes and time of the last change, ns."""


@dataclass(frozen=True)
class Arrival:
    """What became of one file.

    Attributes:
        path: The file.
        state: loaded | known (a batch had read it before) | refused (it cannot be read, or
            a threshold is not met; it is looked at again when it changes) | waiting (the engine failed, it is tried
            again).
        result: Of the batch, where there was one.
        error: Why it was refused or waits.
    """

    path: Path
    state: str
    result: LoadResult | None = None
    error: GraphProfileError | None = None


@dataclass
class Watch:
    """Looks at one folder; see :meth:`graphprofile.GraphProfile.watch`.

    Attributes:
        gp: The graph.
        folder: Where files come.
        recipe: How they are read.
        settle_seconds: A file is taken when it has not changed for so long.
        stop: Ends the watch after the file at work.
        options: Further arguments of :meth:`graphprofile.GraphProfile.load`.
    """

    gp: GraphProfile
    folder: Path
    recipe: Recipe
    settle_seconds: float = SETTLE_SECONDS
    stop: threading.Event = field(default_factory=threading.Event)
    options: dict[str, Any] = field(default_factory=dict)
    _seen: dict[Path, tuple[Version, float]] = field(default_factory=dict)
    _done: dict[Path, Version] = field(default_factory=dict)

    def arrivals(self) -> Iterator[Arrival]:
        """What became of each file, as it comes; ends when :attr:`stop` is set."""
        pause = POLL_SECONDS
        while not self.stop.is_set():
            waiting = False
            for path, version in self._ready():
                if self.stop.is_set():
                    return
                arrival = self._take(path)
                waiting = arrival.state == "waiting"
                if not waiting:
                    self._done[path] = version
                yield arrival
                if waiting:
                    break
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS) if waiting else POLL_SECONDS
            self.stop.wait(pause)

    def _ready(self) -> list[tuple[Path, Version]]:
        """Files that have not changed for a while and were not taken yet, the oldest first."""
        now = time.monotonic()
        found: list[tuple[Path, Version]] = []
        try:
            entries = [entry for entry in self.folder.iterdir() if is_data_file(entry)]
        except OSError as error:
            raise SourceError(
                f"{self.folder}: cannot be read: {error.strerror}.", "Check the folder."
            ) from error
        present: dict[Path, tuple[Version, float]] = {}
        for path in entries:
            try:
                stat = path.stat()
            except FileNotFoundError:
                continue
            version = (stat.st_size, stat.st_mtime_ns)
            before = self._seen.get(path)
            since = before[1] if before is not None and before[0] == version else now
            # A file that was there for long when the watch began needs no second look.
            if before is None and time.time() - stat.st_mtime > self.settle_seconds:
                since = now - self.settle_seconds
            present[path] = (version, since)
            if self._done.get(path) != version and now - since >= self.settle_seconds:
                found.append((path, version))
        self._seen = present
        self._done = {path: version for path, version in self._done.items() if path in present}
        return sorted(found, key=lambda pair: (pair[1][1], pair[0].name))

    def _take(self, path: Path) -> Arrival:
        try:
            planned = plan_sources([path], self.recipe)
            keys = file_keys(planned, self.recipe, self.gp.vocabulary)
            if planned and read_before(self.gp.store, keys):
                return Arrival(path, "known")
            result = self.gp.load(
                path,
                loader=self.recipe.loader,
                kind=self.recipe.kind,
                mapping=self.recipe.rules or self.recipe.mapping,
                time_zone=self.recipe.time_zone,
                time_unit=self.recipe.time_unit,
                **self.options,
            )
        except (SourceError, UsageError, BatchRefused) as error:
            return Arrival(path, "refused", error=error)
        except EngineError as error:
            return Arrival(path, "waiting", error=error)
        return Arrival(path, "loaded", result)
