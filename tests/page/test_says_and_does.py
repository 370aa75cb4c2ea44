"""What people say beside what they do, on their page: there where the two differ, and nowhere else."""

from __future__ import annotations

import httpx
import pytest
from http_world import Running, Serve, event
from markupsafe import escape
from playwright.sync_api import expect

from .browser import Visitor
from .test_profile_data import EVIL, HTML, LONG


def load(server: Running) -> None:
    """Somebody who buys what she rates low, likes what she sends back, and is of one mind about the rest."""
    gp = server.gp
    gp.load([{"item_id": "evil", "title": EVIL}, {"item_id": "long", "title": LONG}], kind="items")
    gp.load([{"tag": "genre:Poetry", "part_of": "genre:Letters"}], kind="tags")
    rows = [event(f"b{n}", "u1", "i3", kind="purchased", value=12, day=7 + n / 10) for n in range(3)]
    rows.append(event("r", "u1", "i3", kind="rated", value=1, day=8))
    rows += [
        event("ml", "u1", "long", kind="liked", day=8),
        event("mr", "u1", "long", kind="returned", day=8),
    ]
    rows += [event(f"d{n}", "u1", f"i{n}", kind="disliked", day=9) for n in (11, 13, 15, 17, 19)]
    rows += [event(f"w{n}", "u1", f"i{n}", kind="watched", day=9) for n in (11, 13, 15, 17, 19)]
    rows += [event("v", "u1", "evil", day=9), event("w", "u1", "evil", kind="disliked", day=9)]
    rows += [event("l2", "u2", "i2", kind="liked", day=8)]
    gp.load(rows)
    gp.update_tags()


def read(client: httpx.Client, path: str) -> str:
    answer = client.get(path, headers=HTML)
    assert answer.status_code == 200, answer.text[-1000:]
    return answer.text


def test_it_is_there_where_there_is_something_to_show(served: Running, http: httpx.Client) -> None:
    load(served)
    text = read(http, "/users/u1")
    part = text.partition('id="says-and-does"')[2].partition("</section>")[0]
    assert 'href="/items/i3">Book 3</a>' in part
    assert 'href="/tags/genre/Letters">Letters</a>' in part
    assert "−0.67" in part
    assert "1 event<" in part
    assert EVIL not in text
    assert str(escape(EVIL)) in part
    # Who has said nothing, who is of one mind, and what was not so yet.
    for path in ("/users/u3", "/users/u2", "/users/u1?as_of=2023-11-16"):
        assert "Says and does" not in read(http, path), path
    why = read(http, "/users/u1/why?tag=genre:Poetry")
    assert why.count('class="said"') == 1


def test_titles_and_names_of_fields_may_be_private(serve: Serve) -> None:
    server = serve(private_properties=["title", "kind", "says", "tag", "disagreement", "explicit_events"])
    load(server)
    with server.client() as client:
        text = read(client, "/users/u1")
        assert "Says and does" in text
        assert "Book 3" not in text
        answer = client.get("/v1/profiles/u1/feedback", params={"all": "true"})
        assert answer.status_code == 200
        assert "Book 3" not in answer.text
        assert {one["says"] for one in answer.json()["objects"]} == {None}


@pytest.mark.parametrize("engine_name", ["arcadedb"], indirect=True)
def test_it_looks_right_and_is_walked_by_keys(visitor: Visitor, served: Running) -> None:
    load(served)
    page = visitor.open("/users/u1")
    section = page.locator("section[aria-labelledby='says-and-does']")
    expect(section.locator(".apart-kind")).to_have_count(2)
    page.wait_for_function("() => !document.querySelector('.waiting:not([hx-trigger~=intersect])')")
    more = section.locator("summary")
    more.focus()
    page.keyboard.press("Enter")
    things = section.locator(".apart-kind").nth(1).locator("li")
    expect(things.last).to_be_visible()
    assert things.count() == 8
    against = things.first.locator(".side").first
    assert against.inner_text().split() == ["says", "−0.67", "1", "event"]
    visitor.look("user-says-and-does")
    things.first.locator("a").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/items/i3")
