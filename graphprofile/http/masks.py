"""Private properties: taken out of every document before it leaves, unless the caller may see them."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from graphprofile.http.keys import Principal


def hidden_from(principal: Principal, private: Collection[str]) -> frozenset[str]:
    """The private properties that somebody may not see."""
    return frozenset(name for name in private if not principal.sees(name))


def masked(document: Any, hidden: frozenset[str]) -> Any:
    """A copy of a document without hidden properties.

    Under ``properties`` they are left out; elsewhere a field or column of such a name becomes null, so that the
    document keeps its form. Where titles are hidden, so are the sentences that quote them.
    """
    if not hidden:
        return document
    if isinstance(document, dict):
        copy: dict[str, Any] = {}
        for name, value in document.items():
            if name == "properties" and isinstance(value, dict):
                copy[name] = {key: one for key, one in value.items() if key not in hidden}
            elif _about(name, hidden):
                copy[name] = [] if isinstance(value, list) else None
            else:
                copy[name] = masked(value, hidden)
        return copy
    if isinstance(document, list):
        return [masked(one, hidden) for one in document]
    return document


def _about(name: str, hidden: frozenset[str]) -> bool:
    """Whether a field or column holds a hidden property: ``email``, or ``user_email`` of a row about two."""
    if name in hidden or (name == "because" and "title" in hidden):
        return True
    return any(name.endswith(("_" + one, "_" + one + "s")) or name == one + "s" for one in hidden)


def woven_in(text: str, hidden: frozenset[str]) -> str | None:
    """A hidden property that a statement puts elsewhere than in a column of its name, where no mask finds it.

    Args:
        text: The statement.
        hidden: What must not be seen.
    """
    if hidden and re.search(r"\.\s*\*|\bproperties\s*\(", text):
        return min(hidden)
    for name in sorted(hidden):
        before, _, columns = text.rpartition("RETURN")
        reads = re.compile(rf"\.\s*`?{re.escape(name)}`?(?![\w])|[\"'`]{re.escape(name)}[\"'`]")
        own = re.compile(rf"\b\w+\.{re.escape(name)} AS {re.escape(name)}\b")
        if reads.search(before) or reads.search(own.sub("", columns)):
            return name
    return None
