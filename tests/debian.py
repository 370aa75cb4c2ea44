"""Programs that tests need and the machine lacks: on a CI machine that allows it, installed from Debian."""

from __future__ import annotations

import os
import shutil
import subprocess

from filelock import FileLock
from neo4j_server import cache_folder

SECONDS = 600


class Unavailable(Exception):
    """A program is not on this machine; the message says how to get it."""


def in_ci() -> bool:
    """Whether what is missing is a failure."""
    return os.environ.get("CI", "").lower() in ("1", "true")


def install(package: str, name: str, advice: str) -> None:
    """Install a package as root on a CI machine with apt; elsewhere nothing is done.

    Raises:
        Unavailable: It could not be installed.
    """
    if not (in_ci() and os.geteuid() == 0 and shutil.which("apt-get")):
        return
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    cache_folder().mkdir(parents=True, exist_ok=True)
    # Tests run in two processes, and apt-get runs once at a time.
    with FileLock(cache_folder() / "apt.lock"):
        for words in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", package]):
            command = ["apt-get", *words]
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
            )
            if done.returncode:
                raise Unavailable(f"{name} could not be installed: {done.stderr[-400:]} {advice}")
