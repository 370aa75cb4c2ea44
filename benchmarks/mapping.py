"""A mapping file over ten columns, reading, cleaning and checking without any engine; and ``map`` on a large file.

    python benchmarks/mapping.py --rows 1000000 [--rounds 3] [--map-bytes 1000000000] [--json]
    python benchmarks/mapping.py --through-bytes 5000000000 [--json]

The rows are those of a shop that writes decimal commas, two time formats, blanks and texts for nothing. ``five rules``
cleans with five rules on different columns, ``fifty rules`` with five on each of the ten; ``no file`` reads the same
rows, already clean, under the generic names. Every figure is the median of rounds in processes of their own. ``map``
is the whole command, with the start of the program. ``--through-bytes`` reads, cleans and checks one file of that
size with five rules, once, and prints the memory that its process took; the file is deleted afterwards.
"""

from __future__ import annotations

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from graphprofile.loaders.generic import GenericLoader
from reading import _peak_mb

from graphprofile.ingest.mapped.check import read_rules
from graphprofile.ingest.mapped.reading import MappingLoader
from graphprofile.ingest.mapping import Mapping
from graphprofile.ingest.read import read_checked
from graphprofile.records import SourceFile
from graphprofile.vocabulary import Vocabulary

TABLE = """
[source]
decimal = ","
time_zone = "Europe/Paris"
{every}
{columns}
[events]
user_id = "Customer"
event_type = {{ column = "Status", map = {{ paid = "purchased", returned = "returned", seen = "viewed" }} }}
object_id = "Article"
timestamp = {{ column = "Date", formats = ["%d/%m/%Y %H:%M:%S", "iso"] }}
value = "Price"
event_id = {{ template = "{{Order}}-{{Line}}" }}
properties = {{ keep = ["Country", "Channel", "Note"] }}
"""
FIVE = """
[columns.Customer]
trim = true
[columns.Article]
case = "upper"
[columns.Country]
map = { UK = "United Kingdom", D = "Germany" }
[columns.Note]
missing = ["NULL", "n/a", ""]
[columns.Channel]
replace = [{ pattern = "^shop[-_ ]", by = "" }]
"""
EVERY = """
[columns."*"]
trim = true
nfc = true
unquote = true
missing = ["NULL", "n/a", ""]
replace = [{ pattern = "^shop[-_ ]", by = "" }]
"""


def write_shop(folder: Path, rows: int) -> dict[str, Path]:
    """The shop's file, the same rows in generic columns, and the two mappings."""
    random = np.random.default_rng(1)
    moment = pl.Series(random.integers(1_500_000_000, 1_700_000_000, rows)).cast(pl.Int64) * 1000
    moment = moment.cast(pl.Datetime("ms"))
    numbers = pl.DataFrame(
        {
            "user": random.zipf(1.3, rows) % 200_000,
            "item": random.zipf(1.2, rows) % 50_000,
            "price": random.integers(50, 20_000, rows),
            "pick": random.integers(0, 1 << 30, rows),
            "row": np.arange(rows),
        }
    ).with_columns(moment=moment)
    pick, words = pl.col("pick"), pl.lit
    shop = numbers.select(
        Order=(pl.col("row") // 3).cast(pl.String),
        Line=(pl.col("row") % 3).cast(pl.String),
        Customer=pl.when(pick % 10 == 0).then(pl.format(" c{} ", "user")).otherwise(pl.format("c{}", "user")),
        Article=pl.format("a{}", "item"),
        Status=pl.when(pick % 20 == 0)
        .then(words("returned"))
        .when(pick % 3 == 0)
        .then(words("seen"))
        .otherwise(words("paid")),
        Date=pl.when(pick % 4 == 0)
        .then(pl.col("moment").dt.to_string("%Y-%m-%dT%H:%M:%S"))
        .otherwise(pl.col("moment").dt.to_string("%d/%m/%Y %H:%M:%S")),
        Price=pl.format(
            "{},{}", pl.col("price") // 100, (pl.col("price") % 100).cast(pl.String).str.zfill(2)
        ),
        Country=pl.when(pick % 5 < 3)
        .then(words("UK"))
        .when(pick % 5 == 3)
        .then(words("D"))
        .otherwise(words("Österreich")),
        Channel=pl.format("shop-{}", pick % 7),
        Note=pl.when(pick % 3 == 0).then(words("NULL")).otherwise(pl.format("note {}", pick % 1000)),
    )
    shop.write_csv(folder / "shop.csv", separator=";")
    clean = numbers.select(
        event_id=pl.format("{}-{}", pl.col("row") // 3, pl.col("row") % 3),
        user_id=pl.format("c{}", "user"),
        event_type=words("purchased"),
        object_id=pl.format("A{}", "item"),
        timestamp=pl.col("moment").dt.to_string("%Y-%m-%dT%H:%M:%SZ"),
        value=(pl.col("price") / 100).cast(pl.String),
        Country=words("United Kingdom"),
        Channel=(pick % 7).cast(pl.String),
        Note=pl.format("note {}", pick % 1000),
    )
    clean.write_csv(folder / "clean.csv")
    (folder / "five.toml").write_text(TABLE.format(every="", columns=FIVE), "utf-8")
    (folder / "fifty.toml").write_text(TABLE.format(every=EVERY, columns=""), "utf-8")
    return {
        name: folder / f"{name}{end}"
        for name, end in (("shop", ".csv"), ("clean", ".csv"), ("five", ".toml"), ("fifty", ".toml"))
    }


def measure(source: Path, mapping: Path | None) -> dict[str, Any]:
    """One pass over a file, in this process."""
    loader = GenericLoader() if mapping is None else MappingLoader(read_rules(mapping))
    (file,) = loader.sources([source], "events") if mapping is not None else [SourceFile(source, "events")]
    read = refused = cleaned = 0
    started, cpu = time.perf_counter(), time.process_time()
    for chunk in read_checked(file, loader, "events", Mapping(), Vocabulary()):
        read, refused = read + chunk.read, refused + len(chunk.rejected)
        cleaned += sum(getattr(chunk, "cleaned", {}).values())
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    return {
        "read": read,
        "refused": refused,
        "cleaned": cleaned,
        "seconds": seconds,
        "cpu": cpu,
        "peak_mb": _peak_mb(),
    }


def compare(rows: int, rounds: int) -> list[dict[str, Any]]:
    """Rows a second of the three ways."""
    results = []
    with tempfile.TemporaryDirectory() as folder:
        paths = write_shop(Path(folder), rows)
        ways = {"no file": ("clean", None), "five rules": ("shop", "five"), "fifty rules": ("shop", "fifty")}
        for way, (source, mapping) in ways.items():
            command = [sys.executable, __file__, "--measure", str(paths[source])]
            command += [] if mapping is None else [str(paths[mapping])]
            passes = [
                json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
                for _ in range(rounds)
            ]
            assert all(one["read"] == rows and not one["refused"] for one in passes), passes
            middle = statistics.median(one["seconds"] for one in passes)
            results.append(
                {
                    "way": way,
                    "rows_per_second": round(rows / middle),
                    "rows_per_cpu_second": round(rows / statistics.median(one["cpu"] for one in passes)),
                    "cleaned": passes[0]["cleaned"],
                    "peak_mb": round(max(one["peak_mb"] for one in passes)),
                }
            )
    return results


def go_through(size: int) -> dict[str, Any]:
    """One pass over a file of so many bytes, whose orders are all different."""
    with tempfile.TemporaryDirectory() as folder:
        paths = write_shop(Path(folder), 500_000)
        header, _, body = paths["shop"].read_bytes().partition(b"\n")
        large = Path(folder) / "large.csv"
        with large.open("wb") as stream:
            stream.write(header)
            for number in itertools.count():
                stream.write((b"\n" + body.removesuffix(b"\n")).replace(b"\n", b"\n%d-" % number))
                if stream.tell() >= size:
                    break
        command = [sys.executable, __file__, "--measure", str(large), str(paths["five"])]
        found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
        assert not found["refused"], found
        return {
            "bytes": large.stat().st_size,
            "rows": found["read"],
            "rows_per_second": round(found["read"] / found["seconds"]),
            "rows_per_cpu_second": round(found["read"] / found["cpu"]),
            "peak_mb": round(found["peak_mb"]),
        }


def time_map(size: int, rounds: int) -> dict[str, Any]:
    """Seconds that ``map`` takes on a file of so many bytes."""
    with tempfile.TemporaryDirectory() as folder:
        part = write_shop(Path(folder), 200_000)["shop"].read_bytes()
        header, _, body = part.partition(b"\n")
        large = Path(folder) / "large.csv"
        with large.open("wb") as stream:
            stream.write(header + b"\n")
            while stream.tell() < size:
                stream.write(body)
        seconds = []
        for _ in range(rounds):
            started = time.perf_counter()
            command = [
                sys.executable,
                "-c",
                "from graphprofile.cli import main; main()",
                "map",
                str(large),
                "--json",
            ]
            done = subprocess.run(command, check=True, capture_output=True, cwd=folder)
            seconds.append(time.perf_counter() - started)
        sampled = json.loads(done.stdout)["sampled"]
        return {
            "bytes": large.stat().st_size,
            "seconds": round(statistics.median(seconds), 2),
            "sampled": sampled,
        }


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--map-bytes", type=int, default=1_000_000_000, help="size of the file that `map` looks at"
    )
    parser.add_argument(
        "--through-bytes", type=int, help="size of a file that goes through the mapping; only this is done"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    parser.add_argument("--measure", nargs="+", metavar="FILE", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        source, mapping = (*map(Path, arguments.measure), None)[:2]
        assert source is not None
        print(json.dumps(measure(source, mapping)))
        return 0
    if arguments.through_bytes:
        passed = go_through(arguments.through_bytes)
        if arguments.json:
            print(json.dumps(passed, indent=1))
        else:
            print(
                f"{passed['bytes']:,} bytes, {passed['rows']:,} rows of ten columns, five rules:"
                f" {passed['rows_per_second']:,} rows/s, {passed['rows_per_cpu_second']:,} rows/CPU s,"
                f" peak {passed['peak_mb']} MB"
            )
        return 0
    results = compare(arguments.rows, arguments.rounds)
    looked = time_map(arguments.map_bytes, arguments.rounds)
    if arguments.json:
        print(json.dumps({"rows": arguments.rows, "results": results, "map": looked}, indent=1))
        return 0
    print(f"{arguments.rows:,} rows of ten columns, median of {arguments.rounds} rounds")
    for row in results:
        print(
            f"  {row['way']:<12} {row['rows_per_second']:>10,} rows/s {row['rows_per_cpu_second']:>10,} rows/CPU s"
            f"   {row['cleaned']:>9,} values changed   peak {row['peak_mb']:>4} MB"
        )
    print(f"  map on {looked['bytes']:,} bytes: {looked['seconds']} s, {looked['sampled']:,} rows looked at")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
