"""The classic methods on a graph's own events: asked for recommendations, and measured beside the embeddings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from graphprofile.collaborative.methods import VALIDATION_USERS, choose, method_named, settings_of
from graphprofile.collaborative.rating_models import BiasedMF
from graphprofile.collaborative.ratings import FittedRatings
from graphprofile.diversity import check_diversity, mmr, pool_size
from graphprofile.errors import NotFound, TooLittleData, UsageError
from graphprofile.export import CONTENT, ITEM, training_graph
from graphprofile.filters import Conditions, Filters
from graphprofile.fits import Bounds, Events, Fits
from graphprofile.graphsage import metrics as m
from graphprofile.reading import require_user
from graphprofile.reasons import Reasons
from graphprofile.records import Progress, Recommendation
from graphprofile.writeback import PLURAL

if TYPE_CHECKING:
    from graphprofile.graphsage.data import TrainingGraph
    from graphprofile.recommend import Recommender
    from graphprofile.store import Store
    from graphprofile.vocabulary import Vocabulary

EMBEDDINGS, MODEL = "embeddings", "model"
TEST_SHARE = 0.2
VALIDATION_SHARE = 0.1
KEYS_AT_ONCE = 1_000
FALLBACK = "popular; {method} knows nothing of this user yet"


class Comparing:
    """Classic methods for one graph; what was fitted is kept until somebody's events change.

    Args:
        store: The graph.
        vocabulary: The rules in use.
        recommender: Knows conditions, and what a user has.
    """

    def __init__(self, store: Store, vocabulary: Vocabulary, recommender: Recommender) -> None:
        self._store = store
        self._vocabulary = vocabulary
        self._recommender = recommender
        self._reasons = Reasons(store, vocabulary.types)
        self._fits = Fits(store, vocabulary)
        self._ratings: tuple[Events, FittedRatings] | None = None

    # --- recommending ---------------------------------------------------------------------------------------

    def recommend(
        self,
        user_id: str,
        k: int,
        method: str,
        *,
        kind: str | None,
        allow_seen: bool,
        filters: Filters,
        diversity: float,
        bounds: Bounds | None = None,
    ) -> list[Recommendation]:
        """The best ``k`` objects for a user by a classic method, with the reasons the graph gives.

        Raises:
            UsageError: No such method, or a filter that cannot be used.
            NotFound: No such user.
            GraphProfileError: Within bounds as :meth:`graphprofile.fits.Fits.learnt`.
        """
        method_named(method)
        require_user(self._store, user_id)
        conditions = self._recommender.conditions(filters)
        pool = pool_size(k, check_diversity(diversity))
        learnt = self._fits.learnt(method, bounds)
        events = learnt.events
        row = events.users.get(user_id)
        known = row is not None and events.pairs.indptr[row] < events.pairs.indptr[row + 1]
        seen = self._recommender.seen(user_id)
        scores = learnt.fitted.scores(np.array([row]))[0] if known else events.popularity
        found = self._best(events, scores, pool, kind, set() if allow_seen else set(seen), conditions)
        if diversity:
            columns = events.pairs[:, found].T.tocsr()
            order = mmr(scores[found].astype(np.float64), _cosines(columns), k, diversity)
            found = [found[place] for place in order]
        scored = [(str(events.graph.object_ids[place]), float(scores[place])) for place in found[:k]]
        documents = self._reasons.documents(user_id, scored, seen)
        if known or method == "popularity":
            return documents
        said = FALLBACK.format(method=method)
        return [one.model_copy(update={"because": [said]}) for one in documents]

    def _best(
        self,
        events: Events,
        scores: npt.NDArray[np.float32],
        k: int,
        kind: str | None,
        hidden: set[str],
        conditions: Conditions,
    ) -> list[int]:
        """Places of the best ``k`` objects that were not hidden and meet the conditions, best first."""
        keys = events.graph.object_ids
        # An object that nobody liked has no score to speak of.
        scored = np.flatnonzero(events.popularity > 0)
        order = scored[np.lexsort((scored, -scores[scored]))]
        wanted = {"item": ITEM, "content": CONTENT}.get(kind or "", "")
        best: list[int] = []
        for start in range(0, len(order), KEYS_AT_ONCE):
            some = [
                int(place)
                for place in order[start : start + KEYS_AT_ONCE]
                if keys[place] not in hidden and str(keys[place]).startswith(wanted)
            ]
            if conditions:
                met = {
                    prefix + id_
                    for prefix in (ITEM, CONTENT)
                    for id_ in conditions.keep(
                        self._store, PLURAL[prefix], [keys[p][2:] for p in some if keys[p][:2] == prefix]
                    )
                }
                some = [place for place in some if keys[place] in met]
            best += some
            if len(best) >= k:
                break
        return best[:k]

    # --- measuring ------------------------------------------------------------------------------------------

    def evaluate(
        self, methods: Sequence[str], recipe: Mapping[str, Any] | None, progress: Progress | None
    ) -> dict[str, Any]:
        """Methods fitted on the past and scored on the future, their settings chosen inside the past.

        Args:
            methods: Names; ``model`` is the recipe.
            recipe: Of the model in use; None where it is not asked for.
            progress: Called with (what, done, total).

        Raises:
            UsageError: No such method, or one whose library is not installed.
            TooLittleData: Nothing can be held back.
        """
        names = list(dict.fromkeys(methods))
        for name in names:
            if name != MODEL:
                method_named(name)
        graph = training_graph(self._store, self._vocabulary) if MODEL in names else self._fits.events().graph
        split = m.time_split(graph, 1.0 - TEST_SHARE)
        protocol = m.Protocol(split)
        if not len(protocol.users):
            raise TooLittleData(
                "no user has both history before the cut and something new after it", "Load more events."
            )
        scorers: dict[str, m.Scorer] = {}
        chosen: dict[str, Any] = {}
        for done, name in enumerate(names):
            if progress:
                progress("fitting", done, len(names))
            if name == MODEL:
                scorers[name] = _recipe_scorer(split.train, recipe or {})
                continue
            best, tried = _choose(split.train, method_named(name))
            scorers[name] = best.fit(m.pair_matrix(split.train, positive=True)).scores
            chosen[name] = {"settings": settings_of(best), "tried": tried}
        found, _ = m.evaluate(protocol, scorers)
        return {
            "metrics": {name: dict(found[name]) for name in names},
            "settings": chosen,
            "split": m.describe(protocol),
        }

    # --- ratings --------------------------------------------------------------------------------------------

    def predict_ratings(self, user_id: str, items: Sequence[str]) -> list[float]:
        """The ratings a user would give, by biased matrix factorisation of all ratings in the graph.

        Args:
            user_id: Whose.
            items: Ids of items, or of content; one that nobody rated gets the user's usual rating.

        Returns:
            A rating each, within the range of those given.

        Raises:
            NotFound: No such user, or an object the graph does not hold.
            UsageError: No event type of the vocabulary holds ratings.
            TooLittleData: Nobody has rated anything.
        """
        require_user(self._store, user_id)
        events = self._fits.events()
        if self._ratings is None or self._ratings[0] is not events:
            self._ratings = events, BiasedMF().fit(*ratings_of(events.graph, self._vocabulary))
        user = events.users.get(user_id, -1)
        places = {str(key): place for place, key in enumerate(events.graph.object_ids)}
        columns = [places.get(ITEM + id_, places.get(CONTENT + id_, -1)) for id_ in items]
        unrated = [id_ for id_, column in zip(items, columns, strict=True) if column < 0]
        there = {id_ for prefix in PLURAL for id_ in self._reasons.described(prefix, unrated)}
        for id_ in unrated:
            if id_ not in there:
                raise NotFound(f"No item or content {id_!r}.", "Check the id.")
        found = self._ratings[1].predict(np.full(len(items), user), np.array(columns, dtype=np.int64))
        return [float(value) for value in found]


def _choose(graph: TrainingGraph, settings: Sequence[Any]) -> tuple[Any, list[dict[str, Any]]]:
    """The best settings on a validation part of a graph; the likeliest where none can be held back."""
    if len(settings) == 1:
        return settings[0], []
    try:
        split = m.time_split(graph, 1.0 - VALIDATION_SHARE)
    except TooLittleData:
        return settings[0], []
    protocol = m.Protocol(split, max_users=VALIDATION_USERS)
    if not len(protocol.users):
        return settings[0], []
    known = m.pair_matrix(split.train, positive=True)
    return choose(
        settings,
        fit=lambda method: method.fit(known),
        measure=lambda fitted: float(protocol.per_user(fitted.scores)[1].mean()),
    )


def _recipe_scorer(train: TrainingGraph, recipe: Mapping[str, Any]) -> m.Scorer:
    from graphprofile.graphsage.compare import scorer
    from graphprofile.graphsage.config import TrainConfig
    from graphprofile.graphsage.train import fit

    return scorer(fit(train, TrainConfig.from_dict(recipe)), train)


def _cosines(rows: sp.csr_matrix) -> npt.NDArray[np.float64]:
    """Cosines between sparse rows, 0 where a row is empty, float64 [n, n]."""
    count = np.asarray(rows.sum(axis=1)).ravel()
    inverse = 1.0 / np.sqrt(np.maximum(count, 1.0))
    found: npt.NDArray[np.float64] = (rows @ rows.T).toarray().astype(np.float64) * np.outer(inverse, inverse)
    return found


def ratings_of(
    graph: TrainingGraph, vocabulary: Vocabulary
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Users, objects and ratings in order of time, got back from contributions: weight * (rating - neutral).

    Raises:
        UsageError: No event type of the vocabulary holds ratings.
        TooLittleData: Nobody has rated anything.
    """
    rules = {
        code: rule
        for code, event_type in enumerate(graph.event_types)
        for rule in vocabulary.events.values()
        if rule.type == event_type and rule.value == "rating" and rule.weight
    }
    if not rules:
        raise UsageError(
            "No event type of the vocabulary holds ratings.",
            'Declare one with value = "rating" in graphprofile.toml.',
        )
    keep = np.isin(graph.event_type, list(rules))
    if not keep.any():
        raise TooLittleData("nobody has rated anything", "Load events of a type whose value is a rating.")
    order = np.flatnonzero(keep)
    order = order[np.argsort(graph.event_ts[order], kind="stable")]
    weight = np.array(
        [rules[code].weight if code in rules else 1.0 for code in range(len(graph.event_types))]
    )
    neutral = np.array(
        [rules[code].neutral if code in rules else 0.0 for code in range(len(graph.event_types))]
    )
    types = graph.event_type[order]
    values = graph.event_weight[order].astype(np.float64) / weight[types] + neutral[types]
    return graph.event_user[order], graph.event_object[order], values
