"""Commands that keep a store: backup, restore, migrate."""

from __future__ import annotations

from pathlib import Path

import click

from graphprofile.cli.options import Connection, common
from graphprofile.cli.output import print_json, progress_bar

DONE = 0


@click.command(epilog="Example: graphprofile backup nightly.zip")
@click.argument("file", metavar="FILE")
@common
def backup(connection: Connection, file: str) -> int:
    """Write everything into FILE: the graph, the models, the refused rows.

    A backup that lies there is replaced when the new one is complete. Make it while nothing is loaded or computed: a
    graph that changes meanwhile is read again, three times at most.
    """
    from graphprofile.backup import back_up
    from graphprofile.store import Store

    # Not through GraphProfile: a store of an older schema version is backed up before it is migrated.
    settings = connection.settings()
    with Store.open(settings) as store, progress_bar(not connection.as_json) as progress:
        result = back_up(store, settings.data_dir, Path(file), progress=progress)
    if connection.as_json:
        print_json(result.to_json())
    else:
        print(
            f"{result.file}: {result.nodes:,} nodes, {result.relationships:,} relationships and "
            f"{result.files:,} files, {result.bytes / 1e6:,.1f} MB ({result.seconds:.1f} s)"
        )
    return DONE


@click.command(epilog="Example: graphprofile restore nightly.zip --data restored")
@click.argument("file", metavar="FILE")
@common
def restore(connection: Connection, file: str) -> int:
    """Put the backup FILE into an empty store, on either engine.

    It is checked before anything is written, and what was written is read back and compared. Until then nobody can
    use the store; a restore that was broken off is begun anew by the same command.
    """
    from graphprofile.profiles import SCHEMA_VERSION, GraphProfile

    with progress_bar(not connection.as_json) as progress:
        result = GraphProfile.restore(
            file, config=connection.config, progress=progress, **connection.arguments
        )
    if connection.as_json:
        print_json(result.to_json())
    else:
        print(
            f"Restored {result.nodes:,} nodes, {result.relationships:,} relationships and {result.files:,} files "
            f"from {result.file}, read back and compared ({result.seconds:.1f} s)"
        )
        if result.schema_version < SCHEMA_VERSION:
            print(f"It has schema version {result.schema_version}: run `graphprofile migrate` now.")
    return DONE


@click.command(epilog="Example: graphprofile migrate")
@common
def migrate(connection: Connection) -> int:
    """Take a store that an older graphprofile wrote to this program's schema version; may be repeated."""
    from graphprofile.profiles import GraphProfile

    result = GraphProfile.migrate(config=connection.config, **connection.arguments)
    if connection.as_json:
        print_json(result.to_json())
    elif result.to_version is None:
        print("The graph is empty: there is nothing to migrate.")
    elif result.from_version == result.to_version:
        print(f"The store has schema version {result.to_version} already.")
    else:
        print(f"Schema version {result.from_version} became {result.to_version} ({result.seconds:.1f} s)")
    return DONE
