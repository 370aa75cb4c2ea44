"""The vocabulary: what is explicit and what implicit, scales of ratings, and the text a store keeps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from graphprofile.errors import ConfigError
from graphprofile.settings import resolve
from graphprofile.vocabulary import DEFAULT_EVENTS, EventRule, Vocabulary


def test_what_is_explicit_where_nothing_is_declared() -> None:
    explicit = {name for name, rule in DEFAULT_EVENTS.items() if rule.feedback == "explicit"}
    assert explicit == {"liked", "disliked", "rated", "reviewed"}
    assert EventRule(type="ANSWERED", value="rating").feedback == "explicit"
    assert EventRule(type="ANSWERED").feedback == "implicit"
    assert EventRule(type="LIKED", feedback="implicit").feedback == "implicit"
    assert EventRule(type="NODDED", feedback="explicit").feedback == "explicit"
    with pytest.raises(ValidationError, match="explicit"):
        EventRule.model_validate({"type": "NODDED", "feedback": "loud"})


def test_a_vocabulary_of_before_is_read_and_written_as_it_was() -> None:
    text = Vocabulary().to_json()
    assert "feedback" not in text
    assert Vocabulary.from_json(text) == Vocabulary()
    old = json.loads(text)["events"]["liked"]
    assert EventRule.model_validate(old).feedback == "explicit"
    # Files taken in whole, models and marks are known by it: it stays as it is while no rule changes.
    assert Vocabulary().fingerprint() == "31976fcf1ff4a719"


def test_what_is_declared_otherwise_is_kept_and_needs_nothing_computed() -> None:
    declared = Vocabulary(
        events={**DEFAULT_EVENTS, "answered": EventRule(type="ANSWERED", feedback="explicit")}
    )
    assert Vocabulary.from_json(declared.to_json()) == declared != Vocabulary()
    assert declared.changed_rules(Vocabulary()) == Vocabulary().changed_rules(declared) == []
    assert Vocabulary().with_feedback_of(declared) == declared
    assert declared.feedback_of["ANSWERED"] == "explicit"
    fewer = Vocabulary(events={"answered": declared.events["answered"]})
    assert Vocabulary().with_feedback_of(fewer) == declared


def test_a_scale_is_limits_and_a_middle() -> None:
    assert EventRule(type="ANSWERED", value="rating", scale=[1, 10]) == EventRule(
        type="ANSWERED", value="rating", minimum=1, maximum=10, neutral=5.5
    )
    assert EventRule(type="RATED", value="rating", scale=(1, 5), neutral=2).neutral == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"scale": [5, 1]}, "give its lowest and its highest value"),
        ({"scale": [1, 3, 5]}, "give its lowest and its highest value"),
        ({"scale": "1-5"}, "give its lowest and its highest value"),
        ({"scale": [1, True]}, "give its lowest and its highest value"),
        ({"scale": [1, float("inf")]}, "give its lowest and its highest value"),
        ({"scale": [1, 5], "value": "amount"}, "only a rating has a scale"),
        ({"scale": [1, 5], "minimum": 0}, "leave those out"),
        ({"scale": [1, 5], "neutral": 7}, "not on the scale of 1 to 5"),
    ],
)
def test_a_scale_that_cannot_be_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        EventRule.model_validate({"type": "RATED", "value": "rating", **given})


def test_a_file_declares_a_survey(tmp_path: Path) -> None:
    path = tmp_path / "graphprofile.toml"
    path.write_text(
        '[events.satisfaction]\ntype = "ANSWERED_SATISFACTION"\nvalue = "rating"\nscale = [0, 10]\n'
    )
    vocabulary = resolve(path).vocabulary
    assert vocabulary is not None
    rule = vocabulary.events["satisfaction"]
    assert (rule.minimum, rule.neutral, rule.maximum, rule.feedback) == (0, 5, 10, "explicit")
    path.write_text('[events.satisfaction]\ntype = "ANSWERED"\nvalue = "rating"\nscale = [10, 0]\n')
    with pytest.raises(ConfigError, match=r"events.satisfaction: .*give its lowest and its highest value"):
        resolve(path)
