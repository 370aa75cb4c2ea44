"""The nearest objects under conditions: from the engine's index while that leads somewhere, else by looking at each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from graphprofile.diversity import cosines, mmr
from graphprofile.export import CONTENT, ITEM
from graphprofile.filters import IDS_AT_ONCE, Conditions, Filters, resolve
from graphprofile.records import chunks
from graphprofile.writeback import PLURAL

if TYPE_CHECKING:
    from graphprofile.embedding import Models

LABELS = {ITEM: "Item", CONTENT: "Content"}
FIRST_SEARCH = 4
WIDEST_SEARCH = 1_000
NO_CONDITIONS = Conditions()
Vector = npt.NDArray[np.float32]
Pair = tuple[float, str]
"""Cosine and key of an object."""


class Search:
    """Looks for vectors in one graph.

    Args:
        models: The graph's models.
    """

    def __init__(self, models: Models) -> None:
        self._models = models
        self._store = models.store

    def find(
        self,
        prefix: str,
        vector: Vector,
        k: int,
        *,
        version: str,
        hidden: set[str],
        conditions: Conditions = NO_CONDITIONS,
        exact: bool = False,
    ) -> list[Pair]:
        """The best ``k`` objects of a kind, best first.

        Args:
            prefix: Of the kind's keys.
            vector: What they are compared with, float32 [dimensions].
            k: How many.
            version: Model whose vectors count.
            hidden: Keys of what is not wanted.
            conditions: What must be met.
            exact: Look at every object instead of asking the index; done in any case where the index cannot tell.
        """
        found = None if exact else self._indexed(prefix, vector, k, version, hidden, conditions)
        if found is not None:
            return found
        parts = chunks(conditions.all(self._store, PLURAL[prefix]), IDS_AT_ONCE) if conditions else [None]
        best: list[Pair] = []
        for part in parts:
            stored = self._vectors(prefix, part, version, near=vector, k=k + len(hidden))
            shown = {prefix + id_: one for id_, one in stored.items() if prefix + id_ not in hidden}
            best += nearest(list(shown), np.array(list(shown.values()), dtype=np.float32), vector, k)
        return sorted(best, key=by_nearness)[:k]

    def conditions(self, filters: Filters) -> Conditions:
        """Filters as the statements take them; see :func:`graphprofile.filters.resolve`."""
        return resolve(self._store, filters, self._models.settings.available_property)

    def indexes(self, prefixes: Sequence[str]) -> list[str]:
        """The engine's names of the vector indexes of some kinds."""
        return [self._store.vector_index_name(LABELS[prefix]) for prefix in prefixes]

    def settled(
        self, asker: Mapping[str, Any], prefix: str, k: int, *, version: str, hidden: set[str]
    ) -> list[Pair] | None:
        """The best ``k`` of a kind from what the indexes gave when the asker was read; None where that is too little.

        Args:
            asker: Row of ``recommend/read_asker``.
            prefix: Of the kind's keys.
            k: How many.
            version: Model whose vectors count.
            hidden: Keys of what is not wanted.
        """
        (index,) = self.indexes([prefix])
        mine = [(id_, score, one) for name, id_, score, one in asker["found"] if name == index]
        of_others = any(one != version for _, _, one in mine)
        if not mine or asker["changing"] or asker["model"] != version or of_others:
            return None
        found = self._store.by_cosine((id_, score) for id_, score, _ in mine)
        kept = [(cosine, prefix + id_) for id_, cosine in found if prefix + id_ not in hidden]
        return kept[:k] if len(kept) >= k or len(mine) < asker["wanted"] else None

    def _indexed(
        self, prefix: str, vector: Vector, k: int, version: str, hidden: set[str], conditions: Conditions
    ) -> list[Pair] | None:
        """From the index, asked for more and more; None where each object had better be looked at."""
        wanted = 4 * k if conditions else k
        wanted += FIRST_SEARCH + min(len(hidden), k)
        widest = max(WIDEST_SEARCH, wanted)
        while True:
            found = self._store.vector_search_of(version, LABELS[prefix], vector.tolist(), wanted)
            if found is None:
                return None
            kept = [(cosine, prefix + id_) for id_, cosine in found if prefix + id_ not in hidden]
            if conditions:
                met = conditions.keep(self._store, PLURAL[prefix], [key[2:] for _, key in kept])
                kept = [pair for pair in kept if pair[1][2:] in met]
            if len(kept) >= k:
                return kept[:k]
            if not conditions:
                if len(found) < wanted:
                    return kept
                wanted *= 2
                continue
            wanted *= 4
            # What is kept of the nearest tells how far the index would have to be asked.
            if len(found) * k > widest * len(kept) or wanted > widest:
                return None

    def diverse(
        self, found: list[Pair], vector: Vector, k: int, *, diversity: float, dim: int, version: str
    ) -> list[Pair]:
        """``k`` of the candidates found, chosen by maximal marginal relevance over their vectors of taste.

        Args:
            found: Candidates, best first.
            vector: What they were compared with, float32 [dimensions].
            k: How many.
            diversity: 0 to 1; 0 takes the first ``k``.
            dim: How many coordinates of a stored vector carry taste.
            version: Model whose vectors count.
        """
        if diversity == 0:
            return found[:k]
        taste = np.zeros((len(found), dim))
        for prefix in (ITEM, CONTENT):
            ids = [key[2:] for _, key in found if key.startswith(prefix)]
            stored = self._vectors(prefix, ids, version, near=vector, k=len(ids)) if ids else {}
            for place, (_, key) in enumerate(found):
                if key.startswith(prefix) and key[2:] in stored:
                    taste[place] = stored[key[2:]][:dim]
        chosen = mmr(np.array([cosine for cosine, _ in found]), cosines(taste), k, diversity)
        return [found[place] for place in chosen]

    def _vectors(
        self, prefix: str, ids: Sequence[str] | None, version: str, *, near: Vector, k: int
    ) -> Mapping[str, Vector]:
        """Stored vectors of those ``k`` of some objects, or of all, that are nearest to a vector."""
        asked = {"vector": near.tolist(), "k": k, "model": version}
        rows = (
            self._store.read(f"recommend/scan_{PLURAL[prefix]}", **asked)
            if ids is None
            else self._store.read(f"recommend/rank_{PLURAL[prefix]}", ids=list(ids), **asked)
        )
        return {row["id"]: np.asarray(row["vector"], dtype=np.float32) for row in rows}


def nearest(keys: Sequence[str], matrix: Vector, vector: Vector, k: int) -> list[Pair]:
    """The ``k`` rows of highest cosine with a vector, best first; equal ones by key.

    Args:
        keys: Of the rows.
        matrix: float32 [n, dimensions].
        vector: float32 [dimensions].
        k: How many at most.
    """
    if not keys:
        return []
    lengths = np.linalg.norm(matrix, axis=1) * np.linalg.norm(vector)
    cosine = (matrix @ vector) / np.where(lengths > 0, lengths, 1.0)
    top = min(k, len(keys))
    # All that are as near as the last one, so that the order of equal ones does not depend on the scan.
    last = np.partition(cosine, len(keys) - top)[len(keys) - top]
    chosen = [(float(cosine[at]), keys[at]) for at in np.flatnonzero(cosine >= last).tolist()]
    return sorted(chosen, key=by_nearness)[:k]


def by_nearness(pair: Pair) -> Pair:
    """What pairs are sorted by: the nearest first, equal ones by key."""
    return -pair[0], pair[1]
