"""Commands around it: digest, status, report, up, down, demo."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from graphprofile.cli.options import Connection, common, seed_option
from graphprofile.cli.output import cell, note, print_json, print_pairs, print_table, progress_bar
from graphprofile.errors import UsageError
from graphprofile.store import embedded

DONE = 0


@click.command(epilog="Example: graphprofile digest")
@common
def digest(connection: Connection) -> int:
    """Print one number that is equal where two graphs hold the same, on either engine."""
    with connection.open() as gp:
        found = gp.digest()
    if connection.as_json:
        print_json({"digest": found})
    else:
        print(found)
    return DONE


@click.command(epilog="Example: graphprofile status")
@click.option("--no-drift", is_flag=True, help="Leave drift out, which reads the events of 2,000 users.")
@common
def status(connection: Connection, no_drift: bool) -> int:
    """Show engine, counts, last batches, lag, quarantine, model, how fresh the vectors are, and drift."""
    with connection.open() as gp:
        document = gp.status(drift=not no_drift)
    if connection.as_json:
        print_json(document)
        return DONE
    print_pairs(
        {
            "engine": f"{document['engine']} at {document['uri']}",
            "data": document["data_dir"],
            **{f"{label.lower()} nodes": count for label, count in document["nodes"].items()},
            "events": document["events"] or "none",
            "newest event (watermark)": document["watermark"],
            "users awaiting tags": document["users_awaiting_tags"],
            "quarantine": f"{document['quarantine']['rows']:,} rows in {document['quarantine']['files']} files",
            "model": _model(document),
            **{
                f"{label.lower()} vectors": cell(counts)
                for label, counts in document["vectors"].items()
                if any(counts.values())
            },
        },
        "Status",
    )
    columns = [
        "id",
        "state",
        "source",
        "applied",
        "duplicates",
        "conflicts",
        "quarantined",
        "late",
        "rows_per_second",
    ]
    if document["batches"]:
        print_table(
            columns, [tuple(b.get(c) for c in columns) for b in document["batches"]], title="Last batches"
        )
    if document["drift"]:
        from graphprofile.cli.governing import show_drift

        show_drift(document["drift"])
    return DONE


def _model(document: Mapping[str, Any]) -> str | None:
    """The model in use, and the one whose vectors are not complete."""
    model, coming = document["model"], document["model_coming"]
    if coming is None:
        return str(model) if model else None
    return f"{model}; {coming} is not complete (`graphprofile models promote {coming}` goes on with it)"


@click.command(epilog="Example: graphprofile report u1 --out report.html")
@click.argument("reader", required=False, metavar="[USER]")
@click.option("--quality", is_flag=True, help="On the rows of a batch: completeness, lateness, drift, trend.")
@click.option("--batch", metavar="ID", help="With --quality: which batch; the latest by default.")
@click.option(
    "--out", metavar="FILE.html", help="Where to write it; report.html, or quality.html, by default."
)
@click.option("--open", "show", is_flag=True, help="Open it in the browser.")
@common
def report(
    connection: Connection, reader: str | None, quality: bool, batch: str | None, out: str | None, show: bool
) -> int:
    """Write one self-contained HTML file with plots, and the profile of USER (somebody typical by default).

    With --quality it is on the rows of a batch instead; --json then prints its figures, and writes the file only where
    --out says so.
    """
    if quality and reader is not None:
        raise click.UsageError(f"--quality is on a batch, not on {reader}.", click.get_current_context())
    if batch is not None and not quality:
        raise click.UsageError("--batch goes with --quality.", click.get_current_context())
    path: Path | None = None
    with connection.open() as gp:
        if not quality:
            path = gp.report(out or "report.html", user_id=reader)
        elif out is not None or show or not connection.as_json:
            path = gp.quality_report(out or "quality.html", batch=batch)
        document = gp.quality(batch).to_json() if quality and connection.as_json else {}
    if connection.as_json:
        print_json({**document, "report": None if path is None else str(path)})
    else:
        print(f"Report: {path}")
    if show and path is not None:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())
    return DONE


@click.command(epilog="Example: graphprofile up")
@common
def up(connection: Connection) -> int:
    """Keep the embedded engine running in the background, so that commands start at once."""
    settings = connection.settings()
    _require_embedded(settings.uri)
    before = embedded.status(settings)
    found = embedded.up(settings)
    if connection.as_json:
        print_json({"running": found.running, "pid": found.pid, "was_running": before.running})
    else:
        state = "was running already and stays" if before.running else "runs"
        print(f"The embedded engine {state} (process {found.pid}); `graphprofile down` ends it.")
    return DONE


@click.command(epilog="Example: graphprofile down")
@common
def down(connection: Connection) -> int:
    """Stop the engine that `up` started; waits for transactions under way."""
    settings = connection.settings()
    _require_embedded(settings.uri)
    before = embedded.status(settings)
    found = embedded.down(settings)
    if connection.as_json:
        print_json({"running": found.running, "was_running": before.running})
    elif found.running:
        print(f"It ends when its other users have gone: processes {', '.join(map(str, found.clients))}.")
    else:
        print("Stopped." if before.running else "It was not running.")
    return DONE


def _require_embedded(uri: str | None) -> None:
    if uri is not None:
        raise UsageError(
            f"`up` and `down` are for the embedded engine; {uri} is a server.",
            "Start and stop the server itself.",
        )


@click.command(epilog="Example: graphprofile demo")
@click.option(
    "--out", "folder", default="graphprofile-demo", show_default=True, metavar="DIR", help="Where to work."
)
@seed_option("Of the training.")
@common
def demo(connection: Connection, folder: str, seed: int) -> int:
    """Run all of it on a real library's readers: Shakespeare and Company, Paris, 1919 to 1962."""
    from graphprofile.demo import run_demo

    with progress_bar(not connection.as_json) as progress:
        document = run_demo(
            Path(folder),
            config=connection.config,
            arguments=connection.arguments,
            seed=seed,
            say=(lambda text: None) if connection.as_json else print,
            progress=progress,
        )
    if connection.as_json:
        print_json(document)
    else:
        note(f"Look at {document['report']}")
    return DONE
