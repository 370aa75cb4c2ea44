"""Clock jumps: a loader whose clock is wrong, and goes wrong while it works."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

from .faults import Round, Setting
from .world import CLEAN, PARTIAL

LIBRARIES = "**/faketime/libfaketimeMT.so.1"
LIBRARY_FOLDERS = ("/usr/lib", "/usr/lib64", "/usr/local/lib")
DAYS = 86_400
LONG_AGO_DAYS = 30 * 365
SHIFTED = """
# Put in front of everything by PYTHONPATH: time.time() is off by the seconds that a file says now.
import os, time
_real, _path = time.time, os.environ["CHAOS_CLOCK"]
def _off():
    with open(_path) as file:
        return float(file.read() or 0)
time.time = lambda: _real() + _off()
time.time_ns = lambda: int(time.time() * 1e9)
"""
# Under libfaketime the system call behind time.sleep() fails while the clock is set back by more than the machine has
# been up, which no real clock does.
SLEEPING = """
import select, time
time.sleep = lambda seconds: select.select([], [], [], seconds) and None
"""


class Clock:
    """A clock for other processes, set while they run: by libfaketime where it is there, else by Python alone.

    Attributes:
        environment: For a command that is to live by it.
        by: What moves it.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "clock"
        library = next((found for root in LIBRARY_FOLDERS for found in Path(root).glob(LIBRARIES)), None)
        self._faked = library is not None
        self.by = "libfaketime" if self._faked else "time.time() alone (libfaketime is not installed)"
        (folder / "sitecustomize.py").write_text(SLEEPING if self._faked else SHIFTED)
        self.environment = {"PYTHONPATH": str(folder)}
        if library is not None:
            self.environment |= {
                "LD_PRELOAD": str(library),
                "FAKETIME_TIMESTAMP_FILE": str(self._file),
                "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            }
        else:
            self.environment["CHAOS_CLOCK"] = str(self._file)
        self.set(0)

    def set(self, days: float) -> None:
        """So many days off the right time."""
        seconds = days * DAYS
        # Replaced whole: a reader never sees half of it.
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{seconds:+.0f}" if self._faked else str(seconds))
        fresh.replace(self._file)


def clock_jumps(setting: Setting, times: int) -> Iterator[Round]:
    """The clock jumps to and fro by up to 40 days during a load and between a load that is killed and the next."""
    world, rng = setting.world, setting.rng
    clock = Clock(world.folder / "clock")
    for _ in range(times):
        world.fresh()
        # The engine is started before, with the right time.
        world.up()
        jumps = []
        for kill in (True, False):
            clock.set(rng.uniform(-40, 40))
            command = world.loading(setting.data.files, **clock.environment)
            for _ in range(3):
                if command.ends_within(rng.uniform(0, 0.4) * setting.seconds):
                    break
                jumps.append(rng.uniform(-40, 40))
                clock.set(jumps[-1])
            if kill:
                command.signal(signal.SIGKILL)
                command.end()
        wrongs = command.end().wrongs(CLEAN)
        wrongs += setting.finish()
        said = " ".join(f"{jump:+.0f}" for jump in jumps)
        yield Round(1, wrongs, f"jumps to {said} days by {clock.by}")


def clock_long_ago(setting: Setting, times: int) -> Iterator[Round]:
    """The clock is decades behind, so that all events lie in its future; then it is set right."""
    world = setting.world
    clock = Clock(world.folder / "clock")
    for _ in range(times):
        world.fresh()
        world.up()
        clock.set(-LONG_AGO_DAYS)
        ended = world.loading(setting.data.files, **clock.environment).end()
        wrongs = ended.wrongs(PARTIAL)
        clock.set(0)
        wrongs += setting.finish()
        refused = ended.document.get("quarantined", 0)
        yield Round(1, wrongs, f"{refused} rows refused as of the future, by {clock.by}")
