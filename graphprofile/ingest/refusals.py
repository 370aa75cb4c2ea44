"""Where a batch's refused rows go: each lies in quarantine once, however often its file is sent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from graphprofile.ingest.quarantine import QuarantineWriter, refusal_key, refused_before
from graphprofile.records import Rejection


class Refusals:
    """Takes the refused rows of one batch.

    Args:
        writer: The batch's own quarantine file.
        data_dir: The project's data folder.
    """

    def __init__(self, writer: QuarantineWriter, data_dir: Path) -> None:
        self._writer, self._data_dir = writer, data_dir
        self._before: dict[bytes, Path] | None = None
        self._lies_in: Path | None = None

    def add(self, rejected: Sequence[Rejection]) -> None:
        """Keep rows; those of an earlier batch's file stay where they are.

        Raises:
            ConfigError: The folder cannot be written to.
        """
        if not rejected:
            return
        if self._before is None:
            self._before = refused_before(self._data_dir)
        known = [self._before.get(refusal_key(rejection)) for rejection in rejected]
        self._lies_in = self._lies_in or next((path for path in known if path is not None), None)
        self._writer.add([r for r, path in zip(rejected, known, strict=True) if path is None])

    def close(self) -> Path | None:
        """The file with the refused rows, or None where there were none."""
        return self._writer.close() or self._lies_in
