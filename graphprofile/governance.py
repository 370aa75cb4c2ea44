"""Which model serves, which would like to, and what speaks for either: roles, paired comparison, drift on record."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from graphprofile.drift import RANKS, SAMPLED_USERS, Trained, measure
from graphprofile.errors import NoModel, TooLittleData, UsageError
from graphprofile.export import training_graph
from graphprofile.graphsage.fitted import FittedModel
from graphprofile.graphsage.registry import ModelInfo, Registry
from graphprofile.reading import watermark
from graphprofile.records import Progress, iso
from graphprofile.settings import Settings
from graphprofile.vocabulary import Vocabulary
from graphprofile.writeback import fold_unseen

if TYPE_CHECKING:
    from graphprofile.graphsage.data import TrainingGraph
    from graphprofile.store import Store

Role = Literal["champion", "challenger", "earlier", "damaged"]
METRICS_NOTE = "metrics_drift"
_MOST_USERS = 20_000
_FEWEST_USERS = 5


def role(info: ModelInfo, champion: str | None, infos: Sequence[ModelInfo]) -> Role:
    """``champion``: in use; ``challenger``: trained after the one in use; ``earlier``: all others.

    A version that cannot be read is ``damaged``, whatever it was.

    Args:
        info: The version.
        champion: The version in use.
        infos: All versions, oldest first.
    """
    if "problem" in info.document:
        return "damaged"
    if info.version == champion:
        return "champion"
    order = [other.version for other in infos]
    if champion not in order or order.index(info.version) > order.index(champion):
        return "challenger"
    return "earlier"


# --- two versions on the same users -------------------------------------------------------------------------


def compare_versions(
    store: Store,
    vocabulary: Vocabulary,
    registry: Registry,
    one: str,
    other: str,
    *,
    as_trained: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Two versions on the same users of the graph as it is now.

    Their recipes are fitted anew on the past, with the arguments and choices that each version keeps, and scored on
    the future. With ``as_trained`` the models are taken as they are and scored on the events that came after both.

    Args:
        store: The graph.
        vocabulary: The rules in use.
        registry: Where the versions lie.
        one: A version.
        other: The one it is compared with.
        as_trained: Fit nothing.
        progress: Called with (what, done, total).

    Returns:
        ``metrics`` of both, popularity and item-to-item, with intervals; ``difference`` one - other, paired over
        users; ``verdict`` in words; ``split`` in words and counts.

    Raises:
        NotFound: No such version.
        RegistryCorrupt: One cannot be read back.
        UsageError: The two are one.
        TooLittleData: No users can be scored.
    """
    from graphprofile.graphsage import metrics as m
    from graphprofile.graphsage.compare import TEST_SHARE

    if one == other:
        raise UsageError(f"Both are {one}.", "Name two versions: `graphprofile models list`.")
    documents = {name: registry.show(name).document for name in (one, other)}
    seed = int(documents[one]["config"].get("seed", 0))
    if as_trained:
        since = max(int(document["newest_ts"]) for document in documents.values())
        models = {name: registry.load(name) for name in documents}
        splits = {
            encoder: since_training(training_graph(store, vocabulary, encoder), since)
            for encoder in {model.encoder for model in models.values()}
        }
        split = splits[models[one].encoder]
        methods = {name: _scorer(model, splits[model.encoder].train) for name, model in models.items()}
    else:
        graph = training_graph(store, vocabulary)
        split = m.time_split(graph, 1.0 - TEST_SHARE, seed=seed)
        methods = _refitted(split.train, documents, progress)
    protocol = m.Protocol(split, max_users=_MOST_USERS, seed=seed)
    if len(protocol.users) < _FEWEST_USERS:
        raise TooLittleData(
            f"only {len(protocol.users)} users have both a history and something new after it",
            "Load more events first"
            + (", or compare the recipes: leave --as-trained out." if as_trained else "."),
        )
    baselines = {"popularity": m.popularity(split.train), "item_to_item": m.item_to_item(split.train)}
    found, per_user = m.evaluate(protocol, {**methods, **baselines}, seed=seed)
    difference = m.paired_difference(per_user[one], per_user[other], seed=seed)
    return {
        "one": one,
        "other": other,
        "compared": "models as trained" if as_trained else "recipes",
        "metrics": found,
        "difference": difference,
        "verdict": _verdict(one, other, difference),
        "split": m.describe(protocol),
        "measured_at": _now(),
    }


def _refitted(
    train: TrainingGraph, documents: Mapping[str, Mapping[str, Any]], progress: Progress | None
) -> dict[str, Any]:
    from graphprofile.graphsage.config import Choices, TrainConfig
    from graphprofile.graphsage.train import fit

    methods = {}
    for name, document in documents.items():
        model = fit(
            train,
            TrainConfig.from_dict(document["config"]),
            choices=Choices.from_dict(document["choices"]),
            progress=_telling(progress, f"training like {name}"),
        )
        methods[name] = _scorer(model, train)
    return methods


def _telling(progress: Progress | None, what: str) -> Any:
    return (lambda done, total, _: progress(what, done, total)) if progress else None


def _scorer(model: FittedModel, train: TrainingGraph) -> Any:
    """Scores for a graph's objects, also of a model whose objects are others or in another order.

    Objects that the model does not hold count by their own descriptions, as they do in service.
    """
    import numpy as np

    folded = fold_unseen(model, train)
    users, _ = model.encode(train, folded)
    place = np.maximum(model.positions(train.object_ids), 0)
    targets, popularity = model.targets[place], model.popularity[place]
    targets[folded.index], popularity[folded.index] = folded.targets, folded.popularity
    return lambda some: users[some] @ targets.T + popularity[None, :]


def since_training(graph: TrainingGraph, at: int) -> Any:
    """The graph cut where a training ended: what was known then, and what came since."""
    from graphprofile.graphsage.metrics import Split

    return Split(graph.before(at), graph.after(at), at)


def _verdict(one: str, other: str, difference: Mapping[str, Any]) -> str:
    gain, between = difference["ndcg_at_20"], difference["ndcg_at_20_interval"]
    said = f"NDCG@20 {gain:+.4f}, interval {between[0]:+.4f} to {between[1]:+.4f}"
    if between[0] > 0:
        return f"{one} is better than {other}: {said}"
    if between[1] < 0:
        return f"{other} is better than {one}: {said}"
    return f"no difference beyond chance between {one} and {other}: {said}"


# --- drift on record ----------------------------------------------------------------------------------------


def measure_drift(
    store: Store,
    vocabulary: Vocabulary,
    registry: Registry,
    in_use: str,
    *,
    model: FittedModel | None,
    users: int = SAMPLED_USERS,
) -> dict[str, Any]:
    """Inputs and vectors against the last training, and the metrics as they were measured last.

    Args:
        store: The graph.
        vocabulary: The rules in use.
        registry: Where the versions lie.
        in_use: The version in use.
        model: Its model; None leaves the vectors out.
        users: How many to sample.

    Raises:
        NoModel: This registry holds no version.
        RegistryCorrupt: A version cannot be read back.
    """
    infos = [info for info in registry.list() if "problem" not in info.document]
    if not infos:
        raise NoModel(
            f"The graph's model {in_use} is not in {registry.folder}.",
            "Set GRAPHPROFILE_DATA to the folder it was trained with, or train again.",
        )
    last = infos[-1]
    trained = Trained(last.version, last.document, registry.object_array(last.version, RANKS) or {})
    until = watermark(store)
    newest = int(last.document["newest_ts"])
    document = measure(
        store, vocabulary, trained, model, until=newest if until is None else until, users=users
    )
    return {**document, "model": in_use, "metrics": registry.read_note(in_use, METRICS_NOTE)}


def measure_metrics(
    store: Store, vocabulary: Vocabulary, registry: Registry, in_use: str, model: FittedModel
) -> dict[str, Any]:
    """The model in use as it is, on the events that came after its training; kept beside it.

    Nothing is fitted. What stood at training is the recipe on the part held back then; popularity is measured on both
    occasions, so that harder data can be told from a model that has aged.

    Raises:
        TooLittleData: Too few users have something new since.
    """
    from graphprofile.graphsage import metrics as m

    document = registry.show(in_use).document
    graph = training_graph(store, vocabulary, model.encoder)
    split = since_training(graph, int(document["newest_ts"]))
    seed = int(document["config"].get("seed", 0))
    protocol = m.Protocol(split, max_users=_MOST_USERS, seed=seed)
    if len(protocol.users) < _FEWEST_USERS:
        raise TooLittleData(
            f"only {len(protocol.users)} users who were known at training have chosen something new since",
            "Measure again when more has been loaded.",
        )
    found, _ = m.evaluate(
        protocol,
        {"model": _scorer(model, split.train), "popularity": m.popularity(split.train)},
        seed=seed,
    )
    then = document.get("metrics") or {}
    note = {
        "measured_at": _now(),
        "since": iso(int(document["newest_ts"])),
        "until": iso(int(split.test.event_ts.max())),
        "then": {name: then.get(name) for name in ("model", "popularity")},
        "now": found,
        "ndcg_drop": _drop(then.get("model"), found["model"]),
        "ndcg_drop_of_popularity": _drop(then.get("popularity"), found["popularity"]),
    }
    registry.write_note(in_use, METRICS_NOTE, note)
    return note


def _drop(then: Mapping[str, Any] | None, now: Mapping[str, Any]) -> dict[str, Any] | None:
    """Share of NDCG@20 lost, with an interval: the two were measured on different users, so half-widths add squared."""
    if not then or not then.get("ndcg_at_20") or now["ndcg_at_20"] is None:
        return None
    before, after = float(then["ndcg_at_20"]), float(now["ndcg_at_20"])
    ratio = after / before
    halves = [
        (side["ndcg_at_20_interval"][1] - side["ndcg_at_20_interval"][0]) / 2 / value if value else 0.0
        for side, value in ((then, before), (now, after))
    ]
    half = ratio * math.hypot(*halves)
    return {
        "lost": round(1.0 - ratio, 4),
        "interval": [round(1.0 - ratio - half, 4), round(1.0 - ratio + half, 4)],
    }


def passed(document: Mapping[str, Any], settings: Settings) -> list[str]:
    """The declared thresholds that a drift document passes, in words."""
    out = []
    if settings.retrain_psi is not None:
        for name, found in (document["inputs"] or {}).items():
            value = found["psi"]
            if value is not None and value > settings.retrain_psi and value > found["by_chance"]:
                out.append(f"PSI of {name} {value:.3f} is above retrain_psi = {settings.retrain_psi:g}")
    vectors = document["vectors"]
    if settings.retrain_moved is not None and vectors and vectors["moved"] > settings.retrain_moved:
        out.append(
            f"users' vectors moved by {vectors['moved']:.3f}, above retrain_moved = {settings.retrain_moved:g}"
        )
    metrics = document["metrics"]
    lost = (metrics or {}).get("ndcg_drop")
    if (
        settings.retrain_ndcg_drop is not None
        and metrics
        and lost
        and metrics["measured_at"] >= document["trained_at"]
        and lost["lost"] > settings.retrain_ndcg_drop
    ):
        out.append(
            f"NDCG@20 fell by {lost['lost']:.1%}, above retrain_ndcg_drop = {settings.retrain_ndcg_drop:g}"
        )
    return out


def declared(settings: Settings) -> bool:
    """Whether any threshold is declared."""
    return any(
        value is not None
        for value in (settings.retrain_psi, settings.retrain_moved, settings.retrain_ndcg_drop)
    )


def _now() -> str:
    return iso(int(time.time()) * 1000) or ""
