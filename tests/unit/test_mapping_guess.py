"""``map``: a first mapping of a file, its reasons and its doubts."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from graphprofile.cli.app import run
from graphprofile.errors import SourceError
from graphprofile.ingest.mapped.preview import Draft, draft_mapping
from graphprofile.vocabulary import Vocabulary


def drafted(path: Path) -> tuple[dict[str, Any], Draft]:
    found = draft_mapping(path, Vocabulary())
    return tomllib.loads(found.text), found


def shop(rows: int, date: str = "{day:02d}/{month:02d}/2020 10:30") -> str:
    lines = ["CustomerID;StockCode;Description;Category;Price;InvoiceDate;Status;E-mail"]
    for n in range(rows):
        when = date.format(day=n % 28 + 1, month=n % 12 + 1)
        lines.append(
            f"c{n % 20};s{n % 30};Thing {n % 30};A|B{n % 3};{n % 9 + 1},{n % 90 + 10};{when};buy;c{n}@x.org"
        )
    return "\n".join(lines) + "\n"


def test_a_shop_is_mapped_with_reasons_and_loads_at_once(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(shop(400), "utf-8")
    rules, found = drafted(path)
    assert rules["source"] == {
        "separator": ";",
        "decimal": ",",
        "time_zone": "UTC",
        "ambiguous": "earliest",
        "nonexistent": "shift",
    }
    events = rules["events"]
    assert (events["user_id"], events["object_id"], events["timestamp"]) == (
        "CustomerID",
        "StockCode",
        "InvoiceDate",
    )
    assert events["value"] == "Price"
    assert events["event_type"] == {"column": "Status", "map": {"buy": "purchased"}}
    assert rules["columns"]["InvoiceDate"]["formats"] == ["%d/%m/%Y %H:%M"]
    assert rules["items"]["title"] == "Description"
    assert rules["items"]["tags"] == [{"column": "Category", "kind": "category", "separator": "|"}]
    assert "not kept: E-mail, which may tell who somebody is" in found.text
    assert (
        'user_id = "CustomerID"   # its name is a person\'s; 20 different values, 100% present' in found.text
    )
    by_kind = {table.kind: table for table in found.tables}
    assert by_kind["events"].good == 400
    assert by_kind["events"].refused == by_kind["items"].refused == {}
    assert by_kind["events"].rows[0]["timestamp"] == "2020-01-01T10:30:00Z"


@pytest.mark.parametrize("both", [False, True])
def test_an_ambiguous_order_of_day_and_month_is_said_and_not_guessed(tmp_path: Path, both: bool) -> None:
    path = tmp_path / "orders.csv"
    text = shop(300, "{month:02d}/{month:02d}/2020 10:30")
    if both:
        text = text.replace("02/02/2020", "13/02/2020").replace("03/03/2020", "03/25/2020")
    path.write_text(text, "utf-8")
    rules, found = drafted(path)
    assert "formats" not in rules["columns"].get("InvoiceDate", {})
    assert any("day or month first?" in doubt for doubt in found.unsure)
    assert any(("prove both" in doubt) == both for doubt in found.unsure if "month first" in doubt)
    assert '# formats = ["%d/%m/%Y %H:%M"]   # day first' in found.text
    assert '# formats = ["%m/%d/%Y %H:%M"]   # month first' in found.text
    (events,) = (table for table in found.tables if table.kind == "events")
    assert events.good == 0


def test_a_month_first_file_is_known_by_a_day_above_twelve(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(shop(300, "{month}/{day}/2020 10:30"), "utf-8")
    assert drafted(path)[0]["columns"]["InvoiceDate"]["formats"] == ["%m/%d/%Y %H:%M"]


def test_ratings_epochs_and_no_word_for_what_happened(tmp_path: Path) -> None:
    path = tmp_path / "ratings.tsv"
    rows = "".join(f"{n % 9}\t{n % 40}\t{n % 5 + 1}\t{880000000 + n}\n" for n in range(200))
    path.write_text("user_id\tmovieId\trating\ttimestamp\n" + rows, "utf-8")
    rules, found = drafted(path)
    assert rules["events"]["event_type"] == {"constant": "rated"}
    assert rules["columns"]["timestamp"]["formats"] == ["epoch_s"]
    assert any("every row is taken for 'rated'" in doubt for doubt in found.unsure)
    assert found.tables[0].good == 200


def orders(columns: str, rows: int = 60) -> str:
    """Order lines: users have names, things have names, of which none is the other's."""
    said = {
        "order_id": lambda n: f"{n // 2}",
        "customer_id": lambda n: f"c{n % 7}",
        "customer_name": lambda n: f"Person {n % 7}",
        "Name": lambda n: f"Person {n % 7}",
        "customer_country": lambda n: "FR DE".split()[n % 7 % 2],
        "customer_mood": lambda n: f"m{n % 5}",
        "sku": lambda n: f"s{n % 11}",
        "product": lambda n: f"Thing {n % 11}",
        "Bezeichnung": lambda n: f"Thing {n % 11}",
        "price": lambda n: f"{n % 11 + 1}.50",
        "currency": lambda n: "EUR USD".split()[n % 2],
        "date": lambda n: f"2020-01-{n % 28 + 1:02d} 10:30",
    }
    names = columns.split(",")
    lines = [",".join(said[name](n) for name in names) for n in range(rows)]
    return "\n".join([columns, *lines]) + "\n"


@pytest.mark.parametrize(
    ("columns", "title", "of_users"),
    [
        ("order_id,customer_id,customer_name,sku,product,price,date", "product", ["customer_name"]),
        ("customer_id,Name,sku,Bezeichnung,price,date", "Bezeichnung", ["Name"]),
        ("sku,Bezeichnung,customer_id,Name,price,date", "Bezeichnung", ["Name"]),
        ("date,customer_id,customer_country,customer_mood,sku,price", None, ["customer_country"]),
    ],
)
def test_a_name_is_its_owners(tmp_path: Path, columns: str, title: str | None, of_users: list[str]) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(orders(columns), "utf-8")
    rules, found = drafted(path)
    assert rules.get("items", {}).get("title") == title
    assert rules["users"]["user_id"] == "customer_id"
    assert rules["users"]["properties"] == {"keep": of_users}
    assert not set(of_users) & set(rules["events"].get("properties", {}).get("keep", ()))
    assert all(table.good == 60 and not table.refused for table in found.tables)


def test_a_shop_in_german(tmp_path: Path) -> None:
    path = tmp_path / "bestellungen.csv"
    lines = [
        f"B{n};K{n % 4};Zoë {n % 4};A{n % 6};Tee {n % 6};Getränke;1.2{n % 90 + 10},50;{'EUR CHF'.split()[n % 2]};"
        f"{n % 28 + 1:02d}.03.2023 10:{n % 60:02d};{'retourniert' if n % 9 == 0 else 'bezahlt'}"
        for n in range(90)
    ]
    header = "Bestellnr;Kundennr;Kundenname;Artikelnr;Bezeichnung;Warengruppe;Einzelpreis;Währung;Bestelldatum;Status"
    path.write_bytes("\r\n".join([header, *lines]).encode("latin-1"))
    rules, found = drafted(path)
    events = rules["events"]
    assert (events["user_id"], events["object_id"], events["value"]) == (
        "Kundennr",
        "Artikelnr",
        "Einzelpreis",
    )
    assert events["event_type"]["map"] == {"bezahlt": "purchased", "retourniert": "returned"}
    assert rules["items"]["title"] == "Bezeichnung"
    assert rules["items"]["tags"] == [{"column": "Warengruppe", "kind": "warengruppe"}]
    assert rules["users"]["properties"] == {"keep": ["Kundenname"]}
    assert any("amounts in EUR, CHF (Währung)" in doubt for doubt in found.unsure)
    assert all(not table.refused for table in found.tables)


def test_a_word_for_the_thing_before_the_verb(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    words = ["lesson.completed", "quiz:answered", "page.zapped"]
    rows = [f"{n % 4},{n % 6},{words[n % 3]},2020-01-01" for n in range(30)]
    path.write_text("\n".join(["uid,item,action,at", *rows]), "utf-8")
    rules, _ = drafted(path)
    assert rules["events"]["event_type"]["map"] == {words[0]: "completed", words[1]: "answered"}


def test_of_one_row_for_each_the_nearer_id_owns_a_name(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text(
        "customer_id,Name,sku,Titel,date\nc1,Ann,s1,Tea,2020-01-01\nc2,Bo,s2,Mint,2020-01-02\n", "utf-8"
    )
    rules, _ = drafted(path)
    assert rules["items"]["title"] == "Titel"
    assert rules["users"]["properties"] == {"keep": ["Name"]}


def log(columns: str, rows: int = 60) -> str:
    lines = [
        {
            "student": f"u{n % 5}",
            "unit_code": f"l{n % 8}",
            "device": "web ios".split()[n % 2],
            "seconds": f"{n}",
        }
        | {name: f"2020-01-{n % 28 + 1:02d} 10:{n % 60:02d}" for name in ("at", "updated_at")}
        for n in range(rows)
    ]
    return (
        "\n".join([columns, *(",".join(line[name] for name in columns.split(",")) for line in lines)]) + "\n"
    )


def test_users_that_come_again_at_other_times_are_a_log(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    path.write_text(log("student,device,unit_code,at"), "utf-8")
    rules, found = drafted(path)
    assert rules["events"]["object_id"] == "unit_code"
    assert any("student comes again with other times" in doubt for doubt in found.unsure)
    assert found.tables[0].good == 60
    path.write_text(log("student,seconds,at"), "utf-8")
    rules, found = drafted(path)
    assert list(rules["users"]) == ["user_id", "updated_at", "properties"]
    assert any("write [events] with user_id" in doubt for doubt in found.unsure)
    # Versions of what is known of somebody are no log.
    path.write_text(log("student,unit_code,updated_at"), "utf-8")
    rules, found = drafted(path)
    assert list(rules) == ["source", "columns", "users"]
    assert found.unsure == []


def test_several_currencies_are_said_with_the_rule_that_makes_them_one(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    for column in ("currency", "paid_in"):
        path.write_text(orders("customer_id,sku,price,currency,date").replace("currency", column), "utf-8")
        _, found = drafted(path)
        assert any(f"amounts in EUR, USD ({column})" in doubt for doubt in found.unsure), column
        _, _, rest = found.text.partition("[columns.price]\n")
        rule = [
            line.removeprefix("# ") for line in rest.partition("\n\n")[0].splitlines() if line[:3] != "# L"
        ]
        text = "[columns.price]\n" + "\n".join(rule).replace("?", "0.91")
        assert tomllib.loads(text)["columns"]["price"]["convert"] == {
            "unit": column,
            "factors": [{"unit": "EUR", "factor": 1}, {"unit": "USD", "factor": 0.91}],
        }
    path.write_text(orders("customer_id,sku,price,currency,date").replace("USD", "EUR"), "utf-8")
    assert "amounts in" not in drafted(path)[1].text


def test_equal_rows_without_ids_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    whole = orders("customer_id,sku,price,date")
    path.write_text(whole + "".join(whole.splitlines(keepends=True)[1:4]), "utf-8")
    _, found = drafted(path)
    assert any(doubt.startswith("3 of 63 rows looked at are equal") for doubt in found.unsure)
    path.write_text(whole, "utf-8")
    assert not any("are equal" in doubt for doubt in drafted(path)[1].unsure)


def test_excel_days_nulls_and_quoted_ids(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    rows = [
        {
            "member": f"'{n % 7}'",
            "article": f"a{n % 11}",
            "date": 43800 + n / 8,
            "note": "NULL" if n % 2 else f"n{n}",
        }
        for n in range(120)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    rules, found = drafted(path)
    assert rules["columns"]["member"] == {"unquote": True}
    assert rules["columns"]["date"] == {"formats": ["excel"]}
    assert rules["columns"]["*"]["missing"] == ["", "NULL"]
    assert any("Excel" in doubt for doubt in found.unsure)
    assert found.tables[0].rows[0]["user_id"] == "0"
    assert found.tables[0].good == 120


def test_items_users_parquet_and_unknown_events(tmp_path: Path) -> None:
    things = {
        "sku": [f"s{n}" for n in range(50)],
        "name": [f"N {n}" for n in range(50)],
        "genre": ["x", "y"] * 25,
    }
    pl.DataFrame(things).write_parquet(tmp_path / "items.parquet")
    rules, _ = drafted(tmp_path / "items.parquet")
    assert rules["items"] == {
        "item_id": "sku",
        "title": "name",
        "tags": [{"column": "genre", "kind": "genre"}],
    }
    (tmp_path / "users.csv").write_text("customer_id,country\n1,FR\n2,DE\n", "utf-8")
    assert drafted(tmp_path / "users.csv")[0]["users"]["user_id"] == "customer_id"
    rows = "".join(f"{n},{n},{'view' if n % 2 else 'zap'},2020-01-01\n" for n in range(30))
    (tmp_path / "log.csv").write_text("uid,item,action,at\n" + rows, "utf-8")
    rules, found = drafted(tmp_path / "log.csv")
    assert rules["events"]["event_type"]["map"] == {"view": "viewed"}
    assert any("'zap'" in doubt for doubt in found.unsure)


def test_encodings_and_ragged_lines_are_said(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(shop(100).replace("Thing", "Crème").encode("cp1252") + b"broken\n")
    rules, found = drafted(path)
    assert rules["source"]["encoding"] == "cp1252"
    assert any("no UTF-8; cp1252" in doubt for doubt in found.unsure)
    assert any("1 lines seen are no rows" in doubt for doubt in found.unsure)
    mixed = shop(200).replace("Thing 1;", "Crème;").encode().replace(b"Thing 2;", b"Cr\xe8me;", 3)
    path.write_bytes(mixed)
    rules, found = drafted(path)
    assert "encoding" not in rules["source"]
    assert any("encodings are mixed" in doubt for doubt in found.unsure)


def test_a_large_file_is_looked_at_in_stretches(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    whole = shop(60_000)
    # What tells the order of day and month stands far behind the head.
    path.write_text(whole, "utf-8")
    _, found = drafted(path)
    assert 10_000 < found.sampled < 40_000
    assert "were looked at." in found.text
    assert found.tables[0].refused == {}


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_text("a,b\n", "utf-8")
    with pytest.raises(SourceError, match="holds no rows"):
        drafted(path)


def test_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("orders.csv").write_text(shop(50), "utf-8")
    assert run(["map", "orders.csv"]) == 0
    printed = capsys.readouterr()
    assert tomllib.loads(printed.out)["events"]["user_id"] == "CustomerID"
    assert "50 of the rows looked at can be used" in printed.err
    assert run(["map", "orders.csv", "--out", "shop.toml", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["mapping"] == Path("shop.toml").read_text("utf-8")
    assert document["tables"][0]["rows"][0]["type"] == "PURCHASED"
    assert run(["map", "orders.csv", "--out", "shop.toml"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert run(["map", "orders.csv", "--check", "shop.toml", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["tables"][0]["good"] == 50
    lost = document["mapping"].replace('timestamp = "', 'timestamp = "No')
    assert lost != document["mapping"]
    Path("shop.toml").write_text(lost, "utf-8")
    assert run(["map", "orders.csv", "--check", "shop.toml"]) == 3
    assert "No row looked at makes events" in capsys.readouterr().err
    Path("shop.toml").write_text(document["mapping"].replace("[items]", "[itemz]"), "utf-8")
    assert run(["map", "--check", "shop.toml"]) == 2
    assert "did you mean 'items'?" in capsys.readouterr().err
    assert run(["map"]) == 2
