"""What answers say on a scale."""

from __future__ import annotations

import pytest
from graphprofile.loaders.answers import declared_scale, word_value


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (
            ["Strongly disagree", "Disagree", "Neither agree nor disagree", "Agree", "Strongly agree"],
            [1, 2, 3, 4, 5],
        ),
        (["Somewhat disagree", "Slightly agree", "Agree somewhat", "tend to agree"], [2.5, 3.5, 3.5, 4]),
        (["Very dissatisfied", "Dissatisfied", "Neutral", "Satisfied", "Very satisfied"], [1, 2, 3, 4, 5]),
        (["Not at all satisfied", "Not so satisfied", "Somewhat satisfied"], [1, 2, 3.5]),
        (["Never", "Rarely", "Sometimes", "Often", "Always"], [1, 2, 3, 4, 5]),
        (["Very poor", "Poor", "Fair", "Good", "Very good", "Excellent"], [1, 2, 3, 4, 4.5, 5]),
        (["Extremely unlikely", "Not at all likely", "unlikely", "Likely.", "Very  likely"], [1, 1, 2, 4, 5]),
        (["Not important", "Slightly important", "Important", "Very important"], [1, 2, 4, 5]),
        (["5 - Strongly agree", "(1) never", "Strongly agree (5)", "1 = Very poor"], [5, None, 5, 1]),
        (
            ["yes", "", "I agree with my friends", "likely not", "neither this nor that", "very", "not blue"],
            [None] * 7,
        ),
    ],
)
def test_words_have_their_places(words: list[str], values: list[float | None]) -> None:
    assert [word_value(word) for word in words] == values


@pytest.mark.parametrize(
    ("question", "scale"),
    [
        ("How was it? (1-5)", (1, 5)),
        ("How was it? [0 – 10]", (0, 10)),
        ("On a scale of 1 to 7, how was it?", (1, 7)),
        ("Rate it from 0 to 100", (0, 100)),
        ("How was it? 1 = terrible, 5 = great", (1, 5)),
        ("How likely is it that you would recommend us to a friend?", (0, 10)),
        ("How likely are you to recommend us? (1-5)", (1, 5)),
        ("How many of the 10 did you like?", None),
        ("Which floor (1-3)?", None),
        ("In 2010-2020, where were you?", None),
        ("How likely is rain?", None),
    ],
)
def test_scales_are_declared_by_the_question(question: str, scale: tuple[int, int] | None) -> None:
    assert declared_scale(question) == scale
