"""Loaders, found through the entry-point group ``graphprofile.loaders``."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from graphprofile.errors import UsageError
from graphprofile.records import Loader

GROUP = "graphprofile.loaders"


@dataclass(frozen=True)
class InstalledLoader:
    """A loader as its package declares it.

    Attributes:
        name: What ``--loader`` takes.
        summary: What it reads; None where it cannot be imported.
        package: Who brought it, and which version.
        error: Why it cannot be used, or None.
    """

    name: str
    summary: str | None
    package: str
    error: str | None


def list_loaders() -> list[InstalledLoader]:
    """All installed loaders, sorted by name; one that cannot be imported says why."""
    return [_installed(entry) for _, entry in sorted(_entries().items())]


def find_loader(name: str) -> Loader:
    """The loader of a name.

    Raises:
        UsageError: No such loader, or it cannot be imported.
    """
    known = _entries()
    if name not in known:
        close = difflib.get_close_matches(name, known, n=1)
        raise UsageError(
            f"Unknown loader {name!r}{f' (did you mean {close[0]!r}?)' if close else ''}.",
            f"Known: {', '.join(sorted(known)) or 'none; reinstall graphprofile'}.",
        )
    try:
        return _made(known[name])
    except Exception as error:  # Another package's code: it may fail in any way.
        raise UsageError(
            f"The loader {name!r} cannot be imported: {error}.", f"Reinstall {_package(known[name])}."
        ) from error


def _entries() -> dict[str, EntryPoint]:
    """Entry points by name; our own win where another package takes their names."""
    found = sorted(entry_points(group=GROUP), key=lambda entry: entry.module.startswith("graphprofile."))
    return {entry.name: entry for entry in found}


def _made(entry: EntryPoint) -> Loader:
    loader: Loader = entry.load()()
    return loader


def _installed(entry: EntryPoint) -> InstalledLoader:
    try:
        return InstalledLoader(entry.name, str(_made(entry).summary), _package(entry), None)
    except Exception as error:  # One broken package must not hide the others.
        return InstalledLoader(entry.name, None, _package(entry), f"{type(error).__name__}: {error}")


def _package(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist is not None else "its package"
