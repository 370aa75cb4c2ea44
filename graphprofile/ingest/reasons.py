"""Why rows were refused: reasons that differ in the value alone counted together, with the first line of each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from graphprofile.records import RefusedRows, Rejection

SHOWN = 20
_MOST = 1_000
_VALUE = re.compile(r"'[^']*'|\"[^\"]*\"|\d+")


@dataclass
class Reasons:
    """Counts refused rows by reason, in bounded memory."""

    _groups: dict[tuple[str, str], RefusedRows] = field(default_factory=dict)

    def add(self, rejected: Iterable[Rejection]) -> None:
        """Count rows."""
        for entry in rejected:
            key = entry.field, _VALUE.sub("…", entry.reason)
            group = self._groups.get(key)
            if group is None and len(self._groups) >= _MOST:
                key = "row", "other reasons"
                entry = replace(entry, field="row", reason="other reasons")
                group = self._groups.get(key)
            if group is None:
                self._groups[key] = RefusedRows(
                    field=entry.field, reason=entry.reason, rows=1, source=entry.source, line=entry.line
                )
            else:
                group.rows += 1

    def most_common(self) -> list[RefusedRows]:
        """The most frequent first."""
        return sorted(self._groups.values(), key=lambda group: -group.rows)[:SHOWN]
