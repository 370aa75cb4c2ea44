from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse as sp
from small_graphs import SMALL, checkerboard

from graphprofile.graphsage.config import Choices
from graphprofile.graphsage.data import TrainingGraph
from graphprofile.graphsage.describe import Foretold, learn
from graphprofile.graphsage.registry import Registry
from graphprofile.graphsage.train import fit

RNG = np.random.default_rng(0)
NO_TEXT = np.zeros((0, 0), dtype=np.float32)


def described(objects: int, names: int) -> sp.csr_matrix:
    return sp.csr_matrix((RNG.random((objects, names)) < 0.3).astype(np.float32))


def test_what_names_add_is_found_again() -> None:
    tags, features = described(400, 6), described(400, 4)
    truth = [RNG.normal(size=(6, 3)), RNG.normal(size=(4, 3))]
    vectors = (tags @ truth[0] + features @ truth[1] + 0.5).astype(np.float32)
    popularity = (tags @ np.arange(6)).astype(np.float32)
    found = learn([tags, features], vectors, popularity, np.full(400, 50), seed=0)
    rows, known = found.rows([tags, features], NO_TEXT)
    assert rows[known, :3] == pytest.approx(vectors[known], abs=0.05)
    assert rows[known, 3] == pytest.approx(popularity[known], abs=0.1)
    assert not rows[~known].any()


def test_objects_without_events_teach_popularity_and_no_taste() -> None:
    tags = sp.csr_matrix(np.ones((100, 1), dtype=np.float32))
    events = np.repeat([9, 0], 50)
    vectors = np.where(events[:, None] > 0, [[1.0, 0.0]], [[0.0, 0.0]]).astype(np.float32)
    rows, _ = learn([tags], vectors, events.astype(np.float32), events, seed=0).rows([tags], NO_TEXT)
    assert rows[0] == pytest.approx([1.0, 0.0, 4.5], abs=1e-3)


def test_texts_are_learnt_from_where_they_say_something() -> None:
    tags, text = described(500, 4), RNG.normal(size=(500, 8)).astype(np.float32)
    text /= np.linalg.norm(text, axis=1, keepdims=True)
    text[::5] = 0
    truth = RNG.normal(size=(8, 3))
    vectors = (text @ truth).astype(np.float32)
    events, popularity = np.full(500, 50), np.zeros(500, dtype=np.float32)
    found = learn([tags], vectors, popularity, events, seed=0, text=text, encoder="some")
    assert found.encoder == "some"
    rows, known = found.rows([tags], text)
    assert known[text.any(axis=1)].all()
    assert rows[known, :3] == pytest.approx(vectors[known], abs=0.1)
    # An object without any text is its tags.
    bare, _ = found.rows([tags], NO_TEXT)
    assert np.abs(bare[:, :3]).max() < 0.2

    noise = RNG.normal(size=vectors.shape).astype(np.float32)
    left_out = learn([tags], noise, popularity, events, seed=0, text=text, encoder="some")
    assert (left_out.encoder, len(left_out.text)) == ("", 0)
    again, _ = left_out.rows([tags], text)
    assert np.array_equal(again, learn([tags], noise, popularity, events, seed=0).rows([tags], NO_TEXT)[0])


def test_nothing_to_learn_from() -> None:
    none = sp.csr_matrix((5, 2), dtype=np.float32)
    found = learn([none], np.ones((5, 3), dtype=np.float32), np.ones(5, dtype=np.float32), np.ones(5), seed=0)
    rows, known = found.rows([none], NO_TEXT)
    assert not rows.any()
    assert not known.any()


def test_a_version_without_it_uses_the_learned_names(tmp_path: Path) -> None:
    model = fit(checkerboard(), SMALL, choices=Choices(epochs=2))
    assert isinstance(model.foretold, Foretold)
    new = TrainingGraph(
        user_ids=np.empty(0, dtype=object),
        object_ids=np.array(["new"], dtype=object),
        tag_names=("odd",),
        tag_object=[0],
        tag_tag=[0],
        tag_weight=[1.0],
    )
    registry = Registry(tmp_path)
    kept = registry.load(registry.save(model))
    before = registry.load(registry.save(replace(model, foretold=None)))
    assert before.foretold is None
    assert np.array_equal(kept.fold_in(new).targets, model.fold_in(new).targets)
    odd = model.targets[1::2].mean(axis=0) - model.targets[::2].mean(axis=0)
    for version in (kept, before):
        folded = version.fold_in(new)
        assert folded.known.tolist() == [True]
        assert folded.targets[0] @ odd > 0
    assert before.fold_in(new).popularity[0] == pytest.approx(-model.popularity_mean)
