"""The vectors that recommenders compare: of users and objects, by the model in use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from graphprofile.errors import NotFound
from graphprofile.export import CONTENT, ITEM
from graphprofile.reading import require_user
from graphprofile.writeback import PLURAL, UserVectors

if TYPE_CHECKING:
    import numpy.typing as npt

    from graphprofile.embedding import Models
    from graphprofile.graphsage.fitted import FittedModel

USERS_AT_ONCE = 500
"""Of so many users vectors are compared at once."""


class NodeVectors:
    """Reads vectors of one graph.

    Args:
        models: The graph's models.
    """

    def __init__(self, models: Models) -> None:
        self._models = models
        self._store = models.store

    def of_users(self, user_ids: Sequence[str]) -> tuple[str, FittedModel, npt.NDArray[np.float32]]:
        """The model in use, and the vectors of users by it.

        Raises:
            NotFound: There is no such user.
        """
        in_use = self._models.in_use()
        rows = self._store.read("embed/read_users", user_ids=list(user_ids), model=in_use or "")
        stored = {user[0]: user[1] if user[2] == in_use else None for user in rows[0]["users"]}
        for id_ in user_ids:
            if id_ not in stored:
                require_user(self._store, id_)
        version, model = self._models.model_of(in_use)
        return version, model, self.completed(user_ids, stored, model)

    def completed(
        self, user_ids: Sequence[str], stored: Mapping[str, Sequence[float] | None], model: FittedModel
    ) -> npt.NDArray[np.float32]:
        """Vectors of users [num_users, dimensions]: the stored ones, and those computed now where there is none."""
        return UserVectors(self._store, self._models.vocabulary, model).completed(user_ids, stored)

    def of_all_users(self, version: str) -> Iterator[dict[str, Any]]:
        """All users with a vector of a model."""
        for row in self._store.stream("embed/read_all_users", model=version):
            if _has(row["properties"], version):
                yield row

    def of_object(self, object_id: str, version: str) -> tuple[str, npt.NDArray[np.float32]]:
        """The prefix of an item's or content's key, and its vector [dimensions] by a model.

        Raises:
            NotFound: There is no such object, or it has no vector of this model.
        """
        for prefix in (ITEM, CONTENT):
            rows = self._store.read(f"embed/read_vector_of_{PLURAL[prefix]}", id=object_id, model=version)
            if rows and rows[0]["model"] == version:
                return prefix, np.asarray(rows[0]["embedding"], dtype=np.float32)
            if rows:
                raise NotFound(f"{object_id!r} has no vector of {version} yet.", "Run `graphprofile embed`.")
        raise NotFound(f"No item or content {object_id!r}.", "Check the id.")


def _has(properties: Mapping[str, Any], version: str) -> bool:
    """Whether a node has a vector of a model, in either place."""
    return version in (properties.get("embedding_model"), properties.get("embedding_before_model"))
