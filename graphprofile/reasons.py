"""What a recommendation says of itself: the title, and the paths that lead to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from graphprofile.export import CONTENT, ITEM
from graphprofile.reading import significant
from graphprofile.records import Recommendation
from graphprofile.writeback import PLURAL

if TYPE_CHECKING:
    from graphprofile.store import Store

OWN_LOOKED_AT = 25
"""Of what the user has, the latest."""


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
        own = seen[:OWN_LOOKED_AT]
        because: dict[str, list[str]] = defaultdict(list)
        titles: dict[str, str | None] = {}
        people: dict[str, set[str]] = {}
        for prefix in (ITEM, CONTENT):
            ids = [key[2:] for key, _ in scored if key.startswith(prefix)]
            looked_at = sorted({*ids, *(key[2:] for key in own if key.startswith(prefix))})
            if not scored or not looked_at:
                continue
            rows = self._store.read(
                f"recommend/read_reasons_of_{PLURAL[prefix]}",
                event_types=self._types,
                user_id=user_id,
                ids=looked_at,
                recommended=ids,
            )
            for id_, title, chose, tags in chain.from_iterable(row["objects"] for row in rows):
                titles[prefix + id_] = title
                people[prefix + id_] = set(chose)
                because[prefix + id_] += [_of_tag(*tag) for tag in tags]
        for key, _ in scored:
            said = _through(key, own, people, titles)
            if said:
                because[key].append(said)
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
                found.append(_of_tag(row["kind"], row["name"], row["events"]))
        return reasons

    def described(self, prefix: str, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Those of some objects that are in the graph, by id."""
        if not ids:
            return {}
        query = f"recommend/read_{PLURAL[prefix]}"
        return {row["id"]: row for row in self._store.read(query, ids=list(ids))}


def _of_tag(kind: str, name: str, events: int) -> str:
    """An interest as a reason."""
    return f"{kind} {name}: {'1 event' if events == 1 else f'{events} events'} of this user"


def _through(
    key: str,
    own: Sequence[str],
    people: Mapping[str, set[str]],
    titles: Mapping[str, str | None],
) -> str | None:
    """Who chose an object and something of the user's too, and through what; None if nobody did."""
    # People of an object times events of each would be a hundred thousand steps for what is popular: the people of
    # both ends are read instead, and met here.
    chose = people.get(key, set())
    shared = {one: both for one in own if one != key and (both := chose & people.get(one, set()))}
    if not shared:
        return None
    most = sorted(shared, key=lambda one: (-len(shared[one]), one[2:]))[:2]
    through = " and ".join(f"“{titles.get(one) or one[2:]}”" for one in most)
    number = len(set().union(*shared.values()))
    who = "1 other person who chose it shares" if number == 1 else f"{number} others who chose it share"
    return f"{who} {through} with this user"
