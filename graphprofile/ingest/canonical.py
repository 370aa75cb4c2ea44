"""One text for one value: what hashes and digests are computed over.

Numbers are float64 (an integer and the same number with a fraction of zero are one value), text is NFC,
nulls are left out of objects and object keys are sorted by code point. The text is JSON.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from numbers import Real
from typing import Any


def canonical_number(number: Real | float) -> str:
    """A number as the shortest text that gives the same float64 again; -0.0 is 0.0.

    Raises:
        ValueError: NaN or infinite.
    """
    value = float(number) + 0.0
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError(f"{value} has no canonical form")
    return repr(value)


def canonical_text(text: str) -> str:
    """NFC text as a JSON string."""
    return json.dumps(unicodedata.normalize("NFC", text), ensure_ascii=False)


def canonical_value(value: Any) -> str:
    """JSON text of a value (None, bool, number, text, list or mapping of these).

    Raises:
        ValueError: NaN or infinite.
        TypeError: Another type.
    """
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, str):
        return canonical_text(value)
    if isinstance(value, Real):
        return canonical_number(value)
    if isinstance(value, Mapping):
        entries = sorted(
            (unicodedata.normalize("NFC", str(key)), entry)
            for key, entry in value.items()
            if entry is not None
        )
        return (
            "{" + ",".join(f"{canonical_text(key)}:{canonical_value(entry)}" for key, entry in entries) + "}"
        )
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(canonical_value(entry) for entry in value) + "]"
    raise TypeError(f"{type(value).__name__} has no canonical form")


def canonical_event(
    *,
    type: str,
    user_id: str,
    object_kind: str,
    object_id: str,
    ts: int,
    value: float | None,
    ts_precision: str | None,
    properties: Mapping[str, Any] | None,
) -> str:
    """The content of an event as one text; its hash is :func:`content_hash` of this."""
    return (
        f"[{canonical_text(type)},{canonical_text(user_id)},{canonical_text(object_kind)},"
        f"{canonical_text(object_id)},{int(ts)},{canonical_value(value)},{canonical_value(ts_precision)},"
        f"{canonical_value(properties or {})}]"
    )


def content_hash(text: str) -> str:
    """The first 32 hex digits of the SHA-256 of a canonical text."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:32]
