"""Cold start, measured: users kept out of training, items with a description only, users with one event.

    python benchmarks/coldstart.py TRAIN TEST [--describe FILE] [--loader NAME] [--parts users,one_event,items]
                                              [--share 0.1] [--folds 1] [--dim 64] [--seed 0] [--validation] [--json]

TRAIN and TEST as for ``benchmarks/retrieval.py``; ``benchmarks/cut.py`` makes both from one.

* **users**: a seeded tenth of the users is kept out of training; their vectors are then made of their own events and
  the frozen objects, and their Recall and NDCG stand beside what *the same users* get from a model that was trained on
  everybody. With ``--folds N`` N tenths are kept out in turn, a training each; then also beside what they get from a
  model that was trained on them and on as few users, another tenth being kept out: being unknown, told apart from
  having less to learn from. The closed form (truncated SVD, where nothing is learned by heart) stands beside, folded in
  and fitted on them, with as many dimensions: what being unknown costs any method on these data.
* **one_event**: the same kept-out users with one event of theirs, drawn at random, beside popularity.
* **items**: a seeded tenth of the described items is kept out of training; they are ranked among themselves for the
  users who chose one in TEST, beside the popularity of their tags and the user's own shares of their tags.

Settings are chosen as in ``train``: on a validation part inside what each model is trained on. ``--validation`` cuts
TRAIN once more and leaves TEST alone: what changes of the recipe are compared on.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from rich.console import Console
from rich.table import Table
from shared_cli import finish, parser_of, protocol_of, split_of, take_names, take_pairs

from graphprofile.collaborative.factors import SVD
from graphprofile.errors import TooLittleData
from graphprofile.graphsage import metrics
from graphprofile.graphsage.compare import scorer
from graphprofile.graphsage.config import TrainConfig
from graphprofile.graphsage.data import TrainingGraph
from graphprofile.graphsage.fitted import FittedModel, filled
from graphprofile.graphsage.metrics import Protocol, Scorer, Split
from graphprofile.graphsage.train import fit

PARTS = ("users", "one_event", "items")
K = 20
PerUser = tuple[np.ndarray, np.ndarray]


def main() -> int:
    """Run and print."""
    parser = parser_of(__doc__)
    take_pairs(parser)
    take_names(parser, "--parts", PARTS)
    parser.add_argument("--share", type=float, default=0.1, help="of the users, of the items, kept out")
    parser.add_argument("--folds", type=int, default=1, help="how many such shares, one after another")
    parser.add_argument("--validation", action="store_true", help="inside TRAIN; TEST is not looked at")
    arguments = parser.parse_args()
    if not 0 < arguments.share * arguments.folds <= 1:
        parser.error("--share times --folds lies above 0 and is at most 1")

    def measured() -> dict[str, Any]:
        split = split_of(arguments)
        if arguments.validation:
            split = metrics.time_split(split.train, 0.9, seed=arguments.seed)
        return measure(split, arguments.parts, arguments)

    return finish(measured, show, arguments)


def measure(split: Split, parts: list[str], arguments: argparse.Namespace) -> dict[str, Any]:
    """All parts that were asked for."""
    protocol = protocol_of(split)
    config = TrainConfig(dim=arguments.dim - 2, seed=arguments.seed)
    document: dict[str, Any] = {
        "data": {"train": arguments.train.name, "validation": arguments.validation}
        | metrics.describe(protocol),
        "parts": {},
    }
    found = document["parts"]
    if {"users", "one_event"} & set(parts):
        found |= users_and_one_event(split, protocol, config, parts, arguments)
    if "items" in parts:
        found["items"] = new_items(split, config, arguments)
    return document


def trained(graph: TrainingGraph, config: TrainConfig, what: str) -> FittedModel:
    """A model of a graph, with its choices made inside it."""
    started = time.perf_counter()
    model = fit(graph, config)
    print(f"trained {what} in {time.perf_counter() - started:.0f} s: {model.choices}", file=sys.stderr)
    return model


# --- users --------------------------------------------------------------------------------------------------


def users_and_one_event(
    split: Split, protocol: Protocol, config: TrainConfig, parts: list[str], arguments: argparse.Namespace
) -> dict[str, Any]:
    """Users who were kept out of training: with all of their events, and with one."""
    rng = np.random.default_rng(arguments.seed)
    order = rng.permutation(np.flatnonzero(np.bincount(split.train.event_user) > 0))
    size = max(1, round(arguments.share * len(order)))
    everybody = scorer(trained(split.train, config, "on everybody"), split.train)
    popular = metrics.popularity(split.train)
    rows: dict[str, list[PerUser]] = {
        name: []
        for name in (
            "folded_in",
            "trained_on",
            "trained_on_less",
            "closed_form_folded_in",
            "closed_form_fitted_on",
            "one_event",
            "popularity",
        )
    }
    fitted_on = closed_form(split.train, split.train, arguments)
    kept_out = 0
    before: Protocol | None = None
    for fold in range(arguments.folds):
        out = np.zeros(split.train.num_users, dtype=np.bool_)
        out[order[fold * size : (fold + 1) * size]] = True
        kept_out += int(out.sum())
        these = of_users(protocol, out)
        if not len(these.users):
            continue
        rest = split.train.select(~out[split.train.event_user])
        model = trained(rest, config, f"without {int(out.sum())} users")
        rows["trained_on"].append(these.per_user(everybody, K))
        known = scorer(model, split.train)
        rows["folded_in"].append(these.per_user(known, K))
        rows["closed_form_folded_in"].append(these.per_user(closed_form(rest, split.train, arguments), K))
        rows["closed_form_fitted_on"].append(these.per_user(fitted_on, K))
        if before is None:
            first_known = known
        else:
            rows["trained_on_less"].append(before.per_user(known, K))
        before = these
        rows["popularity"].append(these.per_user(popular, K))
        one = one_event_each(split.train, out, np.random.default_rng(arguments.seed + fold))
        rows["one_event"].append(these.per_user(scorer(model, one), K))
    if not rows["folded_in"]:
        raise TooLittleData("none of the users kept out is asked for in TEST", "Give a larger --share.")
    if before is not None and len(rows["folded_in"]) > 1:
        # The last tenth by the first model, so that the order of users is that of the other rows.
        rows["trained_on_less"].append(before.per_user(first_known, K))
    values = {name: joined(of_name) for name, of_name in rows.items() if of_name}
    found: dict[str, Any] = {}
    if "users" in parts:
        found["users"] = comparison(
            {name: values[name] for name in values if name != "one_event"},
            "folded_in",
            "trained_on",
            arguments.seed,
        ) | {"kept_out": kept_out}
        closed = ("closed_form_folded_in", "closed_form_fitted_on")
        found["users"]["beside"] = {
            "compared": list(closed),
            "relative": relative_change(*(values[name] for name in closed), seed=arguments.seed),
        }
    if "one_event" in parts:
        found["one_event"] = comparison(
            {name: values[name] for name in ("one_event", "popularity", "folded_in")},
            "one_event",
            "popularity",
            arguments.seed,
        )
    return found


def closed_form(learnt: TrainingGraph, history: TrainingGraph, arguments: argparse.Namespace) -> Scorer:
    """Truncated SVD of the pairs of one graph, with users' vectors made of their pairs in another."""
    pairs = metrics.pair_matrix(learnt, positive=True)
    items = SVD(arguments.dim, arguments.seed).fit(pairs).items
    of_items = np.maximum(np.asarray(pairs.sum(axis=0)).ravel(), 1.0)
    users = metrics.pair_matrix(history, positive=True) @ (items / of_items[:, None])
    return lambda rows: users[rows] @ items.T


def of_users(protocol: Protocol, keep: np.ndarray) -> Protocol:
    """The same protocol for some of its users."""
    some = copy(protocol)
    mask = keep[protocol.users]
    some.users, some.targets = protocol.users[mask], protocol.targets[np.flatnonzero(mask)]
    return some


def one_event_each(graph: TrainingGraph, users: np.ndarray, rng: np.random.Generator) -> TrainingGraph:
    """The graph with one positive event of each of some users, and none of the others'."""
    events = np.flatnonzero(users[graph.event_user] & (graph.event_weight > 0))
    events = rng.permutation(events)
    _, first = np.unique(graph.event_user[events], return_index=True)
    keep = np.zeros(graph.num_events, dtype=np.bool_)
    keep[events[first]] = True
    return graph.select(keep)


def joined(parts: list[PerUser]) -> PerUser:
    """Values per user of several folds, one after another."""
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


# --- items --------------------------------------------------------------------------------------------------


def new_items(split: Split, config: TrainConfig, arguments: argparse.Namespace) -> dict[str, Any]:
    """Items kept out of training, ranked among themselves by their descriptions alone."""
    train = split.train
    described = np.zeros(train.num_objects, dtype=np.bool_)
    described[train.tag_object] = described[train.feature_object] = True
    described |= train.text.any(axis=1)
    if not described.any():
        return {"left_out": "the items have no descriptions (--describe)"}
    there = np.bincount(train.event_object, minlength=train.num_objects) > 0
    order = np.random.default_rng(arguments.seed).permutation(np.flatnonzero(described & there))
    size = max(1, round(arguments.share * len(order)))
    rows: dict[str, list[PerUser]] = {}
    for fold in range(arguments.folds):
        out = np.zeros(train.num_objects, dtype=np.bool_)
        out[order[fold * size : (fold + 1) * size]] = True
        rest = train.select(~out[train.event_object])
        protocol = among_new(split, rest, out)
        if not len(protocol.users):
            continue
        model = trained(undescribed(rest, out), config, f"without {int(out.sum())} items")
        methods = {"ours": scorer(filled(model, rest), rest), **tag_scorers(rest)}
        for name, method in methods.items():
            shaken = without_ties(method, arguments.seed)
            rows.setdefault(name, []).append(protocol.per_user(shaken, K))
    if not rows:
        return {"left_out": "nobody chose one of the items kept out"}
    values = {name: joined(of_name) for name, of_name in rows.items()}
    names = ("tag_popularity", "tag_popularity_mean")
    best = max(names, key=lambda name: float(values[name][1].mean()))
    return comparison(values, "ours", best, arguments.seed) | {"kept_out": size * arguments.folds}


def undescribed(graph: TrainingGraph, objects: np.ndarray) -> TrainingGraph:
    """The graph that knows nothing of some objects but their ids."""
    tags, features = ~objects[graph.tag_object], ~objects[graph.feature_object]
    return replace(
        graph,
        tag_object=graph.tag_object[tags],
        tag_tag=graph.tag_tag[tags],
        tag_weight=graph.tag_weight[tags],
        feature_object=graph.feature_object[features],
        feature_feature=graph.feature_feature[features],
        feature_weight=graph.feature_weight[features],
        text=np.where(objects[:, None], np.float32(0), graph.text),
    )


def among_new(split: Split, rest: TrainingGraph, out: np.ndarray) -> Protocol:
    """Ranks the new items alone: for users with a history among the old ones, what they chose of them in TEST.

    A pair of user and new item that is in TRAIN already is neither ranked nor wanted.
    """
    before = split.train.select(out[split.train.event_object])
    protocol = Protocol(Split(before, split.test, split.at))
    whole = Protocol(Split(replace_events(split.train, rest), split.test, split.at))
    history = np.asarray(metrics.pair_matrix(rest, positive=True).sum(axis=1)).ravel() > 0
    wanted = metrics.pair_matrix(split.test, positive=True)
    wanted = wanted - wanted.multiply(protocol.seen)
    wanted = wanted.multiply(out[None, :].astype(np.float32)).tocsr()
    wanted.eliminate_zeros()
    wanted.sort_indices()
    users = np.flatnonzero((np.diff(wanted.indptr) > 0) & history)
    whole.users, whole.targets = users.astype(np.int64), wanted[users]
    whole.candidates, whole.seen = out, protocol.seen
    return whole


def replace_events(graph: TrainingGraph, events: TrainingGraph) -> TrainingGraph:
    """A graph with the events of another of the same users and objects."""
    names = ("event_user", "event_object", "event_type", "event_weight", "event_ts")
    return replace(graph, **{name: getattr(events, name) for name in names})


def tag_scorers(train: TrainingGraph) -> dict[str, Scorer]:
    """What descriptions give without a model: popularity of an item's tags, and the user's share of them.

    Tags and properties alike; each as a sum over the item's tags and as their mean.
    """
    columns = np.concatenate([train.tag_tag, len(train.tag_names) + train.feature_feature])
    rows = np.concatenate([train.tag_object, train.feature_object])
    has = sp.csr_matrix(
        (np.ones(len(rows), dtype=np.float64), (rows, columns)), shape=(train.num_objects, train.num_features)
    )
    has.sum_duplicates()
    has.data[:] = 1.0
    mean = sp.diags_array(1.0 / np.maximum(np.asarray(has.sum(axis=1)).ravel(), 1.0)) @ has
    liked = metrics.pair_matrix(train, positive=True).astype(np.float64)
    per_tag = np.asarray((liked @ has).sum(axis=0)).ravel()

    def popular(table: Any) -> Scorer:
        scores = np.asarray(table @ per_tag).ravel()
        return lambda users: np.tile(scores, (len(users), 1))

    def shares(table: Any) -> Scorer:
        def score(users: np.ndarray) -> np.ndarray:
            mine = liked[users] @ has
            total = np.maximum(np.asarray(mine.sum(axis=1)).ravel(), 1.0)
            return np.asarray(((sp.diags_array(1.0 / total) @ mine) @ table.T).todense())

        return score

    return {
        "tag_popularity": popular(has),
        "tag_popularity_mean": popular(mean),
        "user_tag_share": shares(has),
        "user_tag_share_mean": shares(mean),
    }


def without_ties(method: Scorer, seed: int) -> Scorer:
    """The same order with ties broken at random: items described alike stand in no order of their own."""

    def score(users: np.ndarray) -> np.ndarray:
        values = np.asarray(method(users), dtype=np.float64)
        scale = np.abs(values).max() or 1.0
        jitter = np.random.default_rng(seed).random(values.shape[1])
        return values + 1e-7 * scale * jitter[None, :]

    return score


# --- figures ------------------------------------------------------------------------------------------------


def comparison(values: dict[str, PerUser], mine: str, other: str, seed: int) -> dict[str, Any]:
    """All methods on the same users, and one against another: paired difference and relative change."""
    out: dict[str, Any] = {
        "users": len(values[mine][0]),
        "methods": {name: metrics.summarise(*pair, seed=seed) for name, pair in values.items()},
        "compared": [mine, other],
        "difference": metrics.paired_difference(values[mine], values[other], seed=seed),
    }
    return out | {"relative": relative_change(values[mine], values[other], seed=seed)}


def relative_change(mine: PerUser, other: PerUser, *, seed: int) -> dict[str, Any]:
    """How far one method is from another on the same users, as a share, with 95% intervals."""
    relative: dict[str, Any] = {}
    for name, a, b in zip(("recall_at_20", "ndcg_at_20"), mine, other, strict=True):
        if b.mean() <= 0:
            relative[name] = relative[f"{name}_interval"] = None
            continue
        relative[name] = float(a.mean() / b.mean() - 1.0)
        # The same seed draws the same users for both.
        drawn = [metrics.bootstrap_means(side, seed=seed) for side in (a, b)]
        ratio = drawn[0] / np.maximum(drawn[1], 1e-12) - 1.0
        relative[f"{name}_interval"] = [float(x) for x in np.quantile(ratio, [0.025, 0.975])]
    return relative


TITLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "users": lambda part: (
        f"{part['kept_out']:,} users kept out of training; {part['users']:,} of them in TEST"
    ),
    "one_event": lambda part: f"the same {part['users']:,} users with one event each",
    "items": lambda part: (
        f"{part['kept_out']:,} items kept out, ranked among themselves for {part['users']:,}"
    ),
}


def change(pair: dict[str, Any]) -> list[str]:
    """The row that tells one method from another."""
    mine, other = pair["compared"]
    cells = [f"{mine} against {other}"]
    for key in ("recall_at_20", "ndcg_at_20"):
        value, between = pair["relative"][key], pair["relative"][f"{key}_interval"]
        cells.append("-" if value is None else f"{value:+.1%} [{between[0]:+.1%}, {between[1]:+.1%}]")
    return cells


def show(document: dict[str, Any]) -> None:
    """A table a part."""
    console = Console(width=None if sys.stdout.isatty() else 120)
    for name, part in document["parts"].items():
        if "left_out" in part:
            console.print(f"{name}: left out, {part['left_out']}")
            continue
        table = Table(title=f"{name}: {TITLES[name](part)}", title_justify="left")
        table.add_column("method")
        for column in ("Recall@20", "NDCG@20"):
            table.add_column(column, justify="right")
        for method, values in part["methods"].items():
            cells = []
            for key in ("recall_at_20", "ndcg_at_20"):
                low, high = values[f"{key}_interval"]
                cells.append(f"{values[key]:.4f} [{low:.4f}, {high:.4f}]")
            table.add_row(method, *cells)
        for pair in (part, part["beside"]) if "beside" in part else (part,):
            table.add_row(*change(pair))
        console.print(table)


if __name__ == "__main__":
    raise SystemExit(main())
