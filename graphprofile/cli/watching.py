"""``load --watch``: a folder that files come into, with a structured log on stderr."""

from __future__ import annotations

import signal
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

from graphprofile.cli.options import Connection
from graphprofile.cli.output import print_json

DONE, PARTIAL = 0, 3


def logger() -> Any:
    """A structured log on stderr: JSON lines, or text where a person looks on."""
    import structlog

    from graphprofile.logs import as_lines

    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            as_lines(text=sys.stderr.isatty()),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    return structlog.get_logger()


def watch_folder(connection: Connection, folder: str, options: dict[str, Any]) -> int:
    """Load what comes until SIGINT or SIGTERM; the file at work is finished first.

    Returns:
        The exit code: 3 where rows or files were refused.
    """
    log = logger()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    totals: Counter[str] = Counter()
    with connection.open() as gp:
        arrivals = gp.watch(Path(folder), stop=stop, **options)
        log.info("watching", folder=folder, engine=gp.store.engine)
        for arrival in arrivals:
            totals[arrival.state] += 1
            if arrival.result is not None:
                document = arrival.result.to_json()
                for name in ("read", "applied", "duplicates", "conflicts", "quarantined"):
                    totals[name] += document[name]
                log.info("loaded", file=arrival.path.name, **document)
            elif arrival.error is not None:
                log.error(
                    arrival.state,
                    file=arrival.path.name,
                    code=arrival.error.code,
                    message=arrival.error.message,
                    hint=arrival.error.hint,
                )
            else:
                log.info("known", file=arrival.path.name)
        log.info("stopped", folder=folder)
    names = ("loaded", "known", "refused", "read", "applied", "duplicates", "conflicts", "quarantined")
    summary = {name: totals[name] for name in names}
    if connection.as_json:
        print_json({"folder": folder, **summary})
    return PARTIAL if totals["refused"] or totals["conflicts"] or totals["quarantined"] else DONE
