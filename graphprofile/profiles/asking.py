"""Reading: profiles, reasons, recommendations, vectors, insights, and queries of one's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graphprofile import reading
from graphprofile.errors import UsageError
from graphprofile.profiles.given import filters_of, known_id, moment
from graphprofile.profiles.opened import Opened
from graphprofile.records import Explanation, Feedback, Profile, Progress, Recommendation

if TYPE_CHECKING:
    from graphprofile.filters import Where
    from graphprofile.store.asking import Rows
    from graphprofile.vectors import Embeddings


class Asking(Opened):
    """Answers."""

    def profile(self, user_id: str, *, as_of: datetime | str | int | None = None) -> Profile:
        """The profile of one user.

        Args:
            user_id: Whose.
            as_of: A time (datetime, ISO 8601 text or epoch ms); None takes the store's newest event.

        Raises:
            NotFound: No such user.
        """
        return reading.read_profile(self.store, self.computed_rules, known_id(user_id), as_of=moment(as_of))

    def explain(
        self,
        user_id: str,
        *,
        tag: str | None = None,
        item: str | None = None,
        as_of: datetime | str | int | None = None,
    ) -> Explanation:
        """Why a person has a tag, or why an item is recommended.

        Args:
            user_id: Whose.
            tag: ``name`` or ``kind:name``; the paths' contributions sum to the score.
            item: Id of an item or of content; each path says what the score loses without that event.
            as_of: As for :meth:`profile`; for tags.

        Raises:
            NotFound: No such user, tag or item.
            UsageError: Not exactly one of tag and item.
        """
        if (tag is None) == (item is None):
            raise UsageError("Explain takes either a tag or an item.", "Add --tag NAME or --item ID.")
        if tag is not None:
            return reading.explain_tag(
                self.store, self.reading_rules, known_id(user_id), tag, as_of=moment(as_of)
            )
        feedback = self.reading_rules.feedback_of
        return self.models.explain_item(known_id(user_id), known_id(item), feedback)

    def feedback(
        self,
        user_id: str,
        *,
        as_of: datetime | str | int | None = None,
        all: bool = False,
        limit: int = 100,
    ) -> Feedback:
        """Where what a person says (ratings, likes, answers) disagrees with what the person does.

        Args:
            user_id: Whose.
            as_of: As for :meth:`profile`.
            all: Also where both agree, and where there is one of them only.
            limit: At most so many tags, and so many things.

        Raises:
            NotFound: No such user.
        """
        from graphprofile.feedback import read_feedback

        return read_feedback(
            self.store, self.reading_rules, known_id(user_id), as_of=moment(as_of), all=all, limit=limit
        )

    def recommend(
        self,
        user_id: str,
        k: int = 10,
        *,
        kind: str | None = None,
        tags: Sequence[str] = (),
        where: Sequence[Where] = (),
        available: bool = False,
        allow_seen: bool = False,
        diversity: float = 0.0,
        exact: bool = False,
        method: str | None = None,
    ) -> list[Recommendation]:
        """The best items (or content) for one user, with reasons.

        Args:
            user_id: For whom.
            k: How many.
            kind: ``item`` or ``content``; None takes both.
            tags: Each must be there, or a tag that is part of it: ``name`` or ``kind:name``.
            where: Conditions on properties: ``year>=1990``, or ``("year", ">=", 1990)``.
            available: Leave out what is not available (``available_property`` of the settings).
            allow_seen: Also what the user already has.
            diversity: 0 takes the best, 1 the least alike of the best; between them maximal marginal relevance.
            exact: Look at every object instead of asking the vector index.
            method: A classic method of :data:`graphprofile.collaborative.METHODS` instead of the embeddings.

        Raises:
            NotFound: No such user.
            NoModel: Nothing has been trained yet.
            UsageError: An unknown tag, property, operator or method, or a diversity outside 0 to 1.
        """
        return list(
            self.models.recommend(
                known_id(user_id),
                k,
                method=method,
                exact=exact,
                kind=kind,
                allow_seen=allow_seen,
                filters=filters_of(tags, where, available),
                diversity=diversity,
            )
        )

    def recommend_all(
        self,
        out: str | Path,
        k: int = 10,
        *,
        kind: str | None = None,
        tags: Sequence[str] = (),
        where: Sequence[Where] = (),
        available: bool = False,
        allow_seen: bool = False,
        diversity: float = 0.0,
        progress: Progress | None = None,
    ) -> int:
        """Write everybody's recommendations, as :meth:`recommend`, to a Parquet file; returns the number of rows."""
        return self.models.recommend_all(
            Path(out),
            k,
            kind=kind,
            allow_seen=allow_seen,
            filters=filters_of(tags, where, available),
            diversity=diversity,
            progress=progress,
        )

    def predict_ratings(self, user_id: str, items: Sequence[str]) -> list[float]:
        """The ratings a user would give, from all ratings in the graph (biased matrix factorisation).

        Args:
            user_id: Whose.
            items: Ids of items, or of content.

        Raises:
            NotFound: No such user or object.
            UsageError: No event type of the vocabulary holds ratings.
            TooLittleData: Nobody has rated anything.
        """
        return self.models.comparing.predict_ratings(known_id(user_id), [known_id(id_) for id_ in items])

    def similar_users(self, user_id: str, k: int = 10) -> list[Recommendation]:
        """The users nearest to a user."""
        return list(self.models.similar("user", known_id(user_id), k))

    def similar_items(
        self,
        item_id: str,
        k: int = 10,
        *,
        tags: Sequence[str] = (),
        where: Sequence[Where] = (),
        available: bool = False,
        diversity: float = 0.0,
        exact: bool = False,
    ) -> list[Recommendation]:
        """The items (or content) nearest to an item; arguments as for :meth:`recommend`."""
        filters = filters_of(tags, where, available)
        return list(
            self.models.similar(
                "item", known_id(item_id), k, filters=filters, diversity=diversity, exact=exact
            )
        )

    def embeddings(self, user_ids: Sequence[str] | None = None) -> Embeddings:
        """Vectors of users with model version, time and status of each; of all users where none is named."""
        return self.models.embeddings(None if user_ids is None else [known_id(id_) for id_ in user_ids])

    def insights(self, name: str | None = None, **parameters: Any) -> list[dict[str, Any]]:
        """Run an insight by its name, or list them all where none is given."""
        from graphprofile.insights import list_insights, run_insight

        if name is None:
            return [insight.to_json() for insight in list_insights()]
        return run_insight(self.store, self.vocabulary, name, **parameters)

    def cypher(
        self, text: str, parameters: Mapping[str, Any] | None = None, *, read_only: bool = True, **named: Any
    ) -> list[dict[str, Any]]:
        """Run a Cypher text of your own; read-only unless told otherwise.

        Args:
            text: One statement.
            parameters: Its parameters.
            read_only: Refuse a text that writes.
            **named: Further parameters.
        """
        return self.store.cypher(text, {**(parameters or {}), **named}, read_only=read_only)

    def query(
        self,
        text: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        rows: int = 1000,
        seconds: float = 15.0,
    ) -> Rows:
        """Run somebody's Cypher text within limits: it may read this graph, and nothing else.

        Args:
            text: One statement.
            parameters: Its parameters.
            rows: At most so many; more are not fetched.
            seconds: After these it is ended, also in the engine.

        Raises:
            QueryTimeout: It took longer.
            QueryTooLarge: It needs more memory than the engine gives, or answers more than 16 MiB.
            UsageError: It does more than read, or cannot be run as it stands.
        """
        return self.store.ask(text, parameters or {}, rows=rows, seconds=seconds)
