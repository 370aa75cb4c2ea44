"""Segment's and RudderStack's calls, after the examples of Segment's Spec."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from graphprofile.loaders.segment import (
    NO_INTEREST,
    NO_PAGE,
    NO_PRODUCT,
    NOT_A_USER,
    NOT_AN_EVENT,
    SegmentLoader,
)

from graphprofile.errors import SourceError
from graphprofile.ingest.read import expand_paths
from graphprofile.testing import Loaded, LoaderContract

MONOPOLY = {
    "product_id": "507f1f77bcf86cd799439011",
    "sku": "45790-32",
    "name": "Monopoly: 3rd Edition",
    "price": 19,
    "quantity": 1,
    "category": "Games",
    "url": "https://www.example.com/product/path",
}
UNO = {
    "product_id": "505bd76785ebb509fc183733",
    "sku": "46493-32",
    "name": "Uno Card Game",
    "price": 3,
    "quantity": 2,
    "category": "Games",
}
ORDER = {
    "order_id": "50314b8e9bcf000000000000",
    "total": 27.50,
    "currency": "USD",
    "coupon": "hasbros",
    "products": [MONOPOLY, UNO],
}
HOME = {
    "title": "Welcome | Initech",
    "url": "http://www.initech.com/?utm_source=news#top",
    "path": "/",
}


def call(number: int, kind: str, **fields: Any) -> dict[str, Any]:
    """A call as the spec's Common Fields has it."""
    return {
        "messageId": f"022bb90c-bbac-11e4-8dfc-{number:012}",
        "type": kind,
        "userId": "97980cfea0067",
        "anonymousId": "507f191e810c19729de860ea",
        "timestamp": f"2015-12-10T04:08:{number:02}.905Z",
        **fields,
    }


def track(number: int, event: str, properties: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    return call(number, "track", event=event, properties=properties or {}, **fields)


SAMPLE = [
    track(1, "Product Viewed", MONOPOLY),
    track(2, "Order Completed", ORDER),
    track(3, "Order Refunded", ORDER),
    track(4, "Products Searched", {"query": "blue  Roses"}),
    track(
        5, "Product List Viewed", {"list_id": "hot_deals_1", "category": "Deals", "products": [MONOPOLY, UNO]}
    ),
    track(6, "Promotion Clicked", {"promotion_id": "promo_1"}),
    track(7, "Product Added to Wishlist", {**MONOPOLY, "brand": "Hasbro"}, userId=None),
    call(8, "page", name="Home", properties=HOME),
    call(9, "screen", name="Main"),
    call(10, "identify", traits={"name": "Peter Gibbons", "email": "peter@example.com", "logins": 5}),
    call(11, "group", groupId="0e8c78ea9d97a7b8185e8632", traits={"name": "Initech"}),
    track(12, "Checkout Started", ORDER),
    track(13, "Waved", {"product_id": "1"}),
    call(14, "alias", previousId="old"),
    track(15, "Product Viewed", {"name": "no id"}),
    track(16, "Order Completed", {**ORDER, "products": [MONOPOLY, {"price": 3}]}),
    call(17, "page", properties={"url": "http://www.initech.com/"}, userId=None, anonymousId=None),
    {"batch": []},
]


def lines(calls: list[dict[str, Any]]) -> bytes:
    return b"".join(orjson.dumps(one) + b"\n" for one in calls)


class TestContract(LoaderContract):
    loader = SegmentLoader
    files = {"calls.jsonl": lines(SAMPLE)}
    good = {"events": 12, "users": 2, "items": 4, "content": 3}
    refused = [
        ("events", "calls.jsonl", 13, "event_type"),
        ("events", "calls.jsonl", 14, "type"),
        ("events", "calls.jsonl", 15, "properties.product_id"),
        ("events", "calls.jsonl", 16, "properties.products[1]"),
        ("events", "calls.jsonl", 17, "userId"),
        ("events", "calls.jsonl", 18, "type"),
    ]
    skipped = {
        "events": {NOT_AN_EVENT: 2, "Checkout Started: no event of the vocabulary": 1},
        "users": {NOT_A_USER: 16},
        "items": {NO_PRODUCT: 10},
        "content": {NO_PAGE: 15},
    }


class TestArray(TestContract):
    files = {"calls.json": orjson.dumps(SAMPLE, option=orjson.OPT_INDENT_2)}
    refused = [(kind, "calls.json", line, field) for kind, _, line, field in TestContract.refused]


def load(folder: Path, *calls: dict[str, Any]) -> Loaded:
    path = folder / "calls.jsonl"
    path.write_bytes(lines(list(calls)))
    return Loaded.of(SegmentLoader(), expand_paths([path]))


def event(folder: Path, one: dict[str, Any], *names: str) -> tuple[Any, ...]:
    (row,) = load(folder, one).rows["events"]
    return tuple(row[name] for name in names)


def test_an_order_is_a_purchase_of_each_product(tmp_path: Path) -> None:
    loaded = load(tmp_path, track(2, "Order Completed", ORDER))
    names = ("type", "event_id", "user_id", "object_id", "object_kind", "ts", "value", "properties")
    message = "022bb90c-bbac-11e4-8dfc-000000000002"
    assert [tuple(row[name] for name in names) for row in loaded.rows["events"]] == [
        (
            *(
                "PURCHASED",
                f"{message}:{n}",
                "97980cfea0067",
                product["product_id"],
                "item",
                1_449_720_482_905,
            ),
            value,
            '{"coupon":"hasbros","currency":"USD","order_id":"50314b8e9bcf000000000000",'
            f'"price":{product["price"]},"quantity":{product["quantity"]}}}',
        )
        for n, product, value in ((1, MONOPOLY, 19.0), (2, UNO, 6.0))
    ]
    first, _ = loaded.rows["items"]
    assert (first.id, first.tags, first.updated_at) == (
        *(MONOPOLY["product_id"], [("category", "Games", 1.0)], 1_449_720_482_905),
    )
    assert first.properties == {
        "title": "Monopoly: 3rd Edition",
        "sku": "45790-32",
        "price": 19.0,
        "url": "https://www.example.com/product/path",
    }


def test_a_page_is_its_address_without_query_and_fragment(tmp_path: Path) -> None:
    page = call(8, "page", name="Home", properties=HOME)
    assert event(tmp_path, page, "type", "object_id", "object_kind") == (
        *("VIEWED", "http://www.initech.com/", "content"),
    )
    (content,) = load(tmp_path, page).rows["content"]
    assert (content.id, content.properties) == ("http://www.initech.com/", {"title": "Welcome | Initech"})
    bare = call(8, "page", context={"page": {"path": "/academy/?a=b"}})
    assert event(tmp_path, bare, "object_id") == ("/academy/",)
    assert event(tmp_path, call(9, "screen", name="Main"), "object_id") == ("screen:Main",)


def test_the_user_is_known_or_anonymous(tmp_path: Path) -> None:
    one = track(1, "Product Viewed", MONOPOLY)
    assert event(tmp_path, one, "user_id") == ("97980cfea0067",)
    assert event(tmp_path, {**one, "userId": ""}, "user_id") == ("anonymous:507f191e810c19729de860ea",)


def test_clocks_are_corrected_as_the_spec_says(tmp_path: Path) -> None:
    one = track(1, "Product Viewed", MONOPOLY)
    device = {
        "originalTimestamp": "2015-12-10T05:08:00.000Z",
        "sentAt": "2015-12-10T05:08:30.000Z",
        "receivedAt": "2015-12-10T04:08:31.500Z",
    }
    assert event(tmp_path, {**one, **device}, "ts") == (1_449_720_481_905,)
    del one["timestamp"]
    assert event(tmp_path, {**one, **device}, "ts") == (1_449_720_481_500,)
    assert event(tmp_path, {**one, "originalTimestamp": device["originalTimestamp"]}, "ts") == (
        1_449_724_080_000,
    )
    assert load(tmp_path, one).rejected["events"][0].field == "timestamp"


def test_searches_lists_and_promotions_are_content(tmp_path: Path) -> None:
    found = {
        "Products Searched": ({"query": " Blue  Roses"}, "SEARCHED", "search:blue roses"),
        "Viewed Product Category": ({"category": "Deals"}, "VIEWED", "list:Deals"),
        "Promotion Clicked": ({"promotion_id": "promo_1"}, "CLICKED", "promotion:promo_1"),
    }
    for name, (properties, kind, thing) in found.items():
        got = event(tmp_path, track(1, name, properties), "type", "object_id", "object_kind")
        assert got == (kind, thing, "content")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Product Clicked", "CLICKED"),
        ("product added", "ADDED_TO_CART"),
        ("Added Product", "ADDED_TO_CART"),
        ("Wishlist Product Added to Cart", "ADDED_TO_CART"),
        ("Product Shared", "SHARED"),
        ("Product Reviewed", "REVIEWED"),
        ("liked", "LIKED"),
        ("Added to cart", "ADDED_TO_CART"),
    ],
)
def test_names_of_the_spec_and_of_the_vocabulary(tmp_path: Path, name: str, kind: str) -> None:
    got = event(tmp_path, track(1, name, MONOPOLY), "type", "object_id", "object_kind")
    assert got == (kind, MONOPOLY["product_id"], "item")


def test_an_unknown_name_says_what_would_declare_it(tmp_path: Path) -> None:
    (refused,) = load(tmp_path, track(1, "Video Started", {"content_id": "v1"})).rejected["events"]
    assert '[events."Video Started"]\ntype = "VIDEO_STARTED"' in refused.reason


def test_names_that_are_left_out_are_counted_by_name(tmp_path: Path) -> None:
    loaded = load(tmp_path, *(track(n, name.title(), ORDER) for n, name in enumerate(sorted(NO_INTEREST))))
    assert (loaded.read["events"], loaded.skipped["events"].total()) == (0, len(NO_INTEREST))
    assert loaded.skipped["events"]["Coupon Denied: no event of the vocabulary"] == 1


def test_traits_and_groups_are_properties_of_the_user(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        call(10, "identify", traits={"name": "Peter", "plan": {"seats": 5}, "user_id": "x", "id": 7}),
        call(11, "group", groupId="g1"),
        call(12, "identify", context={"traits": {"name": "Rudder"}}),
        call(13, "identify", userId=None, anonymousId=None),
        call(14, "group"),
    )
    assert [(row.id, row.properties) for row in loaded.rows["users"]] == [
        ("97980cfea0067", {"name": "Peter", "plan": '{"seats": 5}', "source_id": 7, "trait_user_id": "x"}),
        ("97980cfea0067", {"group_id": "g1"}),
        ("97980cfea0067", {"name": "Rudder"}),
    ]
    assert [row.updated_at for row in loaded.rows["users"]] == [
        1_449_720_490_905 + n * 1000 for n in range(3)
    ]
    assert [one.field for one in loaded.rejected["users"]] == ["userId", "groupId"]


def test_what_calls_do_not_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="Calls hold no tags"):
        SegmentLoader().sources([tmp_path / "calls.jsonl"], "tags")
