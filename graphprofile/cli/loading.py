"""Commands that bring rows in: init, load, update, quarantine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from graphprofile.cli.options import Connection, common
from graphprofile.cli.output import note, print_json, print_pairs, print_table, progress_bar
from graphprofile.cli.querying import query_options, take_query
from graphprofile.records import KINDS

if TYPE_CHECKING:
    from graphprofile.records import LoadResult

DONE, FAILED, PARTIAL = 0, 1, 3
REASONS_SHOWN = 8


on_conflict = click.option(
    "--on-conflict",
    type=click.Choice(["keep", "replace"]),
    default="keep",
    show_default=True,
    help="An event that comes with other content: keep the stored one, or replace it; both are reported.",
)


def source_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of everything that reads sources."""
    for option in (
        click.option("--dry-run", is_flag=True, help="Check and count, write nothing."),
        click.option(
            "--fail-on",
            multiple=True,
            metavar="NAME=VALUE",
            help="A threshold of data quality that stops the batch before it is applied, e.g. max_late=0.1; `none` "
            "switches off those of the mapping file.",
        ),
        click.option("--resend", is_flag=True, help="Send files that were taken in whole before, too."),
        on_conflict,
        click.option(
            "--time-unit", type=click.Choice(["s", "ms", "us", "ns"]), help="Unit of times given as numbers."
        ),
        click.option("--time-zone", metavar="ZONE", help="Zone of times without one, e.g. Europe/Paris."),
        click.option(
            "--map",
            "mapping",
            multiple=True,
            metavar="FIELD=COLUMN",
            help="Generic column = column of the file; FIELD:int=COLUMN gives a type, FIELD==TEXT a constant.",
        ),
        click.option(
            "--mapping",
            "mapping_file",
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE",
            help="A mapping file: columns, formats and cleaning; `graphprofile map SOURCE` writes a first one.",
        ),
        click.option("--kind", type=click.Choice(KINDS), help="What the rows describe; told by the columns."),
        click.option("--loader", default="generic", show_default=True, metavar="NAME", help="Who reads it."),
        click.argument("sources", nargs=-1, metavar="SOURCE..."),
    ):
        function = option(function)
    return function


@click.command(epilog="Example: graphprofile init")
@common
def init(connection: Connection) -> int:
    """Create constraints, indexes and a settings file; overwrites nothing."""
    from graphprofile.settings import CONFIG_NAME, template

    path = Path(connection.config or CONFIG_NAME)
    written = not path.exists()
    if written:
        path.write_text(template(), "utf-8")
        if not connection.as_json:
            note(f"Wrote {path}: what each event means stands there.")
    with connection.open() as gp:
        result = gp.init().model_copy(update={"config_file": str(path)})
    if connection.as_json:
        print_json(result.to_json())
    else:
        print_pairs(result.to_json(), f"{result.engine} is ready.")
    return DONE


@click.command(epilog="Example: graphprofile load events.csv --map user_id=CustomerID --map object_id=SKU")
@click.option("--undo", metavar="BATCH", help="Take a batch out again, as if it had never come.")
@click.option(
    "--watch", metavar="DIR", help="Load what lies and comes in a folder, each file once, until Ctrl-C."
)
@query_options
@source_options
@click.option(
    "--bulk",
    is_flag=False,
    flag_value="",
    metavar="[DIR]",
    help="Years of history into an empty store, by the engine's own importer; with DIR (new or empty): "
    "files for `neo4j-admin database import` are written there.",
)
@click.option("--neo4j-home", metavar="HOME", help="With --bulk: import them into the stopped Neo4j there.")
@common
def load(
    connection: Connection,
    sources: tuple[Any, ...],
    undo: str | None,
    watch: str | None,
    bulk: str | None,
    neo4j_home: str | None,
    **options: Any,
) -> int:
    """Load one incremental batch of events, users, items, content or tags.

    SOURCE is a file, a glob or a folder: CSV (also compressed), JSON Lines or Parquet. Loading the same again
    changes nothing; after a kill the same command goes on. Rows that cannot be used are kept in the quarantine; the
    exit code is then 3. `--kind retracted` withdraws events by event_type and event_id. `--sql` takes the rows of a
    query instead: SQLite, PostgreSQL, DuckDB, folders of Parquet or CSV files.
    """
    take_mapping(options)
    sources = take_query(options, sources)
    for name, value in (("--undo", undo), ("--watch", watch)):
        if value is not None and sources:
            raise click.UsageError(
                f"{name} takes {value} and no source, here also {_shown(sources[0])}.",
                click.get_current_context(),
            )
    chosen = [
        name for name, value in (("--undo", undo), ("--watch", watch), ("--bulk", bulk)) if value is not None
    ]
    if len(chosen) > 1:
        raise click.UsageError(f"{' and '.join(chosen)} do not go together.", click.get_current_context())
    if undo is not None:
        return _undo(connection, undo)
    if watch is not None:
        return _watch(connection, watch, options)
    if bulk is not None:
        from graphprofile.cli.bulk import load_bulk, split_folder

        server = neo4j_home is not None or connection.settings().uri is not None
        out, sources = split_folder(bulk, sources, server)
        require_sources(sources)
        return load_bulk(connection, sources, out, neo4j_home, options)
    require_sources(sources)
    if neo4j_home is not None:
        raise click.UsageError("--neo4j-home goes with --bulk.", click.get_current_context())
    with connection.open() as gp, progress_bar(not connection.as_json) as progress:
        result = gp.load(*sources, progress=progress, **options)
    if connection.as_json:
        print_json(result.to_json())
    else:
        show_load(result)
    return exit_code(result)


def exit_code(result: LoadResult) -> int:
    """Of one batch: also a dry run fails where the batch would be refused."""
    if not all(one.passed for one in result.thresholds):
        return FAILED
    return PARTIAL if result.quarantined or result.conflicts else DONE


def take_mapping(options: dict[str, Any]) -> None:
    """Put the mapping file in the place of the mapping, where one is given."""
    path = options.pop("mapping_file")
    if path is None:
        return
    if options["mapping"]:
        raise click.UsageError("--mapping and --map do not go together.", click.get_current_context())
    options["mapping"] = path


def _shown(source: Any) -> str:
    """A source as it may stand in a message."""
    return str(getattr(source, "name", source))


def require_sources(sources: tuple[Any, ...]) -> None:
    """Refuse a command without a source, as click would."""
    if not sources:
        raise click.UsageError("Missing argument 'SOURCE...'.", click.get_current_context())


def _watch(connection: Connection, folder: str, options: dict[str, Any]) -> int:
    from graphprofile.cli.watching import watch_folder

    for name in ("dry_run", "resend"):
        if options.pop(name):
            raise click.UsageError(
                f"--watch does not go with --{name.replace('_', '-')}.", click.get_current_context()
            )
    return watch_folder(connection, folder, options)


def _undo(connection: Connection, batch: str) -> int:
    with connection.open() as gp, progress_bar(not connection.as_json) as progress:
        result = gp.undo(batch, progress=progress)
    if connection.as_json:
        print_json(result.to_json())
    else:
        print(
            f"Batch {result.batch} is undone: {result.events:,} events and {result.nodes:,} nodes removed, "
            f"{result.handed_over:,} events handed over to other batches, {result.restored:,} restored, "
            f"{result.descriptions:,} descriptions given back ({result.seconds:.1f} s)"
        )
        if result.refused:
            note(
                f"{result.refused:,} rows that it refused left the quarantine; its files may be loaded again."
            )
        if result.reopened:
            note(f"{result.reopened:,} rows that it had taken from the quarantine lie there again.")
        note("`graphprofile tags` brings the interests of those it touched up to date.")
    return DONE


def show_load(result: LoadResult) -> None:
    """One batch for people."""
    verb = "would be applied" if result.dry_run else "applied"
    print(
        f"Batch {result.batch}: {result.read:,} rows read, {result.applied:,} {verb}, "
        f"{result.duplicates:,} duplicates, {result.conflicts:,} conflicts, "
        f"{result.quarantined:,} quarantined, {result.late:,} late "
        f"({result.seconds:.1f} s, {result.events_per_second:,.0f}/s)"
    )
    if result.resumed:
        note("An earlier process had begun this batch; the counts are those of both.")
    if result.unsent:
        note(
            f"{result.unsent:,} of the duplicates lie in files that were taken in whole before; none was sent."
        )
    for reason, rows in result.skipped.items():
        note(f"Left out: {rows:,} rows, {reason}")
    for rule, values in result.cleaned.items():
        note(f"Cleaned: {values:,} values by {rule}")
    if result.tied:
        note(
            f"{result.tied:,} descriptions say another thing of the same updated_at, or of none: the larger value "
            "stands, whatever the order. A later updated_at decides."
        )
    for why in result.reasons[:REASONS_SHOWN]:
        first = f"line {why.line} of {Path(why.source).name}"
        of = first if why.rows == 1 else f"{why.rows:,} rows, first {first}"
        note(f"Refused: {of}: {why.field}: {why.reason}".replace("\n", "\n    "))
    if len(result.reasons) > REASONS_SHOWN:
        note(f"Refused: {sum(why.rows for why in result.reasons[REASONS_SHOWN:]):,} rows for other reasons")
    for one in result.thresholds:
        figure = "nothing to tell by" if one.figure is None else f"{one.figure:.4g}"
        verdict = "met" if one.passed else "NOT MET"
        note(f"Threshold {one.name} = {one.limit:g}: {figure}, {verdict} ({one.detail})")
    if not all(one.passed for one in result.thresholds):
        note("A load under these thresholds is refused.")
    if result.quarantine_file:
        note(f"Refused rows with their reasons: {result.quarantine_file}")
    if result.replaced_file:
        note(f"Replaced events, both versions: {result.replaced_file}")


@click.command(epilog="Example: graphprofile update 'incoming/*.csv'")
@query_options
@source_options
@common
def update(connection: Connection, sources: tuple[Any, ...], **options: Any) -> int:
    """Load, then bring tags and vectors up to date: what a scheduler calls."""
    sources = take_query(options, sources)
    require_sources(sources)
    take_mapping(options)
    with connection.open() as gp, progress_bar(not connection.as_json) as progress:
        result = gp.update(*sources, progress=progress, **options)
    if connection.as_json:
        print_json(result.to_json())
    else:
        show_load(result.load)
        print(f"Interests of {result.tags.users:,} users in {result.tags.seconds:.1f} s")
        if result.embed:
            print(
                f"Vectors of {result.embed.users:,} users and {result.embed.items:,} items "
                f"by {result.embed.model} in {result.embed.seconds:.1f} s"
            )
        else:
            note("No vectors yet: `graphprofile train` learns them.")
        for reason in result.retrained_because:
            print(f"Drift: {reason}")
        if result.train:
            state = "promoted" if result.train.promoted else "kept, not promoted"
            print(f"Trained again: {result.train.model} {state}, {result.train.reason}")
    return exit_code(result.load)


@click.command(epilog="Example: graphprofile loaders")
@common
def loaders(connection: Connection) -> int:
    """List the loaders: what `--loader` takes, and what each of them reads.

    Also those of other packages, which name theirs in the entry-point group `graphprofile.loaders`. One that cannot be
    imported is named with its error.
    """
    from graphprofile.ingest.loaders import list_loaders

    found = list_loaders()
    if connection.as_json:
        print_json([asdict(loader) for loader in found])
        return DONE
    print_table(
        ["loader", "reads", "package"],
        [
            (one.name, one.summary if one.error is None else f"cannot be imported: {one.error}", one.package)
            for one in found
        ],
    )
    return DONE


@click.group(epilog="Example: graphprofile quarantine list")
def quarantine() -> None:
    """Rows that were refused."""


@quarantine.command("list", epilog="Example: graphprofile quarantine list")
@common
def quarantine_list(connection: Connection) -> int:
    """List the files of refused rows, and the reasons in each."""
    from graphprofile.ingest.quarantine import list_quarantine

    entries = list_quarantine(connection.settings().data_dir)
    if connection.as_json:
        print_json([{**asdict(entry), "path": str(entry.path)} for entry in entries])
    elif not entries:
        print("The quarantine is empty.")
    else:
        print_table(
            ["batch", "rows", "most frequent reason", "file"],
            [(entry.batch, entry.rows, next(iter(entry.reasons), "-"), str(entry.path)) for entry in entries],
        )
    return DONE


@quarantine.command("retry", epilog="Example: graphprofile quarantine retry 20260131T235959-1a2b3c")
@click.argument("batches", nargs=-1, metavar="[BATCH]...")
@on_conflict
@common
def quarantine_retry(connection: Connection, batches: tuple[str, ...], on_conflict: Any) -> int:
    """Load refused rows again, after mending the file or the vocabulary; all of them where none is named."""
    with connection.open() as gp, progress_bar(not connection.as_json) as progress:
        results = gp.retry_quarantine(*batches, on_conflict=on_conflict, progress=progress)
    if connection.as_json:
        print_json([result.to_json() for result in results])
    elif not results:
        print("The quarantine is empty.")
    else:
        for result in results:
            show_load(result)
    return PARTIAL if any(result.quarantined or result.conflicts for result in results) else DONE
