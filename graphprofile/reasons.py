"""What a recommendation says of itself: the title, and the paths that lead to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from graphprofile.export import CONTENT, ITEM
from graphprofile.reading import significant
from graphprofile.records import Recommendation
from graphprofile.writeback import PLURAL

if TYPE_CHECKING:
    from graphprofile.store import Store

OWN_LOOKED_AT = 100


class Reasons:
    """Finds reasons in one graph.

    Args:
        store: The graph.
        types: Relationship types of events.
    """

    def __init__(self, store: Store, types: Sequence[str]) -> None:
        self._store = store
        self._types = types

    def documents(
        self, user_id: str, scored: Sequence[tuple[str, float]], seen: Sequence[str]
    ) -> list[Recommendation]:
        """Objects that any method found for a user, as documents.

        Args:
            user_id: For whom.
            scored: Key and score of each, best first.
            seen: Keys of what the user has, latest first.
        """
        own = [key[2:] for key in seen[:OWN_LOOKED_AT]]
        because: dict[str, list[str]] = defaultdict(list)
        titles: dict[str, str | None] = {}
        for prefix in (ITEM, CONTENT):
            ids = [key[2:] for key, _ in scored if key.startswith(prefix)]
            if not ids:
                continue
            for id_, reasons in self.of_tags(prefix, [(user_id, ids)]).get(user_id, {}).items():
                because[prefix + id_] += reasons
            rows = self._store.read(
                f"recommend/read_co_users_of_{PLURAL[prefix]}",
                event_types=self._types,
                user_id=user_id,
                ids=ids,
                own=own,
            )
            for row in rows:
                through = " and ".join(f"“{title}”" for title in row["through"])
                people = (
                    "1 other person who chose it shares"
                    if row["users"] == 1
                    else (f"{row['users']} others who chose it share")
                )
                because[prefix + row["id"]].append(f"{people} {through} with this user")
            titles |= {prefix + id_: row["title"] for id_, row in self.described(prefix, ids).items()}
        return [
            Recommendation(
                id=key[2:],
                kind="item" if key.startswith(ITEM) else "content",
                title=titles.get(key),
                score=significant(score, 6),
                because=because[key] or ["popular with people of similar taste"],
            )
            for key, score in scored
        ]

    def of_tags(
        self, prefix: str, pairs: Sequence[tuple[str, Sequence[str]]]
    ) -> dict[str, dict[str, list[str]]]:
        """Up to two tags an object shares with the user's interests, by user and object."""
        reasons: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        rows = self._store.read(
            f"recommend/read_tag_reasons_of_{PLURAL[prefix]}",
            pairs=[[user, list(ids)] for user, ids in pairs],
        )
        for row in rows:
            found = reasons[row["user_id"]][row["id"]]
            if len(found) < 2:
                events = "1 event" if row["events"] == 1 else f"{row['events']} events"
                found.append(f"{row['kind']} {row['name']}: {events} of this user")
        return reasons

    def described(self, prefix: str, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Those of some objects that are in the graph, by id."""
        if not ids:
            return {}
        query = f"recommend/read_{PLURAL[prefix]}"
        return {row["id"]: row for row in self._store.read(query, ids=list(ids))}
