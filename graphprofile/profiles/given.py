"""What people give, as the graph takes it: ids, times, conditions, paths."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphprofile.errors import UsageError
from graphprofile.records import epoch_ms

if TYPE_CHECKING:
    from graphprofile.filters import Filters, Where


def filters_of(tags: Sequence[str], where: Sequence[Where], available: bool) -> Filters:
    """What a recommendation must meet; one text alone is taken as one.

    Raises:
        UsageError: Something is no tag.
    """
    from graphprofile.filters import Filters

    names = [tags] if isinstance(tags, str) else list(tags)
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise UsageError(f"{name!r} is no tag.", "Give NAME or KIND:NAME.")
    asked = [where] if isinstance(where, str) else list(where)
    return Filters(tuple(names), tuple(asked), available)


def known_id(value: Any) -> str:
    """An id as the graph holds it: trimmed text; whole numbers are taken as their digits.

    Raises:
        UsageError: It is no id.
    """
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, int | float) and not isinstance(value, bool) and value == int(value):
        return str(int(value))
    if hasattr(value, "item"):
        return known_id(value.item())
    raise UsageError(f"{value!r} is no id.", "Ids are text or whole numbers.")


def moment(value: datetime | str | int | None) -> int | None:
    """A time given by a person, as epoch ms.

    Raises:
        UsageError: It cannot be read as a time.
    """
    if value is None:
        return None
    try:
        return epoch_ms(value)
    except ValueError as error:
        raise UsageError(
            f"{value!r} is no time.", "Write it like 1925-03-01 or 2024-05-06T07:08:09Z."
        ) from error


def written(path: Path, text: str) -> Path:
    """A file with a text.

    Raises:
        UsageError: It cannot be written.
    """
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be written: {error.strerror or error}.", "Name another file."
        ) from error
    return path
