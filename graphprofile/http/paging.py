"""Cursors: where the next page begins, opaque to the one who sends it back."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

import orjson
from fastapi import Query

from graphprofile.http.problems import invalid

Cursor = Annotated[
    str | None, Query(max_length=4096, description="`next` of the page before; nothing for the first.")
]
Limit = Annotated[int, Query(ge=1, le=1000, description="At most so many.")]


def to_cursor(*place: str | int) -> str:
    """A place in a list as a text."""
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode().rstrip("=")


def from_cursor(cursor: str, *kinds: type) -> tuple[str | int, ...]:
    """The place that a text stands for.

    Raises:
        Refusal: It is no cursor of this list.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        place = orjson.loads(raw)
        if not isinstance(place, list) or [type(one) for one in place] != list(kinds):
            raise ValueError
    except (binascii.Error, ValueError):
        raise invalid("query/cursor", "is no cursor of this list") from None
    return tuple(place)
