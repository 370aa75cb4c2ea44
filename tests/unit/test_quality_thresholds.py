"""Thresholds of data quality: what may be said, and what is said of what may not."""

from __future__ import annotations

from typing import Any

import pytest
from mapping_world import EVENTS, rules_of

from graphprofile.errors import BatchRefused, ConfigError, UsageError
from graphprofile.ingest.quality.compare import drift
from graphprofile.ingest.quality.judge import judge, require
from graphprofile.ingest.quality.record import VERSION, Record
from graphprofile.ingest.quality.rehearse import require_twice
from graphprofile.ingest.quality.thresholds import Thresholds, thresholds_of


def record(**more: Any) -> Record:
    outcomes = {
        **{"read": 1_000, "applied": 900, "duplicates": 60, "conflicts": 10, "quarantined": 30, "late": 90},
        "replaced": 0,
    }
    said: dict[str, Any] = {
        **{
            "version": VERSION,
            "looked_at": 1_000,
            "unsent": 0,
            "watermark": 1,
            "oldest_ts": 1,
            "newest_ts": 2,
        },
        **{"outcomes": {"events": outcomes}, "in_columns": {"events": 1_000}},
        **{"filled": {"events": {"timestamp": 990, "value": 500}}, "uncounted_columns": {}, "flagged": {}},
        **{
            "refused": [],
            "skipped": {},
            "cleaned": {},
            "event_types": {"viewed": 970},
            "values": {16368: 500},
        },
        **{"low": 1.0, "high": 1.0, "lag": {}, "behind": 0, "future": 5, "hours_of_day": [970] + [0] * 23},
        **{"stretch_hours": 1, "volume": [(0, 970)], "distinct": {"users": 300, "objects": 5}},
    }
    return Record(**{**said, **more})


@pytest.mark.parametrize(
    ("declared", "wrong"),
    [
        ("max_quarantined = 5", r"quality.max_quarantined: should be less than or equal to 1"),
        ("max_late = -0.1", "quality.max_late: should be greater than or equal to 0"),
        ('max_late = "few"', "quality.max_late: should be a valid number"),
        ("max_late = nan", "quality.max_late: should be"),
        ("max_latte = 0.1", r"quality.max_latte: there is no such key \(did you mean 'max_late'\?\)"),
        ("min_rows = 5.5", "quality.min_rows: should be a valid integer"),
        ("min_rows = 9\nmax_rows = 5", "min_rows = 9 is above max_rows = 5"),
        ("min_completeness = { value = 2 }", "quality.min_completeness.value: should be less than"),
        (
            "max_drift = { hourz = 0.1 }",
            r"quality.max_drift.hourz: there is no such key \(did you mean 'hours'\?\)",
        ),
        ("max_drift = true", "quality.max_drift"),
    ],
)
def test_a_wrong_threshold_of_a_mapping_is_told_with_its_line(declared: str, wrong: str) -> None:
    with pytest.raises(ConfigError, match=r"shop.toml, line \d+: .*" + wrong):
        rules_of(f"[quality]\n{declared}\n{EVENTS}")


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ("max_late", "says no value"),
        ("max_late=", "says no value"),
        ("max_late=few", "'few' is no number"),
        ("max_late=2", "less than or equal to 1"),
        ("max_latte=0.1", r"no threshold 'max_latte' \(did you mean 'max_late'\?\)"),
        ("max_drift.hourz=0.1", r"no such distribution \(did you mean 'hours'\?\)"),
        ("min_completeness=0.9", "min_completeness: .*dictionary"),
        ("nonsense", "no threshold 'nonsense'"),
        ("max_late=nan", "max_late"),
    ],
)
def test_a_wrong_threshold_of_the_command_line_is_told(given: str, wrong: str) -> None:
    with pytest.raises(UsageError, match=wrong):
        thresholds_of(None, [given])


def test_what_is_given_stands_in_the_place_of_what_the_mapping_says() -> None:
    declared = rules_of(
        f"[quality]\nmax_late = 0.1\nmin_completeness = {{ v = 0.5, u = 1 }}\n{EVENTS}"
    ).quality
    assert declared is not None
    found = thresholds_of(declared, ["max_late=0.3", "min_completeness.v=0.2", "max_drift=0.2"])
    assert found is not None
    assert found.limits() == {
        **{"min_completeness.v": 0.2, "min_completeness.u": 1.0, "max_late": 0.3},
        **{"max_drift.event_types": 0.2, "max_drift.value": 0.2, "max_drift.hours": 0.2},
    }
    assert thresholds_of(declared, "none") is None
    only = thresholds_of(declared, ["none", "min_rows=3"])
    assert only is not None
    assert only.limits() == {"min_rows": 3}
    same = thresholds_of(None, {"min_completeness": {"v": 0.2}, "max_drift": {"hours": 1}})
    assert same is not None
    assert same.limits() == {"min_completeness.v": 0.2, "max_drift.hours": 1.0}


def test_thresholds_make_no_other_mapping() -> None:
    plain, strict = rules_of(EVENTS), rules_of(f"[quality]\nmax_late = 0.1\n{EVENTS}")
    assert plain.fingerprint() == strict.fingerprint()
    assert plain.to_json() == strict.to_json()


@pytest.mark.parametrize(
    ("name", "met", "not_met"),
    [
        ("min_rows", 1_000, 1_001),
        ("max_rows", 1_000, 999),
        ("max_quarantined", 0.03, 0.029),
        ("max_duplicates", 0.06, 0.05),
        ("max_conflicts", 0.01, 0.009),
        ("max_late", 0.1, 0.09),
        ("max_future", 0.005, 0.004),
        ("min_completeness.timestamp", 0.99, 0.991),
        ("min_completeness.value", 0.5, 0.6),
    ],
)
def test_each_threshold_has_its_figure(name: str, met: float, not_met: float) -> None:
    for limit, passed in ((met, True), (not_met, False)):
        thresholds = thresholds_of(None, [f"{name}={limit}"])
        assert thresholds is not None
        (found,) = judge(thresholds, record())
        assert found.passed is passed, found
        if not passed:
            with pytest.raises(BatchRefused, match=name) as refused:
                require([found])
            # What the hint says lets it through.
            let = str(refused.value.hint).split("--fail-on ")[1].split(",")[0]
            again = thresholds_of(None, [let])
            assert again is not None
            assert judge(again, record())[0].passed


def test_a_field_that_no_row_has_fails_and_is_named() -> None:
    (found,) = judge(Thresholds(min_completeness={"valeu": 0.1}), record())
    assert (found.figure, found.passed) == (0.0, False)
    assert "did you mean 'value'" in found.detail
    nothing = record(in_columns={}, filled={}, outcomes={}, looked_at=0, unsent=50)
    strict = Thresholds(min_completeness={"value": 1}, max_late=0, max_quarantined=0, min_rows=50)
    assert all(one.passed for one in judge(strict, nothing)), "files seen before are no reason to stop"


def test_drift_stops_where_it_is_more_than_chance() -> None:
    same = record()
    moved = record(event_types={"viewed": 100, "purchased": 870}, hours_of_day=[0] * 23 + [970])
    limits = Thresholds.model_validate({"max_drift": 0.25})
    assert all(one.passed for one in judge(limits, same, [record(), record()]))
    wrong = {one.name for one in judge(limits, moved, [same]) if not one.passed}
    assert wrong == {"max_drift.event_types", "max_drift.hours"}
    assert drift(moved, [same])["event_types"]["band"] == "large"
    few = record(event_types={"purchased": 20}, distinct={"users": 2})
    assert judge(limits, few, [same])[0].figure is None
    one_user = record(event_types={"viewed": 60, "purchased": 60}, distinct={"users": 1})
    assert judge(limits, one_user, [same])[0].passed, "one user's habits are no drift"
    assert all(one.passed for one in judge(limits, moved)), "a first batch has nothing to be compared with"


def test_what_is_read_once_is_refused_with_what_to_do() -> None:
    require_twice([[{"user_id": "u"}]])
    with pytest.raises(UsageError, match="can be read only once") as refused:
        require_twice([iter([])])
    assert "--fail-on none" in str(refused.value.hint)
