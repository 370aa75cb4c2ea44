"""Commands that watch over models: drift, models compare, models card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from graphprofile.cli.options import Connection, common
from graphprofile.cli.output import cell, print_json, print_pairs, print_table, progress_bar
from graphprofile.errors import UsageError

DONE = 0


@click.command(epilog="Example: graphprofile drift --metrics")
@click.option("--metrics", is_flag=True, help="Also measure the model in use on what came since; kept.")
@click.option("--users", type=click.IntRange(min=1), help="Users to sample; 20,000 by default.")
@common
def drift(connection: Connection, metrics: bool, users: int | None) -> int:
    """Measure how far inputs, vectors and metrics are from the last training."""
    with connection.open() as gp:
        document = gp.drift(metrics=metrics, users=users)
    if connection.as_json:
        print_json(document)
    else:
        show_drift(document)
    return DONE


def show_drift(document: dict[str, Any]) -> None:
    """Drift for people: the inputs as a table, vectors and metrics below."""
    if "error" in document:
        print(f"Drift could not be measured: {document['error']}")
        return
    title = (
        f"Drift against {document['against']}: {document['events']:,} events of {document['users']:,} users since "
        f"{document['since']} ({document['sampled_users']:,} of {document['of_users']:,} users sampled)"
    )
    if document["inputs"]:
        rows = [
            (
                name.replace("_", " "),
                "too few users" if found["psi"] is None else f"{found['psi']:.3f}",
                cell(found["band"]),
                cell(found["by_chance"]),
                "; ".join(f"{c['bin']} {c['then']:.1%} > {c['now']:.1%}" for c in found["changes"]),
            )
            for name, found in document["inputs"].items()
        ]
        print_table(["input", "PSI", "band", "by chance up to", "moved most"], rows, title=title)
    else:
        print(f"{title}\nInputs: no reference, the model was trained before drift was kept.")
    vectors, measured = document["vectors"], document["metrics"]
    if vectors:
        print(
            f"Vectors: {vectors['changed_share']:.1%} of the users have events since, their cosine to then is "
            f"{cell(vectors['mean_cosine'])} on average; all moved by {vectors['moved']:.3f}; "
            f"{vectors['new_share']:.1%} are new."
        )
    if measured:
        lost = measured["ndcg_drop"]
        word = (
            "-"
            if lost is None
            else f"{lost['lost']:.1%} lost [{lost['interval'][0]:.1%}, {lost['interval'][1]:.1%}]"
        )
        print(f"Metrics, measured {measured['measured_at']}: NDCG@20 {word}.")
    else:
        print("Metrics: not measured since training (`graphprofile drift --metrics`).")


@click.command(
    "compare", epilog="Example: graphprofile models compare m-20260131T235959-1a2b m-20260101T000000-3c4d"
)
@click.argument("one")
@click.argument("other")
@click.option("--as-trained", is_flag=True, help="The models as they are, on events that came after both.")
@common
def models_compare(connection: Connection, one: str, other: str, as_trained: bool) -> int:
    """Compare two versions on the same users, with intervals."""
    with connection.open() as gp, progress_bar(not connection.as_json) as progress:
        document = gp.models.compare(one, other, as_trained=as_trained, progress=progress)
    if connection.as_json:
        print_json(document)
        return DONE
    from graphprofile.cli.computing import show_metrics

    show_metrics(document["metrics"])
    print(document["verdict"])
    return DONE


@click.command("card", epilog="Example: graphprofile models card m-20260131T235959-1a2b --out card.md")
@click.argument("version", required=False)
@click.option("--out", metavar="FILE.md", help="Where to write it; printed where nothing is said.")
@common
def models_card(connection: Connection, version: str | None, out: str | None) -> int:
    """Write a model card in Markdown; of the model in use where no VERSION is named."""
    with connection.open() as gp:
        chosen = version or gp.models.model()[0]
        text = gp.models.card(chosen)
    if out is not None:
        try:
            Path(out).write_text(text, "utf-8")
        except OSError as error:
            raise UsageError(
                f"{out}: cannot be written: {error.strerror or error}.", "Name another file."
            ) from error
    if connection.as_json:
        print_json({"model": chosen, "file": out, "card": text})
    elif out is not None:
        print_pairs({"file": out}, f"Card of {chosen}")
    else:
        print(text, end="")
    return DONE
