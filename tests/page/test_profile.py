"""The pages of users, items, content and tags as a person sees them: on real data, and clicked through."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from http_world import Running
from playwright.sync_api import Page, TimeoutError, expect

from .browser import Visitor

PERSON = "arvanon-cyrille"
ITEM = "joyce-dubliners"


def whole(visitor: Visitor) -> Page:
    """The open page, with all that is loaded when it is looked at."""
    page = visitor.page
    for part in (".walk", ".waiting"):
        if page.locator(part).count():
            page.locator(part).last.scroll_into_view_if_needed()
    # The first map of a model is made now.
    page.wait_for_function("() => !document.querySelector('.waiting')", timeout=90_000)
    if page.locator(".walk").count():
        expect(page.locator(".walk-said")).to_contain_text("neighbour")
    visitor.settle()
    page.evaluate("scrollTo(0, 0)")
    return page


def test_search_as_one_types(reader: Visitor) -> None:
    page = reader.open("/")
    whole(reader)
    page.keyboard.type("joyce")
    expect(page.locator("#found-users")).to_be_visible()
    expect(page).to_have_url(re.compile(r"/\?q=joyce$"))
    assert "Joyce" in page.locator("#found mark").first.inner_text()
    reader.look("search")
    page.locator("#q").focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement === document.querySelector('.finds a')")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/users/*")
    page.keyboard.press("/")
    page.wait_for_url(reader.url + "/")


def test_search_without_scripts(reader: Visitor) -> None:
    browser = reader.context.browser
    assert browser is not None
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(reader.url + "/")
        page.fill("#q", "dubliners")
        page.click("text=Search >> nth=-1")
        page.click(f"a[href='/items/{ITEM}']")
        assert page.inner_text("h1") == "Dubliners"
        page.click("text=What is near in taste")
        assert page.locator(".alike a").count() > 3
        page.goto(f"{reader.url}/users/{PERSON}")
        page.click("text=Earlier events")
        assert page.locator(".timeline time").count() == 25


def test_nothing_found(reader: Visitor) -> None:
    page = reader.open("/?q=qqqqqq")
    assert "Nothing goes by" in page.inner_text("#found")
    reader.look("search-nothing")


def test_user(reader: Visitor) -> None:
    page = reader.open(f"/users/{PERSON}")
    whole(reader)
    head = page.inner_text(".who")
    assert "1937-03-23" in head
    assert "62" in head
    assert "fresh" in head
    assert page.locator(".offer").count() == 8
    assert page.locator("#alike + ul li").count() == 6
    assert page.locator(".js-plotly-plot").count() == 3
    reader.look("user")


def test_why_of_a_tag_sums_to_its_score(reader: Visitor) -> None:
    page = reader.open(f"/users/{PERSON}")
    row = page.locator(".interest").filter(has_text="Poetry")
    row.locator("summary").click()
    given = row.locator(".paths .given")
    expect(given.first).to_be_visible()
    assert given.count() == 13  # twelve events, and the two others together
    exact = [float(one.get_attribute("title") or "nan") for one in given.all()]
    score = float(row.locator(".paths p b").get_attribute("title") or "nan")
    assert sum(exact) == pytest.approx(score, rel=1e-6)
    parts = [float(text.removesuffix("%")) for text in given.all_inner_texts()]
    assert sum(parts) == pytest.approx(100, abs=7)
    reader.look("user-why")
    row.locator("summary").click()
    expect(given.first).to_be_hidden()


def test_why_of_a_recommendation(reader: Visitor) -> None:
    page = reader.open(f"/users/{PERSON}")
    offer = page.locator(".offer").first
    offer.locator("summary").click()
    expect(offer.locator(".paths li").first).to_be_visible()
    assert "lose without each event" in offer.inner_text()


def test_timeline_goes_back_to_the_first_event(reader: Visitor) -> None:
    page = reader.open(f"/users/{PERSON}")
    lines = page.locator(".timeline time")
    for shown in (50, 62):
        page.click("text=Earlier events")
        expect(lines).to_have_count(shown)
    assert page.locator("text=Earlier events").count() == 0
    times = [line.get_attribute("datetime") or "" for line in lines.all()]
    assert times == sorted(times, reverse=True)
    reader.look("user-timeline")


def test_profile_of_the_past(reader: Visitor) -> None:
    page = reader.open(f"/users/{PERSON}")
    page.fill("#as_of", "1938-06-01")
    page.click("text=Show")
    page.wait_for_url("**as_of=1938-06-01")
    whole(reader)
    assert "how the profile stood" in page.inner_text("main")
    assert "What to offer" not in page.inner_text("main")
    times = [line.get_attribute("datetime") or "" for line in page.locator(".timeline time").all()]
    assert max(times) < "1938-06-01T00:00:01"
    row = page.locator(".interest").first
    row.locator("summary").click()
    expect(row.locator(".paths")).to_contain_text("1938-06-01")
    reader.look("user-past")
    page.click("text=Back to now")
    page.wait_for_url(f"**/users/{PERSON}")


def test_walk_through_the_graph(reader: Visitor) -> None:
    page = reader.open(f"/users/{PERSON}")
    whole(reader)
    count = "document.querySelector('.walk').cytoscape.nodes().length"
    assert page.evaluate(count) == 25
    page.click("text=The same as a list")
    page.click("button[aria-label='Expand Poetry']")
    page.wait_for_function(f"() => {count} > 25")
    # A click on a node of the drawing does the same, two open its page.
    page.locator(".walk-canvas").scroll_into_view_if_needed()
    place = page.evaluate(
        """() => {
            const walk = document.querySelector('.walk'), cy = walk.cytoscape;
            const node = cy.nodes('[kind = "tag"]').filter((one) => !one.data('open')).first();
            const at = node.renderedPosition(), box = walk.querySelector('.walk-canvas').getBoundingClientRect();
            return [box.x + at.x, box.y + at.y, cy.nodes().length, JSON.parse(node.id())[2]];
        }"""
    )
    page.mouse.click(place[0], place[1])
    page.wait_for_function(f"() => {count} > {place[2]}")
    assert place[3] in page.inner_text(".walk-said")
    reader.look("user-walk")
    at = page.evaluate(
        """() => {
            const walk = document.querySelector('.walk'), cy = walk.cytoscape;
            walk.scrollIntoView();
            const at = cy.nodes('[?start]').renderedPosition();
            const box = walk.querySelector('.walk-canvas').getBoundingClientRect();
            return [box.x + at.x, box.y + at.y];
        }"""
    )
    page.evaluate("history.replaceState(null, '', location.pathname + '?here')")
    # On a busy machine the second click may come too late to belong to the first.
    for _ in range(5):
        page.mouse.dblclick(at[0], at[1])
        with suppress(TimeoutError):
            page.wait_for_url(f"**/users/{PERSON}", timeout=4_000)
            break
    assert page.url.endswith(f"/users/{PERSON}")


def test_item(reader: Visitor) -> None:
    page = reader.open(f"/items/{ITEM}")
    whole(reader)
    assert page.inner_text("h1") == "Dubliners"
    assert "45" in page.inner_text(".audience")
    assert page.locator("#together + ul li").count() == 10
    assert page.locator("#alike + ul li").count() == 8
    reader.look("item")


def test_tag(reader: Visitor) -> None:
    page = reader.open("/tags/genre/Poetry")
    whole(reader)
    assert page.locator("#top-things + ol li").count() == 10
    assert page.locator("#top-people + ol li").count() == 10
    reader.look("tag")
    page.click("#top-people + ol a >> nth=0")
    page.wait_for_url("**/users/*")


def test_nobody_of_that_name(reader: Visitor) -> None:
    for path, meant in (
        ("/users/arvanon-cyril", PERSON),
        ("/items/joyce-dubliner", ITEM),
        ("/tags/genre/Poetri", "genre:Poetry"),
    ):
        page = reader.open(path)
        assert meant in page.inner_text("main"), path
    reader.look("nobody")
    reader.expect_wrong("404")


def test_library_stays_quick(library: Running) -> None:
    with library.client(headers={"Accept": "text/html"}) as client:
        for path in (f"/users/{PERSON}", f"/items/{ITEM}", "/tags/genre/Fiction", "/?q=poe"):
            assert client.get(path).status_code == 200
            assert client.get(path).elapsed.total_seconds() < 3, path
