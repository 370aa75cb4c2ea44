"""``load --bulk``: years of history into an empty store."""

from __future__ import annotations

from glob import has_magic
from pathlib import Path
from typing import Any

import click

from graphprofile.cli.options import Connection
from graphprofile.cli.output import print_json, progress_bar


def split_folder(bulk: str, sources: tuple[Any, ...], server: bool) -> tuple[str | None, tuple[Any, ...]]:
    """The folder that ``--bulk`` names, and the sources.

    For a server the word behind ``--bulk`` is always the folder. The embedded store needs none, so there the word is a
    source where it is a file, a pattern or a folder that holds something other than such files.
    """
    from graphprofile.ingest.files import is_data_file

    if not bulk:
        return None, sources
    path = Path(bulk)
    filled = path.is_dir() and any(path.iterdir()) and not (path / "import.args").exists()
    if not server and (is_data_file(path) or path.is_file() or filled or has_magic(bulk)):
        return None, (bulk, *sources)
    return bulk, sources


def load_bulk(
    connection: Connection,
    sources: tuple[Any, ...],
    out: str | None,
    neo4j_home: str | None,
    options: dict[str, Any],
) -> int:
    """Load the embedded store, or write files for Neo4j's importer and run it where it is local."""
    from graphprofile.cli.loading import exit_code, show_load
    from graphprofile.ingest.bulk.load import ImportFiles
    from graphprofile.profiles import GraphProfile

    for name, plain in (("dry_run", False), ("resend", False), ("on_conflict", "keep")):
        if options.pop(name) != plain:
            raise click.UsageError(
                f"--bulk does not go with --{name.replace('_', '-')}: the store is empty.",
                click.get_current_context(),
            )
    with progress_bar(not connection.as_json) as progress:
        result = GraphProfile.load_bulk(
            *sources,
            config=connection.config,
            settings=connection.arguments,
            out=out,
            neo4j_home=neo4j_home,
            progress=progress,
            **options,
        )
    if connection.as_json:
        print_json(result.to_json())
    else:
        show_load(result)
        if isinstance(result, ImportFiles):
            done = "imported" if result.imported else f"the files are in {result.folder}"
            print(f"Next ({done}):", *result.next, sep="\n  ")
    return exit_code(result)
