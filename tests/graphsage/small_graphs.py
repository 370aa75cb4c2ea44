"""Small graphs whose right answers a person sees."""

from __future__ import annotations

import numpy as np

from graphprofile.graphsage.config import TrainConfig
from graphprofile.graphsage.data import TrainingGraph

DAY = 86_400_000
SMALL = TrainConfig(dim=8, epochs=6, batch_users=16, user_half_lives_days=(None, 30.0), threads=1)


def checkerboard(
    *,
    users: int = 40,
    objects: int = 24,
    per_user: int = 8,
    tags: bool = True,
    seed: int = 1,
    span_days: int = 100,
) -> TrainingGraph:
    """Even users like even objects, odd users like odd objects; the tags say which is which."""
    rng = np.random.default_rng(seed)
    user = np.repeat(np.arange(users), per_user)
    obj = np.concatenate([rng.permutation(np.arange(u % 2, objects, 2))[:per_user] for u in range(users)])
    count = len(user)
    return TrainingGraph(
        user_ids=np.array([f"u{i}" for i in range(users)], dtype=object),
        object_ids=np.array([f"o{i}" for i in range(objects)], dtype=object),
        event_types=("liked",),
        event_user=user,
        event_object=obj,
        event_type=np.zeros(count),
        event_weight=np.ones(count),
        event_ts=rng.integers(0, span_days * DAY, count) - 50 * DAY,
        tag_names=("even", "odd") if tags else (),
        tag_object=np.arange(objects) if tags else [],
        tag_tag=np.arange(objects) % 2 if tags else [],
        tag_weight=np.ones(objects) if tags else [],
    )
