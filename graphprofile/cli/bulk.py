"""``load --bulk``: years of history into an empty store."""

from __future__ import annotations

from typing import Any

import click

from graphprofile.cli.options import Connection
from graphprofile.cli.output import print_json, progress_bar

DONE, PARTIAL = 0, 3


def load_bulk(
    connection: Connection,
    sources: tuple[str, ...],
    out: str | None,
    neo4j_home: str | None,
    options: dict[str, Any],
) -> int:
    """Load the embedded store, or write files for Neo4j's importer and run it where it is local."""
    from graphprofile.cli.loading import show_load
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
    return PARTIAL if result.quarantined or result.conflicts else DONE
