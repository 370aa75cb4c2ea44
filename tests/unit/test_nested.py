"""Objects inside rows: named by paths, in mapping files, by ``--map`` and in what ``map`` writes."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from mapping_world import Result

from graphprofile.errors import SourceError
from graphprofile.ingest.mapped.preview import draft_mapping
from graphprofile.ingest.mapping import Mapping
from graphprofile.ingest.nested import columns_of, reach
from graphprofile.ingest.rows import native_column
from graphprofile.vocabulary import Vocabulary

RULES = """
[columns."user.id"]
case = "lower"

[[skip]]
reason = "robots"
when = [{ column = "user.agent.name", equals = "bot" }]

[events]
user_id = "user.id"
event_type = { constant = "viewed" }
object_id = { template = "{thing.shelf}-{thing.sku}" }
timestamp = "at"
properties = { keep = ["user.agent.name"] }

[items]
item_id = { template = "{thing.shelf}-{thing.sku}" }
tags = [{ column = "thing.tags", kind = "topic" }]
"""


def thing(n: int, **more: Any) -> dict[str, Any]:
    user = {"id": f"U{n % 7}", "agent": {"name": "bot" if n % 5 == 0 else "fox"}}
    return {
        "user": user,
        "thing": {"shelf": "tea", "sku": n % 9, "tags": ["a", "b"]},
        "at": 1.6e9 + n,
        **more,
    }


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.mark.parametrize("chunk_rows", [1, 7, None])
def test_a_path_leads_into_objects(tmp_path: Path, chunk_rows: int | None) -> None:
    # An object that is absent, nothing, or no object costs its row and no other.
    rows = [
        *map(thing, range(40)),
        thing(1, user=None),
        thing(2, user="U3"),
        thing(3, thing={"shelf": "tea"}),
    ]
    found = Result(write(tmp_path / "log.jsonl", rows), RULES, chunk_rows)
    assert found.skipped == {"robots": 16}
    assert found.events.height == 32
    assert set(found.column("user_id")) == {f"u{n}" for n in range(7)}
    assert json.loads(found.column("properties")[0]) == {"user_agent_name": "fox"}
    refused = {(line, field) for line, field, _ in found.refused}
    assert refused == {(41, "user_id"), (42, "user_id"), (43, "object_id"), (43, "item_id")}
    assert found.described["tea-3"].tags == [("topic", "a", 1.0), ("topic", "b", 1.0)]


def test_parquet_and_dicts_are_read_alike(tmp_path: Path) -> None:
    rows = [thing(n) for n in range(40)]
    pl.DataFrame(rows).write_parquet(tmp_path / "log.parquet")
    lines = Result(write(tmp_path / "log.jsonl", rows), RULES)
    table = Result(tmp_path / "log.parquet", RULES)
    columns = ["user_id", "object_id", "ts", "properties", "hash"]
    assert table.events.select(columns).equals(lines.events.select(columns))
    events = RULES[: RULES.index("[items]")]
    assert Result(rows, events).events.select(columns).equals(lines.events.select(columns))


def test_a_column_of_the_name_comes_before_a_path() -> None:
    frame = pl.DataFrame([pl.Series("a.b", ["x"]), native_column("a", [{"b": "y", "c": {"d": 1}}])])
    for path, value in {"a.b": "x", "a.c.d": 1}.items():
        column = reach(frame, path)
        assert column is not None
        assert column.to_list() == [value]
    assert [reach(frame, path) for path in ("a.c.e", "a.z", "b.a", "a.b.c", ".", "a.")] == [None] * 6
    assert columns_of(frame) == ["a.b", "a.c.d"]


def test_a_column_whose_objects_have_names_with_points_stays_whole() -> None:
    frame = pl.DataFrame([native_column("a", [{"b.c": 1}, {"d": 2}]), native_column("e", [{}, None])])
    assert columns_of(frame) == ["a", "e"]


def test_map_takes_a_path_too(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", [thing(n) for n in range(10)])
    plain = {"user_id=user.id", "object_id=thing.sku", "timestamp=at", "event_type==viewed"}
    frame = pl.DataFrame([native_column("user", [{"id": "u1"}, {}]), pl.Series("at", [1, 2])])
    assert Mapping.parse(["user_id=user.id"]).apply(frame, "f", False)["user_id"].to_list() == ["u1", None]
    from graphprofile.ingest.loaders import find_loader
    from graphprofile.ingest.read import read_checked

    def loaded(texts: set[str]) -> int:
        chunks = read_checked(path, find_loader("generic"), "events", Mapping.parse(texts), Vocabulary())
        return sum(chunk.frame.height for chunk in chunks)  # type: ignore[union-attr]

    assert loaded(plain) == 10
    with pytest.raises(SourceError, match=r"there is no column 'user.idd' \(did you mean 'user.id'\?\)"):
        loaded(plain - {"user_id=user.id"} | {"user_id=user.idd"})


def test_a_first_mapping_names_paths(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", [thing(n) for n in range(40)])
    found = draft_mapping(path, Vocabulary())
    rules = tomllib.loads(found.text)
    assert rules["events"]["user_id"] == "user.id"
    assert rules["events"]["object_id"] == "thing.sku"
    assert rules["items"]["tags"] == [{"column": "thing.tags", "kind": "tags"}]
    assert {table.good for table in found.tables} == {32}
    assert all(not table.refused for table in found.tables)
    # What it wrote reads the file itself, objects and all.
    assert Result(path, found.text).events.height == 32


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([{"who": "a", "what": "b", "at": 1}], r"none of the first 1 rows has 'thing.shelf'"),
        (
            [thing(n, user={"idd": "u"}) for n in range(9)],
            r"has 'user.id' \(did you mean 'user.idd'\?\), which the",
        ),
    ],
)
def test_a_file_without_what_every_row_needs_is_refused(
    tmp_path: Path, rows: list[dict[str, Any]], told: str
) -> None:
    path = write(tmp_path / "log.jsonl", rows)
    anonymous = '[[skip]]\nreason = "anonymous"\nwhen = [{ column = "user.id", missing = true }]\n'
    for rules in (RULES, anonymous + RULES):
        with pytest.raises(SourceError, match=told):
            Result(path, rules)


def test_nobody_in_a_file_is_believed_where_a_rule_expects_it(tmp_path: Path) -> None:
    path = write(tmp_path / "log.jsonl", [thing(n, user={"agent": {"name": "fox"}}) for n in range(9)])
    rules = '[[skip]]\nreason = "anonymous"\nwhen = [{ column = "user.id", missing = true }]\n' + RULES
    events = rules[: rules.index("[items]")]
    assert Result(path, events).skipped == {"anonymous": 9}
    with pytest.raises(
        SourceError, match=r"none of the first 9 rows has 'user.id', which the mapping makes events"
    ):
        Result(path, RULES)
    # Rows that are all left out for another reason say nothing of the columns of the others.
    path = write(tmp_path / "bots.jsonl", [{"user": {"agent": {"name": "bot"}}} for _ in range(9)])
    assert Result(path, RULES).skipped == {"robots": 18}
