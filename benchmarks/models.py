"""Trains on real data and prints the metrics beside the baselines.

    python benchmarks/models.py --data shakespeare --path DIR [--json]
    python benchmarks/models.py --data ml-100k --path DIR

Reads the raw files itself, so that a loader's mistake cannot hide in a model's figures, nor the other way
round.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import gzip
import json
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from graphprofile.graphsage.compare import TrainReport, train
from graphprofile.graphsage.config import TrainConfig
from graphprofile.graphsage.data import TrainingGraph


class Names:
    """Numbers names in the order they come."""

    def __init__(self) -> None:
        self.table: dict[str, int] = {}

    def __call__(self, name: str) -> int:
        """The number of a name."""
        return self.table.setdefault(name, len(self.table))


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def _start_ms(text: str) -> int | None:
    """Start of the day, month or year; None where the year is unknown."""
    parts = text.split("-")
    if not parts[0]:
        return None
    numbers = [int(part) for part in parts] + [1, 1]
    moment = dt.datetime(numbers[0], numbers[1], numbers[2], tzinfo=dt.UTC)
    return round(moment.timestamp() * 1000)


def _pairs(objects: Names, described: Iterable[tuple[str, list[str]]]) -> tuple[Names, list[int], list[int]]:
    names, rows, columns = Names(), [], []
    for identifier, tokens in described:
        if identifier in objects.table:
            for token in tokens:
                rows.append(objects(identifier))
                columns.append(names(token))
    return names, rows, columns


def _split(text: str, mark: str = ";") -> list[str]:
    return [part.strip() for part in text.split(mark) if part.strip() and part.strip() != "N/A"]


def _graph(
    users: Names,
    objects: Names,
    types: Names,
    events: list[tuple[int, int, int, float, int]],
    tags: list[tuple[str, list[str]]],
    properties: list[tuple[str, list[str]]],
) -> TrainingGraph:
    columns = np.array(events, dtype=np.float64)
    tag_names, tag_rows, tag_columns = _pairs(objects, tags)
    names, rows, name_columns = _pairs(objects, properties)
    return TrainingGraph(
        user_ids=np.array(list(users.table), dtype=object),
        object_ids=np.array(list(objects.table), dtype=object),
        event_types=tuple(types.table),
        event_user=columns[:, 0].astype(np.int64),
        event_object=columns[:, 1].astype(np.int64),
        event_type=columns[:, 2].astype(np.int16),
        event_weight=columns[:, 3].astype(np.float32),
        event_ts=columns[:, 4].astype(np.int64),
        tag_names=tuple(tag_names.table),
        tag_object=np.array(tag_rows),
        tag_tag=np.array(tag_columns),
        tag_weight=np.ones(len(tag_rows)),
        feature_names=tuple(names.table),
        feature_object=np.array(rows),
        feature_feature=np.array(name_columns),
        feature_weight=np.ones(len(rows)),
    )


def shakespeare(path: Path) -> TrainingGraph:
    """The lending library: loans, genres as tags, authors as properties."""
    users, objects, types = Names(), Names(), Names()
    events = []
    for row in _rows(path / "events_borrow.csv.gz"):
        ts = _start_ms(row["event_start"]) if row["event_start"] else None
        if ts is not None:
            events.append((users(row["member"]), objects(row["book"]), types(row["event_type"]), 1.0, ts))
    books = [
        (row["uri"].rstrip("/").rsplit("/", 1)[-1], row) for row in _rows(path / "books-with-genres.csv.gz")
    ]
    return _graph(
        users,
        objects,
        types,
        events,
        [(book, _split(row["genre"])) for book, row in books],
        [(book, [f"author={name}" for name in _split(row["author"])]) for book, row in books],
    )


def movielens(path: Path) -> TrainingGraph:
    """MovieLens 100k: ratings as distance from 3, genres as tags, the decade as a property."""
    users, objects, types = Names(), Names(), Names()
    rated = types("rated")
    events = []
    with gzip.open(path / "ml-100k.inter.gz", "rt") as file:
        next(file)
        for line in file:
            user, film, rating, seconds = line.rstrip("\n").split("\t")
            events.append(
                (users(user), objects(film), rated, float(rating) - 3.0, int(float(seconds)) * 1000)
            )
    films = [line.split("\t") for line in (path / "ml-100k.item").read_text("latin-1").splitlines()[1:]]
    return _graph(
        users,
        objects,
        types,
        events,
        [(film[0], _split(film[3], " ")) for film in films],
        [(film[0], [f"decade={film[2][:3]}0"]) for film in films if film[2]],
    )


DATA = {"shakespeare": shakespeare, "ml-100k": movielens}


def table(report: TrainReport) -> str:
    """The metrics as text."""
    lines = [f"{'method':14} {'Recall@20':>27} {'NDCG@20':>27} users"]
    for name, values in report.metrics.items():
        if values is not None:
            cells = []
            for key in ("recall_at_20", "ndcg_at_20"):
                low, high = values[f"{key}_interval"] or (np.nan, np.nan)  # type: ignore[literal-required]
                cells.append(f"{values[key]:.4f} [{low:.4f}, {high:.4f}]")  # type: ignore[literal-required]
            lines.append(f"{name:14} {cells[0]:>27} {cells[1]:>27} {values['users']:5}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", choices=DATA, required=True)
    parser.add_argument("--path", type=Path, required=True, help="folder of the data")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    graph = DATA[arguments.data](arguments.path)
    started = time.perf_counter()

    def progress(epoch: int, total: int, figures: Any) -> None:
        print(f"\repoch {epoch}/{total} loss {figures['loss']:.3f} ", end="", file=sys.stderr)

    report = train(graph, config=TrainConfig(seed=arguments.seed), progress=progress)
    seconds = time.perf_counter() - started
    print(file=sys.stderr)
    found = {
        "data": arguments.data,
        "seconds": seconds,
        "split": report.split,
        "choices": report.model.choices,
        "metrics": report.metrics,
    }
    if arguments.json:
        print(json.dumps(found, indent=2))
    else:
        print(f"{graph.num_users} users, {graph.num_objects} objects, {graph.num_events} events")
        print(f"split {report.split}\nchoices {report.model.choices}")
        print(f"{table(report)}\n{seconds:.1f} s")


if __name__ == "__main__":
    main()
