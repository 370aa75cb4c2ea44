"""Computing what is not in the source: interests, models, vectors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from graphprofile.profiles.opened import Opened
from graphprofile.records import EmbedResult, Progress, TagsResult, TrainResult
from graphprofile.tags import require_same_rules, update_tags


class Learning(Opened):
    """Interests and vectors, kept fresh and measured."""

    def update_tags(
        self, *, full: bool = False, verify: bool = False, progress: Progress | None = None
    ) -> TagsResult:
        """Compute the interests of the users who changed, or of all.

        Args:
            full: All users, under the vocabulary in use now.
            verify: Compare with a second computation outside the engine.
            progress: Called with (what, users done, total or None).

        Raises:
            StoreMismatch: The vocabulary differs from the one in the graph, and ``full`` was not asked for.
        """
        rules = self._stored_rules()
        if rules is None:
            self._prepare()
        elif full and self.vocabulary.to_json() != rules["vocabulary"]:
            self.store.create_schema(self.vocabulary.types)
            self._set_vocabulary()
        else:
            self._prepare()
        return update_tags(self.store, self.vocabulary, full=full, verify=verify, progress=progress)

    def refresh(self, user_ids: Sequence[str], objects: Sequence[tuple[str, str]] = ()) -> None:
        """Bring tags and vectors of some users up to date, whoever else is due.

        What everybody's interests come to (the base of ``lift``) stays as it is until :meth:`update_tags`.

        Args:
            user_ids: Whose; who does not exist is passed over.
            objects: Kind (item | content) and id of objects whose vectors are to be written too, where they are due.

        Raises:
            StoreMismatch: The vocabulary differs from the one in the graph.
        """
        from graphprofile.tags import update_tags_of

        if self._stored_rules() is None:
            return
        require_same_rules(self.vocabulary, self.computed_rules)
        update_tags_of(self.store, self.vocabulary, user_ids)
        if self.models.in_use():
            self.models.embed_some(user_ids, objects)

    def train(
        self,
        *,
        seed: int = 0,
        epochs: int | None = None,
        force: bool = False,
        device: str = "auto",
        progress: Callable[[str, int, int | None], None] | None = None,
    ) -> TrainResult:
        """Train a model, compare it with the one in use, and promote it where it is better (or the first).

        Args:
            seed: Same seed, same machine and thread count: same vectors (on a GPU nearly the same).
            epochs: Passes over the users; None takes the default.
            force: Promote even where it is not better.
            device: ``cuda``, ``cpu``, or ``auto``: CUDA where torch finds it.
            progress: Called with (what, done, total).

        Raises:
            UsageError: CUDA is asked for by name and not there.
            TooLittleData: Says how much there is and how much is needed.
            BadVectors: The training ended in NaN, zero or collapsed vectors; nothing was promoted.
        """
        return self.models.train(seed=seed, epochs=epochs, force=force, device=device, progress=progress)

    def embed(self, *, all: bool = False, progress: Progress | None = None) -> EmbedResult:
        """Compute and write the vectors of who changed since (or of all), without training.

        Raises:
            NoModel: Nothing has been trained yet.
        """
        return self.models.embed(all=all, progress=progress)

    def evaluate(self, *, methods: Sequence[str] = (), progress: Progress | None = None) -> dict[str, Any]:
        """The recipe in use beside popularity and item-to-item, scored on the newest part of the events.

        Args:
            methods: What to measure instead: names of :data:`graphprofile.collaborative.METHODS`, and ``model``.
            progress: Called with (what, done, total).

        Raises:
            NoModel: Nothing has been trained yet, and the model is to be measured.
            TooLittleData: No part of the events can be held back.
            UsageError: No such method.
        """
        return self.models.evaluate(methods=methods, progress=progress)

    def drift(self, *, metrics: bool = False, users: int | None = None) -> dict[str, Any]:
        """How far inputs, vectors and metrics are from the last training; see :mod:`graphprofile.drift`.

        Args:
            metrics: Also measure the model in use on the events since its training, and keep the result.
            users: How many users to sample; 20,000 where nothing is said.

        Raises:
            NoModel: Nothing has been trained yet.
            TooLittleData: Metrics were asked for, and too few users have something new.
        """
        return self.models.drift(metrics=metrics, users=users)
