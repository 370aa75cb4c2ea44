"""Shopify's orders: a few lines for every decision."""

from __future__ import annotations

from pathlib import Path

import pytest
from graphprofile.loaders.shopify_orders import NO_CUSTOMER, ShopifyOrdersLoader

from graphprofile.errors import SourceError
from graphprofile.ingest.read import expand_paths
from graphprofile.testing import Loaded, LoaderContract

HEADER = (
    "Name,Email,Financial Status,Accepts Marketing,Currency,Total,Created at,Lineitem quantity,Lineitem name,"
    "Lineitem price,Lineitem sku,Lineitem discount,Billing Country,Cancelled at,Vendor\n"
)
FIRST = '#1001,Ann@Example.com,paid,yes,EUR,99.90,2025-10-07 09:50:26 +0200,2,"Masque, bio",34.90,M-1,5.00,FR,,Leaf\n'
SECOND = "#1001,Ann@Example.com,,,,,,1,Leaf,0.00,,0.00,,,Leaf\n"
AGAIN = "#1001,,,,,,,2,Masque,34.90,M-1,,,,Leaf\n"
CANCELLED = (
    "#1002,bob@example.com,refunded,no,EUR,3,2025-10-08 10:00:00 +0200,1,Soap,3.00,S,,DE,"
    "2025-10-09 08:00:00 +0200,\n"
)
REFUNDED = "#1003,bob@example.com,refunded,no,EUR,3,2025-10-10 10:00:00 +0200,1,Soap,3.00,S,,DE,,\n"
NOBODY = "#1004,,paid,no,EUR,3,2025-10-10 10:00:00 +0200,1,Soap,3.00,S,,DE,,\n"
WRONG = "#1005,cy@example.com,paid,no,EUR,3,2025-10-10 10:00:00 +0200,none,Soap,3.00,S,,DE,,\n"
ORDERS = [FIRST + SECOND + AGAIN, CANCELLED, REFUNDED, NOBODY, WRONG]


class TestContract(LoaderContract):
    loader = ShopifyOrdersLoader
    files = {"orders_export.csv": HEADER + "".join(ORDERS)}
    good = {"events": 7, "items": 4, "users": 3}
    refused = [("events", "orders_export.csv", 8, "Lineitem quantity")]
    skipped = {"events": {NO_CUSTOMER: 1}, "users": {NO_CUSTOMER: 1}}

    def stretches(self, content: bytes, has_header: bool) -> tuple[bytes, list[bytes]]:
        head, *lines = content.splitlines(keepends=True)
        orders: dict[bytes, bytes] = {}
        for line in lines:
            name = line.partition(b",")[0]
            orders[name] = orders.get(name, b"") + line
        return head, list(orders.values())


def load(folder: Path, *orders: str) -> Loaded:
    path = folder / "orders_export.csv"
    path.write_text(HEADER + "".join(orders))
    return Loaded.of(ShopifyOrdersLoader(), expand_paths([path]))


def test_the_lines_of_an_order_take_what_its_first_line_says(tmp_path: Path) -> None:
    loaded = load(tmp_path, FIRST, SECOND, AGAIN)
    names = ("type", "event_id", "user_id", "object_id", "ts", "value")
    at = 1_759_823_426_000
    assert [tuple(row[name] for name in names) for row in loaded.rows["events"]] == [
        ("PURCHASED", "#1001:M-1", "ann@example.com", "M-1", at, 64.8),
        ("PURCHASED", "#1001:Leaf", "ann@example.com", "Leaf", at, 0.0),
        ("PURCHASED", "#1001:M-1:2", "ann@example.com", "M-1", at, 69.8),
    ]
    assert loaded.rows["events"][0]["properties"] == (
        '{"currency":"EUR","discount":5.0,"order":"#1001","price":34.9,"quantity":2}'
    )
    (user,) = loaded.rows["users"]
    assert (user.id, user.properties) == ("ann@example.com", {"country": "FR", "accepts_marketing": True})
    item = loaded.rows["items"][0]
    assert (item.id, item.tags) == ("M-1", [("vendor", "Leaf", 1.0)])


def test_what_was_taken_back_is_returned_when_it_was_cancelled_or_else_bought(tmp_path: Path) -> None:
    rows = load(tmp_path, CANCELLED, REFUNDED).rows["events"]
    assert [(row["type"], row["event_id"], row["ts"] // 1000, row["value"]) for row in rows] == [
        ("PURCHASED", "#1002:S", 1_759_910_400, 3.0),
        ("RETURNED", "#1002:S", 1_759_989_600, 3.0),
        ("PURCHASED", "#1003:S", 1_760_083_200, 3.0),
        ("RETURNED", "#1003:S", 1_760_083_200, 3.0),
    ]


def test_a_later_export_changes_no_purchase(tmp_path: Path) -> None:
    paid = load(tmp_path, REFUNDED.replace("refunded", "paid")).events()
    assert not paid - load(tmp_path, REFUNDED).events()


@pytest.mark.parametrize(
    ("line", "field"),
    [
        (FIRST.replace("#1001", ""), "Name"),
        (FIRST.replace("2025-10-07 09:50:26 +0200", ""), "Created at"),
        (FIRST.replace("2025-10-07 09:50:26 +0200", "soon"), "timestamp"),
        (FIRST.replace("M-1", "").replace('"Masque, bio"', ""), "Lineitem name"),
        (FIRST.replace("34.90", "x"), "Lineitem price"),
        (FIRST.replace("5.00", "99999"), "Lineitem discount"),
    ],
)
def test_bad_lines_say_what_is_wrong(tmp_path: Path, line: str, field: str) -> None:
    (refused,) = load(tmp_path, line, CANCELLED).rejected["events"]
    assert (refused.line, refused.field) == (2, field)


def test_a_refused_line_keeps_what_its_order_says(tmp_path: Path) -> None:
    (refused,) = load(tmp_path, FIRST, AGAIN.replace("34.90", "x")).rejected["events"]
    assert (refused.line, refused.row["Created at"]) == (3, "2025-10-07 09:50:26 +0200")


def test_other_files_and_kinds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="Orders hold no content"):
        ShopifyOrdersLoader().sources([tmp_path / "a.csv"], "content")
    (tmp_path / "a.csv").write_text("Name,b\n1,2\n")
    with pytest.raises(SourceError, match="No column Email, Created at, Lineitem quantity"):
        Loaded.of(ShopifyOrdersLoader(), [tmp_path / "a.csv"])
