"""The pages of users, items, content and tags on both engines: what they show of awkward data, and what they hide."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from http_world import DAY, START, Running, Serve, event

from graphprofile.http.audit import read_audit
from graphprofile.http.page.reads_user import EVENTS_AT_ONCE, trends
from graphprofile.http.page.routes_graph_walk import AT_ONCE, walk
from graphprofile.http.page.routes_map import make_map
from graphprofile.http.page.routes_search import search
from graphprofile.report_parts.buckets import count_by_time

from .browser import Visitor

HTML = {"Accept": "text/html"}
PART = {**HTML, "HX-Request": "true"}
EVIL = "</script><img src=x onerror=alert(1)>\"'&{{7*7}}"
LONG = "Maximiliana" * 40


def read(client: httpx.Client, path: str, *, status: int = 200, part: bool = False) -> str:
    answer = client.get(path, headers=PART if part else HTML)
    assert answer.status_code == status, (path, answer.text[-1500:])
    assert answer.headers["content-type"].startswith("text/html")
    return answer.text


def events_of(text: str) -> list[str]:
    """Ids of the objects of a timeline, in order."""
    return re.findall(r'class="did">.*?<a href="/(?:items|content|users)/([^"]*)"', text)


# --- every page on both engines ---------------------------------------------------------------------------------


def test_pages_on_both_engines(served: Running, http: httpx.Client) -> None:
    served.gp.load(
        [{"content_id": "c1", "title": "Essay on verse", "text": "Of metre", "tags": "genre:Poetry"}],
        kind="content",
    )
    served.gp.load([{"tag": "genre:Poetry", "part_of": "genre:Letters"}], kind="tags")
    served.gp.load([event("ec", "u1", "c1", kind="read", object_kind="content", day=9)])
    served.gp.load([event("eu", "u1", "u2", kind="followed", object_kind="user", day=9)])
    served.gp.update_tags()
    for path, shown in (
        ("/", "people"),
        ("/overview", "Somebody typical"),
        ("/?q=u1", "Reader 1"),
        ("/?q=reader", "<mark>Reader</mark>"),
        ("/?q=book 1", "<mark>Book 1</mark>"),
        ("/?q=poe", "<mark>Poe</mark>try"),
        ("/?q=verse", "Essay on <mark>verse</mark>"),
        ("/users/u1", "Reader 1"),
        (f"/users/u1?as_of={START + 2 * DAY}", "how the profile stood"),
        ("/users/u1/events", "viewed"),
        ("/users/u1/events?event=viewed", "viewed"),
        ("/users/u1/why?tag=genre:Poetry", "Essay on verse"),
        ("/users/u1/recommended", "No model has been trained"),
        ("/users/u1/similar", "No model has been trained"),
        ("/users/u1/map", "No model has been trained"),
        ("/items/i3", "Book 3"),
        ("/items/i3/similar", "Nothing has been trained"),
        ("/items/i3/together", "of those here"),
        ("/content/c1", "Of metre"),
        ("/content/c1/similar", "Nothing has been trained"),
        ("/tags/genre/Poetry", "Letters"),
        ("/tags/genre/Letters", "Poetry"),
        ("/tags/genre/Poetry/top", "Reader"),
    ):
        assert shown in read(http, path), path
        read(http, path, part=True)
    assert "followed" in read(http, "/users/u1")
    for asked in (
        {"kind": "user", "id": "u1"},
        {"kind": "user", "id": "u2"},
        {"kind": "item", "id": "i3"},
        {"kind": "content", "id": "c1"},
        {"kind": "tag", "id": "Poetry", "of": "genre"},
    ):
        found = http.get("/neighbours", params=asked).raise_for_status().json()
        assert found["neighbours"], asked
        assert len(found["neighbours"]) <= AT_ONCE
        for node in found["neighbours"]:
            read(http, node["path"])


def test_with_a_model(served: Running, http: httpx.Client) -> None:
    served.gp.train(seed=0, epochs=2)
    page = read(http, "/users/u1")
    assert "state fresh" in page
    assert served.gp.models.in_use() in page  # type: ignore[operator]
    assert 'class="offer"' in read(http, "/users/u1/recommended")
    assert "Nothing of this kind" in read(http, "/users/u1/recommended?kind=content")
    similar = read(http, "/users/u1/similar")
    assert similar.count("Reader ") >= 6
    assert "Map of people" in read(http, "/users/u1/map")
    assert "near" in read(http, "/items/i3/similar") or "tagged" in read(http, "/items/i3/similar")
    assert "state fresh" in read(http, "/items/i3")
    assert "lose without each event" in read(http, "/users/u1/why?item=i3")
    # Somebody who came after the training is cold, and on the map amid the others or not at all.
    served.gp.load([{"user_id": "new", "name": "New"}], kind="users")
    served.gp.update_tags()
    served.gp.embed()
    page = read(http, "/users/new")
    assert "cold start" in page
    assert "No events yet" in page
    read(http, "/users/new/map")
    read(http, "/users/new/recommended")


def test_events_posted_just_now_are_there(http: httpx.Client) -> None:
    read(http, "/users/u1")
    answer = http.post("/v1/events", json=event("fresh-1", "u1", "i19", day=30))
    assert answer.status_code == 200
    page = read(http, "/users/u1")
    assert events_of(page)[0] == "i19"
    assert "Travel" in page


# --- awkward data -----------------------------------------------------------------------------------------------


def test_markup_in_data_stays_text(served: Running, http: httpx.Client) -> None:
    tag = {"kind": "genre", "name": EVIL}
    served.gp.load([{"item_id": EVIL, "title": EVIL, "tags": [f"genre:{EVIL}"], "note": EVIL}], kind="items")
    served.gp.load([{"content_id": EVIL, "title": EVIL, "text": EVIL}], kind="content")
    served.gp.load([{"user_id": EVIL, "name": EVIL, "note": EVIL}], kind="users")
    served.gp.load([event("evil", EVIL, EVIL), event("evil2", "u1", EVIL)])
    served.gp.update_tags()
    id_ = quote(EVIL, safe="")
    paths = [
        *(f"/users/{id_}{part}" for part in ("", "/events", "/map", "/similar", "/recommended")),
        f"/users/{id_}/why?tag={quote('genre:' + EVIL)}",
        *(f"/items/{id_}{part}" for part in ("", "/similar", "/together")),
        f"/content/{id_}",
        f"/tags/genre/{id_}",
        f"/tags/genre/{id_}/top",
        f"/?q={id_}",
        "/?q=onerror",
        "/users/u1",
        "/overview",
    ]
    for path in paths:
        for part in (False, True):
            text = read(http, path, part=part)
            assert "<img" not in text, path
            assert "49" not in re.sub(
                r"[0-9a-f]{6,}|v=\w+|\d{4}-\d\d-\d\d", "", text
            ) or "{{7*7}}" in html.unescape(text), path
    assert tag["name"] in html.unescape(read(http, "/users/u1"))


@pytest.mark.parametrize("name", ["", LONG, "  ", "名前", "a/b", "%2F", "...", "O'Neil"])
def test_any_name_and_id(served: Running, http: httpx.Client, name: str) -> None:
    if name.strip():
        served.gp.load([{"user_id": name, "name": name}, {"user_id": "x", "name": name}], kind="users")
        served.gp.load([{"item_id": name, "title": name, "tags": [f"topic:{name}"]}], kind="items")
        served.gp.load([event("odd", name, name)])
        served.gp.update_tags()
        id_ = quote(name, safe="")
        for path in (f"/users/{id_}", f"/items/{id_}", f"/tags/topic/{id_}", f"/users/{id_}/events"):
            assert name in html.unescape(read(http, path)), path
        found = http.get("/neighbours", params={"kind": "user", "id": name}).raise_for_status().json()
        assert {node["kind"] for node in found["neighbours"]} == {"item", "tag"}
    read(http, "/?q=" + quote(name))


@pytest.mark.parametrize("value", [["a", "b"], 7, True, 2.5])
def test_names_that_are_no_text(served: Running, http: httpx.Client, value: Any) -> None:
    served.gp.load([{"user_id": "odd", "name": value}], kind="users")
    read(http, "/users/odd")
    read(http, "/?q=odd")
    read(http, "/?q=a")


def test_nobody_and_nothing_loaded(serve: Serve, gp: Any, wipe_library: Callable[[Any], Any]) -> None:
    server = serve()
    with server.client() as client:
        for path in ("/users/u1x", "/items/i3x", "/content/nothing", "/tags/genre/Poetri", "/tags/x/y"):
            assert "That cannot be shown" in read(client, path, status=404)
        assert "Did you mean" in read(client, "/users/u1x", status=404)
        assert "genre:Poetry" in read(client, "/tags/genre/Poetri", status=404)
        for label in ("User", "Item", "Content", "Tag", "Batch", "Schema", "TagKind"):
            server.gp.cypher(f"MATCH (n:{label}) DETACH DELETE n", read_only=False)
    with serve().client() as client:
        assert "Nobody is here yet" in read(client, "/")
        assert "Nothing goes by" in read(client, "/?q=u1")
        read(client, "/users/u1", status=404)


def test_who_has_no_events(served: Running, http: httpx.Client) -> None:
    served.gp.load([{"user_id": "quiet", "name": "Quiet"}], kind="users")
    served.gp.load([{"item_id": "unread", "title": "Unread", "tags": "genre:Lonely"}], kind="items")
    assert "No events yet" in read(http, "/users/quiet")
    assert "missing" in read(http, "/users/quiet")
    assert "Nobody yet" in read(http, "/items/unread")
    assert "No events yet" in read(http, "/tags/genre/Lonely")
    assert "Nobody yet" in read(http, "/tags/genre/Lonely/top")
    assert "Nothing had happened by then" in read(http, "/users/u1?as_of=1999-01-01")
    read(http, "/users/quiet/events")
    read(http, "/users/quiet/why?tag=genre:Poetry", status=404)


def test_timeline_pages_without_gaps_or_repeats(served: Running, http: httpx.Client) -> None:
    rows = [
        event(f"t{n:04}", "busy", f"i{n % 20}", kind=("viewed", "purchased", "liked")[n % 3], day=n // 90)
        for n in range(3 * EVENTS_AT_ONCE + 7)
    ]
    served.gp.load(rows)
    served.gp.update_tags()
    types = {rule.type: name for name, rule in served.gp.vocabulary.events.items()}
    wanted = sorted(
        rows, key=lambda row: (-row["timestamp"], types_of(types, row["event_type"]), row["event_id"])
    )
    text = read(http, "/users/busy")
    found = events_of(text)
    while following := re.search(r'<li class="more"><a [^>]*href="([^"]*)"', text):
        text = read(http, html.unescape(following[1]), part=True)
        found += events_of(text)
    assert found == [row["object_id"] for row in wanted]
    text = read(http, "/users/busy/events?event=liked", part=True)
    following = re.search(r'<li class="more"><a [^>]*href="([^"]*)"', text)
    assert following
    rest = read(http, html.unescape(following[1]), part=True)
    liked = [row["object_id"] for row in wanted if row["event_type"] == "liked"]
    assert events_of(text) + events_of(rest) == liked[: 2 * EVENTS_AT_ONCE]


def types_of(types: dict[str, str], name: str) -> str:
    return next(kind for kind, called in types.items() if called == name)


def test_thousands_of_events(served: Running, http: httpx.Client) -> None:
    served.gp.load([event(f"m{n}", "heavy", f"i{n % 20}", day=n / 40) for n in range(4000)])
    served.gp.update_tags()
    page = read(http, "/users/heavy")
    assert "4,000" in page
    assert len(page) < 300_000
    assert len(events_of(page)) == EVENTS_AT_ONCE
    why = read(http, "/users/heavy/why?tag=genre:Poetry")
    assert "1,988 other events together" in why
    found = http.get("/neighbours", params={"kind": "user", "id": "heavy"}).json()
    assert len(found["neighbours"]) <= AT_ONCE


def test_walk_says_how_many_it_left_out(served: Running) -> None:
    served.gp.load([event(f"f{n:02}", f"fan{n:02}", "i0", day=50 + n) for n in range(60)])
    store, rules = served.gp.store, served.gp.vocabulary
    found = walk(store, rules, "item", "i0")
    people = [node for node in found["neighbours"] if node["kind"] == "user"]
    assert people[0]["id"] == "fan59"
    assert len(found["neighbours"]) == AT_ONCE
    total = (
        len(
            {
                row["id"]
                for row in served.gp.cypher(
                    "MATCH (:Item {id: 'i0'})<-[e]-(u:User) RETURN DISTINCT u.id AS id"
                )
            }
        )
        + 1
    )
    assert found["left_out"] == total - AT_ONCE


# --- what is hidden, and what is written down -------------------------------------------------------------------


@pytest.fixture
def private(serve: Serve) -> Iterator[tuple[httpx.Client, Running]]:
    server = serve(private_properties=["name", "email", "title"])
    server.gp.train(seed=0, epochs=2)
    with server.client() as client:
        yield client, server


def test_private_properties_are_nowhere(private: tuple[httpx.Client, Running]) -> None:
    client, server = private
    paths = [
        "/",
        "/overview",
        "/?q=u1",
        "/?q=i1",
        "/?q=Reader",
        "/?q=Book",
        *(f"/users/u1{part}" for part in ("", "/events", "/map", "/similar", "/recommended")),
        "/users/u1/why?tag=genre:Travel",
        "/users/u1/why?item=i3",
        "/items/i3",
        "/items/i3/similar",
        "/items/i3/together",
        "/tags/genre/Poetry",
        "/tags/genre/Poetry/top",
    ]
    for path in paths:
        for part in (False, True):
            text = html.unescape(read(client, path, part=part))
            for secret in ("Reader 1", "Reader 2", "example.org", "Book 1", "Book 3", "Book 13"):
                assert secret not in text, (path, secret)
    found = read(client, "/?q=Reader")
    assert "names are private here" in found
    assert 'href="/users/' not in found.partition('id="found"')[2]
    for asked in ({"kind": "user", "id": "u1"}, {"kind": "item", "id": "i3"}):
        answer = client.get("/neighbours", params=asked).text
        assert "Reader" not in answer
        assert "Book" not in answer
    assert "Paris" in read(client, "/users/u1")
    assert "Poetry" in read(client, "/tags/genre/Poetry")
    # Who may see them does.
    key = server.key("profiles:read", show=["name", "title"])
    with server.client(key) as trusted:
        assert "Reader 1" in read(trusted, "/users/u1")
        assert "example.org" not in read(trusted, "/users/u1")
        assert "Book" in read(trusted, "/?q=book")


def test_readings_are_written_down(served: Running, http: httpx.Client) -> None:
    for path in (
        "/users/u1",
        "/users/u1/events",
        "/users/u1/why?tag=genre:Travel",
        "/users/u1/similar",
        "/users/u1/recommended",
        "/users/u1/map",
        "/?q=u1",
        "/tags/genre/Poetry/top",
        "/neighbours?kind=user&id=u1",
        "/neighbours?kind=item&id=i3",
    ):
        read(http, path) if "neighbours" not in path else http.get(path).raise_for_status()
    read(http, "/users/u1x", status=404)
    served.service.audit.flush()
    lines = read_audit(served.gp.settings.data_dir, limit=100)
    done = {(line.action, line.outcome) for line in lines if line.subjects[:1] == ["u1"]}
    assert {
        ("profile.read", "ok"),
        ("profile.explain", "ok"),
        ("profile.similar", "ok"),
        ("profile.recommend", "ok"),
        ("profile.map", "ok"),
        ("profile.listed", "ok"),
    } <= done
    assert any(line.action == "profile.found" and line.subjects for line in lines)
    assert ("profile.read", "not_found", ["u1x"]) in [(x.action, x.outcome, x.subjects) for x in lines]


def test_a_key_without_the_scope_sees_nothing(serve: Serve) -> None:
    server = serve()
    with server.client(server.key("events:write")) as client:
        for path in ("/", "/overview", "/users/u1", "/items/i1", "/tags/genre/Poetry", "/users/u1/map"):
            assert "Reader" not in read(client, path, status=403)
        assert client.get("/neighbours?kind=user&id=u1").status_code == 403


# --- what people put into addresses -----------------------------------------------------------------------------

ATTACKS = [
    "' OR 1=1 //",
    "x'}) DETACH DELETE n //",
    "`) MATCH (n) DETACH DELETE n //",
    "\\u0027",
    "$id",
    "../../etc/passwd",
    "%00",
    "<svg onload=alert(1)>",
    "a" * 5000,
    "\U0001f600",
    "-1",
    "1e999",
    "9" * 40,
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_attacks_do_nothing(served: Running, http: httpx.Client, attack: str) -> None:
    count = "MATCH (n) RETURN count(n) AS n"
    before = served.gp.cypher(count)
    text = quote(attack, safe="%" if attack == "%00" else "")
    for path in (
        f"/?q={text}",
        f"/users/{text}",
        f"/users/u1?as_of={text}",
        f"/users/u1/events?event={text}",
        f"/users/u1/events?cursor={text}",
        f"/users/u1/events?as_of={text}",
        f"/users/u1/why?tag={text}",
        f"/users/u1/why?item={text}",
        f"/users/u1/recommended?kind={text}",
        f"/items/{text}",
        f"/items/{text}/similar",
        f"/items/{text}/together",
        f"/content/{text}",
        f"/tags/{text}/{text}",
        f"/tags/{text}/{text}/top",
        f"/neighbours?kind={text}&id={text}&of={text}",
        f"/neighbours?kind=tag&id={text}&of={text}",
        f"/neighbours?kind=user&id={text}",
    ):
        answer = http.get(path, headers=HTML)
        assert answer.status_code < 500, (path, answer.text)
        assert "<svg onload" not in answer.text
        assert "Neo.ClientError" not in answer.text
    assert served.gp.cypher(count) == before


def test_as_of_takes_what_the_form_sends(http: httpx.Client) -> None:
    assert "how the profile stood" not in read(http, "/users/u1?as_of=")
    assert "how the profile stood" in read(http, "/users/u1?as_of=2023-11-17")
    read(http, "/users/u1?as_of=2999-01-01")
    read(http, "/users/u1?as_of=0001-01-01")
    read(http, "/users/u1?as_of=tomorrow", status=422)


# --- small pieces -----------------------------------------------------------------------------------------------


def test_search_is_bounded(served: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    from graphprofile.http.page import routes_search

    assert len(search(served.gp.store, "reader")["users"]) == routes_search.FOUND
    assert len(search(served.gp.store, "reader", 5)["users"]) <= 5
    # Ids are found wherever they are.
    assert {row["id"] for row in search(served.gp.store, "u39")["users"]} == {"u39"}
    assert {row["id"] for row in search(served.gp.store, "U39")["users"]} == {"u39"}
    with served.client() as client:
        assert "the first" not in read(client, "/?q=reader")
        monkeypatch.setattr(routes_search, "LOOKED_AT", 5)
        monkeypatch.setattr(routes_search, "LOOKED_FURTHER_AT", 7)
        assert "names among the first 5; the button looks further" in read(client, "/?q=reader", part=True)
        assert "names among the first 7." in read(client, "/?q=reader")


def test_map_is_made_once(served: Running, http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    served.gp.train(seed=0, epochs=2)
    from graphprofile.http.page import routes_map

    made = []
    monkeypatch.setattr(routes_map, "MOST_POINTS", 20)
    monkeypatch.setattr(routes_map, "make_map", lambda gp, model: made.append(model) or make_map(gp, model))
    texts = [read(http, f"/users/u{n}/map", part=True) for n in range(40)]
    assert made == [served.gp.models.in_use()]
    assert any("amid its nearest people" in text for text in texts)
    assert any("amid its nearest people" not in text for text in texts)


def test_trends() -> None:
    strength = {
        ("genre", "up"): (8.0, 10.0),
        ("genre", "down"): (1.0, 10.0),
        ("genre", "gone"): (0.0, -2.0),
        ("topic", "same"): (1.0, 5.0),
        ("old", "still"): (0.0, 5.0),
    }
    assert trends(strength) == {
        ("genre", "up"): "rising",
        ("genre", "down"): "falling",
        ("topic", "same"): "steady",
    }


def test_counts_by_time() -> None:
    assert count_by_time([]) is None
    month = count_by_time([("a", 0, "exact", 2), ("a", 400, "exact", 1), ("b", 31, "year", 5)])
    assert month is not None
    assert (month.bucket, month.dates[0], month.dates[-1]) == ("month", "1970-01-01", "1971-02-01")
    assert month.series == [("a", [2, *[0] * 12, 1])]
    assert month.too_coarse == 5
    years = count_by_time([("a", 0, "year", 2), ("a", 31, "year", 1)])
    assert years is not None
    assert (years.bucket, years.series) == ("year", [("a", [3])])
    day = count_by_time([("a", -3, "exact", 1), ("a", -1, "exact", 1), ("a", 10**9, "exact", 1)])
    assert day is not None
    assert day.dates == ["1969-12-29", "1969-12-30", "1969-12-31"]


# --- seen -------------------------------------------------------------------------------------------------------


def test_awkward_data_looks_right(served: Running, visitor: Visitor) -> None:
    served.gp.load(
        [{"user_id": "long", "name": LONG, "note": "n" * 900, "site": "https://example.org/" + "p" * 90}],
        kind="users",
    )
    served.gp.load(
        [{"item_id": "evil", "title": EVIL, "tags": [f"genre:{EVIL}", f"topic:{LONG}"]}], kind="items"
    )
    served.gp.load(
        [
            event("x1", "long", "evil"),
            event("x2", "u1", "evil"),
            event("x3", "long", "u1", kind="followed", object_kind="user"),
        ]
    )
    served.gp.update_tags()
    for path, name in (
        ("/users/long", "awkward-user"),
        ("/items/evil", "awkward-item"),
        (f"/tags/topic/{LONG}", "awkward-tag"),
    ):
        page = visitor.open(path)
        page.locator(".walk").scroll_into_view_if_needed()
        page.wait_for_function("() => document.querySelector('.walk-said').textContent.includes('neighbour')")
        page.evaluate("scrollTo(0, 0)")
        visitor.look(name)


def test_who_has_nothing_looks_right(served: Running, visitor: Visitor) -> None:
    served.gp.load([{"user_id": "quiet", "name": "Quiet"}], kind="users")
    page = visitor.open("/users/quiet")
    page.locator("#map-title").scroll_into_view_if_needed()
    page.wait_for_function("() => !document.querySelector('.waiting')", timeout=90_000)
    visitor.look("user-quiet")


def test_who_likes_nothing(served: Running, http: httpx.Client) -> None:
    served.gp.load([event("dis", "grumpy", "i1", kind="disliked", day=3)])
    served.gp.update_tags()
    assert "Poetry" in read(http, "/users/grumpy")


def test_private_properties_may_have_any_name(serve: Serve) -> None:
    names = ["text", "status", "kind", "name", "title", "value", "label", "called", "number"]
    with serve(private_properties=names).client() as client:
        for path in (
            "/users/u1",
            "/users/u1/events",
            "/items/i1",
            "/tags/genre/Poetry",
            "/insights/co_purchase?item=i1",
            "/insights/co_purchase/answer?item=i1",
            "/insights/funnel",
            "/audience?all=property+year%3E%3D1900",
            "/audience/found?all=interest+tag%3DPoetry",
        ):
            text = read(client, path)
            assert "Reader 1" not in text, path
        assert "people" in read(client, "/insights/co_purchase?item=i1")


def test_the_map_shows_who_is_there_now(served: Running, http: httpx.Client) -> None:
    served.gp.train(seed=0, epochs=2, force=True)
    assert "Reader 2" in read(http, "/users/u1/map", part=True)
    served.gp.load([{"user_id": "u2", "name": "Somebody else", "updated_at": "2030-01-01"}], kind="users")
    text = read(http, "/users/u1/map", part=True)
    assert "Somebody else" in text
    assert "Reader 2&" not in text
