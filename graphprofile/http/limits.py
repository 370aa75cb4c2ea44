"""How often somebody may ask: the generic cell rate algorithm, two numbers a caller."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable

from graphprofile.errors import ConfigError

CALLERS = 10_000
_RATE = re.compile(r"(\d{1,7}) ?/ ?(second|minute|hour|day)")
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}


class RateLimit:
    """So many requests in any such stretch of time, per caller.

    Exact where a window that starts anew is not: at no moment have more than ``requests`` been let through within
    ``seconds`` beyond what had been saved up.

    Args:
        rate: ``600/minute``.
        clock: Seconds, monotonic.

    Raises:
        ConfigError: It is no rate.
    """

    def __init__(self, rate: str, clock: Callable[[], float] = time.monotonic) -> None:
        match = _RATE.fullmatch(rate.strip())
        if match is None or not int(match[1]):
            raise ConfigError(f"{rate!r} is no rate.", "Write it like 600/minute or 20/second.")
        self.requests, self.seconds = int(match[1]), _SECONDS[match[2]]
        self._step = self.seconds / self.requests
        self._clock = clock
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def wait(self, caller: str, count: int = 1) -> float:
        """Take one request of a caller.

        Returns:
            0 where it is let through, else the seconds after which it would be.
        """
        now = self._clock()
        begins = max(self._full_at.get(caller, now), now)
        late = begins + self._step * count - now - self.seconds
        if late > 1e-9:
            return late
        self._full_at[caller] = begins + self._step * count
        self._full_at.move_to_end(caller)
        if len(self._full_at) > CALLERS:
            self._full_at.popitem(last=False)
        return 0.0

    def spent(self, caller: str) -> float:
        """Seconds until a caller has a request left, taking none."""
        now = self._clock()
        return max(0.0, max(self._full_at.get(caller, now), now) + self._step - now - self.seconds)
