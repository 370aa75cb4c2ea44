"""What the engine's vector index finds of the true nearest items, and how fast, through the calls the product makes.

    python benchmarks/ann.py [--items 100000] [--dim 64] [--queries 1000] [--engine arcadedb|neo4j] [--seed 0] [--json]

Goes to ``GRAPHPROFILE_URI``, else to a store of its own: embedded, or with ``--engine neo4j`` a server that it starts
as the tests do. Refuses a store that is not empty, and leaves its items there. Vectors lie in clusters, as learned ones
do; queries are drawn around the same centres and are no items. Three ways are timed, one query after the other: the
index alone; the search of ``recommend``, which also asks whether another model is being written; and the search
of ``recommend --exact``. Recall is against a scan in NumPy.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from load import opened
from rich.console import Console
from rich.table import Table
from shared_cli import finish, parser_of

from graphprofile import GraphProfile
from graphprofile.errors import UsageError
from graphprofile.export import ITEM
from graphprofile.records import chunks
from graphprofile.searching import LABELS, Search, nearest
from graphprofile.writeback import OBJECTS_PER_TRANSACTION

K = 20
VERSION = "ann-benchmark"
ITEMS_IN_CLUSTER = 100
SPREAD = 0.5
WARM = 50
MOST_EXACT = 20


def clustered(centres: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Unit vectors around centres drawn at random, float32 [n, dim]."""
    vectors = centres[rng.integers(0, len(centres), n)]
    vectors = vectors + SPREAD * rng.normal(size=vectors.shape)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def fill(gp: GraphProfile, items: np.ndarray) -> dict[str, float]:
    """Items with their vectors, written and indexed in the order in which a trained model's are; seconds."""
    ids = [str(number) for number in range(len(items))]
    gp.load(pl.DataFrame({"item_id": ids}), kind="items")
    seconds = {"write_seconds": 0.0, "index_seconds": 0.0}

    def index() -> None:
        started = time.perf_counter()
        gp.store.create_vector_index(LABELS[ITEM], items.shape[1])
        seconds["index_seconds"] = time.perf_counter() - started

    if not gp.store.builds_vector_index_at_once:
        index()
    started = time.perf_counter()
    for part in chunks(range(len(ids)), OBJECTS_PER_TRANSACTION):
        rows = [[ids[at], items[at].tolist(), None] for at in part]
        gp.store.write(lambda tx, rows=rows: tx.run("embed/write_items", rows=rows, model=VERSION, now=0))
    seconds["write_seconds"] = time.perf_counter() - started
    if gp.store.builds_vector_index_at_once:
        index()
    # The embedded engine puts its graph in order when it is first asked.
    started = time.perf_counter()
    gp.store.vector_search(LABELS[ITEM], items[0].tolist(), K)
    return seconds | {"first_query_seconds": time.perf_counter() - started}


def timed(ask: Callable[[np.ndarray], Sequence[str]], queries: np.ndarray, truth: Sequence[set[str]]) -> Any:
    """Recall and milliseconds of one way of asking."""
    for query in queries[:WARM]:
        ask(query)
    shares, milliseconds = [], []
    for query, true in zip(queries, truth, strict=True):
        started = time.perf_counter()
        found = ask(query)
        milliseconds.append(1000 * (time.perf_counter() - started))
        shares.append(len(true.intersection(found)) / len(true))
    return {
        "recall_at_20": float(np.mean(shares)),
        "lowest_recall": float(np.min(shares)),
        "median_ms": float(np.median(milliseconds)),
        "p95_ms": float(np.quantile(milliseconds, 0.95)),
        "queries": len(queries),
    }


def measure(gp: GraphProfile, count: int, dim: int, queries: int, seed: int) -> dict[str, Any]:
    """All figures on an empty store."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(max(1, count // ITEMS_IN_CLUSTER), dim))
    items, asked = clustered(centres, count, rng), clustered(centres, queries, rng)
    document: dict[str, Any] = fill(gp, items)
    ids = [str(number) for number in range(count)]
    truth = [{id_ for _, id_ in nearest(ids, items, query, K)} for query in asked]
    search = Search(gp.models)

    def through(query: np.ndarray, exact: bool = False) -> list[str]:
        found = search.find(ITEM, query, K, version=VERSION, hidden=set(), exact=exact)
        return [key[2:] for _, key in found]

    ways: dict[str, Callable[[np.ndarray], Sequence[str]]] = {
        "index": lambda query: [id_ for id_, _ in gp.store.vector_search(LABELS[ITEM], query.tolist(), K)],
        "recommend's search": through,
    }
    document["results"] = {name: timed(ask, asked, truth) for name, ask in ways.items()}
    few = slice(0, MOST_EXACT)
    document["results"]["exact"] = timed(lambda query: through(query, exact=True), asked[few], truth[few])
    return document


def main() -> int:
    """Run and print."""
    parser = parser_of(__doc__)
    for name, default in {"items": 100_000, "dim": 64, "queries": 1_000}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--engine", choices=("arcadedb", "neo4j"))
    arguments = parser.parse_args()
    if arguments.items < K or arguments.dim < 2 or arguments.queries < 1:
        parser.error(f"--items begins at {K}, --dim at 2, --queries at 1")

    def measured() -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
            gp = opened(arguments.engine, Path(folder), stack)
            if gp.cypher("MATCH (n) RETURN 1 LIMIT 1"):
                raise UsageError("The store is not empty.", "Point GRAPHPROFILE_URI at an empty one.")
            sizes = arguments.items, arguments.dim, arguments.queries
            return {
                "engine": gp.store.engine,
                "items": arguments.items,
                "dim": arguments.dim,
                **measure(gp, *sizes, arguments.seed),
            }

    return finish(measured, show, arguments)


def show(document: dict[str, Any]) -> None:
    """One table."""
    table = Table(title=f"{document['engine']}: {document['items']:,} items of {document['dim']} dimensions")
    for name in ("way", "recall@20", "lowest", "median ms", "p95 ms", "queries"):
        table.add_column(name, justify="left" if name == "way" else "right")
    for name, row in document["results"].items():
        figures = f"{row['recall_at_20']:.4f}", f"{row['lowest_recall']:.2f}"
        times = f"{row['median_ms']:.1f}", f"{row['p95_ms']:.1f}"
        table.add_row(name, *figures, *times, f"{row['queries']:,}")
    console = Console(width=None if sys.stdout.isatty() else 100)
    console.print(table)
    rate = document["items"] / document["write_seconds"]
    seconds = document["index_seconds"], document["first_query_seconds"]
    console.print(
        f"{rate:,.0f} vectors/s written; " + "index made in {:.1f} s, first query {:.1f} s".format(*seconds)
    )


if __name__ == "__main__":
    raise SystemExit(main())
