"""Models and their vectors in the graph: trained on an export, written back, kept up to date without training."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphprofile import drift, governance
from graphprofile.comparing import EMBEDDINGS, MODEL, Comparing
from graphprofile.digest import digest
from graphprofile.distributions import ranks
from graphprofile.errors import ModelError, NoModel, NotFound, UsageError
from graphprofile.export import training_graph
from graphprofile.graphsage.fitted import FittedModel
from graphprofile.graphsage.registry import ModelInfo, Registry
from graphprofile.reading import watermark
from graphprofile.recommend import Recommender
from graphprofile.records import (
    EmbedResult,
    Explanation,
    FeedbackSort,
    Progress,
    Recommendation,
    TrainResult,
    iso,
)
from graphprofile.settings import Settings
from graphprofile.similar import Similarity
from graphprofile.store.engines import VECTOR_LABELS
from graphprofile.stored import read_embeddings, write_parquet
from graphprofile.vectors import Embeddings
from graphprofile.vocabulary import Vocabulary
from graphprofile.writeback import Writer

if TYPE_CHECKING:
    from graphprofile.store import Store, Transaction


class Models:
    """The models of one graph: the registry on disk, the vectors on the nodes, the one in use in both.

    Args:
        store: The graph.
        vocabulary: The rules in use.
        settings: Data folder and dimensions.
        store_id: Names the graph's folder in the registry.
    """

    def __init__(self, store: Store, vocabulary: Vocabulary, settings: Settings, store_id: str) -> None:
        self.store = store
        self.vocabulary = vocabulary
        self.settings = settings
        self.registry = Registry(settings.data_dir / store_id)
        self._loaded: tuple[str, FittedModel] | None = None

    # --- the registry ---------------------------------------------------------------------------------------

    def in_use(self) -> str | None:
        """Version of the model whose vectors the graph holds, None before the first training."""
        rows = self.store.read("embed/read_model")
        return str(rows[0]["version"]) if rows else None

    def model(self) -> tuple[str, FittedModel]:
        """The model in use.

        Raises:
            NoModel: Nothing has been trained yet, or this registry doesn't hold the model.
            RegistryCorrupt: It cannot be read back.
        """
        return self.model_of(self.in_use())

    def model_of(self, version: str | None) -> tuple[str, FittedModel]:
        """The same where the version in use was read already, None for none.

        Raises:
            NoModel: As for :meth:`model`.
            RegistryCorrupt: As for :meth:`model`.
        """
        if version is None:
            raise NoModel("Nothing has been trained yet.", "Run `graphprofile train`.")
        if self._loaded is None or self._loaded[0] != version:
            try:
                self._loaded = version, self.registry.load(version)
            except NotFound as error:
                raise NoModel(
                    f"The graph's model {version} is not in {self.registry.folder}.",
                    "Set GRAPHPROFILE_DATA to the folder it was trained with, or train again.",
                ) from error
        return self._loaded

    def list(self) -> list[dict[str, Any]]:
        """Versions, newest first, with the main figures."""
        in_use, infos = self.in_use(), self.registry.list()
        return [
            {**_summary(info, in_use), "role": governance.role(info, in_use, infos)}
            for info in reversed(infos)
        ]

    def show(self, version: str) -> dict[str, Any]:
        """All that is known of one version.

        Raises:
            NotFound: No such version.
        """
        document = self.registry.show(version).document
        return {**document, "in_use": version == self.in_use()}

    # --- training -------------------------------------------------------------------------------------------

    def train(
        self, *, seed: int, epochs: int | None, force: bool, device: str, progress: Progress | None
    ) -> TrainResult:
        """See :meth:`graphprofile.GraphProfile.train`."""
        from graphprofile.graphsage.checkpoints import Checkpoints
        from graphprofile.graphsage.compare import train
        from graphprofile.graphsage.config import TrainConfig

        started = time.perf_counter()
        graph = training_graph(self.store, self.vocabulary)
        current = self._current()
        checkpoints = Checkpoints(self.registry.folder.with_name("training"))
        seen = {
            "digest": digest(self.store, self.vocabulary),
            "newest_event": iso(watermark(self.store)),
            "users": graph.num_users,
            "objects": graph.num_objects,
            "events": graph.num_events,
            "vocabulary": self.vocabulary.fingerprint(),
            "texts": graph.text_encoder,
            "snapshot_at": iso(int(time.time()) * 1000),
        }
        report = train(
            graph,
            config=TrainConfig(dim=self.settings.dimensions, device=device),
            current=current["config"] if current else None,
            seed=seed,
            epochs=epochs,
            force=force,
            newer_graph=bool(current) and _saw_something_else(current, seen),
            progress=_epochs(progress),
            checkpoints=checkpoints,
        )
        metrics = {name: None if m is None else _plain(m) for name, m in report.metrics.items()}
        version = self.registry.save(
            report.model,
            metrics=metrics,
            graph=seen,
            extra={
                "split": report.split,
                "difference": report.difference,
                "reason": report.reason,
                "seconds": round(time.perf_counter() - started, 3),
                "drift": drift.reference(self.store, self.vocabulary, graph),
            },
            extra_arrays={drift.RANKS: ranks(graph)},
        )
        checkpoints.clear()
        if report.promoted:
            self._write_back(version, report.model, progress)
        return TrainResult(
            model=version,
            promoted=report.promoted,
            reason=report.reason,
            metrics=metrics,
            resumed_epochs=checkpoints.resumed,
            seconds=round(time.perf_counter() - started, 3),
        )

    def _current(self) -> Mapping[str, Any]:
        """The document of the model in use; empty where there is none."""
        version = self.in_use()
        try:
            return self.registry.show(version).document if version else {}
        except (NotFound, ModelError):
            # Trained elsewhere, damaged or of other code: nothing to compare with, and training anew mends it.
            return {}

    def evaluate(self, *, methods: Sequence[str] = (), progress: Progress | None = None) -> dict[str, Any]:
        """The recipe in use beside popularity and item-to-item, fitted on the past and scored on the future, now.

        Args:
            methods: Names of :data:`graphprofile.collaborative.METHODS`, and ``model``, to measure instead.
            progress: Called with (what, done, total).
        """
        from graphprofile.graphsage.compare import evaluate_recipe

        if methods:
            config = self.registry.show(self.model()[0]).document["config"] if MODEL in methods else None
            return {"model": self.in_use(), **self.comparing.evaluate(methods, config, progress)}
        version, _ = self.model()
        graph = training_graph(self.store, self.vocabulary)
        metrics, split = evaluate_recipe(
            graph,
            self.registry.show(version).document["config"],
            progress=_epochs(progress),
        )
        return {
            "model": version,
            "metrics": {name: None if m is None else _plain(m) for name, m in metrics.items()},
            "split": split,
        }

    # --- governance -----------------------------------------------------------------------------------------

    def compare(
        self, one: str, other: str, *, as_trained: bool = False, progress: Progress | None = None
    ) -> dict[str, Any]:
        """Two versions on the same users; see :func:`graphprofile.governance.compare_versions`."""
        return governance.compare_versions(
            self.store,
            self.vocabulary,
            self.registry,
            one,
            other,
            as_trained=as_trained,
            progress=progress,
        )

    def card(self, version: str) -> str:
        """A model card in Markdown.

        Raises:
            NotFound: No such version.
        """
        from graphprofile.modelcard import card

        infos = self.registry.list()
        info = self.registry.show(version)
        return card(
            info.document,
            role=governance.role(info, self.in_use(), infos),
            measured=self.registry.read_note(version, governance.METRICS_NOTE),
        )

    def drift(self, *, metrics: bool = False, users: int | None = None) -> dict[str, Any]:
        """How far inputs, vectors and metrics are from the last training; see :mod:`graphprofile.drift`.

        Args:
            metrics: Measure the model in use on what came since, and keep the result beside it.
            users: How many to sample.

        Raises:
            NoModel: Nothing has been trained yet.
            TooLittleData: Metrics were asked for, and too few users have something new.
        """
        version, model = self.model()
        if metrics:
            governance.measure_metrics(self.store, self.vocabulary, self.registry, version, model)
        return governance.measure_drift(
            self.store,
            self.vocabulary,
            self.registry,
            version,
            model=model,
            users=users or drift.SAMPLED_USERS,
        )

    def promote(self, version: str, progress: Progress | None = None) -> EmbedResult:
        """Put a version into use: write its vectors beside those in use, then name it.

        Vectors that the nodes kept of it are not computed again. Broken off, the same call goes on where it was.

        Raises:
            NotFound: No such version.
            RegistryCorrupt: It cannot be read back; the one in use stays.
        """
        return self._write_back(version, self.registry.load(version), progress)

    def rollback(self, progress: Progress | None = None) -> EmbedResult:
        """Put the version into use that was in use before.

        Raises:
            NoModel: There is none before.
        """
        before = self.registry.previous()
        result = self._write_back(before, self.registry.load(before), progress, note=False)
        self.registry.rollback()
        return result

    # --- vectors into the graph -----------------------------------------------------------------------------

    def embed(self, *, all: bool = False, progress: Progress | None = None) -> EmbedResult:
        """See :meth:`graphprofile.GraphProfile.embed`."""
        version, model = self.model()
        if all and self.coming() is None:
            self._create_indexes(model.dimensions, progress)
        return Writer(self.store, self.vocabulary, version, model, progress).write(everybody=all)

    def embed_some(self, user_ids: Sequence[str], objects: Iterable[tuple[str, str]] = ()) -> None:
        """Write the vectors of some users, and of those of some objects that have none yet.

        While the vectors of a model to come are written this does nothing: that writing covers everybody.

        Args:
            user_ids: Whose.
            objects: Kind (item | content) and id of each.

        Raises:
            NoModel: Nothing has been trained yet.
        """
        version, model = self.model()
        if self.coming() is None:
            Writer(self.store, self.vocabulary, version, model).write_of(user_ids, objects)

    def coming(self) -> str | None:
        """Version whose vectors are being written, or were when that was broken off; None if none is."""
        rows = self.store.read("embed/read_coming")
        return str(rows[0]["version"]) if rows else None

    def _write_back(
        self, version: str, model: FittedModel, progress: Progress | None, *, note: bool = True
    ) -> EmbedResult:
        in_use = self.in_use()
        if in_use != version:
            self.store.write(lambda tx: tx.run("embed/announce_model", version=version))
        # Until the new model is named nobody asks the index, since it would hold vectors of both.
        if in_use != version and self.store.builds_vector_index_at_once:
            self.store.drop_vector_indexes()
        else:
            self._create_indexes(model.dimensions, progress)
        writer = Writer(self.store, self.vocabulary, version, model, progress, in_use=in_use)
        result = writer.write(everybody=True) if in_use in (None, version) else writer.write_next()
        self._finish_indexes(model.dimensions, progress)
        properties = {"dimensions": model.dimensions, "objects": len(model.object_ids)}

        def use(tx: Transaction) -> None:
            coming = [row["version"] for row in tx.run("embed/read_coming")]
            if in_use != version and coming != [version]:
                raise ModelError(
                    f"Another process has begun to write {coming[0] if coming else 'another model'} meanwhile; "
                    f"{version} was not put into use.",
                    "Let that end, or name the one you want: `graphprofile models promote VERSION`.",
                )
            tx.run("embed/use_model", version=version, properties=properties, now=int(time.time() * 1000))

        self.store.write(use)
        if in_use not in (None, version):
            writer.settle()
        if note:
            self.registry.promote(version)
        self._loaded = version, model
        return result

    def _create_indexes(self, dimensions: int, progress: Progress | None) -> None:
        for done, label in enumerate(VECTOR_LABELS, start=1):
            self.store.create_vector_index(label, dimensions)
            if progress:
                progress("vector indexes", done, len(VECTOR_LABELS))

    def _finish_indexes(self, dimensions: int, progress: Progress | None) -> None:
        """No reader has to wait for an index once the model is in use."""
        if self.store.builds_vector_index_at_once:
            self._create_indexes(dimensions, progress)
            return
        # The embedded engine puts what lies behind an index in order when it is first asked.
        for label in VECTOR_LABELS:
            self.store.vector_search(label, [1.0] * dimensions, 1)

    # --- vectors out of the graph ---------------------------------------------------------------------------

    def embeddings(self, user_ids: Sequence[str] | None = None, *, skip_missing: bool = False) -> Embeddings:
        """See :func:`graphprofile.stored.read_embeddings`."""
        return read_embeddings(self.store, self.in_use(), user_ids, skip_missing=skip_missing)

    def export(self, out: str | Path) -> int:
        """See :func:`graphprofile.stored.write_parquet`."""
        return write_parquet(self.store, self.in_use(), Path(out))

    # --- reading for people ---------------------------------------------------------------------------------

    def recommend(
        self, user_id: str, k: int, *, method: str | None = None, exact: bool = False, **options: Any
    ) -> Sequence[Recommendation]:
        """See :meth:`graphprofile.GraphProfile.recommend`."""
        if method in (None, EMBEDDINGS):
            return self._recommender.recommend(user_id, k, exact=exact, **options)
        if exact:
            raise UsageError(f"{method} looks at every object anyway.", "Leave --exact out.")
        return self.comparing.recommend(user_id, k, str(method), **options)

    def recommend_all(self, out: Path, k: int, **options: Any) -> int:
        """See :meth:`graphprofile.GraphProfile.recommend_all`."""
        return self._recommender.recommend_all(out, k, **options)

    def similar(self, kind: str, id_: str, k: int, **options: Any) -> Sequence[Recommendation]:
        """See :meth:`graphprofile.GraphProfile.similar_users` and ``similar_items``."""
        return (
            self._similarity.similar_users(id_, k)
            if kind == "user"
            else self._similarity.similar_items(id_, k, **options)
        )

    def nearest_users(self, user_ids: Sequence[str], k: int) -> Sequence[str]:
        """Ids of the users nearest to the middle of some, without these.

        Raises:
            NotFound: There is no such user.
            NoModel: Nothing has been trained yet.
        """
        return self._similarity.nearest_users(user_ids, k)

    def explain_item(
        self, user_id: str, item_id: str, feedback: Mapping[str, FeedbackSort] | None = None
    ) -> Explanation:
        """See :meth:`graphprofile.GraphProfile.explain`; ``feedback`` is said or done by relationship type."""
        return self._recommender.explain(user_id, item_id, feedback or self.vocabulary.feedback_of)

    @cached_property
    def _recommender(self) -> Recommender:
        return Recommender(self)

    @cached_property
    def _similarity(self) -> Similarity:
        return Similarity(self)

    @cached_property
    def comparing(self) -> Comparing:
        """The classic methods on the same events, to compare with."""
        return Comparing(self.store, self.vocabulary, self._recommender)


def _plain(metrics: Any) -> dict[str, Any]:
    return {name: list(value) if isinstance(value, tuple) else value for name, value in dict(metrics).items()}


def _summary(info: ModelInfo, in_use: str | None) -> dict[str, Any]:
    measured = (info.document.get("metrics") or {}).get("model") or {}
    return {
        "version": info.version,
        "in_use": info.version == in_use,
        "created_at": info.created_at,
        "recall_at_20": measured.get("recall_at_20"),
        "ndcg_at_20": measured.get("ndcg_at_20"),
        "metrics": info.document.get("metrics"),
        "seconds": info.document.get("seconds"),
        "dimensions": info.document.get("dimensions"),
        "graph": info.document.get("graph"),
        "problem": info.document.get("problem"),
    }


def _saw_something_else(document: Mapping[str, Any], seen: Mapping[str, Any]) -> bool:
    """Whether a version was trained on another graph, or with texts read in another way."""
    before = document["graph"] or {}
    then, now = ((graph.get("digest"), graph.get("texts") or "") for graph in (before, seen))
    return then != now


def _epochs(progress: Progress | None) -> Callable[[int, int, Mapping[str, Any]], None] | None:
    """Tells of epochs, and how validation stands."""
    if progress is None:
        return None

    def epoch(done: int, total: int, figures: Mapping[str, Any]) -> None:
        validation = figures.get("validation")
        said = "" if validation is None else f": validation {figures['measure']} {validation:.3f}"
        progress(f"training{said}", done, total)

    return epoch
