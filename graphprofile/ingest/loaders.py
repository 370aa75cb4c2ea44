"""Loaders, found through the entry-point group ``graphprofile.loaders``."""

from __future__ import annotations

import difflib
from importlib.metadata import entry_points

from graphprofile.errors import UsageError
from graphprofile.records import Loader

GROUP = "graphprofile.loaders"


def list_loaders() -> dict[str, str]:
    """Names and one-line summaries of all installed loaders, sorted by name."""
    return {
        name: find_loader(name).summary
        for name in sorted({entry.name for entry in entry_points(group=GROUP)})
    }


def find_loader(name: str) -> Loader:
    """The loader of a name.

    Raises:
        UsageError: No such loader, or it cannot be imported.
    """
    known = {entry.name: entry for entry in entry_points(group=GROUP)}
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        raise UsageError(
            f"Unknown loader {name!r}{f' (did you mean {close[0]!r}?)' if close else ''}.",
            f"Known: {', '.join(sorted(known)) or 'none; reinstall graphprofile'}.",
        )
    try:
        loader: Loader = known[name].load()()
    except (ImportError, AttributeError) as error:
        raise UsageError(
            f"The loader {name!r} cannot be imported: {error}.", "Reinstall its package."
        ) from error
    return loader
