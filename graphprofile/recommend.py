"""Recommenders on the stored vectors: searched in the engine's index, filtered, with reasons that are paths."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from graphprofile.diversity import check_diversity, cosines, mmr, pool_size
from graphprofile.errors import EngineError, EngineUnavailable, QueryTimeout
from graphprofile.export import CONTENT, ITEM
from graphprofile.filters import NO_FILTERS, Conditions, Filters
from graphprofile.nodevectors import USERS_AT_ONCE, NodeVectors
from graphprofile.parquet import parquet_file
from graphprofile.reading import require_user, significant, titles_of, watermark
from graphprofile.reasons import Reasons
from graphprofile.records import Explanation, FeedbackSort, PathStep, Progress, Recommendation, batched, iso
from graphprofile.searching import FIRST_SEARCH, Search, by_nearness
from graphprofile.writeback import PLURAL, UserVectors

if TYPE_CHECKING:
    import numpy.typing as npt

    from graphprofile.embedding import Models

KINDS = {"item": ITEM, "content": CONTENT}
EVENTS_AT_ONCE = 500_000


class Recommender:
    """Answers for one graph.

    Args:
        models: The graph's models.
    """

    def __init__(self, models: Models) -> None:
        self._models = models
        self._store = models.store
        self._types = models.vocabulary.types
        self._search = Search(models)
        self._vectors = NodeVectors(models)
        self._reasons = Reasons(models.store, models.vocabulary.types)

    def recommend(
        self,
        user_id: str,
        k: int,
        *,
        kind: str | None,
        allow_seen: bool,
        filters: Filters = NO_FILTERS,
        diversity: float = 0.0,
        exact: bool = False,
    ) -> list[Recommendation]:
        """The best ``k`` objects for a user; the search widens until so many remain after filters."""
        conditions = self.conditions(filters)
        pool = pool_size(k, check_diversity(diversity))
        prefixes = [KINDS[kind]] if kind else [ITEM, CONTENT]
        row = self._asker(user_id, pool, [] if exact or conditions else prefixes)
        version, model = self._models.model_of(next(iter(row["models"]), None))
        stored = {row["model_before"]: row["vector_before"], row["model"]: row["vector"]}.get(version)
        vector = self._vectors.completed([user_id], {user_id: stored}, model)[0]
        seen = row["objects"]
        hidden = set() if allow_seen else set(seen)
        best: list[tuple[float, str]] = []
        for prefix in prefixes:
            found = self._search.settled(row, prefix, pool, version=version, hidden=hidden)
            if found is None:
                found = self._search.find(
                    prefix, vector, pool, version=version, hidden=hidden, conditions=conditions, exact=exact
                )
            best += found
        length = float(np.linalg.norm(vector)) * model.max_norm
        best = sorted(best, key=by_nearness)[:pool]
        best = self._search.diverse(best, vector, k, diversity=diversity, dim=model.dim, version=version)
        return self._reasons.documents(user_id, [(key, cosine * length) for cosine, key in best], seen)

    def _asker(self, user_id: str, k: int, prefixes: Sequence[str]) -> dict[str, Any]:
        """What a recommendation needs to know of a user, with what is nearest in the indexes of some kinds.

        Raises:
            NotFound: There is no such user.
        """
        asks = partial(
            self._store.read,
            "recommend/read_asker",
            event_types=self._types,
            user_id=user_id,
            k=k,
            more=FIRST_SEARCH,
        )
        try:
            rows = asks(indexes=self._search.indexes(prefixes))
        except (EngineUnavailable, QueryTimeout):
            raise
        except EngineError:
            # An index that is not there, or has the dimensions of another model: the search finds another way.
            rows = asks(indexes=[])
        if not rows:
            require_user(self._store, user_id)
            # Came in between.
            return self._asker(user_id, k, prefixes)
        return rows[0]

    def conditions(self, filters: Filters) -> Conditions:
        """Filters as the statements take them; see :func:`graphprofile.filters.resolve`."""
        return self._search.conditions(filters)

    def seen(self, user_id: str) -> list[str]:
        """Keys of what a user has, latest first."""
        return self._seen([user_id])[user_id]

    def _seen(self, user_ids: Sequence[str]) -> dict[str, list[str]]:
        seen: dict[str, list[str]] = {user_id: [] for user_id in user_ids}
        rows = self._store.read("recommend/read_seen", event_types=self._types, user_ids=list(user_ids))
        seen.update({row["user_id"]: row["objects"] for row in rows})
        return seen

    # --- everybody ------------------------------------------------------------------------------------------

    def recommend_all(
        self,
        out: Path,
        k: int,
        *,
        kind: str | None,
        allow_seen: bool,
        progress: Progress | None,
        filters: Filters = NO_FILTERS,
        diversity: float = 0.0,
    ) -> int:
        """Everybody's best ``k``, exact, into a Parquet file: user_id, rank, id, kind, title, score, because."""
        import pyarrow as pa

        version, model = self._models.model()
        conditions = self.conditions(filters)
        check_diversity(diversity)
        prefixes = [KINDS[kind]] if kind else [ITEM, CONTENT]
        keys, titles, matrix = self._object_matrix(prefixes, version)
        if conditions:
            allowed = {
                prefix + id_ for prefix in prefixes for id_ in conditions.all(self._store, PLURAL[prefix])
            }
            places = [place for place, key in enumerate(keys) if key in allowed]
            keys, titles, matrix = [keys[p] for p in places], [titles[p] for p in places], matrix[places]
        place = {key: index for index, key in enumerate(keys)}
        schema = pa.schema(
            [
                ("user_id", pa.string()),
                ("rank", pa.int32()),
                ("id", pa.string()),
                ("kind", pa.string()),
                ("title", pa.string()),
                ("score", pa.float64()),
                ("because", pa.list_(pa.string())),
            ]
        )
        written = done = 0
        with parquet_file(out, schema) as file:
            for part in batched(self._vectors.of_all_users(version), USERS_AT_ONCE):
                rows = self._best_of(part, keys, titles, place, matrix, k, allow_seen, diversity, model.dim)
                file.write_table(pa.Table.from_pylist(rows, schema=schema))
                written += len(rows)
                done += len(part)
                if progress:
                    progress("users", done, None)
        return written

    def _object_matrix(
        self, prefixes: Sequence[str], version: str
    ) -> tuple[list[str], list[str | None], npt.NDArray[np.float32]]:
        keys: list[str] = []
        titles: list[str | None] = []
        vectors: list[list[float]] = []
        for prefix in prefixes:
            for row in self._store.stream(f"embed/read_vectors_of_{PLURAL[prefix]}", model=version):
                if row["model"] == version:
                    keys.append(prefix + row["id"])
                    titles.append(row["title"])
                    vectors.append(row["embedding"])
        width = len(vectors[0]) if vectors else 0
        return keys, titles, np.asarray(vectors, dtype=np.float32).reshape(len(keys), width)

    def _best_of(
        self,
        users: Sequence[Mapping[str, Any]],
        keys: Sequence[str],
        titles: Sequence[str | None],
        place: Mapping[str, int],
        matrix: npt.NDArray[np.float32],
        k: int,
        allow_seen: bool,
        diversity: float,
        dim: int,
    ) -> list[dict[str, Any]]:
        if not keys:
            return []
        ids = [row["id"] for row in users]
        scores = np.asarray([row["embedding"] for row in users], dtype=np.float32) @ matrix.T
        if not allow_seen:
            for index, objects in enumerate(self._seen(ids).values()):
                scores[index, [place[key] for key in objects if key in place]] = -np.inf
        top = min(pool_size(k, diversity), len(keys))
        candidates = np.argpartition(-scores, top - 1, axis=1)[:, :top]
        chosen = {}
        for index, user_id in enumerate(ids):
            ranked = sorted(candidates[index].tolist(), key=lambda j, i=index: (-scores[i, j], keys[j]))  # type: ignore[misc]
            ranked = [j for j in ranked if math.isfinite(scores[index, j])]
            if diversity:
                order = mmr(scores[index, ranked].astype(float), cosines(matrix[ranked, :dim]), k, diversity)
                ranked = [ranked[place] for place in order]
            chosen[user_id] = [(j, float(scores[index, j])) for j in ranked]
        reasons = {
            prefix: self._reasons.of_tags(
                prefix,
                [
                    (u, [keys[j][2:] for j, _ in found if keys[j][:2] == prefix])
                    for u, found in chosen.items()
                ],
            )
            for prefix in (ITEM, CONTENT)
        }
        return [
            {
                "user_id": user_id,
                "rank": rank,
                "id": keys[j][2:],
                "kind": "item" if keys[j].startswith(ITEM) else "content",
                "title": titles[j],
                "score": significant(score, 6),
                "because": reasons[keys[j][:2]].get(user_id, {}).get(keys[j][2:], []),
            }
            for user_id, found in chosen.items()
            for rank, (j, score) in enumerate(found, start=1)
        ]

    # --- why ------------------------------------------------------------------------------------------------

    def explain(self, user_id: str, item_id: str, feedback: Mapping[str, FeedbackSort]) -> Explanation:
        """The score of an item for a user, and what it loses without each of the user's events.

        Args:
            user_id: Whose.
            item_id: Of the item, or of content.
            feedback: Whether something is said or done, by relationship type.
        """
        require_user(self._store, user_id)
        version, model = self._models.model()
        _, vector = self._vectors.of_object(item_id, version)
        users = UserVectors(self._store, self._models.vocabulary, model)
        whole = users.read([user_id], named=True)[0]
        count = len(whole["objects"])
        parts = ("objects", "types", "times", "weights")
        rows = chain(
            [whole],
            (whole | {name: whole[name][:i] + whole[name][i + 1 :] for name in parts} for i in range(count)),
        )
        # Every row is nearly the whole history: of a long one few are in memory at once.
        at_once = max(1, min(USERS_AT_ONCE, EVENTS_AT_ONCE // max(1, count)))
        found = []
        for part in batched(rows, at_once):
            self._store.check_time()
            found.append(users.compute(part)[0] @ vector)
        scores = np.concatenate(found)
        names = {code: name for code, name in enumerate(self._types)}
        event_names = self._models.vocabulary.name_of
        labels = {"i:": "Item", "c:": "Content", "u:": "User"}
        titles = titles_of(self._store, {(labels[key[:2]], key[2:]) for key in whole["objects"]})
        steps = [
            PathStep(
                event_id=whole["event_ids"][i],
                event=event_names[names[whole["types"][i]]],
                at=iso(whole["times"][i]) or "",
                object_id=key[2:],
                object_kind=labels[key[:2]].lower(),
                title=titles.get((labels[key[:2]], key[2:])),
                tags=[],
                feedback=feedback[names[whole["types"][i]]],
                contribution=float(scores[0] - scores[i + 1]),
                batch=whole["batches"][i],
            )
            for i, key in enumerate(whole["objects"])
        ]
        steps.sort(key=lambda step: (-abs(step.contribution), step.event_id))
        return Explanation(
            user_id=user_id,
            tag=None,
            item=item_id,
            as_of=iso(watermark(self._store)),
            score=float(scores[0]),
            paths=steps,
        )
