"""What a mapping makes of the first rows: said with the file's name, whole reasons and what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from graphprofile.cli.app import run

RULES = """
[events]
user_id = "user.id"
event_type = "did"
object_id = "what"
timestamp = "at"
value = "price"
"""


def test_columns_that_no_row_has_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows, rules = tmp_path / "log.jsonl", tmp_path / "log.toml"
    said = {"user": {"id": "u"}, "did": "zapped", "what": "w", "at": "2020-01-01", "prices": 1}
    rows.write_text(f"{json.dumps(said)}\n" * 3 + "no object\n", "utf-8")
    rules.write_text(RULES, "utf-8")
    assert run(["map", str(rows), "--check", str(rules)]) == 3
    told = capsys.readouterr().err
    assert "no row looked at has 'price' (did you mean 'prices'?), which the mapping names" in told
    # The help of a reason stands on lines of its own.
    assert "refused, 3: event_type: unknown event type 'zapped'" in told
    assert '[events.zapped]\n    type = "ZAPPED"' in told
    assert "refused, 1: row: is no JSON" in told
    rules.write_text(RULES.replace("user.id", "user.uid"), "utf-8")
    assert run(["map", str(rows), "--check", str(rules)]) == 3
    told = capsys.readouterr().err
    assert f"{rows}: none of the first 3 rows has 'user.uid' (did you mean 'user.id'?)" in told
    assert "Their columns: user.id, did, what, at, prices." in told


def test_a_file_lacks_a_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows, rules = tmp_path / "log.csv", tmp_path / "log.toml"
    rows.write_text("user,did,what,at,price\nu,viewed,w,2020-01-01,1704190000.123\n", "utf-8")
    rules.write_text(RULES, "utf-8")
    assert run(["map", str(rows), "--check", str(rules)]) == 3
    assert f"{rows}: there is no column 'user.id'" in capsys.readouterr().err
    rules.write_text(RULES.replace("user.id", "user"), "utf-8")
    assert run(["map", str(rows), "--check", str(rules)]) == 0
    assert "1704190000.123" in capsys.readouterr().err
