"""Real data that ship with the package: the lending library Shakespeare and Company, see ATTRIBUTION.txt."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from pathlib import Path

SHAKESPEARE = ("books-with-genres.csv.gz", "members.csv.gz", "events_borrow.csv.gz")


@contextmanager
def shakespeare_files() -> Iterator[dict[str, Path]]:
    """The library's files on disk by kind: ``items``, ``users``, ``events`` (for the loader ``shakespeare``).

    The paths hold inside the ``with`` block only: where the package is a ZIP they are temporary.
    """
    with as_file(files(__name__) / "shakespeare") as folder:
        yield dict(zip(("items", "users", "events"), (folder / name for name in SHAKESPEARE), strict=True))
