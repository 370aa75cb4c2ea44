"""Loading by a mapping file on both engines: what arrives, what is seen before, what is mended."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from graphprofile import GraphProfile
from graphprofile.cli import loading
from graphprofile.errors import ConfigError, SourceError

from .conftest import Wipe

RULES = """
[source]
decimal = ","
time_zone = "Europe/Paris"
[columns.who]
trim = true
case = "lower"
keep_original = true
[columns.when]
formats = ["%d/%m/%Y %H:%M"]
[[skip]]
reason = "robots"
when = [{ column = "who", starts_with = "bot" }]
[events]
user_id = "who"
event_type = { column = "state", map = { paid = "purchased", back = "returned" } }
object_id = "what"
timestamp = "when"
value = "price"
event_id = { key = ["line"], group = ["order"] }
[items]
item_id = "what"
title = "name"
tags = [{ column = "groups", kind = "group", separator = "|" }]
[users]
user_id = "who"
"""
ROWS = """order;line;who;what;name;groups;price;when;state
1;1;Ann ;t1;Tea;Drinks|Hot;2,50;24/12/2020 10:00;paid
1;2;ann;c1;Cup;;3,00;24/12/2020 10:01;paid
2;1;bob;c1;Cup;;3,00;25/12/2020 10:02;back
2;2;bob;c1;Cup;;much;25/12/2020 10:03;paid
3;1;bot7;c1;Cup;;1,00;25/12/2020 10:04;paid
"""


@pytest.fixture
def shop(tmp_path: Path) -> tuple[Path, Path]:
    rows, rules = tmp_path / "orders.csv", tmp_path / "shop.toml"
    rows.write_text(ROWS, "utf-8")
    rules.write_text(RULES, "utf-8")
    return rows, rules


def test_orders_become_events_items_and_users(gp: GraphProfile, shop: tuple[Path, Path]) -> None:
    rows, rules = shop
    result = gp.load(rows, mapping=rules)
    assert (result.read, result.applied, result.quarantined) == (12, 7, 1)
    assert result.skipped == {"robots": 3}
    assert result.cleaned == {
        **{"events.who.case": 1, "events.who.trim": 1},
        **{"users.who.case": 1, "users.who.trim": 1},
    }
    found = gp.cypher(
        "MATCH (u:User)-[e]->(i:Item) WHERE e.event_id IS NOT NULL "
        "RETURN u.id AS user, type(e) AS type, i.title AS item, e.value AS value, e.ts AS ts ORDER BY ts"
    )
    assert [(row["user"], row["type"], row["item"], row["value"]) for row in found] == [
        ("ann", "PURCHASED", "Tea", 2.5),
        ("ann", "PURCHASED", "Cup", 3.0),
        ("bob", "RETURNED", "Cup", 3.0),
    ]
    assert found[0]["ts"] == 1_608_800_400_000
    tags = gp.cypher(
        "MATCH (:Item {id: 't1'})-[:HAS_TAG]->(t:Tag) RETURN t.kind AS kind, t.name AS name ORDER BY name"
    )
    assert [(row["kind"], row["name"]) for row in tags] == [("group", "Drinks"), ("group", "Hot")]


def test_the_same_mapping_has_seen_the_file_and_another_one_has_not(
    gp: GraphProfile, shop: tuple[Path, Path]
) -> None:
    rows, rules = shop
    rows.write_text(ROWS.replace("much", "4,00"), "utf-8")
    first = gp.load(rows, mapping=rules)
    assert first.quarantined == 0
    again = gp.load(rows, mapping=str(rules))
    assert (again.applied, again.unsent) == (0, first.read)
    rules.write_text("# A remark\n" + RULES, "utf-8")
    assert gp.load(rows, mapping=rules).unsent == first.read
    rules.write_text(RULES.replace('title = "name"', 'title = "groups"'), "utf-8")
    other = gp.load(rows, mapping=rules)
    assert (other.unsent, other.read) == (0, first.read)
    # Nothing about the events is new.
    assert other.duplicates >= 4


def test_refused_rows_are_mended_without_the_mapping_file(gp: GraphProfile, shop: tuple[Path, Path]) -> None:
    rows, rules = shop
    result = gp.load(rows, mapping=rules)
    rules.unlink()
    path = Path(str(result.quarantine_file))
    entry = json.loads(path.read_text("utf-8"))
    assert (entry["line"], entry["field"]) == (5, "value")
    assert entry["reason"] == "'much' is no number written with ','"
    assert entry["loader"].startswith("mapping:")
    entry["row"]["price"] = "4,00"
    path.write_text(json.dumps(entry) + "\n", "utf-8")
    (retried,) = gp.retry_quarantine()
    assert (retried.applied, retried.quarantined) == (1, 0)
    assert gp.cypher("MATCH ()-[e:PURCHASED {value: 4.0}]->() RETURN count(e) AS n")[0]["n"] == 1


def test_a_mapping_that_is_gone_from_the_quarantine_is_named(
    gp: GraphProfile, shop: tuple[Path, Path]
) -> None:
    gp.load(shop[0], mapping=shop[1])
    for kept in (gp.settings.data_dir / "quarantine").glob("*.mapping"):
        kept.unlink()
    with pytest.raises(SourceError, match="the mapping that the refused rows came by"):
        gp.retry_quarantine()


def test_a_wrong_mapping_writes_nothing(gp: GraphProfile, shop: tuple[Path, Path]) -> None:
    rows, rules = shop
    rules.write_text(RULES.replace("user_id", "usr_id"), "utf-8")
    with pytest.raises(ConfigError, match=r"shop.toml, line \d+: events.usr_id: .*did you mean 'user_id'"):
        gp.load(rows, mapping=rules)
    rules.write_text(RULES.replace('"price"', '"prise"'), "utf-8")
    with pytest.raises(SourceError, match=r"no column 'prise' \(did you mean 'price'\?\)"):
        gp.load(rows, kind="events", mapping=rules)


def test_a_folder_is_watched_with_a_mapping(
    gp: GraphProfile, shop: tuple[Path, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "incoming"
    folder.mkdir()
    (folder / "orders.csv").write_text(ROWS, "utf-8")
    stop = threading.Event()
    states = []
    for arrival in gp.watch(folder, mapping=shop[1], settle_seconds=0.0, stop=stop):
        states.append((arrival.state, arrival.result.applied if arrival.result else None))
        stop.set()
    assert states == [("loaded", 7)]


def test_in_bulk_it_is_the_same_graph(
    gp: GraphProfile, shop: tuple[Path, Path], wipe: Wipe, tmp_path: Path
) -> None:
    gp.load(shop[0], mapping=shop[1])
    if gp.store.engine != "neo4j":
        bulk = GraphProfile.load_bulk(shop[0], mapping=shop[1], settings={"data_dir": tmp_path / "bulk"})
        assert (bulk.applied, bulk.quarantined, bulk.skipped) == (7, 1, {"robots": 3})
        assert bulk.cleaned["users.who.trim"] == 1
        with GraphProfile.open(data_dir=tmp_path / "bulk") as other:
            assert other.digest() == gp.digest()


def test_what_was_cleaned_and_left_out_is_printed(
    gp: GraphProfile, shop: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    loading.show_load(gp.load(shop[0], mapping=shop[1]))
    told = capsys.readouterr().err
    assert "Left out: 3 rows, robots" in told
    assert "Cleaned: 1 values by events.who.trim" in told


def test_what_is_flagged_depends_on_the_file_and_the_digest_does_not(
    gp: GraphProfile, wipe: Wipe, tmp_path: Path
) -> None:
    rules, header = tmp_path / "rules.toml", "id,who,what,price,when\n"
    rules.write_text(
        '[columns.price]\noutliers = { method = "mad" }\n[events]\nuser_id = "who"\nobject_id = "what"\n'
        'event_type = { constant = "purchased" }\ntimestamp = "when"\nvalue = "price"\nevent_id = "id"\n',
        "utf-8",
    )
    rows = [f"e{n},u{n % 5},t{n % 3},{10 + n % 7},2020-01-{n % 28 + 1:02d}\n" for n in range(60)]
    odd = "odd,u1,t1,5000,2020-02-01\n"
    whole, first, second = (tmp_path / f"{name}.csv" for name in ("whole", "first", "second"))
    whole.write_text(header + "".join(rows) + odd, "utf-8")
    first.write_text(header + "".join(rows), "utf-8")
    second.write_text(header + odd, "utf-8")
    flagged = "MATCH ()-[e:PURCHASED]->() WHERE e.flags IS NOT NULL RETURN e.event_id AS id, e.flags AS flags"
    gp.load(whole, mapping=rules)
    assert gp.cypher(flagged) == [{"id": "odd", "flags": ["outlier: price"]}]
    gp.update_tags()
    together = gp.digest()
    apart = wipe(gp)
    apart.load(second, mapping=rules)
    apart.load(first, mapping=rules)
    assert apart.cypher(flagged) == []
    apart.update_tags()
    assert apart.digest() == together
