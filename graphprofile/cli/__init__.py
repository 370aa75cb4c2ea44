"""The command line: arguments in, one document or a table out, errors as exit codes."""

from __future__ import annotations

from graphprofile.cli.app import main

__all__ = ["main"]
