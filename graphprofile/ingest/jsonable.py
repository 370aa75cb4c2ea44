"""Values of any source as JSON can hold them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from graphprofile.ingest.fields import encodable

MAX_LEVELS = 200
"""Of nesting in a row that is kept: orjson writes 254."""


def writable(value: Any, levels: int = MAX_LEVELS) -> Any:
    """A value as JSON can hold it; what JSON lacks (NaN, half characters, other types) becomes text.

    So does what is nested more than so many levels deep, which no writer of JSON takes.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return value if encodable(value) else value.encode("utf-8", "backslashreplace").decode()
    if type(value) is int:
        return value if -(2**63) <= value < 2**63 else str(value)
    if type(value) is float:
        return value if math.isfinite(value) else str(value)
    if isinstance(value, (Mapping, list, tuple)) and not levels:
        return f"(nested more than {MAX_LEVELS} levels deep)"
    if isinstance(value, Mapping):
        return {str(writable(str(key))): writable(entry, levels - 1) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [writable(entry, levels - 1) for entry in value]
    isoformat = getattr(value, "isoformat", None)
    return str(isoformat() if isoformat else value)
