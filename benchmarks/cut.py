"""Makes TRAIN and TEST for ``benchmarks/retrieval.py`` out of one data set.

    python benchmarks/cut.py FOLDER SOURCE… [--loader NAME] [--test 0.2] [--seed 0]

Matrices (``.npz``, added up where there are several) are cut at random: of each user's pairs the given share, rounded,
at least one and never all; FOLDER/train.npz and FOLDER/test.npz. Anything else is read by a loader of ours and cut by
time; FOLDER/train.parquet, FOLDER/test.parquet and, if the source describes objects, FOLDER/items.jsonl, to be given
to ``--describe``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np
import polars as pl
import scipy.sparse as sp

from graphprofile.errors import GraphProfileError, TooLittleData
from graphprofile.ingest.planned import checked_chunks, plan_sources
from graphprofile.ingest.recipes import Recipe
from graphprofile.records import Description, DescriptionChunk, EventChunk
from graphprofile.vocabulary import Vocabulary


def at_random(matrix: sp.csr_matrix, share: float, seed: int) -> tuple[sp.csr_matrix, sp.csr_matrix]:
    """Train and test; a user with one pair has it in train."""
    matrix = matrix.tocsr()
    matrix.sum_duplicates()
    rng = np.random.default_rng(seed)
    degree = np.diff(matrix.indptr)
    row = np.repeat(np.arange(matrix.shape[0]), degree)
    order = np.lexsort((rng.random(matrix.nnz), row))
    rank = np.arange(matrix.nnz) - np.repeat(matrix.indptr[:-1], degree)
    wanted = np.where(degree > 1, np.clip(np.round(share * degree), 1, degree - 1), 0)
    held = np.zeros(matrix.nnz, dtype=np.bool_)
    held[order] = rank < wanted[row]
    values, columns = matrix.data, matrix.indices

    def part(mask: np.ndarray) -> sp.csr_matrix:
        return sp.csr_matrix((values[mask], (row[mask], columns[mask])), shape=matrix.shape)

    return part(~held), part(held)


def by_time(events: pl.DataFrame, share: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Train and test; events of one time stay together."""
    times = events["timestamp"].sort()
    at = times[max(0, int((1.0 - share) * len(times)) - 1)]
    if at == times[-1]:
        raise TooLittleData("the events cannot be cut by time", "Most have one and the same time.")
    return events.filter(pl.col("timestamp") <= at), events.filter(pl.col("timestamp") > at)


def read_events(paths: list[str], loader: str) -> tuple[pl.DataFrame, dict[str, Description]]:
    """Checked events in the generic columns, and the objects' descriptions."""
    vocabulary, recipe = Vocabulary(), Recipe(loader=loader)
    frames, described = [], {}
    for _, chunk in checked_chunks(plan_sources(paths, recipe), vocabulary, recipe):
        if isinstance(chunk, EventChunk):
            frames.append(chunk.frame)
        elif isinstance(chunk, DescriptionChunk) and chunk.kind == "items":
            described |= {row.id: row for row in chunk.rows}
    if not frames:
        raise TooLittleData("there are no events", "Give the files that hold them.")
    events = pl.concat(frames).unique(["type", "event_id"], keep="first", maintain_order=True)
    names = vocabulary.name_of
    return events.select(
        "event_id",
        "user_id",
        pl.col("type").replace_strict(names).alias("event_type"),
        "object_id",
        "object_kind",
        # Milliseconds before 1973 would be read as seconds, so a time goes as text.
        pl.from_epoch("ts", time_unit="ms").dt.to_string("%Y-%m-%dT%H:%M:%S%.3fZ").alias("timestamp"),
        "value",
    ), described


def main() -> int:
    """Cut and say what came out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("source", nargs="+")
    parser.add_argument("--loader", default="generic")
    parser.add_argument("--test", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    if not 0 < arguments.test < 1:
        parser.error("--test lies between 0 and 1")
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    try:
        if all(name.endswith(".npz") for name in arguments.source):
            matrix = (
                sum(sp.load_npz(name).tocsr() for name in arguments.source[1:]) if arguments.source[1:] else 0
            )
            matrix = sp.load_npz(arguments.source[0]).tocsr() + matrix
            train, test = at_random(matrix, arguments.test, arguments.seed)
            sp.save_npz(folder / "train.npz", train)
            sp.save_npz(folder / "test.npz", test)
            print(f"{train.nnz:,} pairs in {folder}/train.npz, {test.nnz:,} in {folder}/test.npz")
            return 0
        events, described = read_events(arguments.source, arguments.loader)
        earlier, later = by_time(events, arguments.test)
    except (GraphProfileError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    earlier.write_parquet(folder / "train.parquet")
    later.write_parquet(folder / "test.parquet")
    print(f"{earlier.height:,} events in {folder}/train.parquet, {later.height:,} in {folder}/test.parquet")
    if described:
        with (folder / "items.jsonl").open("w") as file:
            for row in described.values():
                tags = [f"{kind}:{name}" for kind, name, _ in row.tags or ()]
                file.write(json.dumps({"item_id": row.id, **row.properties, "tags": tags}) + "\n")
        print(f"{len(described):,} items in {folder}/items.jsonl")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
