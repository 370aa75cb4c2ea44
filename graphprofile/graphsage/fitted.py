"""A trained model as plain arrays: vectors of objects, and how a user's own events make a user's vector.

No torch here: embedding after training needs NumPy and SciPy only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from graphprofile.errors import BadVectors, ModelError
from graphprofile.graphsage.calibrate import Calibration
from graphprofile.graphsage.data import BoolArray, DoubleArray, FloatArray, IntArray, TextArray, TrainingGraph
from graphprofile.graphsage.describe import Foretold, description_matrices, learn
from graphprofile.graphsage.interactions import recency

#: Above this mean cosine of random pairs of vectors the model says the same of everything.
COLLAPSED_COSINE = 0.99


@dataclass(frozen=True)
class Folded:
    """Vectors of objects the model has not been trained on.

    Attributes:
        index: Their indices in the graph that was folded in, int64 [n].
        inputs: float32 [n, dim].
        targets: Unit vectors, zero where nothing is known, float32 [n, dim].
        popularity: Popularity coordinate, float32 [n].
        known: False where neither a known tag, property or text nor a neighbour said anything, bool [n].
    """

    index: IntArray
    inputs: FloatArray
    targets: FloatArray
    popularity: FloatArray
    known: BoolArray


@dataclass(frozen=True)
class FittedModel:
    """Frozen vectors of one model version and everything needed to embed users and new objects.

    The score of object i for user u is ``cos(q_u, y_i) + popularity_i``; stored vectors are laid out such
    that their dot product is that score, and such that cosine order is dot-product order (see
    ``stored_objects``).

    Attributes:
        config: Arguments of training, as a JSON-able dict.
        choices: What validation chose (epochs, half-life, calibration), as a JSON-able dict.
        object_ids: object [num_objects].
        object_kind: 0 item, 1 content, int8 [num_objects].
        inputs: What an object says about a user who chose it, float32 [num_objects, dim].
        targets: Unit vectors that users are compared with, float32 [num_objects, dim].
        popularity: Popularity coordinate in units of the cosine, centred, float32 [num_objects].
        trained: Objects with events in the training graph; the others were folded in, bool [num_objects].
        known: Objects of which anything at all was known; the others have zero vectors, bool [num_objects].
        scaled_rows: Objects' rows before the hop times their scale, for folding in, float32 [num_objects, 2 *
            dim].
        gamma: Weight of the hop.
        event_types: Event types seen in training.
        channel_weights: Learned weight of (event type, sign), signs in the order +, 0, -; float32 [num_types,
            3].
        description_names: Per kind of description (tags, properties) the names with a learned vector.
        description_tables: Per kind float32 [num_names, 2 * dim]; their sum is an object's row before the hop.
        foretold: What names say of inputs, targets and popularity of an object without events, width 2 * dim + 1;
            None in a version that was saved before there was such a thing, which uses the row before the hop.
        user_half_life_days: Half-life of a user's events against the user's latest; None for no decay.
        calibration: How cosine and popularity were weighed.
        popularity_mean: What was subtracted to centre the popularity coordinate.
        popularity_factors: Factors of the popularity columns in units of the cosine.
        newest_ts: Newest event the model saw, epoch ms.
    """

    config: dict[str, Any]
    choices: dict[str, Any]
    object_ids: TextArray
    object_kind: Any
    inputs: FloatArray
    targets: FloatArray
    popularity: FloatArray
    trained: BoolArray
    known: BoolArray
    scaled_rows: FloatArray
    gamma: float
    event_types: tuple[str, ...]
    channel_weights: FloatArray
    description_names: tuple[tuple[str, ...], ...]
    description_tables: tuple[FloatArray, ...]
    user_half_life_days: float | None
    popularity_mean: float
    popularity_factors: tuple[float, ...]
    newest_ts: int
    foretold: Foretold | None = None

    @property
    def dim(self) -> int:
        """Columns that carry taste: the first ``dim`` of a stored vector."""
        return int(self.targets.shape[1])

    @property
    def encoder(self) -> str:
        """What has to read the texts of new objects; empty where their vectors do not rest on texts."""
        return self.foretold.encoder if self.foretold is not None else ""

    @property
    def dimensions(self) -> int:
        """Columns of a stored vector: taste, popularity, and the coordinate that makes lengths equal."""
        return self.dim + 2

    @property
    def user_scale(self) -> float:
        """The users' popularity coordinate; objects carry popularity divided by it, so neither is long."""
        return max(1.0, float(np.sqrt(np.abs(self.popularity).max(initial=0.0))))

    @property
    def max_norm(self) -> float:
        """M: the length every stored object vector is brought to."""
        pulled = self.popularity.astype(np.float64) / self.user_scale
        return float(np.sqrt((self.known + pulled**2).max(initial=1.0)))

    def positions(self, object_ids: TextArray) -> IntArray:
        """Index of each id among the model's objects, -1 for ids it does not have, int64 [n]."""
        table = self._table
        return np.fromiter((table.get(str(i), -1) for i in object_ids), dtype=np.int64, count=len(object_ids))

    @property
    def _table(self) -> dict[str, int]:
        cached = self.__dict__.get("_positions")
        if cached is None:
            cached = {str(name): index for index, name in enumerate(self.object_ids)}
            object.__setattr__(self, "_positions", cached)
        table: dict[str, int] = cached
        return table

    def user_vectors(
        self, indptr: IntArray, objects: IntArray, weights: FloatArray, ts: IntArray, types: IntArray
    ) -> tuple[FloatArray, BoolArray]:
        """Unit vectors of users from their own events and the frozen vectors of objects.

        Args:
            indptr: Where each user's events start, int64 [num_users + 1].
            objects: Index into the model's objects, -1 for unknown ones (passed over), int64 [num_events].
            weights: Signed contributions, float32 [num_events].
            ts: Epoch ms, int64 [num_events].
            types: Index into ``event_types``, -1 for types the model never saw (weight 1), int64
                [num_events].

        Returns:
            float32 [num_users, dim], zero where no event could be used, and where one could, bool
            [num_users].
        """
        num_users = len(indptr) - 1
        user = np.repeat(np.arange(num_users), np.diff(indptr))
        factor = self._event_factor(weights, types) * recency(user, ts, num_users, self.user_half_life_days)
        usable = objects >= 0
        matrix = sp.csr_matrix(
            (factor[usable], (user[usable], objects[usable])), shape=(num_users, len(self.inputs))
        )
        total = np.asarray(matrix @ self.inputs.astype(np.float64), dtype=np.float64)
        return _unit(total)

    def encode(self, graph: TrainingGraph, folded: Folded | None = None) -> tuple[FloatArray, BoolArray]:
        """Unit vectors of all users of a graph, whose objects are found by id.

        Args:
            graph: Users and their events; objects the model does not know are passed over.
            folded: Vectors of such objects, if they are to count.

        Returns:
            As ``user_vectors``.
        """
        model, place = self, self.positions(graph.object_ids)
        if folded is not None:
            place[folded.index] = len(self.inputs) + np.arange(len(folded.index))
            model = replace(self, inputs=np.concatenate([self.inputs, folded.inputs]))
        order = np.lexsort((graph.event_weight, graph.event_ts, graph.event_object, graph.event_user))
        indptr = np.searchsorted(graph.event_user[order], np.arange(graph.num_users + 1)).astype(np.int64)
        types = self._type_positions(graph)[graph.event_type[order]] if len(order) else np.empty(0, np.int64)
        return model.user_vectors(
            indptr, place[graph.event_object[order]], graph.event_weight[order], graph.event_ts[order], types
        )

    def _type_positions(self, graph: TrainingGraph) -> IntArray:
        known = {name: index for index, name in enumerate(self.event_types)}
        return np.array([known.get(name, -1) for name in graph.event_types], dtype=np.int64)

    def _event_factor(self, weights: FloatArray, types: IntArray) -> DoubleArray:
        """Channel weight times size of each event; an unknown type counts 1, or 0 if not positive."""
        table = np.concatenate([self.channel_weights, [[1.0, 0.0, 0.0]]])
        sign = np.where(weights > 0, 0, np.where(weights == 0, 1, 2))
        size = np.where(weights == 0, 1.0, np.abs(weights.astype(np.float64)))
        factor: DoubleArray = table[types, sign] * size
        return factor

    def scores(self, users: FloatArray) -> FloatArray:
        """Score of every object for unit user vectors, float32 [num_users, num_objects]."""
        out: FloatArray = users @ self.targets.T + self.popularity[None, :]
        return out

    def stored_users(self, vectors: FloatArray) -> FloatArray:
        """User vectors as they are written to the graph, float32 [n, dimensions].

        Args:
            vectors: Unit vectors, or zero rows for users without a usable event: such a user's stored vector
                is the declared fallback, which ranks by popularity alone.
        """
        n = len(vectors)
        tail = np.tile(np.array([[self.user_scale, 0.0]], dtype=np.float32), (n, 1))
        return np.concatenate([vectors.astype(np.float32), tail], axis=1)

    def stored_objects(self, folded: Folded | None = None) -> tuple[FloatArray, int]:
        """Object vectors as they are written to the graph: taste, popularity, sqrt(M^2 - length^2).

        All have length M, so that cosine order is dot-product order for a user (whose last coordinate is 0).
        Source: Bachrach et al., "Speeding up the Xbox recommender system using a Euclidean transformation for
        inner-product spaces", RecSys 2014.

        Args:
            folded: New objects instead of the model's own. Those longer than M are scaled down to M.

        Returns:
            float32 [n, dimensions], and how many were scaled down.
        """
        targets = self.targets if folded is None else folded.targets
        popularity = self.popularity if folded is None else folded.popularity
        body = np.concatenate(
            [targets.astype(np.float64), popularity.astype(np.float64)[:, None] / self.user_scale], axis=1
        )
        length = np.linalg.norm(body, axis=1)
        bound = self.max_norm
        longer = length > bound * (1 + 1e-6)
        body[longer] *= (bound / length[longer])[:, None]
        rest = np.sqrt(np.maximum(bound**2 - np.minimum(length, bound) ** 2, 0.0))
        return np.concatenate([body, rest[:, None]], axis=1).astype(np.float32), int(longer.sum())

    def fold_in(self, graph: TrainingGraph, *, neighbourhood: bool = True) -> Folded:
        """Vectors of a graph's objects that the model was not trained on.

        A new object is what its tags, properties and texts foretell. Where it has users known to the model, it is its
        row before the hop plus the hop, which adds the mean of its users, each the mean of the *trained* objects
        of that user: to its targets as to those of trained ones, to its inputs for want of learned ones. New
        objects never depend on one another.

        Args:
            graph: New objects with their descriptions; with ``neighbourhood`` also the events of their users.
            neighbourhood: Use events, too. Without, the vector depends on the object's own description alone.

        Returns:
            The vectors of all objects of the graph that are unknown to the model or were not trained.
        """
        place = self.positions(graph.object_ids)
        trained: BoolArray = place >= 0
        trained[trained] = self.trained[place[trained]]
        index = np.flatnonzero(~trained).astype(np.int64)
        matrices = [matrix[index] for matrix in description_matrices(graph, self.description_names)]
        before_hop = np.zeros((len(index), 2 * self.dim))
        for matrix, table in zip(matrices, self.description_tables, strict=True):
            before_hop += matrix @ table.astype(np.float64)
        rows, popularity = before_hop, np.full(len(index), -self.popularity_mean)
        if self.foretold is not None:
            foretold, described = self.foretold.rows(matrices, self._texts(graph, index))
            rows = foretold[:, :-1]
            popularity = np.where(described, foretold[:, -1], popularity)
        if neighbourhood and graph.num_events:
            smoothed, counts = self._neighbourhood(graph, place, trained, index)
            reached = (smoothed != 0).any(axis=1, keepdims=True)
            rows = np.where(reached, before_hop + self.gamma * smoothed, rows)
            # Events of a new object are all newer than the model: they count without decay.
            counted = np.log1p(counts) * sum(self.popularity_factors) - self.popularity_mean
            popularity = np.maximum(popularity, counted)
        targets, known = _unit(rows[:, self.dim :])
        return Folded(
            index, rows[:, : self.dim].astype(np.float32), targets, popularity.astype(np.float32), known
        )

    def _texts(self, graph: TrainingGraph, index: IntArray) -> FloatArray:
        """Vectors of the texts of some of the graph's objects, zeros where it has none."""
        if not self.encoder or not graph.text_encoder:
            return np.zeros((len(index), 0), dtype=np.float32)
        if graph.text_encoder != self.encoder:
            raise ModelError(
                f"The graph's texts were read by {graph.text_encoder}, the model learnt from {self.encoder}.",
                "Train a new version.",
            )
        return graph.text[index]

    def _neighbourhood(
        self, graph: TrainingGraph, place: IntArray, trained: BoolArray, index: IntArray
    ) -> tuple[DoubleArray, DoubleArray]:
        types = self._type_positions(graph)[graph.event_type]
        factor = np.where(graph.event_weight < 0, 0.0, self._event_factor(graph.event_weight, types))
        shape = (graph.num_users, graph.num_objects)
        matrix = sp.csr_matrix((factor, (graph.event_user, graph.event_object)), shape=shape)
        old = np.flatnonzero(trained)
        weights = matrix[:, old]
        total = np.asarray(weights.sum(axis=1)).ravel()
        means = (weights @ self.scaled_rows[place[old]].astype(np.float64)) / np.maximum(total, 1e-6)[:, None]
        new = matrix[:, index].T.tocsr()
        degree = np.asarray(new.sum(axis=1)).ravel()
        smoothed = (new @ means) / np.sqrt(np.maximum(degree, 1e-6))[:, None]
        positive = graph.event_weight > 0
        counts = np.bincount(graph.event_object[positive], minlength=graph.num_objects)[index]
        return smoothed, counts.astype(np.float64)

    def check(self) -> None:
        """Refuses vectors nobody should be served.

        Raises:
            BadVectors: A vector is NaN or infinite, a trained object's is zero, or nearly all say the same.
        """
        for name, table in (
            ("input", self.inputs),
            ("target", self.targets),
            ("popularity", self.popularity),
        ):
            bad = ~np.isfinite(table.reshape(len(table), -1)).all(axis=1)
            if bad.any():
                first = self.object_ids[int(np.flatnonzero(bad)[0])]
                raise BadVectors(
                    f"training gave NaN or infinite {name} values for {int(bad.sum())} objects, "
                    f"the first is {first}",
                    "Train with a smaller learning rate; the model was not saved.",
                )
        length = np.linalg.norm(self.targets[self.trained], axis=1)
        if (length < 0.5).any():
            first = self.object_ids[np.flatnonzero(self.trained)[int(np.flatnonzero(length < 0.5)[0])]]
            raise BadVectors(
                f"training gave zero vectors for {int((length < 0.5).sum())} objects, the first is {first}",
                "Train with more data or another seed; the model was not saved.",
            )
        cosine = mean_cosine(self.targets[self.trained])
        if cosine > COLLAPSED_COSINE:
            raise BadVectors(
                f"the vectors collapsed: the mean cosine of two objects is {cosine:.4f}",
                "The events may be too much alike to tell objects apart; the model was not saved.",
            )


def mean_cosine(vectors: FloatArray) -> float:
    """Mean cosine of two different rows of unit vectors, float; 0 for fewer than two rows."""
    n = len(vectors)
    if n < 2:
        return 0.0
    total = vectors.astype(np.float64).sum(axis=0)
    return float((total @ total - n) / (n * (n - 1)))


def _unit(rows: DoubleArray) -> tuple[FloatArray, BoolArray]:
    length = np.linalg.norm(rows, axis=1)
    known = length > 1e-6
    return (rows / np.where(known, length, 1.0)[:, None] * known[:, None]).astype(np.float32), known


def popularity_coordinate(columns: DoubleArray, calibration: Calibration) -> DoubleArray:
    """Popularity in units of the cosine, not yet centred, float64 [num_objects]."""
    coordinate: DoubleArray = columns @ (np.array(calibration.popularity) / calibration.cosine)
    return coordinate


def with_half_life(model: FittedModel, half_life_days: float | None) -> FittedModel:
    """The same model with another half-life of users' events."""
    return replace(model, user_half_life_days=half_life_days)


def expanded(model: FittedModel, graph: TrainingGraph, objects: IntArray) -> FittedModel:
    """A model of some of a graph's objects as a model of all of them; the others have zero vectors.

    Args:
        model: Its objects are ``graph.object_ids[objects]``.
        graph: The graph.
        objects: Ascending, int64 [model's num_objects].
    """
    if len(objects) == graph.num_objects:
        return model

    def spread(values: Any, fill: float) -> Any:
        out = np.full((graph.num_objects, *values.shape[1:]), fill, dtype=values.dtype)
        out[objects] = values
        return out

    return replace(
        model,
        object_ids=graph.object_ids,
        object_kind=graph.object_kind,
        inputs=spread(model.inputs, 0.0),
        targets=spread(model.targets, 0.0),
        popularity=spread(model.popularity, -model.popularity_mean),
        trained=spread(model.trained, False),
        known=spread(model.known, False),
        scaled_rows=spread(model.scaled_rows, 0.0),
    )


def with_described(model: FittedModel, graph: TrainingGraph) -> FittedModel:
    """Learns what tags, properties and texts foretell, and fills in the objects of the model that have no events."""
    events = np.bincount(graph.event_object[graph.event_weight > 0], minlength=graph.num_objects)
    rows = np.concatenate([model.inputs, model.targets], axis=1)
    matrices = description_matrices(graph, model.description_names)
    seed = int(model.config.get("seed", 0))
    learnt = np.where(model.trained, events, 0)
    foretold = learn(
        matrices, rows, model.popularity, learnt, seed, text=graph.text, encoder=graph.text_encoder
    )
    return filled(replace(model, foretold=foretold), graph)


def filled(model: FittedModel, graph: TrainingGraph) -> FittedModel:
    """The same model with its untrained objects as a graph describes them; the graph's objects are the model's."""
    folded = model.fold_in(graph, neighbourhood=False)
    inputs, targets, known = model.inputs.copy(), model.targets.copy(), model.known.copy()
    popularity = model.popularity.copy()
    inputs[folded.index], targets[folded.index] = folded.inputs, folded.targets
    known[folded.index], popularity[folded.index] = folded.known, folded.popularity
    return replace(model, inputs=inputs, targets=targets, known=known, popularity=popularity)
