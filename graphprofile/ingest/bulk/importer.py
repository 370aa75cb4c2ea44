"""Runs Neo4j's own importer in a local home whose server is stopped."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from graphprofile.errors import EngineError, UsageError
from graphprofile.ingest.bulk.neo4j_files import ARGUMENTS

BROKEN_OFF = "graphprofile-import-unfinished"


@dataclass(frozen=True)
class Importer:
    """A Neo4j home.

    Attributes:
        home: The folder with ``bin`` (or ``lib``), ``conf`` and ``data``.
    """

    home: Path

    def command(self) -> list[str]:
        """How ``neo4j-admin`` is started there.

        Raises:
            UsageError: The folder holds neither the program nor its jars, or there is no Java.
        """
        program = self.home / "bin" / "neo4j-admin"
        if program.is_file():
            return [str(program)]
        if not next(iter(self.home.glob("lib/neo4j-*.jar")), None):
            raise UsageError(
                f"{self.home} is no Neo4j home: it has neither bin/neo4j-admin nor lib/neo4j-*.jar.",
                "Name the folder that NEO4J_HOME is, or leave --neo4j-home out to get the files and the command.",
            )
        java_home = os.environ.get("JAVA_HOME")
        java = shutil.which("java", path=f"{java_home}/bin") if java_home else shutil.which("java")
        if java is None:
            raise UsageError("Neo4j's importer needs Java, and there is none.", "Install Java 17 or newer.")
        return [java, "-cp", f"{self.home}/lib/*", "org.neo4j.cli.AdminTool"]

    def check(self, database: str) -> None:
        """Refuse at once what the importer would refuse after all the preparation.

        Raises:
            UsageError: No Neo4j home, or the database is there already.
        """
        self.command()
        if self._mark().exists():
            return
        for kind in ("databases", "transactions"):
            folder = self.home / "data" / kind / database
            if folder.is_dir() and any(folder.iterdir()):
                raise UsageError(
                    f"{folder}: the database {database!r} is there already, and the importer makes new ones only.",
                    "Stop the server; if the database is empty, delete that folder and the one beside it under "
                    f"{self.home / 'data'}; else load without --bulk.",
                )

    def run(self, folder: Path, database: str) -> None:
        """Import and wait for the end; the server must be stopped.

        Args:
            folder: Where the files lie.
            database: Name of the database.

        Raises:
            EngineError: The importer failed; with what it said last.
        """
        mark = self._mark()
        again = mark.exists()
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.write_text(f"{database}\n", "utf-8")
        # The user's own importer, by a list of arguments and without a shell.
        done = subprocess.run(  # nosec B603
            [*self.command(), *arguments(database, overwrite=again)],
            cwd=folder,
            env={"NEO4J_CONF": str(self.home / "conf"), **os.environ, "NEO4J_HOME": str(self.home)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = [line.strip() for line in (done.stdout + "\n" + done.stderr).splitlines()]
            kept = [line for line in said if line and not line.startswith(("....", "Run with", "at "))]
            if not again and any("in use" in line for line in kept):
                mark.unlink()
            raise EngineError(
                f"neo4j-admin could not import {folder}: {' '.join(kept[-4:])}",
                "Stop the server if it runs; the same command again starts over.",
            )
        mark.unlink()

    def _mark(self) -> Path:
        return self.home / "data" / BROKEN_OFF


def arguments(database: str, *, overwrite: bool = False) -> list[str]:
    """What follows ``neo4j-admin``, run in the folder of the files."""
    again = ["--overwrite-destination=true"] if overwrite else []
    return ["database", "import", "full", *again, database, f"@{ARGUMENTS}"]
