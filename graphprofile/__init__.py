"""graphprofile: user profiles in a graph.

Events are loaded into a graph, Cypher computes interest tags, a GraphSAGE model learns vectors, and all of it
stands beside each other on the user's node. :class:`GraphProfile` is where everything begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphprofile.errors import GraphProfileError

if TYPE_CHECKING:
    from graphprofile.ingest.sql.source import SqlSource
    from graphprofile.profiles import GraphProfile
    from graphprofile.settings import Settings
    from graphprofile.vocabulary import EventRule, Vocabulary

__version__ = "0.1.0"
__all__ = [
    "EventRule",
    "GraphProfile",
    "GraphProfileError",
    "Settings",
    "SqlSource",
    "Vocabulary",
    "__version__",
]

_LAZY = {
    "GraphProfile": "graphprofile.profiles",
    "Settings": "graphprofile.settings",
    "SqlSource": "graphprofile.ingest.sql.source",
    "EventRule": "graphprofile.vocabulary",
    "Vocabulary": "graphprofile.vocabulary",
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        from importlib import import_module

        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'graphprofile' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
