"""Schema versions: which stores this program opens, and how it takes an older one to its own version.

A step may be begun again after a kill: it does no harm twice, and the version is raised when all of it is done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from graphprofile.errors import StoreMismatch
from graphprofile.records import Document, chunks
from graphprofile.tags import USERS_PER_TRANSACTION, rate_per_ms
from graphprofile.vocabulary import Vocabulary

if TYPE_CHECKING:
    from graphprofile.store import Store

BATCHES_PER_TRANSACTION = 1_000
WRITING_SECONDS = 60

Step = Callable[["Store", Vocabulary], None]


class MigrateResult(Document):
    """Answer of ``migrate``; ``from_version`` equals ``to_version`` where there was nothing to do."""

    from_version: int | None
    to_version: int | None
    seconds: float


def _to_2(store: Store, vocabulary: Vocabulary) -> None:
    """Parts of batches and withdrawn events have constraints; batches without parts cannot be undone."""
    store.create_schema(vocabulary.types)
    while store.write(lambda tx: tx.run("migrate/close_batches", limit=BATCHES_PER_TRANSACTION))[0][
        "batches"
    ]:
        pass


def _to_3(store: Store, vocabulary: Vocabulary) -> None:
    """What everybody's interests come to by kind of tag is kept on the users."""
    rate = rate_per_ms(vocabulary.half_life_long_days)
    user_ids = sorted(row["user_id"] for row in store.stream("tags/list_users"))
    for part in chunks(user_ids, USERS_PER_TRANSACTION):
        store.write(lambda tx, part=part: tx.run("tags/set_kind_sums", user_ids=list(part), long_rate=rate))  # type: ignore[misc]


STEPS: dict[int, Step] = {1: _to_2, 2: _to_3}
"""What leads from a version to the next."""


def check_version(rules: Mapping[str, Any], version: int) -> None:
    """Refuse a store that this program does not work with.

    Args:
        rules: The store's own record.
        version: The schema version of this program.

    Raises:
        StoreMismatch: An older or newer store, or one whose restore was not finished; the hint says what to do.
    """
    check_not_restoring(rules)
    if rules["version"] > version:
        raise newer_store(rules["version"], version)
    if rules["version"] < version:
        raise StoreMismatch(
            f"The store has schema version {rules['version']}, this program works with {version}.",
            "Run `graphprofile migrate` (`graphprofile backup FILE` before it keeps the store as it is).",
        )


def check_not_restoring(rules: Mapping[str, Any]) -> None:
    """Refuse a store whose restore was not finished.

    Raises:
        StoreMismatch: Names the backup.
    """
    if rules.get("restoring") is not None:
        file = rules.get("restoring_from")
        raise StoreMismatch(
            f"This store is incomplete: the restore of {file} is under way, or was broken off.",
            f"Wait for it, or run `graphprofile restore {file}` again: it begins anew.",
        )


def newer_store(found: int, version: int, what: str = "The store") -> StoreMismatch:
    """The error for a store or a backup that a later program wrote."""
    return StoreMismatch(
        f"{what} has schema version {found}, this program works with {version}.",
        "Use the newer program that wrote it (`pip install --upgrade graphprofile`).",
    )


def migrate(store: Store, version: int) -> MigrateResult:
    """Take a store to a schema version, step by step.

    Args:
        store: The graph; one that was never set up is left alone.
        version: Where to.

    Raises:
        StoreMismatch: The store is newer, incomplete, or an older program is loading into it now.
    """
    started = time.perf_counter()
    rows = store.read("schema/read_store")
    if not rows:
        return MigrateResult(from_version=None, to_version=None, seconds=0.0)
    rules = rows[0]["properties"]
    check_not_restoring(rules)
    first: int = rules["version"]
    if first > version:
        raise newer_store(first, version)
    vocabulary = Vocabulary.from_json(rules["vocabulary"])
    for old in range(first, version):
        _require_quiet(store)
        STEPS[old](store, vocabulary)
        # Another process may have raised it meanwhile, which is as good.
        store.write(lambda tx, old=old: tx.run("migrate/raise_version", old=old, new=old + 1))  # type: ignore[misc]
    return MigrateResult(
        from_version=first, to_version=version, seconds=round(time.perf_counter() - started, 3)
    )


def _require_quiet(store: Store) -> None:
    """A program of the old version that is loading would go on under the old rules.

    Raises:
        StoreMismatch: Names the batch.
    """
    since = int(time.time() * 1000) - WRITING_SECONDS * 1000
    running = [row["id"] for row in store.read("migrate/find_running", since=since)]
    if running:
        raise StoreMismatch(
            f"A load is under way: batch {', '.join(running)}.",
            f"Let it end; where it was killed, migrate {WRITING_SECONDS} s after that.",
        )
