"""The short form of the steady load; ``benchmarks/serve.py --steady MINUTES`` is the long one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.mark.slow
def test_memory_stays_flat_and_nothing_goes_wrong(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "serve.py"), "--engine", "arcadedb", "--data", str(tmp_path)]
    command += ["--users", "200", "--items", "200", "--steady", "0.3", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, (done.stdout, done.stderr)
    found = json.loads(done.stdout)["steady"]
    assert found["wrongs"] == []
    assert found["calls"] > 20


def test_growth_is_told_from_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from steady import MOST_GROWTH_MB, grown

    warm = [(float(second), 100.0 + 10 * second) for second in range(0, 20, 2)]
    flat = [(float(second), 300.0 + second % 3) for second in range(20, 100, 2)]
    leak = [(float(second), 300.0 + 2 * second) for second in range(20, 100, 2)]
    assert abs(grown(warm + flat)) < 5
    assert grown(warm + leak) > MOST_GROWTH_MB
