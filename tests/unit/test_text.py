from __future__ import annotations

import importlib.util
import logging
from typing import Any

import numpy as np
import pytest

from graphprofile import text
from graphprofile.errors import ModelError
from graphprofile.export import Descriptions
from graphprofile.tags import Hierarchy

TEXTS = ["A voyage to the South Sea", "", "The steam engine: a manual", "Sailing round the Horn", "海"]


def the_encoder() -> text.Encoder:
    found = text.encoder()
    assert found is not None
    return found


def test_a_vector_depends_on_its_text_alone() -> None:
    together = the_encoder().encode(TEXTS)
    assert together.shape == (len(TEXTS), text.DIMENSIONS)
    for row, one in zip(together, TEXTS, strict=True):
        assert np.array_equal(the_encoder().encode([one])[0], row)
    assert np.linalg.norm(together, axis=1) == pytest.approx([1, 0, 1, 1, 1], abs=1e-6)


def test_texts_about_the_same_thing_are_near() -> None:
    voyage, _, engine, horn, _ = the_encoder().encode(TEXTS)
    assert voyage @ horn > voyage @ engine


def test_reading_the_encoder_leaves_the_logging_of_the_program_alone() -> None:
    root = logging.getLogger()
    before = list(root.handlers), root.level
    text.Encoder()
    assert (list(root.handlers), root.level) == before


def test_what_is_read_of_an_object() -> None:
    properties = {
        "url": "https://example.org",
        "text": " Long. ",
        "title": "Short",
        "notes": 3,
        "description": "",
    }
    assert text.text_of(properties) == "Short\nLong."
    assert len(text.text_of({"text": "word " * text.LONGEST})) <= text.LONGEST
    assert text.text_of({"author": "Woolf"}) == ""


def titled(encoder: str | None) -> dict[str, Any]:
    descriptions = Descriptions(Hierarchy(()), encoder)
    for index in range(text.DIMENSIONS):
        descriptions.add(index, [], {"title": f"Volume {index}"} if index % 2 else {})
    return descriptions.columns(text.DIMENSIONS)


def test_texts_of_many_objects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graphprofile.export.TEXTS_AT_ONCE", 5)
    found = titled(None)
    assert found["text_encoder"] == the_encoder().name
    assert found["text"].any(axis=1).tolist() == [bool(index % 2) for index in range(text.DIMENSIONS)]
    assert "text" not in titled("")


def test_without_the_package_texts_are_not_read_and_a_model_that_read_them_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = the_encoder().name
    with pytest.raises(ModelError, match="another"):
        titled("another")
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda what: None if what == "wordllama" else find(what))
    text.encoder.cache_clear()
    try:
        assert text.encoder() is None
        assert "text" not in titled(None)
        with pytest.raises(ModelError, match="installed is none") as raised:
            titled(name)
        assert "graphprofile[text]" in str(raised.value.hint)
    finally:
        text.encoder.cache_clear()
