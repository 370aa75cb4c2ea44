"""The audience builder: conditions come and go, the count follows, the link holds it all."""

from __future__ import annotations

import csv
import io

import httpx
import pytest
from http_world import Running, Serve, event

from .browser import Visitor

HTML = {"Accept": "text/html"}
FRAGMENT = {**HTML, "HX-Request": "true"}
INJECTIONS = (
    "<script>alert(1)</script>",
    "'\"><img src=x onerror=alert(1)>",
    "interest tag='x\"><b>'",
    "property name='}) DETACH DELETE (n) //",
    "property '<i>'=1",
    "did item='\"><script>' event=purchased",
    "{{ 707*101 }}",
)


def test_conditions_come_and_go(reader: Visitor) -> None:
    page = reader.open("/audience")
    page.wait_for_selector("#count")
    reader.settle()
    everybody = int(page.inner_text("#count").replace(",", ""))
    assert everybody == 5185
    reader.look("audience-empty")
    page.click(".group.all button[value='all interest']")
    page.wait_for_url("**/audience?all=interest")
    page.wait_for_selector("#note-1.says")
    assert "tag is missing" in page.inner_text("#note-1")
    page.locator("#c1-tag").press_sequentially("poet")
    page.wait_for_selector("#c1-tag-options option[value='genre:Poetry']", state="attached")
    page.fill("#c1-tag", "genre:Poetry")
    page.press("#c1-tag", "Tab")
    page.wait_for_function(
        "() => document.querySelector('#note-1').textContent.includes('interest in genre:Poetry')"
    )
    reader.settle()
    poets = int(page.inner_text("#count"))
    assert 0 < poets < everybody
    page.wait_for_url("**/audience?all=interest+tag%3Dgenre%3APoetry")
    page.click(".group.none summary")
    page.click(".group.none button[value='none property']")
    page.wait_for_url("**none=property**")
    page.fill("#c2-name", "gender")
    page.fill("#c2-value", "Female")
    page.press("#c2-value", "Tab")
    page.wait_for_function(
        "() => document.querySelector('#note-2').textContent.includes('gender that is Female')"
    )
    reader.settle()
    others = int(page.inner_text("#count"))
    assert 0 < others < poets
    page.wait_for_url("**property**gender**")
    reader.look("audience")
    page.reload()
    page.wait_for_selector("#count")
    assert int(page.inner_text("#count")) == others
    page.click("button[name=drop][value='2']")
    page.wait_for_selector("#count")
    reader.settle()
    assert int(page.inner_text("#count")) == poets
    assert page.input_value("#c1-tag") == "genre:Poetry"


def test_every_condition_has_its_fields(reader: Visitor) -> None:
    conditions = [
        "all=interest tag=Fiction share=0.5",
        "all=did event=borrowed times=5 since=1930 until=1939",
        "all=seen first until=1938",
        "any=like user=alderman k=500",
        "any=property gender=Female",
        "none=vector status=stale",
        "none=did item=joyce-ulysses",
    ]
    page = reader.open("/audience?" + "&".join(conditions))
    page.wait_for_selector("#count")
    reader.settle()
    assert page.locator(".condition").count() == len(conditions)
    assert page.locator(".says").count() == 0
    assert page.input_value("#c1-share") == "50"
    assert page.input_value("#c2-times") == "5"
    assert page.input_value("#c4-user") == "alderman"
    assert int(page.inner_text("#count")) > 0
    with page.expect_download() as waiting:
        page.click("text=CSV")
    with open(waiting.value.path(), encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == int(page.inner_text("#count"))
    reader.look("audience-all-kinds")


def test_more_people_are_shown(reader: Visitor) -> None:
    page = reader.open("/audience?all=interest+tag%3DPoetry")
    page.wait_for_selector("tr.more button")
    page.click("tr.more button")
    page.wait_for_function("() => document.querySelectorAll('#found tbody tr').length > 25")
    names = page.locator("#found tbody tr:not(.more) a").evaluate_all("all => all.map(one => one.href)")
    assert len(set(names)) == len(names) == 40


@pytest.mark.parametrize("text", INJECTIONS)
def test_nothing_that_is_sent_becomes_markup(http: httpx.Client, text: str) -> None:
    for path in ("/audience", "/audience/found", "/audience/members", "/audience/csv"):
        for name in ("all", "any", "none", "1.kind", "1.tag", "add", "drop", "after"):
            query = {name: text, **({"1.group": "all", "1.kind": "interest"} if name == "1.tag" else {})}
            answer = http.get(path, params=query, headers=FRAGMENT, follow_redirects=True)
            assert answer.status_code in (200, 404, 422), (path, name, answer.text)
            assert "<script>alert" not in answer.text
            assert "<img src=x" not in answer.text
            assert "71407" not in answer.text
    assert http.get("/v1/status").json()["nodes"]["User"] == 40


def test_private_properties_are_not_asked_for(serve: Serve) -> None:
    server = serve(private_properties=["city", "name"])
    with server.client(headers=FRAGMENT) as client:
        answer = client.get("/audience/found", params={"all": "property city=Paris"})
        assert "may not be asked for" in answer.text
        # The condition is left out, so nothing can be told from the count.
        assert '<b id="count">40</b>' in answer.text
        assert "Paris" not in client.get("/audience/found").text
        assert client.get("/audience/csv", params={"all": "property city=Paris"}).status_code == 403
        text = client.get("/audience/csv").text
        assert "Paris" not in text
        assert "Reader 7" not in text
        assert "city" not in text
        assert "city" not in client.get("/audience").text


def test_a_file_runs_no_formula_and_is_audited(http: httpx.Client, served: Running) -> None:
    rows = [{"user_id": "u1", "name": "=1+1", "updated_at": "2030-01-01"}, {"user_id": "@u", "name": "-2"}]
    served.gp.load(rows, kind="users")
    found = list(csv.DictReader(io.StringIO(http.get("/audience/csv").text)))
    assert len(found) == 41
    by_id = {row["id"]: row for row in found}
    assert by_id["u1"]["name"] == "'=1+1"
    assert by_id["'@u"]["name"] == "'-2"
    served.service.audit.flush()
    entries = http.get("/v1/audit", params={"user": "@u"}).json()
    if "entries" in entries:
        assert any(entry["action"] == "profile.listed" for entry in entries["entries"])


def test_the_page_follows_the_graph(http: httpx.Client) -> None:
    answer = http.get("/audience/found", params={"all": "interest tag=Poetry"}, headers=FRAGMENT)
    assert '<b id="count">20</b>' in answer.text
    assert answer.headers["hx-replace-url"] == "/audience?all=interest+tag%3DPoetry"
    http.post("/v1/events", json=event("extra", "newcomer", "i1"))
    again = http.get("/audience/found", params={"all": "interest tag=Poetry"}, headers=FRAGMENT)
    assert '<b id="count">21</b>' in again.text


def test_conditions_that_a_link_leaves_unfinished(http: httpx.Client) -> None:
    for text in ("seen", "seen since=1930", "did", "like", "vector", "property", "interest tag='"):
        answer = http.get("/audience", params={"all": text}, headers={"Accept": "text/html"})
        assert answer.status_code == 200, text
    many = {"all": [f"did event=viewed times={n + 1}" for n in range(31)]}
    assert http.get("/audience/found", params=many).status_code == 422


def test_everybody_is_counted_without_a_walk(http: httpx.Client) -> None:
    text = http.get("/audience/found", headers={"Accept": "text/html"}).text
    assert 'id="count">40<' in text
    assert "Add a condition" in text
