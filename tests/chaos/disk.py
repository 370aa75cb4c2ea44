"""Full disks: a small file system under the store, the quarantine or TMPDIR; after making room all is well."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from graphprofile.ingest.quarantine import read_quarantine

from .faults import Round, Setting
from .generate import Data, event_row, expected, write_rows
from .world import CLEAN, PARTIAL, Embedded, Impossible

DISK_BYTES = 512 << 20
BAD_ROWS = 1_500
SMALL, ROOMY = "128k", "64m"


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own in memory.

    Raises:
        Impossible: This user, or this container, may not mount.
    """
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "graphprofile-chaos", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise Impossible(f"no mount here: {error}") from error
    if done.returncode:
        raise Impossible(f"a small file system cannot be mounted: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


def full_store(setting: Setting, times: int) -> Iterator[Round]:
    """The disk of the embedded store is full at a random point of the load."""
    if not isinstance(setting.world, Embedded):
        raise Impossible("a Neo4j server's disk is not ours")
    with small_disk(setting.world.folder / "disk", str(DISK_BYTES)) as disk:
        world = Embedded(disk)
        try:
            world.fresh()
            empty = _used(disk)
            wrongs = world.load(setting.data.files).wrongs(CLEAN)
            needed = _used(disk) - empty
            yield Round(0, wrongs, f"a load needs {needed >> 20} MiB")
            for _ in range(times):
                world.fresh()
                room = int(needed * setting.rng.uniform(0.02, 0.95))
                ballast = disk / "ballast"
                with ballast.open("wb") as file:
                    os.posix_fallocate(file.fileno(), 0, DISK_BYTES - _used(disk) - room)
                ended = world.load(setting.data.files)
                wrongs = ended.wrongs(CLEAN, 1, 2)
                ballast.unlink()
                wrongs += world.again(setting.data.files, setting.data, setting.digest)
                said = ended.err.strip().splitlines()[-1][:160] if ended.code else "it came through"
                yield Round(1, wrongs, f"room for {room >> 10} KiB: {said}")
        finally:
            world.close()


def full_quarantine(setting: Setting, times: int) -> Iterator[Round]:
    """The disk of the quarantine is full: the load says so, and the same command keeps every refused row once."""
    world, rng = setting.world, setting.rng
    for number in range(times):
        world.fresh()
        world.up()
        rows = [event_row(rng, f"q{number}-{n}", 50, 50) for n in range(2 * BAD_ROWS)]
        good = rows[::2]
        for row in rows[1::2]:
            row["user_id"] = " "
        path = write_rows(world.folder / "half-bad.csv", rows)
        data = Data((path,), expected(good), {})
        with small_disk(world.settings.data_dir / "quarantine", SMALL) as folder:
            ended = world.load(data.files)
            wrongs = ended.wrongs(1, 2)
            listed = world.start("quarantine", "list").end()
            wrongs += listed.wrongs(0)
            subprocess.run(["mount", "-o", f"remount,size={ROOMY}", str(folder)], check=True)
            wrongs += world.load(data.files).wrongs(PARTIAL)
            kept = [kept.rejection.line for file in folder.glob("*.jsonl") for kept in read_quarantine(file)]
            if sorted(kept) != list(range(3, 2 * BAD_ROWS + 2, 2)):
                wrongs.append(
                    f"{len(kept)} rows ({len(set(kept))} different) in quarantine, {BAD_ROWS} are bad"
                )
            _, more = world.look(data)
        yield Round(1, [*wrongs, *more], ended.err.strip().splitlines()[-1][:160])


def full_temporary(setting: Setting, times: int) -> Iterator[Round]:
    """TMPDIR has no room at all."""
    world = setting.world
    with small_disk(world.folder / "tmp", "64k") as folder:
        (folder / "ballast").write_bytes(b"")
        with contextlib.suppress(OSError), (folder / "ballast").open("wb") as file:
            while file.write(b"0" * 4096):
                pass
        for _ in range(times):
            world.fresh()
            ended = world.load(setting.data.files, TMPDIR=str(folder))
            yield Round(1, [*ended.wrongs(CLEAN, 1, 2), *setting.finish()], f"exit code {ended.code}")


def _used(folder: Path) -> int:
    found = os.statvfs(folder)
    return (found.f_blocks - found.f_bfree) * found.f_frsize
