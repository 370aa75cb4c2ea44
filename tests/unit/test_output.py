"""What a table shows of a value: for people, or so that it can be read back."""

from __future__ import annotations

import pytest

from graphprofile.cli.output import cell, print_table

VALUES = [1234.5, 0.1 + 0.2, 1704190000123, 1704190000123.0, 12345678.9, 3.0, 1e-9, 2**53 + 1, -0.0]


@pytest.mark.parametrize("value", VALUES)
def test_an_exact_number_can_be_read_back(value: float) -> None:
    assert type(value)(cell(value, exact=True)) == value
    assert cell([value, {"n": value}], exact=True) == f"{value!r}, n {value!r}"


def test_a_table_of_exact_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(["a", "b"], [(1234.5678, "x")], exact=True)
    assert "1234.5678" in capsys.readouterr().out
    print_table(["a", "b"], [(1234.5678, "x")])
    assert "1235" in capsys.readouterr().out
