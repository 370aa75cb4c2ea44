"""Backups: everything a store holds in one file, written from either engine and restored into either."""

from graphprofile.backup.restore import RestoreResult, restore
from graphprofile.backup.write import BackupResult, back_up

__all__ = ["BackupResult", "RestoreResult", "back_up", "restore"]
