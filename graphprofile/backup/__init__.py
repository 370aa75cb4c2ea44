"""Backups: everything a store holds in one file, written from either engine and restored into either."""

from graphprofile.backup.restoring import RestoreResult, restore
from graphprofile.backup.writing import BackupResult, back_up

__all__ = ["BackupResult", "RestoreResult", "back_up", "restore"]
