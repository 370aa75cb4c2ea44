"""Files cut short and with flipped bits: refused, or read as far as they go, and mended by the good one."""

from __future__ import annotations

import importlib.util
import random
import re
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

from graphprofile import GraphProfile
from graphprofile.errors import GraphProfileError
from graphprofile.ingest.planned import checked_chunks, plan_sources
from graphprofile.ingest.quarantine import read_quarantine
from graphprofile.ingest.recipes import Recipe
from graphprofile.vocabulary import Vocabulary

from .faults import Round, Setting
from .generate import TYPES, Data, Event, Key, event_row, expected, write_rows
from .world import CLEAN, PARTIAL, Impossible, World

FORMATS = ("events.csv", "events.csv.gz", "events.jsonl", "events.parquet")
FUZZED = ("csv", "jsonl", "times")
ROOT = Path(__file__).parent.parent.parent
ROWS = 400
SLOWEST_READ_SECONDS = 20.0

Stored = dict[Key, Event]


def damage(rng: random.Random, good: bytes) -> tuple[bytes, str]:
    """A cut, or one to three flipped bits, and which of it."""
    if rng.random() < 0.5:
        at = rng.randrange(len(good))
        return good[:at], f"cut at {at}"
    spoilt = bytearray(good)
    places = [rng.randrange(len(good)) for _ in range(rng.randint(1, 3))]
    for place in places:
        spoilt[place] ^= 1 << rng.randrange(8)
    return bytes(spoilt), f"bits flipped at {places}"


def damaged_files(setting: Setting, times: int) -> Iterator[Round]:
    """A damaged file is loaded, then the good one: every good row is there as it is, or reported as a conflict."""
    world, rng = setting.world, setting.rng
    rows = [event_row(rng, f"d{number}", 60, 40) for number in range(ROWS)]
    wanted = expected(rows)
    data = Data((), wanted, {})
    folder = world.folder / "damaged"
    folder.mkdir(parents=True, exist_ok=True)
    goods = [write_rows(folder / f"good-{name}", rows) for name in FORMATS]
    world.fresh()
    world.up()
    wrongs = world.load([goods[0]]).wrongs(CLEAN)
    digest, more = world.look(data)
    yield Round(0, [*wrongs, *more], "undisturbed")
    for number in range(times):
        good = goods[number % len(goods)]
        spoilt, what = damage(rng, good.read_bytes())
        bad = folder / good.name.removeprefix("good-")
        bad.write_bytes(spoilt)
        world.sweep()
        first = world.load([bad])
        wrongs = first.wrongs(0, 1, 2, 3)
        with world.open() as gp:
            before = stored_events(gp) if gp.status()["events"] else {}
        cut = what.startswith("cut")
        if first.code not in (CLEAN, PARTIAL) and before and cut and not good.name.endswith("parquet"):
            wrongs.append(f"exit code {first.code}, and {len(before)} rows are there")
        if cut and first.code in (CLEAN, PARTIAL):
            whole = whole_rows(good.name, spoilt)
            lost = [
                row["event_id"]
                for row in rows[:whole]
                if (TYPES[row["event_type"]], row["event_id"]) not in before
            ]
            wrongs += [f"{len(lost)} of {whole} rows before the cut are missing: {lost[:3]}"] if lost else []
        second = world.load([good])
        wrongs += second.wrongs(CLEAN, PARTIAL)
        found, more = mended(world, wanted, digest, data)
        said = first.err.strip().splitlines()[-1][:110] if first.err.strip() else f"exit code {first.code}"
        yield Round(1, [*wrongs, *more], f"{bad.name} {what}: {said}; {found}")


def whole_rows(name: str, spoilt: bytes) -> int:
    """How many rows of a file that was cut are whole, told without the product's own readers."""
    if name.endswith("parquet"):
        return 0
    if name.endswith(".gz"):
        # All that the decompressor gives out; a reader in pieces may come to know of less.
        spoilt = zlib.decompressobj(31).decompress(spoilt)
    return max(0, spoilt.count(b"\n") - (".csv" in name))


def stored_events(gp: GraphProfile) -> Stored:
    """Every event in the graph."""
    found: Stored = {}
    for kind in TYPES.values():
        for row in gp.cypher(
            f"MATCH (u)-[e:{kind}]->(o) RETURN e.event_id AS id, u.id AS u, o.id AS o, e.ts AS ts, e.value AS value, "
            "e.channel AS channel"
        ):
            assert (kind, row["id"]) not in found, f"{kind} {row['id']} is doubled"
            found[kind, row["id"]] = (row["u"], row["o"], row["ts"], row["value"], row["channel"])
    return found


def mended(world: World, wanted: Stored, digest: str, data: Data) -> tuple[str, list[str]]:
    """What the good file made of it."""
    with world.open() as gp:
        found = stored_events(gp)
    conflicts = set()
    for path in (world.settings.data_dir / "quarantine").glob("*.jsonl"):
        for kept in read_quarantine(path):
            if kept.rejection.reason.startswith("conflict") and isinstance(kept.rejection.row, dict):
                row = kept.rejection.row
                conflicts.add((TYPES[row["event_type"]], row["event_id"]))
    lost = [key for key, row in wanted.items() if found.get(key) != row and key not in conflicts]
    wrongs = (
        [f"{len(lost)} rows of the good file are neither there nor a conflict: {lost[:3]}"] if lost else []
    )
    foreign = len(found.keys() - wanted.keys())
    if found == wanted:
        again, more = world.look(data)
        wrongs += more
        wrongs += [] if again == digest else [f"digest {again[:12]} instead of {digest[:12]}"]
    return f"{len(conflicts)} conflicts, {foreign} rows that damage made", wrongs


def damaged_reads(setting: Setting, times: int) -> Iterator[Round]:
    """Damaged files through the readers alone: rows, or an error of the project's own, in bounded time."""
    rng = setting.rng
    folder = setting.world.folder / "reads"
    folder.mkdir(parents=True, exist_ok=True)
    rows = [event_row(rng, f"d{number}", 60, 40) for number in range(ROWS)]
    goods = [write_rows(folder / f"good-{name}", rows) for name in FORMATS]
    wrongs: list[str] = []
    for number in range(times):
        good = goods[number % len(goods)]
        spoilt, what = damage(rng, good.read_bytes())
        bad = folder / good.name.removeprefix("good-")
        bad.write_bytes(spoilt)
        wrongs += [f"{bad.name} {what}: {wrong}" for wrong in read_through(bad)]
    yield Round(times, wrongs, f"{len(wrongs)} wrongs")


def read_through(path: Path) -> list[str]:
    """Read and check a file without any engine; what went wrong."""
    started = time.monotonic()
    recipe = Recipe(kind="events")
    try:
        for _ in checked_chunks(plan_sources([path], recipe), Vocabulary(), recipe):
            pass
    except GraphProfileError as error:
        return [] if error.message else ["an error without a message"]
    except Exception as error:  # whatever else comes out is what is looked for
        return [f"{type(error).__name__}: {error}"]
    took = time.monotonic() - started
    return [] if took < SLOWEST_READ_SECONDS else [f"took {took:.0f} s"]


def fuzzed(setting: Setting, times: int) -> Iterator[Round]:
    """The coverage-guided fuzzer on each kind of text, ``times`` seconds each."""
    if importlib.util.find_spec("atheris") is None:
        raise Impossible("atheris is not installed")
    for target in FUZZED:
        command = [sys.executable, "-m", "tests.chaos.fuzz", target, f"-max_total_time={times}"]
        command += [f"-seed={setting.rng.randrange(1, 1 << 30)}", "-verbosity=1"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        runs = re.search(r"Done (\d+) runs", done.stderr)
        wrongs = [] if done.returncode == 0 and runs else [f"{' '.join(command)}: {done.stderr[-1500:]}"]
        yield Round(int(runs.group(1)) if runs else 0, wrongs, target)
