"""Files as people really send them: what is good comes through, the rest is named with line, field and reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from mapping_world import EVENTS, Result

from graphprofile.records import iso

HEADER = "u;o;t;v;p\n"
SEMICOLONS = '[source]\nseparator = ";"\n'


def load(tmp_path: Path, data: bytes | str, rules: str = "", source: str = "", name: str = "f.csv") -> Result:
    path = tmp_path / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return Result(path, SEMICOLONS + source + EVENTS + rules)


def properties(found: Result) -> list[str | None]:
    return [None if text is None else json.loads(text)["p"] for text in found.column("properties")]


def times(found: Result) -> list[str | None]:
    return [iso(ts) for ts in found.column("ts")]


def line(t: str = "2020-01-02", v: str = "1", p: str = "x", u: str = "ann") -> str:
    return f"{u};tea;{t};{v};{p}\n"


def test_a_declared_encoding_is_read_and_a_wrong_one_costs_its_lines(tmp_path: Path) -> None:
    data = (HEADER + line(p="Crème")).encode("cp1252") + line(p="plain").encode()
    assert properties(load(tmp_path, data, source='encoding = "cp1252"\n')) == ["Crème", "plain"]
    found = load(tmp_path, data)
    assert properties(found) == ["plain"]
    assert found.refused == [(2, "row", "is not UTF-8: save the file as UTF-8")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks(tmp_path: Path, encoding: str) -> None:
    found = load(tmp_path, (HEADER + line(p="é")).encode(encoding))
    assert properties(found) == ["é"]
    assert found.refused == []


def test_ragged_rows_embedded_newlines_and_long_lines(tmp_path: Path) -> None:
    data = HEADER + line(p='"two\nlines"') + "ann;tea\n" + line(p="y" * (2 << 20)) + line(p="last")
    found = load(tmp_path, data)
    assert properties(found) == ["two\nlines", "last"]
    assert [entry[:2] for entry in found.refused] == [(4, "row"), (5, "row")]
    assert "has 2 fields, the header has 5" in found.refused[0][2]
    assert "more than 1 MiB" in found.refused[1][2]


def test_two_time_formats_excel_days_and_epochs_in_one_column(tmp_path: Path) -> None:
    rules = '[columns.t]\nformats = ["%d/%m/%Y %H:%M", "iso", "excel"]\n'
    texts = ["31/12/2019 23:30", "2019-12-31T23:30:00+01:00", "43830.5", "2019", "12/31/2019 23:30", ""]
    found = load(
        tmp_path, HEADER + "".join(line(t=text) for text in texts), rules, 'time_zone = "Europe/Paris"\n'
    )
    assert times(found) == [
        "2019-12-31T22:30:00Z",
        "2019-12-31T22:30:00Z",
        "2019-12-31T11:00:00Z",
        "2018-12-31T23:00:00Z",
    ]
    assert found.column("ts_precision") == [None, None, None, "year"]
    assert [entry[:2] for entry in found.refused] == [(6, "t"), (7, "timestamp")]
    assert "written as %d/%m/%Y %H:%M or iso or excel" in found.refused[0][2]


@pytest.mark.parametrize("form", ["iso", "%Y-%m-%d %H:%M"])
@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("", ["2020-03-29T01:30:00Z", "2020-10-25T00:30:00Z"]),
        ('ambiguous = "latest"\n', ["2020-03-29T01:30:00Z", "2020-10-25T01:30:00Z"]),
        ('nonexistent = "reject"\n', [None, "2020-10-25T00:30:00Z"]),
        ('ambiguous = "reject"\n', ["2020-03-29T01:30:00Z", None]),
    ],
)
def test_times_that_do_not_exist_or_exist_twice(
    tmp_path: Path, form: str, policy: str, expected: list[str | None]
) -> None:
    data = (
        HEADER
        + line(t="2020-03-29 02:30", p="a")
        + line(t="2020-10-25 02:30", p="b")
        + line(t="2020-06-01 12:00")
    )
    rules = f'[columns.t]\nformats = ["{form}"]\n'
    found = load(tmp_path, data, rules, 'time_zone = "Europe/Paris"\n' + policy)
    assert times(found) == [*(time for time in expected if time), "2020-06-01T10:00:00Z"]
    reasons = [reason for _, _, reason in found.refused]
    assert len(reasons) == expected.count(None)
    if expected[0] is None:
        assert "does not exist in Europe/Paris" in reasons[0]
    if expected[1] is None:
        assert "comes twice in Europe/Paris" in reasons[0]


def test_decimal_commas_nulls_as_text_and_quoted_ids(tmp_path: Path) -> None:
    rules = '[columns."*"]\ntrim = true\nunquote = true\nmissing = ["NULL", "n/a", "-"]\n'
    data = (
        HEADER
        + line(v="1.234,56", u="'007'")
        + line(v="n/a", u='"=""007"""')
        + line(v="1.5", p="NULL")
        + line(u="NULL")
    )
    found = load(tmp_path, data, rules, 'decimal = ","\nthousands = "."\n')
    assert found.column("user_id") == ["007", "007"]
    assert found.column("value") == [1234.56, None]
    assert [entry[:2] for entry in found.refused] == [(4, "value"), (5, "user_id")]
    # What lies in quarantine is the row as it was written.
    assert found.rejected[0].row["p"] == "NULL"


def test_a_file_without_a_header(tmp_path: Path) -> None:
    found = load(tmp_path, line() + line(), source='columns = ["u", "o", "t", "v", "p"]\n')
    assert found.events.height == 2
    assert found.column("line") == [1, 2]


def test_nothing_good_is_lost_among_much_bad(tmp_path: Path) -> None:
    """Every line is either an event or in quarantine, under its own number."""
    kinds = [line, lambda: line(t="soon"), lambda: line(v="much"), lambda: "broken\n", lambda: line(u="")]
    data = HEADER + "".join(kinds[n % 5]() for n in range(500))
    found = load(tmp_path, data, '[columns.t]\nformats = ["%Y-%m-%d"]\n')
    assert found.events.height == 100
    assert sorted(found.column("line") + [entry[0] for entry in found.refused]) == list(range(2, 502))
    assert {entry[1] for entry in found.refused} == {"t", "value", "row", "user_id"}
