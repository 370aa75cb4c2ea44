"""What a rename needs to survive a power cut."""

from __future__ import annotations

import os
from pathlib import Path


def flush_folder(path: Path) -> None:
    """Make a rename in a folder survive a power cut, where the system can."""
    if os.name != "posix":
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
