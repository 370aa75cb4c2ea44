"""The benchmarks that need nothing but the package: reading, loading, and the demo's model."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    """Run each in its own process, so that peaks of memory are its own."""
    data = str(files("graphprofile.sample_data") / "shakespeare")
    for command in (
        [str(HERE / "reading.py"), "--rows", "1000000"],
        [str(HERE / "load.py"), "--events", "100000"],
        [str(HERE / "models.py"), "--data", "shakespeare", "--path", data],
    ):
        print("$", "python", Path(command[0]).relative_to(HERE.parent), *command[1:], flush=True)
        subprocess.run([sys.executable, *command], check=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
