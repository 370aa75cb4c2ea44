"""The client's side of a bulk load into the embedded store, whose owner does the writing."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from graphprofile.errors import EngineError, EngineUnavailable, UsageError
from graphprofile.store.embedded import Channel

POLL_SECONDS = 0.1
LEAVING_SECONDS = 5.0
AGAIN = "The same command again starts over; what was there before it is not touched."


def write(
    channel: Channel, folder: Path, rules: Mapping[str, Any], progress: Callable[[int, int], None]
) -> None:
    """Have the owner write prepared files into the store, which must be empty; returns when it has.

    Args:
        channel: To the owner.
        folder: Where the files lie.
        rules: Properties of the store's own record.
        progress: Called with (rows written, their total).

    Raises:
        EngineError: The store is not empty or in use, or the engine failed; then the store stays marked unfinished.
        EngineUnavailable: The engine is gone.
    """
    try:
        answer = channel.ask(op="bulk", folder=str(folder), rules=dict(rules))
        while answer["state"] == "running":
            progress(answer["done"], answer["total"])
            time.sleep(POLL_SECONDS)
            answer = channel.ask(op="bulk_status")
    except OSError as error:
        raise _gone(error) from error
    if answer["state"] != "done":
        raise EngineError(f"The embedded engine broke the bulk load off: {answer.get('reason')}.", AGAIN)


def require_alone(channel: Channel) -> None:
    """Refuse where others use the store.

    Raises:
        UsageError: They do; names their processes.
        EngineUnavailable: The engine is gone.
    """
    deadline = time.monotonic() + LEAVING_SECONDS
    try:
        # One that was killed a moment ago may still be counted.
        while (others := channel.ask(op="status")["others"]) and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
    except OSError as error:
        raise _gone(error) from error
    if others:
        raise UsageError(
            f"Others use the store now (process {', '.join(map(str, others))}), and a bulk load wants it alone.",
            "End them first.",
        )


def finish(channel: Channel) -> None:
    """Put what was written on the disk and take the mark of the unfinished load away.

    Raises:
        EngineUnavailable: The engine is gone.
    """
    try:
        channel.ask(op="bulk_finish")
    except OSError as error:
        raise _gone(error) from error


def _gone(error: OSError) -> EngineUnavailable:
    return EngineUnavailable(
        f"The embedded engine is gone in the middle of a bulk load: {error}.",
        f"See engine.log in the store's folder (more heap: `heap_size` in graphprofile.toml). {AGAIN}",
    )
