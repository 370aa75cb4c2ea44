"""Explicit ratings predicted: RMSE and MAE of means, neighbours and factors, side by side.

    python benchmarks/ratings.py RATINGS [--loader movielens] [--split random|time] [--test 0.2] [--folds 5] [--seed 0]
                                         [--methods svd,item_knn,…] [--json]

RATINGS is a file or folder that one of our loaders reads, or a folder with the folds u1.base, u1.test … of MovieLens
100k, which are then taken as they are. Settings are chosen on a tenth of the training part (the latest one where the
split is by time), then each method is fitted to all of it and predicts the test part once. Intervals are a bootstrap
over users. Surprise (``scikit-surprise``) stands beside ours where it is installed.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table
from shared_cli import finish, parser_of, take_names

from graphprofile.collaborative.rating_models import RATING_METHODS
from graphprofile.collaborative.ratings import choose, root_mean_square
from graphprofile.errors import TooLittleData
from graphprofile.ingest.planned import checked_chunks, plan_sources
from graphprofile.ingest.recipes import Recipe
from graphprofile.records import EventChunk
from graphprofile.vocabulary import Vocabulary

VALIDATION_SHARE = 0.1
BOOTSTRAPS = 2_000
PEERS = ("surprise_svd", "surprise_item_knn")


@dataclass(frozen=True)
class Rated:
    """Ratings in columns.

    Attributes:
        users: int64 [n].
        items: int64 [n].
        values: float64 [n].
        times: Epoch ms, int64 [n].
    """

    users: np.ndarray
    items: np.ndarray
    values: np.ndarray
    times: np.ndarray

    def part(self, keep: np.ndarray) -> Rated:
        """Some of the rows."""
        return Rated(self.users[keep], self.items[keep], self.values[keep], self.times[keep])

    @property
    def columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What predictors take."""
        return self.users, self.items, self.values


def read(path: Path, loader: str) -> Rated:
    """Ratings through a loader of ours."""
    vocabulary, recipe = Vocabulary(), Recipe(loader=loader)
    rated = [rule.type for rule in vocabulary.events.values() if rule.value == "rating"]
    frames = [
        chunk.frame.select("user_id", "object_id", "value", "ts", "type")
        for _, chunk in checked_chunks(plan_sources([path], recipe), vocabulary, recipe)
        if isinstance(chunk, EventChunk)
    ]
    frame = pl.concat(frames) if frames else pl.DataFrame(schema={"type": str, "value": float})
    frame = frame.filter(pl.col("type").is_in(rated) & pl.col("value").is_not_null())
    if frame.is_empty():
        raise TooLittleData(f"{path} holds no ratings", "Name the loader that reads it: --loader NAME.")
    # The latest of several ratings of one thing is the one that holds.
    frame = frame.sort("ts").unique(["user_id", "object_id"], keep="last", maintain_order=True)
    return _table(frame["user_id"], frame["object_id"], frame["value"], frame["ts"])


def _table(users: pl.Series, items: pl.Series, values: pl.Series, times: pl.Series) -> Rated:
    def places(column: pl.Series) -> np.ndarray:
        return np.unique(column.to_numpy(), return_inverse=True)[1].astype(np.int64)

    return Rated(
        places(users), places(items), values.to_numpy().astype(np.float64), times.to_numpy().astype(np.int64)
    )


def read_folds(folder: Path) -> list[tuple[Rated, Rated]]:
    """The folds of MovieLens 100k as they were published."""
    folds = []
    for base in sorted(folder.glob("u[0-9].base")):
        frames = [
            pl.read_csv(path, separator="\t", has_header=False, new_columns=["user", "item", "value", "ts"])
            for path in (base, base.with_suffix(".test"))
        ]
        both = pl.concat(frames)
        table = _table(both["user"], both["item"], both["value"], both["ts"])
        first = np.arange(both.height) < frames[0].height
        folds.append((table.part(first), table.part(~first)))
    return folds


def cuts(table: Rated, *, split: str, share: float, folds: int, seed: int) -> Iterator[tuple[Rated, Rated]]:
    """Train and test, once or once a fold."""
    n = len(table.users)
    if split == "time":
        order = np.argsort(table.times, kind="stable")
        at = table.times[order[max(0, int((1 - share) * n) - 1)]]
        if not (table.times > at).any():
            raise TooLittleData("the ratings cannot be cut by time", "Use --split random.")
        yield table.part(table.times <= at), table.part(table.times > at)
        return
    number = np.random.default_rng(seed).permutation(n)
    if folds > 1:
        for fold in range(folds):
            yield table.part(number % folds != fold), table.part(number % folds == fold)
        return
    yield table.part(number >= share * n), table.part(number < share * n)


def inner_cut(train: Rated, split: str, seed: int) -> tuple[Rated, Rated]:
    """What settings are chosen on."""
    return next(cuts(train, split=split, share=VALIDATION_SHARE, folds=1, seed=seed + 1))


def predict(name: str, train: Rated, test: Rated, split: str, seed: int) -> tuple[np.ndarray, dict[str, Any]]:
    """Predictions of one method for a test part, and what it took."""
    started = time.perf_counter()
    if name in PEERS:
        values = peer(name, train, test, seed)
        return values, {"settings": "defaults", "seconds": time.perf_counter() - started}
    candidates = RATING_METHODS[name]
    tried: Sequence[dict[str, object]] = []
    best = candidates[0]
    if len(candidates) > 1:
        learn, check = inner_cut(train, split, seed)
        best, tried = choose(candidates, learn.columns, check.columns)
    values = best.fit(*train.columns).predict(test.users, test.items)
    return values, {"settings": repr(best), "tried": tried, "seconds": time.perf_counter() - started}


def peer(name: str, train: Rated, test: Rated, seed: int) -> np.ndarray:
    """Surprise with its default settings (for neighbours: by item, on baselines, as its documentation advises)."""
    import pandas as pd
    import surprise

    frame = pd.DataFrame({"u": train.users, "i": train.items, "r": train.values})
    scale = (float(train.values.min()), float(train.values.max()))
    data = surprise.Dataset.load_from_df(frame, surprise.Reader(rating_scale=scale)).build_full_trainset()
    if name == "surprise_svd":
        algorithm = surprise.SVD(random_state=seed)
    else:
        options = {"name": "pearson_baseline", "user_based": False}
        algorithm = surprise.KNNBaseline(sim_options=options, verbose=False)
    algorithm.fit(data)
    pairs = zip(test.users.tolist(), test.items.tolist(), strict=True)
    return np.array([algorithm.predict(user, item).est for user, item in pairs])


def installed(name: str) -> bool:
    """Whether a method's library is there; one that cannot be imported is not."""
    if name not in PEERS:
        return True
    try:
        import surprise
    except ImportError:
        return False
    return bool(surprise)


def figures(errors: np.ndarray, users: np.ndarray, seed: int) -> dict[str, Any]:
    """RMSE and MAE with 95% intervals: users are drawn anew with all their ratings."""
    _, place = np.unique(users, return_inverse=True)
    squares, sizes, count = (np.bincount(place, values) for values in (errors**2, np.abs(errors), None))
    rng = np.random.default_rng(seed)
    drawn = np.empty((BOOTSTRAPS, 2))
    for sample in range(BOOTSTRAPS):
        some = rng.integers(0, len(count), len(count))
        total = count[some].sum()
        drawn[sample] = np.sqrt(squares[some].sum() / total), sizes[some].sum() / total
    low, high = np.quantile(drawn, [0.025, 0.975], axis=0)
    return {
        "rmse": root_mean_square(errors),
        "rmse_interval": [float(low[0]), float(high[0])],
        "mae": float(np.abs(errors).mean()),
        "mae_interval": [float(low[1]), float(high[1])],
    }


def measure(
    parts: Sequence[tuple[Rated, Rated]], names: Sequence[str], split: str, seed: int
) -> list[dict[str, Any]]:
    """All methods on all folds; figures over the predictions of all folds together."""
    results = []
    for name in names:
        if not installed(name):
            results.append({"method": name, "missing": "scikit-surprise"})
            continue
        errors, users, said = [], [], []
        for train, test in parts:
            values, how = predict(name, train, test, split, seed)
            errors.append(values - test.values)
            users.append(test.users)
            said.append(how)
        results.append(
            {
                "method": name,
                **figures(np.concatenate(errors), np.concatenate(users), seed),
                "rmse_of_folds": [root_mean_square(of_fold) for of_fold in errors],
                "settings": said[0]["settings"],
                "tried": said[0].get("tried", []),
                "seconds": round(sum(how["seconds"] for how in said), 2),
            }
        )
        print(f"{name}: {results[-1]['rmse']:.4f}", file=sys.stderr)
    return results


def main() -> int:
    """Run and print."""
    parser = parser_of(__doc__)
    parser.add_argument("ratings", type=Path)
    parser.add_argument("--loader", default="movielens")
    parser.add_argument("--split", choices=("random", "time"), default="random")
    parser.add_argument("--test", type=float, default=0.2, help="share of the ratings that is predicted")
    parser.add_argument("--folds", type=int, default=1, help="so many random folds instead")
    names = [*RATING_METHODS, *PEERS]
    take_names(parser, "--methods", names)
    arguments = parser.parse_args()
    if not 0 < arguments.test < 1:
        parser.error("--test lies between 0 and 1")

    def measured() -> dict[str, Any]:
        parts = read_folds(arguments.ratings) if arguments.ratings.is_dir() else []
        how = "published folds" if parts else arguments.split
        if not parts:
            table = read(arguments.ratings, arguments.loader)
            options = {"split": arguments.split, "share": arguments.test, "folds": arguments.folds}
            parts = list(cuts(table, seed=arguments.seed, **options))
        return {
            "split": how,
            "folds": len(parts),
            "train": len(parts[0][0].users),
            "test": sum(len(test.users) for _, test in parts),
            "results": measure(parts, arguments.methods, arguments.split, arguments.seed),
        }

    return finish(measured, show, arguments)


def show(document: dict[str, Any]) -> None:
    """One table."""
    title = f"{document['split']}, {document['folds']} fold(s): {document['train']:,} -> {document['test']:,} ratings"
    table = Table(title=title)
    for name in ("method", "RMSE", "MAE", "seconds", "settings"):
        table.add_column(name, justify="left" if name in ("method", "settings") else "right")
    for row in document["results"]:
        if "missing" in row:
            table.add_row(row["method"], "", "", "", f"not installed: {row['missing']}")
            continue
        cells = []
        for key in ("rmse", "mae"):
            low, high = row[f"{key}_interval"]
            cells.append(f"{row[key]:.4f} [{low:.4f}, {high:.4f}]")
        table.add_row(row["method"], *cells, f"{row['seconds']:.1f}", row["settings"])
    Console(width=None if sys.stdout.isatty() else 200).print(table)


if __name__ == "__main__":
    raise SystemExit(main())
