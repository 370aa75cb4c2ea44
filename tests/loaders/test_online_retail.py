"""Order lines of the online shop: a few rows for every decision, and the real file where it lies."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import polars as pl
import pytest
from conftest import empty
from graphprofile.loaders.online_retail import (
    NO_CUSTOMER,
    NO_DESCRIPTION,
    NO_PRODUCT,
    STOCK_NOTE,
    OnlineRetailLoader,
)
from graphprofile.loaders.words import singular, tags_of

from graphprofile import GraphProfile
from graphprofile.errors import SourceError
from graphprofile.ingest.loaders import find_loader
from graphprofile.ingest.mapping import Mapping
from graphprofile.ingest.read import expand_paths, read_checked
from graphprofile.settings import Settings
from graphprofile.store import Store
from graphprofile.testing import Loaded, LoaderContract
from graphprofile.vocabulary import Vocabulary

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
LANTERN = "536365,71053,WHITE METAL LANTERN,6,2010-12-01 08:26:00,3.39,17850.0,United Kingdom"
BACK = "C536391,22556,PLASTERS IN TIN CIRCUS PARADE ,-12,2010-12-01 10:24:00,1.65,17548.0,United Kingdom"


def read(path: Path) -> Loaded:
    return Loaded.of(OnlineRetailLoader(), expand_paths([path]))


class TestContract(LoaderContract):
    loader = OnlineRetailLoader
    files = {
        "lines.csv": HEADER
        + "".join(
            f"{line}\n"
            for line in (
                LANTERN,
                LANTERN,
                BACK,
                LANTERN.replace("71053", "POST"),
                LANTERN.replace("17850.0", ""),
                LANTERN.replace("536365", "536366").replace(",6,", ",six,"),
                "581216,71053,thrown away,-9,2011-12-09 08:00:00,0.0,,United Kingdom",
            )
        )
    }
    good = {"events": 3, "items": 2, "users": 2}
    refused = [("events", "lines.csv", 7, "Quantity")]
    skipped = {
        "events": {STOCK_NOTE: 1, NO_CUSTOMER: 1, NO_PRODUCT: 1},
        "items": {STOCK_NOTE: 1, NO_PRODUCT: 1},
        "users": {STOCK_NOTE: 1, NO_CUSTOMER: 1},
    }
    earliest, latest = "2010-12-01", "2011-12-10"


def write(path: Path, *lines: str) -> Path:
    path.write_text(HEADER + "".join(f"{line}\n" for line in lines))
    return path


def load(folder: Path, *lines: str) -> Loaded:
    return read(write(folder / "lines.csv", *lines))


def test_a_line_is_a_purchase_a_product_and_a_customer(tmp_path: Path) -> None:
    found = load(tmp_path, LANTERN)
    (event,), (item,), (user,) = found.rows["events"], found.rows["items"], found.rows["users"]
    names = ("type", "user_id", "object_id", "object_kind", "ts", "value", "properties")
    assert tuple(event[name] for name in names) == (
        *("PURCHASED", "17850", "71053", "item", 1_291_191_960_000, 20.34),
        '{"invoice":"536365","quantity":6,"unit_price":3.39}',
    )
    assert (item.id, item.properties, item.updated_at) == (
        *("71053", {"title": "WHITE METAL LANTERN"}, 1_291_191_960_000),
    )
    assert item.tags == [("colour", "white", 1.0), ("word", "metal", 1.0), ("word", "lantern", 1.0)]
    assert (user.id, user.properties, user.updated_at) == (
        *("17850", {"country": "United Kingdom"}, 1_291_191_960_000),
    )


def test_a_cancellation_is_a_return_of_the_same_amount(tmp_path: Path) -> None:
    (event,) = load(tmp_path, BACK).rows["events"]
    assert (event["type"], event["value"], event["properties"]) == (
        *("RETURNED", 19.8),
        '{"invoice":"C536391","quantity":12,"unit_price":1.65}',
    )
    (small,) = load(tmp_path, BACK.replace("C536391", "c536391")).rows["events"]
    assert small["type"] == "RETURNED"


def test_the_shop_keeps_british_time(tmp_path: Path) -> None:
    (event,) = load(tmp_path, LANTERN.replace("2010-12-01 08:26:00", "2011-07-01 09:26")).rows["events"]
    assert event["ts"] == 1_309_508_760_000  # 08:26 UTC


def test_lines_without_a_customer_are_nobodys_events_and_describe_their_products(tmp_path: Path) -> None:
    found = load(tmp_path, LANTERN, LANTERN.replace("17850.0", "").replace("71053", "71054"))
    assert (len(found.rows["events"]), found.skipped["events"]) == (1, {NO_CUSTOMER: 1})
    assert ([row.id for row in found.rows["users"]], found.skipped["users"]) == (["17850"], {NO_CUSTOMER: 1})
    assert ([row.id for row in found.rows["items"]], found.skipped["items"]) == (["71053", "71054"], {})
    assert found.read == {"events": 1, "users": 1, "items": 2}


@pytest.mark.parametrize("note", ["?", "wrongly marked carton 22804", "thrown away", "AMAZON", ""])
def test_notes_of_the_stock_keepers_describe_nothing(tmp_path: Path, note: str) -> None:
    found = load(tmp_path, LANTERN, f"581216,71053,{note},-9,2011-12-09 08:00:00,0.0,,United Kingdom")
    assert [row.properties["title"] for row in found.rows["items"]] == ["WHITE METAL LANTERN"]
    for kind in ("events", "items", "users"):
        assert found.skipped[kind] == {STOCK_NOTE: 1}


def test_what_is_given_away_is_a_purchase_of_nothing(tmp_path: Path) -> None:
    (event,) = load(tmp_path, LANTERN.replace("3.39", "0.0")).rows["events"]
    assert (event["type"], event["value"]) == ("PURCHASED", 0.0)


@pytest.mark.parametrize("code", ["POST", "m", "BANK CHARGES", "23444"])
def test_services_are_no_products_and_their_buyer_is_a_customer(tmp_path: Path, code: str) -> None:
    found = load(tmp_path, LANTERN.replace("71053", code))
    assert (found.rows["events"], found.skipped["events"]) == ([], {NO_PRODUCT: 1})
    assert (found.rows["items"], found.skipped["items"]) == ([], {NO_PRODUCT: 1})
    assert [row.id for row in found.rows["users"]] == ["17850"]


def test_codes_in_small_letters_are_the_same_products(tmp_path: Path) -> None:
    found = load(tmp_path, LANTERN.replace("71053", "15056bl"), LANTERN.replace("71053", " 15056BL"))
    assert {row["object_id"] for row in found.rows["events"]} == {"15056BL"}
    assert ([row.id for row in found.rows["items"]], found.repeats["items"]) == (["15056BL"], 1)


def test_equal_lines_of_an_invoice_are_two_and_keep_their_ids_in_any_order(tmp_path: Path) -> None:
    other, dearer = LANTERN.replace(",6,", ",2,"), LANTERN.replace("3.39", "3.75")
    lines = [LANTERN, other, LANTERN, dearer, BACK, LANTERN.replace("536365", "536366")]
    ids = {row["event_id"] for row in load(tmp_path, *lines).rows["events"]}
    assert len(ids) == 6
    twice = load(tmp_path, LANTERN, LANTERN).rows["events"]
    assert twice[1]["event_id"] == f"{twice[0]['event_id']}-2"
    for seed in range(5):
        mixed = random.Random(seed).sample(lines, len(lines))
        assert {row["event_id"] for row in load(tmp_path, *mixed).rows["events"]} == ids


def test_equal_lines_on_both_sides_of_a_chunk_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [LANTERN, LANTERN.replace(",6,", ",2,"), BACK, LANTERN, LANTERN]
    whole = [row["event_id"] for row in load(tmp_path, *lines).rows["events"]]
    monkeypatch.setattr("graphprofile.ingest.read.CHECK_ROWS", 1)
    loader = find_loader("online-retail")
    (source,) = loader.sources([tmp_path / "lines.csv"], "events")
    chunks = list(read_checked(source, loader, None, Mapping(), Vocabulary(), chunk_rows=1))
    assert len(chunks) == 5
    assert [row for chunk in chunks for row in chunk.frame["event_id"]] == whole  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("line", "field", "reason"),
    [
        (LANTERN.replace("536365", ""), "InvoiceNo", "is missing"),
        (LANTERN.replace(",6,", ",six,"), "Quantity", "'six' is no whole number"),
        (LANTERN.replace(",6,", ",,"), "Quantity", "'' is no whole number"),
        (LANTERN.replace(",6,", ",1.5,"), "Quantity", "'1.5' is no whole number"),
        (LANTERN.replace(",6,", ",0,"), "Quantity", "nothing was sold"),
        (
            LANTERN.replace(",6,", ",-6,"),
            "Quantity",
            "-6 is negative outside a cancellation (invoice 536365)",
        ),
        (BACK.replace("-12", "12"), "Quantity", "12 is positive in a cancellation (invoice C536391)"),
        (LANTERN.replace("3.39", "inf"), "UnitPrice", "'inf' is no number"),
        (LANTERN.replace("3.39", "-3.39"), "UnitPrice", "-3.39 is negative"),
        (LANTERN.replace("71053", ""), "object_id", "is missing"),
        (LANTERN.replace("2010-12-01 08:26:00", "soon"), "timestamp", "is no time"),
    ],
)
def test_bad_lines_are_refused_with_what_is_wrong(tmp_path: Path, line: str, field: str, reason: str) -> None:
    found = load(tmp_path, LANTERN, line)
    (rejection,) = found.rejected["events"]
    assert (rejection.line, rejection.field, len(found.rows["events"])) == (3, field, 1)
    assert reason in rejection.reason
    assert rejection.row["InvoiceNo"] in line


def test_the_latest_description_wins_wherever_it_stands(tmp_path: Path) -> None:
    later = LANTERN.replace("2010-12-01", "2011-05-01").replace("WHITE METAL LANTERN", " CREAM  LANTERN ")
    moved = later.replace("United Kingdom", "France")
    for lines in ([LANTERN, moved], [moved, LANTERN]):
        found = load(tmp_path, *lines)
        best = max(found.rows["items"], key=lambda row: row.updated_at)
        assert (best.properties["title"], best.tags) == (
            "CREAM LANTERN",
            [("word", "cream", 1.0), ("word", "lantern", 1.0)],
        )
        latest = max(found.rows["users"], key=lambda row: row.updated_at)
        assert latest.properties == {"country": "France"}


def test_a_description_is_sent_once_at_its_latest(tmp_path: Path) -> None:
    dates = [f"2011-0{month}-01 10:00:00" for month in (3, 9, 1)]
    found = load(tmp_path, *(LANTERN.replace("2010-12-01 08:26:00", date) for date in dates))
    (item,), (user,) = found.rows["items"], found.rows["users"]
    assert (item.line, user.line, item.updated_at) == (3, 3, 1_314_867_600_000)
    assert (found.repeats, found.read) == (
        {"items": 2, "users": 2, "events": 0},
        dict.fromkeys(found.rows, 3),
    )


def test_countries_that_say_nothing_and_missing_descriptions(tmp_path: Path) -> None:
    found = load(
        tmp_path,
        LANTERN.replace("United Kingdom", "Unspecified"),
        LANTERN.replace("WHITE METAL LANTERN", " "),
    )
    assert [row.properties for row in found.rows["users"]] == [{}, {"country": "United Kingdom"}]
    assert (len(found.rows["items"]), found.skipped["items"]) == (1, {NO_DESCRIPTION: 1})


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        (
            "WHITE HANGING HEART T-LIGHT HOLDER",
            "colour:white word:hanging word:heart word:t-light word:holder",
        ),
        ("SET OF 36 DINOSAUR PAPER DOILIES", "word:dinosaur word:paper word:doily"),
        ("CHILDREN'S APRON DOLLY GIRL", "word:children word:apron word:dolly word:girl"),
        (
            "BLUE/CREAM STRIPE CUSHION COVERS 60x40cm",
            "colour:blue word:cream word:stripe word:cushion word:cover",
        ),
        ("LIGHTS, LIGHT AND CHRISTMAS GLASSES", "word:light word:christmas word:glass"),
        ("PACK/12 OF 3", ""),
        ("ÉCLAIR Nº 5", "word:éclair"),
    ],
)
def test_words_become_tags_from_the_text_alone(text: str, tags: str) -> None:
    assert tags_of(text, {"set", "pack"}) == tags.split()


def test_only_plurals_are_taken_back() -> None:
    words = "boxes knives placemats polkadots bunnies scotties christmas circus cactus glass dress clothes painted us"
    assert [singular(word) for word in words.split()] == (
        "box knife placemat polkadot bunny scotty christmas circus cactus glass dress clothes painted us".split()
    )


def test_numbers_may_be_numbers(tmp_path: Path) -> None:
    write(tmp_path / "lines.csv", LANTERN, LANTERN.replace("17850.0", ""))
    frame = pl.read_csv(tmp_path / "lines.csv", try_parse_dates=True)
    frame.write_parquet(tmp_path / "lines.parquet")
    assert frame["CustomerID"].dtype == pl.Float64
    text, typed = read(tmp_path / "lines.csv"), read(tmp_path / "lines.parquet")
    for kind in ("users", "items"):
        assert [(r.id, r.properties, r.updated_at) for r in typed.rows[kind]] == [
            (r.id, r.properties, r.updated_at) for r in text.rows[kind]
        ]
    assert [row["hash"] for row in typed.rows["events"]] == [row["hash"] for row in text.rows["events"]]
    second = {"InvoiceNo": "Invoice", "UnitPrice": "Price", "CustomerID": "Customer ID"}
    pl.read_csv(tmp_path / "lines.csv", infer_schema=False).rename(second).write_csv(tmp_path / "second.csv")
    again = read(tmp_path / "second.csv").rows["events"]
    assert [row["event_id"] for row in again] == [row["event_id"] for row in text.rows["events"]]


def test_other_files_are_refused_with_the_way_out(tmp_path: Path) -> None:
    loader = find_loader("online-retail")
    with pytest.raises(SourceError, match="is an Excel workbook") as caught:
        loader.sources([tmp_path / "Online Retail.xlsx"], None)
    assert caught.value.hint is not None
    assert "write_csv('online_retail.csv'" in caught.value.hint
    with pytest.raises(SourceError, match="Online Retail has no content"):
        loader.sources([tmp_path / "lines.csv"], "content")
    (tmp_path / "other.csv").write_text("a,StockCode\n1,2\n")
    with pytest.raises(SourceError, match="No column InvoiceNo, Description, Quantity"):
        read(tmp_path / "other.csv")
    for date in ("12/1/2010 8:26", "01-12-2010 08:26"):
        with pytest.raises(SourceError, match="cannot be told whether the day or the month is first"):
            load(tmp_path, LANTERN.replace("2010-12-01 08:26:00", date))


def test_each_file_is_read_for_each_kind(tmp_path: Path) -> None:
    loader = find_loader("online-retail")
    paths = [tmp_path / "a.csv", tmp_path / "b.csv.gz"]
    assert [(source.path.name, source.kind) for source in loader.sources(paths, None)] == [
        (name, kind) for kind in ("items", "users", "events") for name in ("a.csv", "b.csv.gz")
    ]
    assert [source.kind for source in loader.sources(paths, "users")] == ["users", "users"]


def some_invoices() -> list[list[str]]:
    """Invoices whose lines repeat, cancel, rename and say nothing of a customer."""
    chance = random.Random(7)
    words = ("RED", "BAGS", "TIN", "HEARTS", "LIGHT", "CHRISTMAS")
    invoices = []
    for number in range(60):
        prefix = "C" if chance.random() < 0.15 else ""
        customer = "" if chance.random() < 0.2 else f"{17000 + chance.randrange(12)}.0"
        date = f"2011-{1 + number % 9:02}-{1 + chance.randrange(28):02} 10:{chance.randrange(60):02}:00"
        lines = []
        for _ in range(chance.randrange(1, 7)):
            quantity = chance.choice((1, 1, 2, 6)) * (-1 if prefix else 1)
            code = chance.choice(("20001", "20002A", "20002a", "20003", "POST"))
            title = " ".join(chance.sample(words, 2))
            line = f"{prefix}{5000 + number},{code},{title},{quantity},{date},1.25,{customer},EIRE"
            lines += [line] * chance.choice((1, 1, 2))
        invoices.append(lines)
    return invoices


def test_twice_or_split_by_invoice_the_graph_is_the_same(
    settings_for_store: Settings, tmp_path: Path
) -> None:
    invoices = some_invoices()
    whole = write(tmp_path / "whole.csv", *_flat(invoices))
    with GraphProfile(Store.open(settings_for_store), settings_for_store) as gp:
        first = gp.load(whole, loader="online-retail")
        assert (first.conflicts, first.quarantined) == (0, 0)
        digest = gp.digest()
        again = gp.load(whole, loader="online-retail")
        assert (again.applied, again.conflicts, gp.digest()) == (0, 0, digest)
        events = gp.cypher("MATCH (:User)-[e]->(:Item) RETURN count(e) AS n")[0]["n"]
        lines = [line.split(",") for line in _flat(invoices)]
        assert events == sum(bool(cells[6]) and cells[1] != "POST" for cells in lines)
        for seed in range(2):
            chance = random.Random(seed)
            shuffled = [chance.sample(lines, len(lines)) for lines in chance.sample(invoices, len(invoices))]
            cut = chance.randrange(1, len(invoices))
            empty(gp.store)
            folder = tmp_path / f"split{seed}"
            folder.mkdir()
            write(folder / "a.csv", *_flat(shuffled[:cut]))
            write(folder / "b.csv", *_flat(shuffled[cut:]))
            part = GraphProfile(gp.store, gp.settings)
            part.load(folder / "b.csv", loader="online-retail")
            part.load(folder / "a.csv", loader="online-retail")
            part.load(whole, loader="online-retail")
            assert part.digest() == digest


def _flat(invoices: Iterable[Sequence[str]]) -> list[str]:
    return [line for lines in invoices for line in lines]


@pytest.mark.slow
def test_the_real_file_is_whole() -> None:
    folder = Path(os.environ.get("GRAPHPROFILE_TEST_DATA", "/nowhere")) / "online-retail"
    if not folder.is_dir():
        pytest.skip("online-retail: set GRAPHPROFILE_TEST_DATA to the folder that holds online-retail/")
    found = read(folder)
    assert {kind: len(rows) for kind, rows in found.rejected.items()} == {"items": 0, "users": 0, "events": 0}
    assert found.skipped == {
        "items": {STOCK_NOTE: 2_475, NO_PRODUCT: 2_988},
        "users": {STOCK_NOTE: 2_475, NO_CUSTOMER: 132_605},
        "events": {STOCK_NOTE: 2_475, NO_CUSTOMER: 132_605, NO_PRODUCT: 2_000},
    }
    for kind in found.rows:
        assert found.read[kind] + found.skipped[kind].total() == 541_909
    events = found.rows["events"]
    assert len({row["event_id"] for row in events}) == len(events) == 404_829
    assert Counter(row["type"] for row in events) == {"PURCHASED": 396_291, "RETURNED": 8_538}
    assert sum("-" in row["event_id"] for row in events) == 5_222
    items = {row.id for row in found.rows["items"]}
    assert (len(items), len({row.id for row in found.rows["users"]})) == (3_816, 4_372)
    assert {row["object_id"] for row in events} <= items
    assert all(row.tags for row in found.rows["items"])
