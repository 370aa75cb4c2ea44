"""Reading and checking without any engine, beside the plain parse of the same files by ``polars.read_csv``.

``and its quality`` also gathers what a batch keeps of its rows, as every load does.

    python benchmarks/reading.py --rows 1000000 [--rounds 3] [--json]

Every figure is the median of rounds that take turns, each in a process of its own, so that the peak of memory is
its own too. CPU seconds count all threads: what reading takes from the engine that works beside it.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import polars as pl
from generator import write_csv
from graphprofile.loaders.generic import GenericLoader

from graphprofile.ingest.mapping import Mapping
from graphprofile.ingest.quality.gather import Gatherer
from graphprofile.ingest.read import read_checked
from graphprofile.vocabulary import Vocabulary

READ, GATHER, PARSE = "read and check", "and its quality", "polars.read_csv"


def write_variants(folder: Path, rows: int) -> list[Path]:
    """The generated events as they are, without ids, with times in ISO 8601, and with two properties more."""
    plain = folder / "plain.csv"
    write_csv(plain, rows)
    frame = pl.scan_csv(plain, infer_schema=False)
    moment = pl.col("timestamp").cast(pl.Int64).cast(pl.Datetime("ms"))
    number = pl.col("timestamp").cast(pl.Int64)
    variants = {
        "no event_id": frame.drop("event_id"),
        "ISO 8601": frame.with_columns(timestamp=moment.dt.strftime("%Y-%m-%dT%H:%M:%SZ")),
        "two properties": frame.with_columns(
            channel=pl.lit("channel ") + (number % 7).cast(pl.String), quantity=(number % 11).cast(pl.String)
        ),
    }
    for name, variant in variants.items():
        variant.sink_csv(folder / f"{name}.csv")
    return [plain, *(folder / f"{name}.csv" for name in variants)]


def measure(method: str, path: Path) -> dict[str, Any]:
    """One pass over a file, in this process."""
    rows, started, cpu = 0, time.perf_counter(), time.process_time()
    if method == PARSE:
        rows = pl.read_csv(path).height
    else:
        # A watermark in the middle: half of the events lie behind it.
        quality = Gatherer(1_600_000_000_000, {}) if method == GATHER else None
        for chunk in read_checked(path, GenericLoader(), "events", Mapping(), Vocabulary()):
            rows += chunk.read - len(chunk.rejected)
            if quality is not None:
                quality.add(chunk)
    return {
        "rows": rows,
        "seconds": time.perf_counter() - started,
        "cpu_seconds": time.process_time() - cpu,
        "peak_mb": _peak_mb(),
    }


def _peak_mb() -> float:
    # Not ru_maxrss where it can be helped: on Linux that of a new process begins at its parent's.
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) / 1024


def _apart(method: str, path: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--measure", method, str(path)]
    found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def compare(rows: int, rounds: int) -> list[dict[str, Any]]:
    """All figures of one run."""
    taken: dict[tuple[str, str], list[dict[str, Any]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        paths = write_variants(Path(folder), rows)
        for _ in range(rounds):
            for path in paths:
                for method in (READ, GATHER, PARSE):
                    found = _apart(method, path)
                    assert found["rows"] == rows, found
                    taken.setdefault((path.stem, method), []).append(found)
    results = []
    for (variant, method), passes in taken.items():
        seconds = statistics.median(one["seconds"] for one in passes)
        cpu = statistics.median(one["cpu_seconds"] for one in passes)
        results.append(
            {
                "variant": variant,
                "method": method,
                "rows_per_second": round(rows / seconds),
                "rows_per_cpu_second": round(rows / cpu),
                "peak_mb": round(max(one["peak_mb"] for one in passes)),
            }
        )
    return results


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    parser.add_argument("--measure", nargs=2, metavar=("METHOD", "FILE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        method, path = arguments.measure
        print(json.dumps(measure(method, Path(path))))
        return 0
    results = compare(arguments.rows, arguments.rounds)
    if arguments.json:
        print(json.dumps({"rows": arguments.rows, "rounds": arguments.rounds, "results": results}, indent=1))
        return 0
    print(f"{arguments.rows:,} rows, median of {arguments.rounds} rounds")
    for row in results:
        print(
            f"  {row['variant']:<15} {row['method']:<16} {row['rows_per_second']:>10,} rows/s "
            f"{row['rows_per_cpu_second']:>10,} rows/CPU s   peak {row['peak_mb']:>4} MB"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
