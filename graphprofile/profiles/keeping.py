"""Keeping a graph: backups, older stores, the proof that two hold the same."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphprofile import settings as settings_module
from graphprofile.migrations import MigrateResult, migrate
from graphprofile.profiles.opened import SCHEMA_VERSION, Opened
from graphprofile.records import Progress
from graphprofile.store import Store

if TYPE_CHECKING:
    from graphprofile.backup import BackupResult, RestoreResult


class Keeping(Opened):
    """Backups, migrations and the digest."""

    def backup(self, path: str | Path, *, progress: Progress | None = None) -> BackupResult:
        """Write everything into one file: the graph, the model registry, the refused rows.

        Args:
            path: Where to write it; a backup that lies there is replaced when the new one is complete.
            progress: Called with (what, done, total).

        Raises:
            NotFound: The graph is empty.
            BackupError: The file cannot be written, or the graph did not hold still while it was read.
        """
        from graphprofile.backup import back_up

        return back_up(self.store, self.settings.data_dir, Path(path), progress=progress)

    @staticmethod
    def restore(
        path: str | Path,
        uri: str | None = None,
        *,
        config: str | Path | None = None,
        progress: Progress | None = None,
        **arguments: Any,
    ) -> RestoreResult:
        """Put a backup into an empty store, on whichever engine; :meth:`open` it afterwards.

        Args:
            path: The backup.
            uri: As for :meth:`open`.
            config: As for :meth:`open`.
            progress: Called with (what, done, total).
            **arguments: As for :meth:`open`.

        Raises:
            BackupError: No backup, a damaged one, or a store that is not empty; nothing was written. Or what was
                restored is not what the backup holds; the store then refuses to be opened.
            StoreMismatch: The backup is of a newer program, or another restore is under way.
        """
        from graphprofile.backup import restore

        settings = settings_module.resolve(config, uri=uri, **arguments)
        with Store.open(settings) as store:
            return restore(store, settings.data_dir, Path(path), SCHEMA_VERSION, progress=progress)

    @staticmethod
    def migrate(
        uri: str | None = None, *, config: str | Path | None = None, **arguments: Any
    ) -> MigrateResult:
        """Take an older store to this program's schema version; may be repeated.

        Args:
            uri: As for :meth:`open`.
            config: As for :meth:`open`.
            **arguments: As for :meth:`open`.

        Raises:
            StoreMismatch: The store is newer, incomplete, or being loaded into by the older program.
        """
        with Store.open(settings_module.resolve(config, uri=uri, **arguments)) as store:
            return migrate(store, SCHEMA_VERSION)

    def digest(self) -> str:
        """64 hex digits that are equal where two graphs hold the same, on whichever engine."""
        from graphprofile.digest import digest

        return digest(self.store, self.vocabulary)
