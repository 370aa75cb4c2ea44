"""Why rows were refused, counted by reason."""

from __future__ import annotations

from graphprofile.ingest.reasons import SHOWN, Reasons
from graphprofile.records import Rejection


def refused(line: int, reason: str, field: str = "value") -> Rejection:
    return Rejection("a.csv", line, field, reason, {})


def test_reasons_that_differ_in_the_value_are_one() -> None:
    reasons = Reasons()
    reasons.add([refused(3, "'x' is no number"), refused(9, "is missing", "user_id")])
    reasons.add([refused(n, f"'y{n}' is no number") for n in range(10, 15)])
    first, second = reasons.most_common()
    assert (first.field, first.reason, first.rows, first.line) == ("value", "'x' is no number", 6, 3)
    assert (second.field, second.rows, second.source) == ("user_id", 1, "a.csv")


def test_many_reasons_take_no_more_memory() -> None:
    reasons = Reasons()
    letters = [f"{a}{b}{c}" for a in "abcdefghijklm" for b in "abcdefghijklm" for c in "abcdefghijklm"]
    reasons.add(refused(line, f"reason {text}") for line, text in enumerate(letters))
    shown = reasons.most_common()
    assert len(shown) == SHOWN
    assert (shown[0].reason, shown[0].rows) == ("other reasons", 13**3 - 1_000)
