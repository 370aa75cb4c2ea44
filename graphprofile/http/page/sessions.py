"""Who is signed in: a random cookie that stands for a key, in memory, for a working day."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict

COOKIE = "graphprofile_session"
HOURS = 12
MOST = 10_000


class Sessions:
    """Signed-in browsers of one server; a restart signs everybody out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: OrderedDict[bytes, tuple[str, float]] = OrderedDict()

    def begin(self, key_id: str) -> str:
        """A new cookie for the holder of a key."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._known[_digest(token)] = key_id, time.monotonic() + HOURS * 3600
            while len(self._known) > MOST:
                self._known.popitem(last=False)
        return token

    def key_id(self, token: str) -> str | None:
        """The key that a cookie stands for; None where it ended or never was."""
        with self._lock:
            found = self._known.get(_digest(token))
        if found is None or found[1] <= time.monotonic():
            self.end(token)
            return None
        return found[0]

    def end(self, token: str) -> None:
        """Sign out."""
        with self._lock:
            self._known.pop(_digest(token), None)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
