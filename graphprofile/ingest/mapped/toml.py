"""Values as a mapping file holds them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable


def text(value: str) -> str:
    """A TOML string."""
    return json.dumps(value, ensure_ascii=False)


def key(name: str) -> str:
    """A TOML key."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else text(name)


def array(values: Iterable[str]) -> str:
    """A TOML array of strings."""
    return f"[{', '.join(map(text, values))}]"
