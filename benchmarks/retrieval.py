"""Retrieval on two parts of a data set: our model beside other methods, each fitted and measured in this run.

    python benchmarks/retrieval.py TRAIN TEST [--describe FILE] [--loader NAME] [--methods graphsage,ease,…]
                                              [--dim 64] [--seed 0] [--json]

TRAIN and TEST are two SciPy ``.npz`` matrices of one shape (rows users, columns items) or two files of events with
times; ``benchmarks/cut.py`` makes both from one. Every method works in a process of its own. Its settings are chosen on
a validation part of TRAIN (the latest tenth of the events; without times a random tenth of the pairs), then it is
fitted to all of TRAIN; TEST is read once, to rank for its users what they had no event with in TRAIN. A method that
would need more than 10 GB or twice our time is cut there and marked.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import peers
import psutil
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from shared_cli import finish, parser_of, protocol_of, split_of, take_names, take_pairs

from graphprofile.graphsage import metrics
from graphprofile.graphsage.metrics import Protocol, Split

OURS = "graphsage"
K = 20
MOST_GIGABYTES = 10.0
TIMES_OURS = 2.0
SHORTEST_LIMIT = 60.0
VALIDATION_USERS = 4_000
CHOOSING_SHARE = 0.4


def main() -> int:
    """Run and print."""
    parser = parser_of(__doc__)
    take_pairs(parser)
    names = [OURS, *(method.name for method in peers.METHODS)]
    take_names(parser, "--methods", names)
    parser.add_argument("--limit", type=float, help="seconds per method; by default twice ours")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        return child(arguments)

    def measured() -> dict[str, Any]:
        split = split_of(arguments)
        return measure(split, protocol_of(split), arguments.methods, arguments)

    return finish(measured, show, arguments)


# --- the parent: one process a method -----------------------------------------------------------------------


def measure(
    split: Split, protocol: Protocol, names: list[str], arguments: argparse.Namespace
) -> dict[str, Any]:
    """Runs each method in turn; ours first, since its time is the measure of the others'."""
    results = []
    limit = arguments.limit
    with tempfile.TemporaryDirectory() as folder, _progress() as progress:
        with (Path(folder) / "split.pickle").open("wb") as file:
            pickle.dump(split, file, protocol=5)
        for name in names:
            task = progress.add_task(name)
            result = run(name, Path(folder), limit, split, arguments)
            progress.remove_task(task)
            if name == OURS and limit is None and "seconds" in result:
                limit = max(SHORTEST_LIMIT, TIMES_OURS * result["seconds"])
            results.append(summary(name, result, Path(folder), protocol, arguments.seed))
    return {
        "data": {
            "train": arguments.train.name,
            "test": arguments.test.name,
            **metrics.describe(protocol),
        },
        "limit_seconds": limit,
        "results": results,
    }


def _progress() -> Progress:
    console = Console(stderr=True)
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
        transient=True,
    )


def run(
    name: str, folder: Path, limit: float | None, split: Split, arguments: argparse.Namespace
) -> dict[str, Any]:
    """One method in its own process, watched for time and memory."""
    method = next((m for m in peers.METHODS if m.name == name), None)
    if method is not None:
        if method.package and importlib.util.find_spec(method.package) is None:
            return {"missing": method.package}
        needed = method.gigabytes(split.train.num_users, split.train.num_objects, split.train.num_events)
        if needed > MOST_GIGABYTES:
            return {"cut": f"memory: needs about {needed:.0f} GB"}
    command = [
        *(sys.executable, str(Path(__file__).resolve()), "-", "-", "--child", name, "--folder", str(folder)),
        *("--dim", str(arguments.dim), "--seed", str(arguments.seed)),
        *(() if limit is None else ("--limit", str(limit))),
    ]
    log = folder / f"{name}.log"
    with log.open("w") as said:
        process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
        why = _watch(process, None if limit is None else 2 * limit + 60)
    if why:
        return {"cut": why}
    if process.returncode:
        lines = log.read_text(errors="replace").strip().splitlines()
        return {"failed": lines[-1] if lines else f"exit code {process.returncode}"}
    found: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
    return found


def _watch(process: subprocess.Popen[bytes], seconds: float | None) -> str:
    """Waits; kills what takes too much and says of what."""
    watched = psutil.Process(process.pid)
    started = time.perf_counter()
    while process.poll() is None:
        try:
            gigabytes = watched.memory_info().rss / 1e9
        except psutil.NoSuchProcess:
            break
        why = ""
        if gigabytes > MOST_GIGABYTES:
            why = f"memory: over {MOST_GIGABYTES:.0f} GB"
        elif seconds is not None and time.perf_counter() - started > seconds:
            why = "time"
        if why:
            process.kill()
            process.wait()
            return why
        time.sleep(0.1)
    process.wait()
    return ""


def summary(name: str, result: dict[str, Any], folder: Path, protocol: Protocol, seed: int) -> dict[str, Any]:
    """The figures of one method from its lists."""
    out: dict[str, Any] = {"method": name, "recall_at_20": None, "ndcg_at_20": None, "map_at_20": None}
    path = folder / f"{name}.npy"
    if path.exists() and not {"missing", "failed"} & set(result):
        ranked = np.load(path)
        recall, ndcg = metrics.rank_metrics(ranked, protocol.targets, K)
        values = {
            "recall_at_20": recall,
            "ndcg_at_20": ndcg,
            "map_at_20": average_precision(ranked, protocol),
        }
        for key, per_user in values.items():
            out[key] = float(per_user.mean())
            out[f"{key}_interval"] = metrics.interval(per_user, seed=seed)
        out |= spread(ranked, protocol)
    return out | result


def average_precision(ranked: np.ndarray, protocol: Protocol) -> np.ndarray:
    """Mean precision at the hits, over min(targets, k), float64 [num_test_users]."""
    targets = protocol.targets
    hits = metrics.hits(ranked, targets)
    precision = np.cumsum(hits, axis=1) / np.arange(1, hits.shape[1] + 1)
    return np.asarray((precision * hits).sum(axis=1) / np.minimum(np.diff(targets.indptr), K))


def spread(ranked: np.ndarray, protocol: Protocol) -> dict[str, float]:
    """Coverage and popularity bias of the lists.

    Coverage: share of the candidates that are in anybody's list. Popularity bias: how many more users the
    recommended items have than those in the users' own histories, each user weighing the same (the lift of
    Abdollahpouri et al., "The unfairness of popularity bias in recommendation", 2019).
    """
    liked = metrics.pair_matrix(protocol.split.train, positive=True)
    count = np.asarray(liked.sum(axis=0)).ravel()
    mine = liked[protocol.users]
    own = (mine @ count) / np.maximum(np.asarray(mine.sum(axis=1)).ravel(), 1.0)
    there = ranked >= 0
    shown = np.where(there, count[np.maximum(ranked, 0)], 0.0).sum(axis=1) / np.maximum(there.sum(axis=1), 1)
    return {
        "coverage": float(len(np.unique(ranked[there])) / max(1, int(protocol.candidates.sum()))),
        "popularity_bias": float(shown.mean() / own.mean() - 1.0),
    }


# --- the child: one method ----------------------------------------------------------------------------------


def child(arguments: argparse.Namespace) -> int:
    """Fits one method and writes its lists and what it took."""
    with (arguments.folder / "split.pickle").open("rb") as file:
        split: Split = pickle.load(file)
    started = time.perf_counter()
    before = _peak_mb()
    work: Callable[[Split, argparse.Namespace], tuple[metrics.Scorer, dict[str, Any]]]
    work = _ours if arguments.child == OURS else _peer
    score, said = work(split, arguments)
    said |= {"seconds": round(time.perf_counter() - started, 2), "peak_mb": _peak_mb(), "data_mb": before}
    protocol = Protocol(split)
    started = time.perf_counter()
    ranked = protocol.ranked(score, K)
    said["ranking_seconds"] = round(time.perf_counter() - started, 2)
    np.save(arguments.folder / f"{arguments.child}.npy", ranked)
    (arguments.folder / f"{arguments.child}.json").write_text(json.dumps(said))
    return 0


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _ours(split: Split, arguments: argparse.Namespace) -> tuple[metrics.Scorer, dict[str, Any]]:
    from graphprofile.graphsage.compare import scorer
    from graphprofile.graphsage.config import TrainConfig
    from graphprofile.graphsage.train import fit

    config = TrainConfig(dim=arguments.dim - 2, seed=arguments.seed)

    def tell(epoch: int, total: int, figures: Any) -> None:
        print(epoch, total, figures, flush=True)

    model = fit(split.train, config, progress=tell)
    return scorer(model, split.train), {"dimension": model.dimensions, "settings": model.choices}


def _peer(split: Split, arguments: argparse.Namespace) -> tuple[metrics.Scorer, dict[str, Any]]:
    method = next(m for m in peers.METHODS if m.name == arguments.child)
    began = time.perf_counter()
    limit = arguments.limit or float("inf")
    settings, tried = _choose(method, split, began + CHOOSING_SHARE * limit, arguments.seed)
    chosen_in = time.perf_counter() - began
    learnt = method.learn(
        settings, metrics.pair_matrix(split.train, positive=True), began + limit, arguments.seed
    )
    said: dict[str, Any] = {
        "dimension": learnt.dimension,
        "settings": dict(settings),
        "tried": tried,
        "choosing_seconds": round(chosen_in, 2),
    }
    return learnt.scorer, said | ({"cut": learnt.cut} if learnt.cut else {})


def _choose(
    method: peers.Method, split: Split, deadline: float, seed: int
) -> tuple[peers.Settings, list[dict[str, Any]]]:
    """The settings with the best NDCG@20 on a validation part of TRAIN, as far as there is time."""
    if len(method.settings) == 1:
        return method.settings[0], []
    inner = metrics.time_split(split.train, 0.9, seed=seed)
    protocol = Protocol(inner, max_users=VALIDATION_USERS, seed=seed)
    known = metrics.pair_matrix(inner.train, positive=True)
    if not len(protocol.users):
        return method.settings[0], []
    best, chosen, tried = -1.0, method.settings[0], []
    longest = 0.0
    for settings in method.settings:
        began = time.perf_counter()
        if tried and began + longest > deadline:
            break
        try:
            learnt = method.learn(settings, known, deadline, seed)
        except peers.OutOfTime:
            break
        _, ndcg = protocol.per_user(learnt.scorer, K)
        longest = max(longest, time.perf_counter() - began)
        tried.append({**settings, "ndcg_at_20": float(ndcg.mean())} | ({"cut": "time"} if learnt.cut else {}))
        if ndcg.mean() > best:
            best, chosen = float(ndcg.mean()), settings
    return chosen, tried


# --- for people ---------------------------------------------------------------------------------------------


def show(document: dict[str, Any]) -> None:
    """One table."""
    data = document["data"]
    table = Table(
        title=f"{data['train']} -> {data['test']}: {data['users']:,} users, {data['candidates']:,} items, "
        f"{data['targets']:,} targets"
    )
    table.add_column("method")
    for name in (
        "Recall@20",
        "NDCG@20",
        "MAP@20",
        "coverage",
        "pop. bias",
        "dim",
        "seconds",
        "MB",
        "settings",
    ):
        table.add_column(name, justify="left" if name == "settings" else "right")
    for row in document["results"]:
        if row["recall_at_20"] is None:
            why = row.get("cut") or row.get("failed") or f"not installed: {row.get('missing')}"
            table.add_row(row["method"], *[""] * 8, str(why))
            continue
        cells = []
        for key in ("recall_at_20", "ndcg_at_20", "map_at_20"):
            low, high = row[f"{key}_interval"]
            cells.append(f"{row[key]:.4f} ±{(high - low) / 2:.4f}")
        chosen = {} if row["method"] == OURS else row.get("settings", {})
        words = [f"{key} {value}" for key, value in chosen.items()]
        if row.get("cut"):
            words.insert(0, f"cut: {row['cut']}")
        table.add_row(
            row["method"],
            *cells,
            f"{row['coverage']:.3f}",
            f"{row['popularity_bias']:+.2f}",
            str(row.get("dimension") or ""),
            f"{row['seconds']:.0f}" if "seconds" in row else "",
            f"{row['peak_mb']:,}" if "peak_mb" in row else "",
            ", ".join(words),
        )
    width = None if sys.stdout.isatty() else 180
    Console(width=width).print(table)


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "2")
    raise SystemExit(main())
