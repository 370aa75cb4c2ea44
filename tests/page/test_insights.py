"""The questions on the page: each is asked once on the library, by its form, in a browser."""

from __future__ import annotations

import csv
import io

import httpx
import pytest
from http_world import Running, Serve, event

from graphprofile.insights import list_insights

from .browser import Visitor

HTML = {"Accept": "text/html"}
FRAGMENT = {**HTML, "HX-Request": "true"}
INJECTIONS = (
    "<script>alert(1)</script>",
    "'\"><img src=x onerror=alert(1)>",
    "') RETURN 1 //",
    "{{ 7*7 }}",
    "%00",
    "../../etc/passwd",
)
LOOKED_AT = {
    "activity_by_hour",
    "audience_overlap",
    "bought_together",
    "co_purchase",
    "cohort_retention",
    "communities",
    "demand_and_supply",
    "funnel",
    "loyal_and_lapsing_users",
    "path_between_users",
    "rising_tags",
    "tag_hierarchy",
    "value_by_period",
}


def test_the_list_is_filtered(reader: Visitor) -> None:
    page = reader.open("/insights")
    assert page.locator(".question").count() == len(list_insights())
    reader.look("insights")
    page.fill("#filter", "rising tag")
    assert page.locator(".question:visible").count() == 1
    assert page.inner_text("#left") == f"1 of {len(list_insights())} questions."
    page.click(".question:visible a")
    page.wait_for_selector("table.sortable")
    assert page.url.endswith("/insights/rising_tags")


@pytest.mark.parametrize("name", [insight.name for insight in list_insights()])
def test_every_question_is_answered(reader: Visitor, name: str) -> None:
    page = reader.open(f"/insights/{name}")
    page.wait_for_selector("#answer [role=status]", timeout=60_000)
    reader.settle()
    assert page.locator(".says").count() == 0
    page.locator("form.card button").last.click()
    page.wait_for_selector("#answer [role=status]", timeout=60_000)
    reader.settle()
    assert page.locator(".problem").count() == 0
    assert "rows in" in page.inner_text("#answer [role=status]") or "1 row" in page.inner_text("#answer")
    if name in LOOKED_AT:
        assert page.locator("table.sortable tbody tr").count() > 0, "starting values that show something"
        reader.look(f"insight-{name}")
