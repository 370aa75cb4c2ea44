"""Faults of processes and connections: each is a generator of rounds, and the rule is checked in every round."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from graphprofile.ingest.quarantine import read_quarantine

from .generate import Data, Row, event_row, expected, write_rows
from .proxy import Proxy
from .world import CLEAN, PARTIAL, Command, Ended, Impossible, World

KILLS_A_STORE = 8
LOADERS = 4
LONGEST_DELAY_SECONDS = 0.05
HALF_OPEN_SECONDS = 3.0


@dataclass
class Round:
    """What came of one round.

    Attributes:
        times: How many faults it held.
        wrongs: What broke the rule; empty where nothing did.
        note: What happened, in a few words.
    """

    times: int
    wrongs: list[str] = field(default_factory=list)
    note: str = ""


@dataclass(frozen=True)
class Setting:
    """What every fault gets.

    Attributes:
        world: The graph to break.
        data: What is loaded.
        digest: Of a load that nothing disturbs.
        seconds: How long that took.
        rng: Where every chance comes from.
    """

    world: World
    data: Data
    digest: str
    seconds: float
    rng: random.Random

    def moment(self) -> float:
        """A moment between the start of a load and a little after its end."""
        return self.rng.uniform(0, self.seconds * 1.05)

    def finish(self) -> list[str]:
        """The rule."""
        return self.world.again(self.data.files, self.data, self.digest)


Fault = Callable[[Setting, int], Iterator[Round]]


def kill_loader(setting: Setting, times: int) -> Iterator[Round]:
    """kill -9 of the loader at a random moment, several times on end, then the same command in peace."""
    world, rng, left, seconds = setting.world, setting.rng, times, setting.seconds
    while left > 0:
        world.fresh()
        # Sometimes an engine waits already, sometimes the loader that is killed has to start it.
        warm = rng.random() < 0.5
        if warm:
            world.up()
        moments: list[str] = []
        while len(moments) < min(KILLS_A_STORE, left):
            command = world.loading(setting.data.files)
            moment = rng.uniform(0, seconds)
            if command.ends_within(moment):
                ended = command.end()
                wrongs = ended.wrongs(CLEAN)
                if not moments:
                    # The machine has more time now than it had when the first load was measured.
                    seconds = ended.seconds
                if wrongs or not moments:
                    yield Round(0, wrongs, f"it ended before {moment:.2f} s")
                break
            command.signal(signal.SIGKILL)
            command.end()
            moments.append(f"{moment:.2f}")
        left -= len(moments)
        if moments:
            yield Round(
                len(moments), setting.finish(), f"{'warm' if warm else 'cold'} at {' '.join(moments)} s"
            )


def kill_engine(setting: Setting, times: int) -> Iterator[Round]:
    """kill -9 of the engine under a running load, once or twice; the loader goes on, or the same command does."""
    world, rng, left = setting.world, setting.rng, times
    while left > 0:
        world.fresh()
        command = world.loading(setting.data.files)
        killed = 0
        for _ in range(min(left, rng.choice([1, 1, 2]))):
            command.ends_within(rng.uniform(0.1, 1.0) * setting.seconds)
            if not command.lives():
                break
            killed += world.kill_engine()
            if killed:
                time.sleep(rng.uniform(0, 1.5))
                world.start_engine()
        ended = command.end()
        wrongs = ended.wrongs(CLEAN, 1)
        if killed:
            note = f"{killed} kill(s); the loader {_what_became(ended)}"
            yield Round(killed, [*wrongs, *setting.finish()], note)
            left -= killed
        elif wrongs:
            yield Round(0, wrongs, "no engine to kill")


def cut_at_random(setting: Setting, times: int) -> Iterator[Round]:
    """Connections cut at random moments, the pieces delayed at random."""

    def disturb(proxy: Proxy, command: Command) -> None:
        proxy.longest_delay = setting.rng.choice([0.0, LONGEST_DELAY_SECONDS])
        for _ in range(3):
            if command.ends_within(setting.rng.uniform(0.05, 0.5) * setting.seconds):
                return
            proxy.cut()

    yield from _behind_proxy(setting, times, disturb)


def cut_after_commit(setting: Setting, times: int) -> Iterator[Round]:
    """COMMIT goes to the engine, the connection is cut when the answer comes: did it commit or not?"""

    def disturb(proxy: Proxy, command: Command) -> None:
        proxy.commits_to_cut = set(setting.rng.sample(range(1, 13), 3))
        command.ends_within(setting.seconds * 10)

    yield from _behind_proxy(setting, times, disturb)


def half_open(setting: Setting, times: int) -> Iterator[Round]:
    """Connections that stay open and carry nothing any more for some seconds, and are cut then."""

    def disturb(proxy: Proxy, command: Command) -> None:
        if not command.ends_within(setting.moment()):
            proxy.swallow()
            command.ends_within(HALF_OPEN_SECONDS)
            proxy.cut()

    yield from _behind_proxy(setting, times, disturb)


def silent_for_ever(setting: Setting, times: int) -> Iterator[Round]:
    """Connections that stay open and carry nothing for ever; new ones work: the loader must end in bounded time."""

    if setting.world.engine == "arcadedb":
        raise Impossible("the embedded engine is reached by loopback, which does not fall silent")

    def disturb(proxy: Proxy, command: Command) -> None:
        if not command.ends_within(setting.rng.uniform(0.3, 0.7) * setting.seconds):
            proxy.cuts += proxy.swallow()

    yield from _behind_proxy(setting, times, disturb)


def _behind_proxy(setting: Setting, times: int, disturb: Callable[[Proxy, Command], None]) -> Iterator[Round]:
    """Loads through a proxy that is disturbed meanwhile. ``bolt://``, so that no routing goes around it."""
    world, left = setting.world, times
    while left > 0:
        world.fresh()
        port, reach = world.bolt()
        with Proxy(port, setting.rng) as proxy:
            reach["GRAPHPROFILE_URI"] = f"bolt://127.0.0.1:{proxy.port}"
            command = world.loading(setting.data.files, **reach)
            disturb(proxy, command)
            ended = command.end()
            cuts = proxy.cuts
        # A connection that is cut while it is being made may be refused for good; a later one is gone on with.
        wrongs = ended.wrongs(CLEAN, 1)
        note = f"{cuts} cut(s); the loader {_what_became(ended)}"
        yield Round(cuts, [*wrongs, *setting.finish()], note)
        left -= max(cuts, 1)


def loaders_at_once(setting: Setting, times: int, *, kill: bool = False) -> Iterator[Round]:
    """Four loaders at once, each with a random overlapping part of the files in a random order."""
    world, rng = setting.world, setting.rng
    for _ in range(times):
        world.fresh()
        parts = [_some(rng, setting.data.files) for _ in range(LOADERS)]
        commands = [world.loading(part) for part in parts]
        victims = rng.sample(commands, rng.randint(1, 3)) if kill else []
        for victim in victims:
            time.sleep(rng.uniform(0, setting.seconds / len(victims)))
            victim.signal(signal.SIGKILL)
        wrongs = []
        killed = 0
        for part, command in zip(parts, commands, strict=True):
            ended = command.end()
            if command in victims and ended.code == -signal.SIGKILL:
                killed += 1
                ended = world.load(part)
            wrongs += ended.wrongs(CLEAN)
        note = f"parts of {', '.join(str(len(part)) for part in parts)} files, {killed} killed"
        yield Round(1, [*wrongs, *setting.finish()], note)


def loaders_at_once_and_kills(setting: Setting, times: int) -> Iterator[Round]:
    """The same, and one to three of them are killed at random moments."""
    yield from loaders_at_once(setting, times, kill=True)


def stopped_loader(setting: Setting, times: int) -> Iterator[Round]:
    """A loader is stopped for a while (SIGSTOP) in the middle; another does the same files; the first goes on."""
    world, rng = setting.world, setting.rng
    for _ in range(times):
        world.fresh()
        world.up()
        first = world.loading(setting.data.files)
        if first.ends_within(rng.uniform(0.2, 0.9) * setting.seconds):
            yield Round(0, first.end().wrongs(CLEAN), "it ended too soon")
            continue
        first.signal(signal.SIGSTOP)
        second = world.loading(setting.data.files)
        alone = second.ends_within(setting.seconds * rng.uniform(0.5, 2))
        first.signal(signal.SIGCONT)
        wrongs = first.end().wrongs(CLEAN) + second.end().wrongs(CLEAN)
        note = f"the second ended {'before' if alone else 'after'} the first went on"
        yield Round(1, [*wrongs, *setting.finish()], note)


def _what_became(ended: Ended) -> str:
    return "went on" if ended.code == CLEAN else f"gave up: {ended.err.strip()[-220:]}"


def _some(rng: random.Random, files: tuple[Path, ...]) -> list[Path]:
    return rng.sample(files, rng.randint(2, len(files)))


def poison_row(setting: Setting, times: int) -> Iterator[Round]:
    """The user's own constraints refuse single rows: these are quarantined, all the others are loaded."""
    world, rng = setting.world, setting.rng
    for number in range(times):
        world.fresh()
        world.up()
        world.start("init").end()
        with world.open() as gp:
            gp.cypher("CREATE CONSTRAINT FOR (i:Item) REQUIRE i.sku IS UNIQUE", read_only=False)
            gp.cypher(
                "CREATE CONSTRAINT FOR ()-[e:PURCHASED]-() REQUIRE e.receipt IS UNIQUE", read_only=False
            )
        # Loaded before: of two rows of one file with one value either could be the one that comes too late.
        there: list[Row] = [{"item_id": f"t{n}", "title": f"Taken {n}", "sku": f"taken{n}"} for n in range(9)]
        done = [event_row(rng, f"t{number}-{n}", 50, 300) for n in range(9)]
        things: list[Row] = [{"item_id": f"i{n}", "title": f"Book {n}", "sku": f"s{n}"} for n in range(300)]
        rows = [event_row(rng, f"p{number}-{n}", 50, 300) for n in range(1_200)]
        for name, some in (("taken", done), ("r", rows)):
            for n, row in enumerate(some):
                row.update(event_type="purchased", receipt=f"{name}{n}")
        bad_things = rng.sample(range(len(things)), 2)
        bad_rows = rng.sample(range(len(rows)), 3)
        for n in bad_things:
            things[n]["sku"] = f"taken{n % 9}"
        for n in bad_rows:
            rows[n]["receipt"] = f"taken{n % 9}"
        before = (write_rows(world.folder / "taken.csv", there), write_rows(world.folder / "done.csv", done))
        files = (
            write_rows(world.folder / "skus.csv", things),
            write_rows(world.folder / "receipts.csv", rows),
        )
        good = expected([*done, *(row for n, row in enumerate(rows) if n not in bad_rows)])
        data = Data((*before, *files), good, {"Item": len(things) + len(there)})
        wrongs = world.load(before).wrongs(CLEAN)
        for _ in range(2):
            ended = world.load(files)
            wrongs += ended.wrongs(PARTIAL)
            kept = {
                (Path(row.rejection.source).name, row.rejection.line)
                for path in (world.settings.data_dir / "quarantine").glob("*.jsonl")
                for row in read_quarantine(path)
            }
            bad = {("skus.csv", n + 2) for n in bad_things} | {("receipts.csv", n + 2) for n in bad_rows}
            if kept != bad:
                wrongs.append(f"in quarantine: {sorted(kept)}; bad: {sorted(bad)}")
        _, more = world.look(data)
        yield Round(1, [*wrongs, *more], f"{len(bad)} rows refused by the engine")
