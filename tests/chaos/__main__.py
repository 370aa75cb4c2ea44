"""The long form: ``python -m tests.chaos --engine arcadedb --kills 200``."""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from contextlib import ExitStack
from pathlib import Path

# The helpers of the other tests lie one folder up, where pytest finds them by itself.
sys.path.insert(0, str(Path(__file__).parent.parent))

from neo4j_server import Neo4jServer

from . import bad_rows, clock, damage, disk, faults
from .faults import Fault, Setting
from .generate import Data, make_data
from .world import PROGRAM, Embedded, Impossible, Server, World

EVENTS = 130_000
"""So many that the rows of the longest file do not stay in memory (:data:`graphprofile.ingest.stretches.HELD_ROWS`)."""


def main() -> int:
    """Run the faults and print the table; 1 where any of them broke the rule."""
    options = _options()
    # Told to end, it still ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    for name in [n for n in os.environ if n.startswith("GRAPHPROFILE_") and n != "GRAPHPROFILE_CACHE"]:
        del os.environ[name]
    if options.scale > 1:
        PROGRAM[:] = [sys.executable, str(Path(__file__).with_name("scaled.py")), str(options.scale)]
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed} (the same again: --seed {seed})", flush=True)
    rows = []
    with tempfile.TemporaryDirectory(prefix="graphprofile-chaos-") as scratch, ExitStack() as stack:
        folder = Path(scratch)
        data = make_data(folder / "files", seed, events=options.events)
        for engine in options.engine:
            world = _world(engine, folder)
            stack.callback(world.close)
            rows += _run(world, data, options, seed)
    print(_table(rows))
    return 1 if any(failures for _, _, _, failures, _ in rows) else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--engine", action="append", choices=["arcadedb", "neo4j"], help="both by default")
    parser.add_argument("--kills", type=int, default=200, help="kills of the loader on each engine")
    parser.add_argument("--rounds", type=int, default=10, help="rounds of each other fault")
    parser.add_argument("--events", type=int, default=EVENTS, help="events in the files")
    parser.add_argument(
        "--scale", type=int, default=1, help="as many times fewer rows in memory, in a block and on disk"
    )
    parser.add_argument("--only", help="faults whose name holds this text")
    parser.add_argument("--seed", type=int)
    options = parser.parse_args()
    options.engine = options.engine or ["arcadedb", "neo4j"]
    return options


def _world(engine: str, folder: Path) -> World:
    if engine == "arcadedb":
        return Embedded(folder / engine)
    home = folder / "server"
    return Server(folder / engine, Neo4jServer.start(home))


def _plan(engine: str, options: argparse.Namespace) -> list[tuple[str, Fault, int]]:
    rounds = options.rounds
    plan: list[tuple[str, Fault, int]] = [
        ("kill -9 of the loader", faults.kill_loader, options.kills),
        ("kill -9 of the engine", faults.kill_engine, rounds),
        ("connections cut at random", faults.cut_at_random, 3 * rounds),
        ("cut between COMMIT and its answer", faults.cut_after_commit, 3 * rounds),
        ("connections half open for seconds", faults.half_open, rounds),
        ("connections silent for ever", faults.silent_for_ever, 1),
        ("four loaders at once", faults.loaders_at_once, rounds),
        ("four loaders at once, with kills", faults.loaders_at_once_and_kills, rounds),
        ("a loader stopped, another meanwhile", faults.stopped_loader, rounds),
        ("full disk under the store", disk.full_store, rounds),
        ("full disk under the quarantine", disk.full_quarantine, rounds),
        ("no room in TMPDIR", disk.full_temporary, 1),
        ("clock jumps during and between loads", clock.clock_jumps, rounds),
        ("clock decades behind, then right", clock.clock_long_ago, 2),
        ("files cut or with flipped bits, loaded", damage.damaged_files, 6 * rounds),
        ("bad rows among good ones", bad_rows.bad_rows, 1_000 * rounds),
        ("rows that the engine refuses", faults.poison_row, rounds),
    ]
    if engine == options.engine[0]:
        # Without any engine: once is enough.
        plan += [
            ("files cut or with flipped bits, read", damage.damaged_reads, 200 * rounds),
            ("readers fuzzed", damage.fuzzed, 12 * rounds),
        ]
    return [entry for entry in plan if not options.only or options.only in entry[0]]


def _run(
    world: World, data: Data, options: argparse.Namespace, seed: int
) -> list[tuple[str, str, int, int, float]]:
    # The first load meets a server that has compiled nothing: kills drawn over its time would mostly come too late.
    world.clean_digest(data)
    digest, seconds = world.clean_digest(data)
    print(f"{world.engine}: undisturbed in {seconds:.1f} s, digest {digest}", flush=True)
    rows = []
    for name, fault, times in _plan(world.engine, options):
        # Each fault has chances of its own, so that it can be run alone with the same seed.
        setting = Setting(world, data, digest, seconds, random.Random(f"{seed} {world.engine} {name}"))
        started, done, failures = time.monotonic(), 0, 0
        try:
            for round_ in fault(setting, times):
                done += round_.times
                failures += bool(round_.wrongs)
                print(f"{world.engine}, {name}: {done} of {times}: {round_.note}", flush=True)
                for wrong in round_.wrongs:
                    print(f"    WRONG (seed {seed}): {wrong}", flush=True)
        except Impossible as why:
            print(f"{world.engine}, {name}: left out: {why}", flush=True)
            continue
        except Exception:  # a fault that broke off is a failure, and the others are still run
            failures += 1
            print(f"    WRONG (seed {seed}): {traceback.format_exc()}", flush=True)
        rows.append((name, world.engine, done, failures, time.monotonic() - started))
    return rows


def _table(rows: list[tuple[str, str, int, int, float]]) -> str:
    lines = ["", "| fault | engine | repetitions | failures | seconds |", "|---|---|--:|--:|--:|"]
    lines += [f"| {name} | {engine} | {n} | {bad} | {took:.0f} |" for name, engine, n, bad, took in rows]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
