"""How much more popularity the future wants than a random part of the past does.

    python benchmarks/popularity_shift.py EVENTS [--describe FILE] [--loader NAME] [--json]

A graph without times can only be validated on pairs held out at random, and what is calibrated so leans too little on
popularity for what is asked later. This measures by how much, where times are known: a model is fitted to the earlier
part of EVENTS and calibrated on pairs held out at random inside it, as it would be without times; then its pull of
popularity is multiplied by several factors and each is scored on the later part. Give it the TRAIN part of a data set
(``benchmarks/cut.py``). On MovieLens 100k, Online Retail and the demo's library the factor 1 is the best or within
.002 of it in NDCG@20, so ``graphsage/calibrate.py`` corrects nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pairs

from graphprofile.errors import GraphProfileError
from graphprofile.graphsage import metrics
from graphprofile.graphsage.config import TrainConfig
from graphprofile.graphsage.data import TrainingGraph
from graphprofile.graphsage.metrics import Protocol
from graphprofile.graphsage.train import fit

FACTORS = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0)


def untimed(graph: TrainingGraph) -> TrainingGraph:
    """The graph with one time for all events."""
    return replace(graph, event_ts=np.zeros_like(graph.event_ts))


def measure(graph: TrainingGraph, seed: int) -> list[dict[str, float]]:
    """NDCG@20 and Recall@20 on the later part for each factor."""
    split = metrics.time_split(graph, 0.85, seed=seed)
    protocol = Protocol(split)
    known = untimed(split.train)
    model = fit(known, TrainConfig(seed=seed))
    users, _ = model.encode(known)
    found = []
    for factor in FACTORS:
        popularity = factor * model.popularity

        def score(rows: np.ndarray, popularity: np.ndarray = popularity) -> np.ndarray:
            return users[rows] @ model.targets.T + popularity[None, :]

        recall, ndcg = protocol.per_user(score)
        found.append(
            {"factor": factor, "recall_at_20": float(recall.mean()), "ndcg_at_20": float(ndcg.mean())}
        )
    return found


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("events", type=Path)
    parser.add_argument("--describe", type=Path, action="append", default=[])
    parser.add_argument("--loader", default="generic")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    try:
        graph = pairs.read(
            arguments.events, arguments.events, describe=arguments.describe, loader=arguments.loader
        )
        found = measure(graph.train, arguments.seed)
    except GraphProfileError as error:
        print(error, file=sys.stderr)
        return 1
    if arguments.json:
        print(json.dumps(found, indent=1))
        return 0
    print(f"{'factor':>6} {'Recall@20':>10} {'NDCG@20':>10}")
    for row in found:
        print(f"{row['factor']:6.1f} {row['recall_at_20']:10.4f} {row['ndcg_at_20']:10.4f}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
