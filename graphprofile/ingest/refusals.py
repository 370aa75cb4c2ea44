"""Where a batch's refused rows go: each lies in quarantine once, however often its file is sent in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from graphprofile.ingest.lines import Lines
from graphprofile.ingest.quarantine import QuarantineWriter, refusal_key, refused_before
from graphprofile.ingest.undone import hand_over, note
from graphprofile.records import Rejection


class Refusals:
    """Takes the refused rows of one batch.

    Args:
        writer: The batch's own quarantine file.
        data_dir: The project's data folder.
    """

    def __init__(self, writer: QuarantineWriter, data_dir: Path) -> None:
        self._writer, self._data_dir = writer, data_dir
        self._again = Lines(writer.path.with_suffix(".also"))
        self._before: dict[bytes, Path] | None = None
        self._lies_in: dict[Path, None] = {}

    def add(self, rejected: Sequence[Rejection]) -> None:
        """Keep rows; those of an earlier batch's file stay where they are, and it is kept that they came again.

        Raises:
            ConfigError: The folder cannot be written to.
        """
        if not rejected:
            return
        if self._before is None:
            self._before = refused_before(self._data_dir)
        fresh: list[Rejection] = []
        again: list[bytes] = []
        for rejection in rejected:
            key = refusal_key(rejection, self._writer.origin_of(rejection))
            path = self._before.get(bytes.fromhex(key))
            if path is None:
                fresh.append(rejection)
                continue
            self._lies_in[path] = None
            if path != self._writer.path:
                again.append(note(key))
        self._writer.add(fresh)
        self._again.add(again)

    def close(self) -> Path | None:
        """Force the rows onto the disk; the file with the refused rows, or None where there were none."""
        own = self._writer.close()
        self._again.close()
        for path in self._lies_in:
            # Undone meanwhile, when this batch had not yet said that the rows are its own too.
            if not path.exists():
                hand_over(path.with_suffix(".undone"), self._data_dir)
        if own is None and self._writer.path.exists():
            own = self._writer.path
        return own or next(iter(self._lies_in), None)

    def forget(self) -> None:
        """Nothing came of the batch, and none of its rows is kept."""
        for suffix in (".jsonl", ".also"):
            self._writer.path.with_suffix(suffix).unlink(missing_ok=True)

    def __enter__(self) -> Refusals:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()
        self._again.close()
