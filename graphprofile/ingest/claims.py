"""What a transaction of a batch brought, as one compact text: what makes a batch resumable and undoable."""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from typing import Any

import orjson


def pack(document: dict[str, Any]) -> str:
    """A document as text that both engines keep as it is: JSON, compressed, base64."""
    return b64encode(zlib.compress(orjson.dumps(document), 1)).decode("ascii")


def unpack(text: str | None) -> dict[str, Any]:
    """What :func:`pack` was given; nothing for nothing."""
    if not text:
        return {}
    found: dict[str, Any] = orjson.loads(zlib.decompress(b64decode(text)))
    return found
