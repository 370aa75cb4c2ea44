"""Commands that compute: tags, train, embed, evaluate, models."""

from __future__ import annotations

import math
from typing import Any

import click

from graphprofile.cli.governing import models_card, models_compare
from graphprofile.cli.options import Connection, common, seed_option
from graphprofile.cli.output import cell, print_json, print_pairs, print_table, progress_bar
from graphprofile.errors import UsageError

DONE, FAILED = 0, 1


@click.command(epilog="Example: graphprofile tags --verify")
@click.option("--full", is_flag=True, help="All users, under the vocabulary in use now.")
@click.option("--verify", is_flag=True, help="Compare with a rebuild; exit 1 above the tolerance of 1e-9.")
@common
def tags(connection: Connection, full: bool, verify: bool) -> int:
    """Compute the interest tags of the users who changed, or of all."""
    from graphprofile.tags import TOLERANCE

    with connection.open() as gp, progress_bar(not connection.as_json) as progress:
        result = gp.update_tags(full=full, verify=verify, progress=progress)
    error = result.max_relative_error
    failed = error is not None and not error <= TOLERANCE
    if connection.as_json:
        print_json(result.to_json())
    else:
        print(f"Interests of {result.users:,} users in {result.tags:,} tags ({result.seconds:.1f} s)")
        if error is not None:
            shown = "an exact field differs" if math.isinf(error) else f"largest relative error {error:.1e}"
            print(
                f"Verified all users against a rebuild: {shown}"
                + (", above the tolerance of 1e-9" if failed else "")
            )
        if failed:
            print("  `graphprofile tags --full` rebuilds all of them.")
    return FAILED if failed else DONE


@click.command(epilog="Example: graphprofile train --seed 7")
@seed_option("Same seed, same machine: same vectors.")
@click.option("--epochs", type=click.IntRange(min=1), help="Passes over the users.")
@click.option("--force", is_flag=True, help="Promote the model even where it is not better.")
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Where it trains; auto is CUDA where there is one.",
)
@common
def train(connection: Connection, seed: int, epochs: int | None, force: bool, device: str) -> int:
    """Train a model, measure it beside the one in use and baselines, promote it where it is better."""
    with connection.open() as gp, progress_bar(not connection.as_json) as progress:
        result = gp.train(seed=seed, epochs=epochs, force=force, device=device, progress=progress)
    if connection.as_json:
        print_json(result.to_json())
    else:
        show_metrics(result.metrics)
        state = "promoted" if result.promoted else "kept, not promoted"
        print(f"Model {result.model} {state}: {result.reason} ({result.seconds:.1f} s)")
    return DONE


def show_metrics(metrics: dict[str, dict[str, Any] | None]) -> None:
    """Recall and NDCG with their intervals, a line a method."""
    rows = []
    for name, values in metrics.items():
        if values is None:
            continue
        rows.append(
            (
                name,
                *(
                    f"{values[key]:.4f}  [{cell(values[f'{key}_interval'][0])}, "
                    f"{cell(values[f'{key}_interval'][1])}]"
                    for key in ("recall_at_20", "ndcg_at_20")
                ),
                values["users"],
            )
        )
    print_table(["method", "Recall@20 [95%]", "NDCG@20 [95%]", "users"], rows)


@click.command(epilog="Example: graphprofile embed")
@click.option("--all", "everybody", is_flag=True, help="All users and items, not only who changed.")
@common
def embed(connection: Connection, everybody: bool) -> int:
    """Compute and write the vectors of who changed, without training."""
    with connection.open() as gp, progress_bar(not connection.as_json) as progress:
        result = gp.embed(all=everybody, progress=progress)
    if connection.as_json:
        print_json(result.to_json())
    else:
        print(
            f"Vectors of {result.users:,} users and {result.items:,} items by {result.model} "
            f"({result.seconds:.1f} s)"
        )
    return DONE


@click.command(epilog="Example: graphprofile evaluate --methods model,item_knn,svd")
@click.option(
    "--methods", metavar="NAMES", help="These instead: model, popularity, item_knn, user_knn, svd, als."
)
@common
def evaluate(connection: Connection, methods: str | None) -> int:
    """Measure the model in use beside popularity and item-to-item on the newest part of the events."""
    names = [name.strip() for name in (methods or "").split(",") if name.strip()]
    if methods is not None and not names:
        raise UsageError("--methods names none.", "For example: --methods model,item_knn,svd")
    with connection.open() as gp, progress_bar(not connection.as_json) as progress:
        document = gp.evaluate(methods=names, progress=progress)
    if connection.as_json:
        print_json(document)
    else:
        show_metrics(document["metrics"])
    return DONE


@click.group(epilog="Example: graphprofile models list")
def models() -> None:
    """The model registry."""


models.add_command(models_compare)
models.add_command(models_card)


@models.command("list", epilog="Example: graphprofile models list")
@common
def models_list(connection: Connection) -> int:
    """List the versions, newest first."""
    with connection.open() as gp:
        rows = gp.models.list()
    if connection.as_json:
        print_json(rows)
    elif not rows:
        print("No model yet: `graphprofile train` learns one.")
    else:
        print_table(
            ["version", "role", "created", "Recall@20", "NDCG@20", "dimensions"],
            [
                (
                    row["version"],
                    row["role"],
                    row["created_at"],
                    row["recall_at_20"],
                    row["ndcg_at_20"],
                    row["dimensions"],
                )
                for row in rows
            ],
        )
        for row in rows:
            if row["problem"]:
                print(f"{row['version']}: {row['problem']}")
    return DONE


@models.command("show", epilog="Example: graphprofile models show m-20260131T235959-1a2b")
@click.argument("version")
@common
def models_show(connection: Connection, version: str) -> int:
    """Show one version: arguments, metrics, the graph it saw."""
    with connection.open() as gp:
        document = gp.models.show(version)
    if connection.as_json:
        print_json(document)
    else:
        metrics = document.pop("metrics", None)
        # Bins are for programs; `models card` shows them to people.
        document.pop("drift", None)
        print_pairs(document, f"Model {version}")
        if metrics:
            show_metrics(metrics)
    return DONE


@models.command("promote", epilog="Example: graphprofile models promote m-20260131T235959-1a2b")
@click.argument("version")
@common
def models_promote(connection: Connection, version: str) -> int:
    """Put a version into use and write its vectors."""
    with connection.open() as gp, progress_bar(not connection.as_json) as progress:
        result = gp.models.promote(version, progress=progress)
    return _switched(connection, result.to_json())


@models.command("rollback", epilog="Example: graphprofile models rollback")
@common
def models_rollback(connection: Connection) -> int:
    """Go back to the version that was in use before."""
    with connection.open() as gp, progress_bar(not connection.as_json) as progress:
        result = gp.models.rollback(progress=progress)
    return _switched(connection, result.to_json())


def _switched(connection: Connection, document: dict[str, Any]) -> int:
    if connection.as_json:
        print_json(document)
    else:
        print(f"In use: {document['model']}; vectors of {document['users']:,} users written.")
    return DONE
