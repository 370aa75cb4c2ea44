"""Tags and vectors of users whose events were just accepted: up to date before anybody reads them.

After a few events they are brought up before the answer. After many that would take far longer than the writing, so
the rest is done behind it, and a read of one of them does that one first.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import structlog

from graphprofile.errors import EngineUnavailable, GraphProfileError
from graphprofile.http.metrics import Metrics
from graphprofile.profiles import GraphProfile
from graphprofile.tags import sum_kinds

AT_ONCE = 20
"""So long somebody who is read waits for those behind at most."""
SUM_SECONDS = 15.0
PAUSE_SECONDS = 1.0
LULL_SECONDS = 0.2
GIVE_WAY = 20.0
"""So many times as long as a piece of work took it waits for a lull before the next one."""


class Freshness:
    """Knows who is behind, and brings them up to date in a thread of its own.

    Args:
        gp: The graph.
        metrics: Where to count.
    """

    def __init__(self, gp: GraphProfile, metrics: Metrics) -> None:
        self._gp, self._metrics = gp, metrics
        self._lock = threading.Lock()
        self._work = threading.Lock()
        self._turn = threading.Lock()
        self._asked = 0
        self._due: OrderedDict[str, frozenset[tuple[str, str]]] = OrderedDict()
        self._something = threading.Event()
        self._stop = threading.Event()
        self._summed = 0.0
        self._unsummed = False
        self._everybody = False
        self._writing = threading.Event()
        self._wrote = self._took = 0.0
        self._log = structlog.get_logger()
        self._thread = threading.Thread(target=self._run, name="graphprofile-fresh", daemon=True)
        self._thread.start()

    def add(self, users: Iterable[str], objects: Iterable[tuple[str, str]] = ()) -> None:
        """Note users who are behind, and objects that may have no vector yet."""
        found = frozenset(objects)
        with self._lock:
            for user in users:
                # A set of its own each time: it tells a user who is behind again from one who still is.
                self._due[user] = frozenset([*self._due.get(user, ()), *found])
                # The vectors of new objects are written once, with the first of their users.
                found = frozenset()
            self._metrics.due.set(len(self._due))
        self._something.set()

    def described(self) -> None:
        """Note that descriptions came: those whom an item's new tags touch are worked off behind all others."""
        self._everybody = True
        self._something.set()

    def behind(self, users: Sequence[str]) -> bool:
        """Whether any of some users is known to be behind."""
        with self._lock:
            return any(user in self._due for user in users)

    def bring_up(self, users: Sequence[str]) -> None:
        """Bring those of some users up to date who are behind; waits for it.

        Raises:
            GraphProfileError: It could not be done; they stay behind.
        """
        with self._lock:
            self._asked += 1
        try:
            # Whoever is being worked on now is still listed: the lock waits for that work.
            with self._work:
                self._refresh(users)
        finally:
            with self._lock:
                self._asked -= 1

    def _refresh(self, users: Sequence[str]) -> None:
        with self._lock:
            mine = {user: self._due[user] for user in users if user in self._due}
        if not mine:
            return
        objects = sorted(frozenset().union(*mine.values()))
        self._gp.refresh(list(mine), objects)
        with self._lock:
            for user, noted in mine.items():
                if self._due.get(user) is noted:
                    del self._due[user]
            self._metrics.due.set(len(self._due))
            self._unsummed = True

    def settle(self, seconds: float) -> int:
        """Work off what is due, for so long at most; says how many stay. They stay due in the graph as well."""
        self._stop.set()
        self._something.set()
        self._thread.join(timeout=seconds)
        until = time.monotonic() + seconds
        try:
            while time.monotonic() < until and (users := self._next()):
                self.bring_up(users)
            if self._unsummed:
                sum_kinds(self._gp.store)
        except GraphProfileError as error:
            self._log.warning("left behind", users=len(self._due), code=error.code)
        return len(self._due)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """While events are written the work behind them gives way: both touch the same users.

        Side by side, the engine would refuse one of the two at its commit, and all of it would be done again.
        """
        self._writing.set()
        try:
            with self._turn:
                yield
        finally:
            self._wrote = time.monotonic()
            self._writing.clear()

    def _give_way(self) -> None:
        """Wait for a lull in the writing, and for who is read; not for ever: a share of the time is left for this.

        Without it the one lock would go from here to here, whoever else waits for it.
        """
        until = time.monotonic() + GIVE_WAY * max(self._took, 0.1)
        while time.monotonic() < until and not self._stop.is_set():
            lull = not self._writing.is_set() and time.monotonic() - self._wrote > LULL_SECONDS
            if lull and not self._asked:
                return
            self._stop.wait(0.02)

    def _next(self) -> list[str]:
        with self._lock:
            return [user for _, user in zip(range(AT_ONCE), self._due, strict=False)]

    def _run(self) -> None:
        while not self._stop.is_set():
            self._something.wait(timeout=SUM_SECONDS)
            self._something.clear()
            try:
                while not self._stop.is_set() and (users := self._next()):
                    self._give_way()
                    started = time.monotonic()
                    with self._turn, self._work:
                        self._refresh(users)
                    self._took = time.monotonic() - started
                if self._everybody and not self._stop.is_set():
                    self._everybody = False
                    self._gp.update_tags()
                    if self._gp.models.in_use() and self._gp.models.coming() is None:
                        self._gp.embed()
                if self._unsummed and time.monotonic() - self._summed > SUM_SECONDS:
                    self._unsummed, self._summed = False, time.monotonic()
                    sum_kinds(self._gp.store)
            except EngineUnavailable:
                self._something.set()
                self._stop.wait(PAUSE_SECONDS)
            except GraphProfileError as error:
                self._drop(error)

    def _drop(self, error: GraphProfileError) -> None:
        """What cannot be done is left to ``graphprofile update``, which says why."""
        self._log.error("cannot refresh", code=error.code, message=error.message, hint=error.hint)
        with self._lock:
            for _ in range(min(AT_ONCE, len(self._due))):
                self._due.popitem(last=False)
            self._metrics.due.set(len(self._due))
