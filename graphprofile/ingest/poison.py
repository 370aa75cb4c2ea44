"""A row that no engine takes spoils its whole transaction: it is found by halving, and the rest goes through."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeAlias, TypeVar

from graphprofile.errors import (
    AuthenticationFailed,
    BatchTakenOver,
    EngineError,
    EngineUnavailable,
    RetriesExhausted,
    StoreMismatch,
)
from graphprofile.ingest.counts import Counts
from graphprofile.records import Rejection


class Sliceable(Protocol):
    """Rows in an order: a list, a frame."""

    def __len__(self) -> int: ...

    def __getitem__(self, key: slice, /) -> Self: ...


R = TypeVar("R", bound=Sliceable)
IN_A_ROW = 10
"""So many refused rows without one success between them are no bad rows: something is wrong with the engine."""
NOBODY_S_FAULT = (AuthenticationFailed, BatchTakenOver, EngineUnavailable, RetriesExhausted, StoreMismatch)


Write: TypeAlias = Callable[[R, str, Sequence[Rejection], bool], Counts]
"""Writes rows in one transaction: the rows, the name of the part, refused rows that are counted with them, and
whether it is the first part. Raises EngineError."""


@dataclass
class Splitter(Generic[R]):
    """Writes rows, in halves where the engine refuses them together.

    Attributes:
        refusal: The rejection of a row, from rows that are that one, the engine's words and the source.
    """

    refusal: Callable[[R, str, str], Rejection]
    _in_a_row: int = 0

    def run(self, rows: R, part: str, write: Write[R], source: str = "") -> Counts:
        """Write all rows that the engine takes.

        Raises:
            EngineError: What is wrong is not with the rows.
        """
        return self._run(rows, part, write, source, True)

    def _run(self, rows: R, part: str, write: Write[R], source: str, first: bool) -> Counts:
        try:
            counts = write(rows, part, (), first)
        except NOBODY_S_FAULT:
            raise
        except EngineError as error:
            if not len(rows):
                raise
            if len(rows) == 1:
                self._in_a_row += 1
                if self._in_a_row > IN_A_ROW:
                    raise
                return write(rows[:0], part, (self.refusal(rows, error.message, source),), first)
            half = len(rows) // 2
            counts = self._run(rows[:half], f"{part}0", write, source, first)
            counts.add(self._run(rows[half:], f"{part}1", write, source, False))
            return counts
        self._in_a_row = 0
        return counts
