"""The map of all vectors with one user on it: made once for each model, everybody is put on the same."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from fastapi import APIRouter, Response

from graphprofile.http.caller import ReadsProfiles, UserId, an_id
from graphprofile.http.page.site import part
from graphprofile.profiles import GraphProfile
from graphprofile.reading import require_user
from graphprofile.report import EmbeddingMap, embedding_map, main_tags

router = APIRouter(include_in_schema=False)

MOST_POINTS = 1000
KEPT_SECONDS = 6 * 3600
NEIGHBOURS = 5


@dataclass(frozen=True)
class PlacedMap:
    """A map, and what is needed to put somebody on it who is not on it yet.

    Attributes:
        map: Points of users and items.
        ids: Users on it.
        vectors: Theirs, centred and of unit length, [num_users, dimensions].
        places: Theirs, [num_users, 2].
        middle: What they were centred by, [dimensions].
    """

    map: EmbeddingMap
    ids: list[str]
    vectors: npt.NDArray[np.float64]
    places: npt.NDArray[np.float64]
    middle: npt.NDArray[np.float64]

    def place(self, vector: npt.NDArray[np.float64]) -> tuple[float, float] | None:
        """Where somebody lies: amid the nearest people on the map, nearer to the nearest."""
        one = vector - self.middle
        length = float(np.linalg.norm(one))
        if not self.ids or not length or len(vector) != len(self.middle):
            return None
        nearness = self.vectors @ (one / length)
        best = np.argsort(-nearness)[:NEIGHBOURS]
        weights = np.exp(8 * (nearness[best] - nearness[best[0]]))
        x, y = (weights[:, None] * self.places[best]).sum(axis=0) / weights.sum()
        return float(x), float(y)


def make_map(gp: GraphProfile, model: str) -> PlacedMap | None:
    """Draw the map of a model; takes seconds."""
    kind = main_tags(gp.store)[0]
    found = embedding_map(gp.store, gp.vocabulary, model, kind, max_points=MOST_POINTS)
    if found is None:
        return None
    users = [point for point in found.points if point.kind == "user"]
    rows = gp.store.read(
        "report/read_user_vectors", ids=[point.id for point in users], kind=kind or "", model=model
    )
    vectors = {row["id"]: row["vector"] for row in rows if row["vector"]}
    users = [point for point in users if point.id in vectors]
    matrix = np.asarray([vectors[point.id] for point in users], dtype=np.float64).reshape(len(users), -1)
    middle = matrix.mean(axis=0) if len(users) else np.zeros(0)
    matrix = matrix - middle
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return PlacedMap(
        found,
        [point.id for point in users],
        np.divide(matrix, lengths, out=np.zeros_like(matrix), where=lengths > 0),
        np.asarray([[point.x, point.y] for point in users], dtype=np.float64).reshape(-1, 2),
        middle,
    )


def document(
    placed: PlacedMap, user_id: str, row: dict[str, Any] | None, names: dict[str, str | None]
) -> dict[str, Any]:
    """A map as a document, with somebody on it.

    Args:
        placed: The map.
        user_id: Who is marked.
        row: Of ``report/read_user_vectors`` for them; None where they have no vector.
        names: Of the users on the map who are in the graph now; others are not shown.
    """
    points = [
        {
            **{name: value for name, value in asdict(point).items() if name != "name"},
            # Under names that the masks know.
            ("name" if point.kind == "user" else "title"): names[point.id]
            if point.kind == "user"
            else point.name,
        }
        for point in placed.map.points
        if point.kind != "user" or point.id in names
    ]
    where = "on it" if user_id in placed.ids else None
    if where is None and row is not None and row["vector"]:
        place = placed.place(np.asarray(row["vector"], dtype=np.float64))
        if place is not None:
            where = "near"
            points.append(
                {
                    "kind": "user",
                    "id": user_id,
                    "name": row["name"],
                    "tag": row["tag"],
                    "x": place[0],
                    "y": place[1],
                }
            )
    return {
        "points": points,
        "tags": placed.map.tags,
        "of_kind": placed.map.kind,
        "users": placed.map.users,
        "items": placed.map.items,
        "where": where,
        "user_id": user_id,
    }


@router.get("/users/{user_id}/map")
async def show_map(user_id: UserId, caller: ReadsProfiles) -> Response:
    """Everybody by taste, and where one user is among them."""
    user = an_id(user_id, "path/user_id")
    gp = caller.service.gp

    def read() -> str | None:
        require_user(gp.store, user)
        return gp.models.in_use()

    async with caller.audited("profile.map", [user]):
        model = await caller.read(read, [user])
        placed = None
        if model is not None:
            placed = await caller.service.kept.get(
                ("map", model), KEPT_SECONDS, lambda: caller.run(lambda: make_map(gp, model))
            )
        found = None
        if placed is not None and model is not None:
            kind = placed.map.kind or ""
            rows = await caller.run(
                lambda: gp.store.read("report/read_user_vectors", ids=[user], kind=kind, model=model)
            )
            names = await caller.run(
                lambda: {r["id"]: r["name"] for r in gp.store.read("page/read_names", user_ids=placed.ids)}
            )
            found = document(placed, user, rows[0] if rows else None, names)
            caller.note("profile.listed", "ok", placed.ids)
    shown: dict[str, Any] = {"found": found, "model": model, "user_id": user}
    return part(caller, "_map.html", title="Map", back=("user", user), **shown)
