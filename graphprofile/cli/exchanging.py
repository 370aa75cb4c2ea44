"""Commands for those who go on elsewhere, or look at the graph as a network: analyze, export."""

from __future__ import annotations

from typing import Literal

import click

from graphprofile.cli.options import Connection, common, seed_option
from graphprofile.cli.output import print_json, progress_bar

DONE = 0


@click.command(epilog="Example: graphprofile analyze --samples 100")
@click.option(
    "--neighbours", type=click.IntRange(1, 1000), default=10, show_default=True, help="Links per person."
)
@click.option(
    "--resolution",
    type=click.FloatRange(0, min_open=True),
    default=1.0,
    show_default=True,
    help="Above 1: more and smaller communities.",
)
@click.option(
    "--samples",
    type=click.IntRange(0),
    default=50,
    show_default=True,
    help="Sources betweenness is estimated from; 0 leaves it out.",
)
@seed_option("Same seed, same figures.")
@click.option(
    "--max-events",
    type=click.IntRange(1),
    default=2_000_000,
    show_default=True,
    help="Refuse a larger graph: it is read into memory.",
)
@common
def analyze(
    connection: Connection, neighbours: int, resolution: float, samples: int, seed: int, max_events: int
) -> int:
    """Put community, PageRank and betweenness on users, items and content, with time and version."""
    with connection.open() as gp, progress_bar(not connection.as_json) as progress:
        result = gp.analyze(
            neighbours=neighbours,
            resolution=resolution,
            samples=samples,
            seed=seed,
            max_events=max_events,
            progress=progress,
        )
    if connection.as_json:
        print_json(result.to_json())
    else:
        print(
            f"{result.communities:,} communities of {result.users:,} users; PageRank and betweenness also of "
            f"{result.items:,} items and {result.content:,} content: version {result.version} "
            f"({result.seconds:.1f} s)"
        )
    return DONE


@click.command(epilog="Example: graphprofile export --format graphml --out graph.graphml")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["graphml", "parquet", "pyg"]),
    required=True,
    help="GraphML for Gephi and NetworkX, Parquet tables, a HeteroData of PyG.",
)
@click.option("--out", metavar="PATH", required=True, help="A file; for parquet a folder not there yet.")
@click.option("--no-events", is_flag=True, help="Leave the events out.")
@click.option("--no-interests", is_flag=True, help="Leave the interests out.")
@common
def export(
    connection: Connection,
    format_: Literal["graphml", "parquet", "pyg"],
    out: str,
    no_events: bool,
    no_interests: bool,
) -> int:
    """Write the whole graph for another program."""
    with connection.open() as gp, progress_bar(not connection.as_json) as progress:
        result = gp.export(format_, out, events=not no_events, interests=not no_interests, progress=progress)
    if connection.as_json:
        print_json(result.to_json())
    else:
        print(
            f"{result.out}: {sum(result.nodes.values()):,} nodes and {sum(result.edges.values()):,} edges, "
            f"{result.bytes / 1e6:,.1f} MB ({result.seconds:.1f} s)"
        )
    return DONE
