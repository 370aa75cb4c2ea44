from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_graphs import DAY, checkerboard

from graphprofile.errors import BadVectors, UsageError
from graphprofile.graphsage.interactions import Interactions, popularity_columns, recency


def test_before_keeps_users_and_objects() -> None:
    graph = checkerboard()
    past = graph.before(0)
    assert past.num_users == graph.num_users
    assert past.num_objects == graph.num_objects
    assert 0 < past.num_events < graph.num_events
    assert past.event_ts.max() <= 0 < graph.after(0).event_ts.min()


def test_compact_keeps_what_has_events() -> None:
    graph = checkerboard()
    only = graph.select(graph.event_user == 3)
    small, users, objects = only.compact()
    assert users.tolist() == [3]
    assert (objects % 2 == 1).all()
    assert small.object_ids[small.event_object].tolist() == only.object_ids[only.event_object].tolist()
    assert [small.tag_names[t] for t in small.tag_tag] == ["odd"] * len(objects)


@pytest.mark.parametrize("column", ["event_weight", "tag_weight", "feature_weight"])
def test_nan_is_refused(column: str) -> None:
    graph = checkerboard()
    graph = replace(
        graph,
        feature_names=("year",),
        feature_object=np.arange(24),
        feature_feature=np.zeros(24),
        feature_weight=np.ones(24),
    )
    values = getattr(graph, column).copy()
    values[5] = np.nan
    with pytest.raises(BadVectors, match=f"{column} is NaN or infinite in row 5"):
        replace(graph, **{column: values})


def test_columns_must_fit() -> None:
    graph = checkerboard()
    with pytest.raises(UsageError, match="event_ts has 1 rows"):
        replace(graph, event_ts=np.array([1]))
    with pytest.raises(UsageError, match="tag_tag points outside"):
        replace(graph, tag_tag=graph.tag_tag + 7)


def test_interactions_do_not_depend_on_order() -> None:
    graph = checkerboard()
    weights = np.random.default_rng(0).normal(size=graph.num_events).astype(np.float32)
    twice = replace(
        graph,
        event_user=np.tile(graph.event_user, 2),
        event_object=np.tile(graph.event_object, 2),
        event_type=np.tile(graph.event_type, 2),
        event_weight=np.concatenate([weights, weights[::-1]]),
        event_ts=np.concatenate([graph.event_ts, graph.event_ts + DAY]),
    )
    order = np.random.default_rng(1).permutation(twice.num_events)
    columns = ("event_user", "event_object", "event_type", "event_weight", "event_ts")
    shuffled = replace(twice, **{name: getattr(twice, name)[order] for name in columns})
    one, other = Interactions.of(twice), Interactions.of(shuffled)
    for name in ("user", "object", "channel", "strength", "ts"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    assert set(one.names) == {"liked+", "liked-"}


def test_recency_counts_from_the_users_own_latest_event() -> None:
    user, ts = np.array([0, 0, 1]), np.array([0, 30 * DAY, -1000 * DAY])
    assert recency(user, ts, 2, 30.0).tolist() == [0.5, 1.0, 1.0]
    assert recency(user, ts, 2, None).tolist() == [1.0, 1.0, 1.0]


def test_popularity_decays_to_the_newest_event() -> None:
    graph = checkerboard()
    one = replace(
        graph,
        event_user=[0, 1, 2],
        event_object=[4, 4, 5],
        event_type=[0, 0, 0],
        event_weight=[1.0, 1.0, -1.0],
        event_ts=[0, 30 * DAY, 60 * DAY],
    )
    columns = popularity_columns(one, (30.0, None))
    assert columns[4] == pytest.approx([np.log1p(0.25 + 0.5), np.log(3)])
    assert columns[5].tolist() == [0.0, 0.0]
