"""The questions on the page: each is asked once on the library, by its form, in a browser."""

from __future__ import annotations

import csv
import io

import httpx
import pytest
from http_world import Running, Serve, event

from graphprofile.http.audit import read_audit
from graphprofile.insights import list_insights

from .browser import Visitor

HTML = {"Accept": "text/html"}
FRAGMENT = {**HTML, "HX-Request": "true"}
INJECTIONS = (
    "<script>alert(1)</script>",
    "'\"><img src=x onerror=alert(1)>",
    "') RETURN 1 //",
    "{{ 707*101 }}",
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


def test_a_form_says_what_is_wrong_beside_the_field(reader: Visitor) -> None:
    page = reader.open("/insights/co_purchase?item=nothing&limit=0&event=bored")
    assert "No item 'nothing'" in page.inner_text("#item-wrong")
    assert "below 1" in page.inner_text("#limit-wrong")
    assert "Unknown event type" in page.inner_text("#event-wrong")
    assert page.input_value("#item") == "nothing"
    reader.look("insight-wrong")
    page.fill("#item", "")
    page.locator("#item").press_sequentially("ulyss")
    page.wait_for_selector("#item-options option[value='joyce-ulysses']", state="attached")


def test_a_table_is_sorted(reader: Visitor) -> None:
    page = reader.open("/insights/co_purchase?item=joyce-ulysses")
    page.wait_for_selector("table.sortable")
    page.click("button.sort:text-is('users')")
    shown = page.locator("tbody tr td:last-child").all_inner_texts()
    assert shown == sorted(shown, key=lambda text: -int(text.replace(",", "")))
    assert page.get_attribute("th:last-child", "aria-sort") == "descending"
    page.click("tbody tr a >> nth=0", trial=True)


@pytest.mark.parametrize("name", [insight.name for insight in list_insights()])
def test_every_question_on_both_engines(http: httpx.Client, name: str) -> None:
    page = http.get(f"/insights/{name}", headers=HTML)
    assert page.status_code == 200
    link = page.text.partition(f'hx-get="/insights/{name}/answer')[2].partition('"')[0].replace("&amp;", "&")
    answer = http.get(f"/insights/{name}/answer{link}", headers=FRAGMENT)
    assert answer.status_code == 200, answer.text
    assert http.get(f"/insights/{name}/csv{link}").status_code == 200


@pytest.mark.parametrize("text", INJECTIONS)
def test_nothing_that_is_sent_becomes_markup(http: httpx.Client, text: str) -> None:
    for insight in (
        one for one in list_insights() if one.name in ("co_purchase", "funnel", "rising_tags", "communities")
    ):
        for field in [*(one.name for one in insight.parameters), text]:
            for path in ("", "/answer", "/csv"):
                answer = http.get(f"/insights/{insight.name}{path}", params={field: text}, headers=FRAGMENT)
                assert answer.status_code in (200, 404, 422), (insight.name, field, answer.text)
                assert "<script>alert" not in answer.text
                assert "<img src=x" not in answer.text
    for what in ("users", "items", "tags", text.replace("/", "")):
        assert (
            "<script>alert"
            not in http.get(f"/insights/suggest/{what}", params={"q": text}, headers=FRAGMENT).text
        )


def test_private_properties_stay_hidden(serve: Serve) -> None:
    server = serve(private_properties=["title", "name"])
    with server.client(headers=FRAGMENT) as client:
        refused = client.get("/insights/bought_together/answer")
        assert refused.status_code == 403
        assert "may not be asked for" in refused.text
        answer = client.get("/insights/audience_of_tag/answer", params={"tag": "Poetry"})
        assert answer.status_code == 200
        assert "Reader" not in answer.text
        assert "Reader" not in client.get("/insights/audience_of_tag/csv", params={"tag": "Poetry"}).text
        assert "Book" not in client.get("/insights/suggest/items", params={"q": "book"}).text


def test_a_file_runs_no_formula(http: httpx.Client, served: Running) -> None:
    served.gp.load([{"user_id": "u2", "name": "=cmd()", "updated_at": "2030-01-01"}], kind="users")
    http.post("/v1/events", json=event("more", "+1", "i2"))
    text = http.get("/insights/audience_of_tag/csv", params={"tag": "Poetry", "limit": "100"}).text
    rows = {row["user"]: row for row in csv.DictReader(io.StringIO(text))}
    assert rows["u2"]["name"] == "'=cmd()"
    assert "'+1" in rows


def test_people_in_an_answer_are_written_down(served: Running, http: httpx.Client) -> None:
    answer = http.get("/v1/insights/audience_of_tag", params={"tag": "Poetry", "limit": 3})
    people = {row["user"] for row in answer.json()["rows"]}
    assert people
    served.service.audit.flush()
    for user in people:
        entries = read_audit(served.gp.settings.data_dir, user=user)
        assert [entry.action for entry in entries] == ["profile.listed"]
