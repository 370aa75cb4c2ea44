"""What is near to a user or an object by taste, with what the two have in common."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from graphprofile.diversity import check_diversity, pool_size
from graphprofile.errors import NotFound
from graphprofile.export import ITEM
from graphprofile.filters import NO_FILTERS, Filters
from graphprofile.nodevectors import USERS_AT_ONCE, NodeVectors
from graphprofile.reading import significant
from graphprofile.reasons import Reasons
from graphprofile.records import Recommendation, batched
from graphprofile.searching import Search, by_nearness, nearest
from graphprofile.writeback import PLURAL

if TYPE_CHECKING:
    import numpy.typing as npt

    from graphprofile.embedding import Models


class Similarity:
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

    def similar_users(self, user_id: str, k: int) -> list[Recommendation]:
        """The nearest users by taste: the cosine of the vectors without the popularity coordinate."""
        version, model, vectors = self._vectors.of_users([user_id])
        vector = vectors[0]
        found = self._store.vector_search_of(version, "User", vector.tolist(), k + 1)
        if found is None:
            found = self._scan_users(vector, k + 1, version)
        scale = model.user_scale**2
        others = [(id_, cosine * (1 + scale) - scale) for id_, cosine in found if id_ != user_id][:k]
        ids = [id_ for id_, _ in others]
        because: dict[str, list[str]] = defaultdict(list)
        for shared in self._store.read(
            "recommend/read_shared_objects", event_types=self._types, user_id=user_id, others=ids
        ):
            titles = ", ".join(f"“{title}”" for title in shared["titles"])
            because[shared["other"]].append(f"{shared['shared']} in common, such as {titles}")
        for shared in self._store.read("recommend/read_shared_tags", user_id=user_id, others=ids):
            because[shared["other"]].append(f"both interested in {', '.join(shared['tags'])}")
        return [
            Recommendation(id=id_, kind="user", title=None, score=significant(score, 6), because=because[id_])
            for id_, score in others
        ]

    def nearest_users(self, user_ids: Sequence[str], k: int) -> list[str]:
        """The users nearest to the middle of some, by taste, nearest first and without these."""
        version, _, vectors = self._vectors.of_users(user_ids)
        # All users' vectors have one length, and the same popularity: their mean orders by the mean cosine of taste.
        middle = np.asarray(np.mean(vectors, axis=0), dtype=np.float32)
        found = self._store.vector_search_of(version, "User", middle.tolist(), k + len(user_ids))
        if found is None:
            found = self._scan_users(middle, k + len(user_ids), version)
        seeds = set(user_ids)
        return [id_ for id_, _ in found if id_ not in seeds][:k]

    def _scan_users(self, vector: npt.NDArray[np.float32], k: int, version: str) -> list[tuple[str, float]]:
        best: list[tuple[float, str]] = []
        for part in batched(self._vectors.of_all_users(version), USERS_AT_ONCE):
            matrix = np.asarray([row["embedding"] for row in part], dtype=np.float32)
            best += nearest([row["id"] for row in part], matrix, vector, k)
            best = sorted(best, key=by_nearness)[:k]
        return [(id_, cosine) for cosine, id_ in best]

    def similar_items(
        self,
        item_id: str,
        k: int,
        *,
        filters: Filters = NO_FILTERS,
        diversity: float = 0.0,
        exact: bool = False,
    ) -> list[Recommendation]:
        """The nearest items (or content) by taste."""
        version, model = self._models.model()
        conditions = self._search.conditions(filters)
        pool = pool_size(k, check_diversity(diversity))
        prefix, vector = self._vectors.of_object(item_id, version)
        # Without popularity and the last coordinate the index orders by the cosine of taste alone.
        query = np.concatenate([vector[: model.dim], np.zeros(2, dtype=np.float32)])
        if not np.any(query):
            raise NotFound(
                f"Nothing is known about {item_id!r} that would make it similar to others.",
                "It has no events yet, and no tag, property or text that the model knows.",
            )
        found = self._search.find(
            prefix,
            query,
            pool,
            version=version,
            hidden={prefix + item_id},
            conditions=conditions,
            exact=exact,
        )
        found = self._search.diverse(found, query, k, diversity=diversity, dim=model.dim, version=version)
        ids = [key[2:] for _, key in found]
        described = self._reasons.described(prefix, ids)
        because: dict[str, list[str]] = defaultdict(list)
        for row in self._store.read(
            f"recommend/read_shared_tags_of_{PLURAL[prefix]}", id=item_id, others=ids
        ):
            because[row["other"]].append(f"both tagged {', '.join(row['tags'])}")
        for row in self._store.read(
            f"recommend/read_shared_users_of_{PLURAL[prefix]}",
            event_types=self._types,
            id=item_id,
            others=ids,
        ):
            people = "1 person" if row["users"] == 1 else f"{row['users']} people"
            because[row["other"]].append(f"{people} chose both")
        return [
            Recommendation(
                id=key[2:],
                kind="item" if prefix == ITEM else "content",
                title=described.get(key[2:], {}).get("title"),
                score=significant(cosine * model.max_norm, 6),
                because=because[key[2:]] or ["near in taste"],
            )
            for cosine, key in found
        ]
