"""Whatever the order and the split into batches: one digest, verified interests, on both engines alike."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any

import pytest
from conftest import empty
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from graphprofile import GraphProfile
from graphprofile.vocabulary import DEFAULT_EVENTS

from .conftest import event

USERS = st.sampled_from(["ann", "bob", "cyd", "Zoë"])
OBJECTS = st.sampled_from(["i1", "i2", "i3", "i4"])
TAGS = st.lists(st.sampled_from(["a", "b", "genre:a", "genre:c"]), unique=True, max_size=3)
TIMES = st.datetimes(datetime(1919, 1, 1), datetime(2023, 1, 1)).map(datetime.isoformat)
VALUES = st.one_of(st.none(), st.floats(0, 5, allow_nan=False))


@st.composite
def rows(draw: st.DrawFn) -> list[tuple[str, dict[str, Any]]]:
    """Events and descriptions without conflicts: (kind, row)."""
    found: list[tuple[str, dict[str, Any]]] = []
    for number in range(draw(st.integers(1, 12))):
        name = draw(st.sampled_from(sorted(DEFAULT_EVENTS)))
        value = draw(VALUES)
        if name == "rated" and value is None:
            value = 4.0
        found.append(
            (
                "events",
                event(f"e{number}", draw(USERS), draw(OBJECTS), kind=name, ts=draw(TIMES), value=value),
            )
        )
    for number in range(draw(st.integers(0, 5))):
        found.append(
            (
                "items",
                {
                    "item_id": draw(OBJECTS),
                    "title": draw(st.sampled_from(["x", "y"])),
                    "tags": draw(TAGS),
                    # Ties are part of it: the larger value wins.
                    "updated_at": draw(st.sampled_from([None, 1_000_000, 2_000_000 + number])),
                },
            )
        )
    for narrow, broad in draw(st.sets(st.sampled_from([("a", "b"), ("genre:a", "b"), ("b", "genre:c")]))):
        found.append(("tags", {"tag": narrow if ":" in narrow else f"tag:{narrow}", "part_of": broad}))
    return found


def replay(
    gp: GraphProfile, order: list[tuple[str, dict[str, Any]]], cuts: list[int], tags_between: bool
) -> str:
    empty(gp.store)
    gp = GraphProfile(gp.store, gp.settings)
    edges = [0, *sorted({cut % (len(order) + 1) for cut in cuts}), len(order)]
    for start, end in itertools.pairwise(edges):
        for kind in ("events", "items", "tags"):
            part = [row for k, row in order[start:end] if k == kind]
            if part:
                result = gp.load(part, kind=kind)  # type: ignore[arg-type]
                assert result.conflicts == result.quarantined == 0
        if tags_between:
            gp.update_tags()
    verified = gp.update_tags(verify=True).max_relative_error
    assert verified is not None
    assert verified <= 1e-9
    found = gp.digest()
    gp.update_tags(full=True)
    assert gp.digest() == found
    return found


@settings(
    max_examples=8,
    deadline=None,
    # Every try runs against real engines: a smaller counterexample is not worth the minutes.
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    data=st.data(),
    given_rows=rows(),
    cuts=st.lists(st.integers(0, 30), max_size=3),
    tags_between=st.booleans(),
)
def test_any_order_and_any_split_give_one_digest(
    gp: GraphProfile, data: st.DataObject, given_rows: list[Any], cuts: list[int], tags_between: bool
) -> None:
    expected = replay(gp, given_rows, [], False)
    shuffled = data.draw(st.permutations(given_rows))
    repeated = [*shuffled, *shuffled[: len(shuffled) // 2]]
    assert replay(gp, repeated, cuts, tags_between) == expected


@pytest.mark.neo4j
def test_the_digest_is_equal_on_both_engines(request: pytest.FixtureRequest, tmp_path: Any) -> None:
    from pydantic import SecretStr

    from graphprofile.sample_data import shakespeare_files
    from graphprofile.settings import Settings
    from graphprofile.store import Store

    server = request.getfixturevalue("neo4j_server")
    arcadedb = request.getfixturevalue("arcadedb")
    both = (
        Settings(
            uri=server.uri, user=server.user, password=SecretStr(server.password), data_dir=tmp_path / "n"
        ),
        Settings(data_dir=arcadedb),
    )
    digests, errors = set(), []
    for chosen in both:
        with Store.open(chosen) as store:
            empty(store)
            gp = GraphProfile(store, chosen)
            with shakespeare_files() as files:
                gp.load(files["events"], files["items"], files["users"], loader="shakespeare")
            errors.append(gp.update_tags(verify=True).max_relative_error)
            digests.add(gp.digest())
            empty(store)
    assert len(digests) == 1
    assert all(error is not None and error <= 1e-9 for error in errors)
