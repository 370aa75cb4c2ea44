"""Structured logs, by the standard library's means: who embeds graphprofile decides what becomes of them.

The logger is ``graphprofile``; a record's message is the name of what happened (``batch_finished``), and what belongs
to it are fields of the record (``record.batch``). Nothing is shown unless it is asked for: the command line has
``--log-level``.
"""

from __future__ import annotations

import logging
import sys
from typing import Any, TextIO

import structlog

_LOGGER = logging.getLogger("graphprofile")
_LOGGER.addHandler(logging.NullHandler())

log: Any = structlog.wrap_logger(
    _LOGGER,
    processors=[
        structlog.stdlib.filter_by_level,
        structlog.processors.UnicodeDecoder(),
        structlog.stdlib.render_to_log_kwargs,
    ],
    wrapper_class=structlog.stdlib.BoundLogger,
)
"""``log.info("batch_finished", batch=…)``; no field may bear a name that log records keep for themselves."""


class _Stderr(logging.StreamHandler[TextIO]):
    """Writes to what stderr is at the moment: a progress bar puts itself before it."""

    @property
    def stream(self) -> TextIO:
        """The present stderr."""
        return sys.stderr

    @stream.setter
    def stream(self, _: TextIO) -> None:
        pass


def as_lines(*, text: bool) -> Any:
    """The last step of a log line: JSON, or coloured text for a person."""
    return structlog.dev.ConsoleRenderer() if text else structlog.processors.JSONRenderer()


def show(level: str) -> None:
    """Put the log on stderr: a JSON object a line, or text in a terminal.

    Args:
        level: The least that is shown, ``debug``, ``info``, ``warning`` or ``error``.
    """
    handler = _Stderr()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.ExtraAdder(),
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                as_lines(text=sys.stderr.isatty()),
            ],
        )
    )
    for before in _LOGGER.handlers:
        if isinstance(before, _Stderr):
            _LOGGER.removeHandler(before)
    _LOGGER.addHandler(handler)
    _LOGGER.setLevel(level.upper())
