"""The state of the data on the page, and what is for administrators alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from http_world import Running, Serve, event

from graphprofile import GraphProfile
from graphprofile.ingest.overview import overview, without_values

from .browser import Visitor

HTML = {"Accept": "text/html"}
FRAGMENTS = ("/data/health", "/data/events", "/data/quality", "/data/quarantine", "/data/batches")


def test_data_of_the_library(reader: Visitor, library: Running) -> None:
    page = reader.open("/data")
    page.wait_for_selector(".waiting", state="detached")
    text = page.inner_text("main")
    assert "5,185" in text
    assert "1962-06-28" in text
    assert "Everything is up to date" in text
    assert "By type, 21,112 in all" in text
    assert "88 rows of one batch" in text
    assert page.locator(".figure.js-plotly-plot").count() == 1
    drawn = page.evaluate(
        "document.querySelector('.figure').data.flatMap(one => one.y).reduce((a, b) => a + b)"
    )
    left_out = 59
    assert drawn + left_out == 21_112
    reader.look("data")
    page.click("summary")
    assert page.locator(".refused li").count() == 20
    page.evaluate("scrollTo(0, 0)")
    page.click("text=Audit log")
    page.wait_for_url("**/audit")


def test_audit_and_keys(serve: Serve, visitor_of: Callable[[Running], Visitor]) -> None:
    server = serve()
    visitor = visitor_of(server)
    page = visitor.open("/keys")
    assert "There is no key" in page.inner_text("main")
    admin, shop = server.key("admin"), server.service.keys.create("shop", ["profiles:read"], expires="90d")
    server.service.keys.revoke(server.service.keys.create("old", ["events:write"]).id)
    with server.client(shop.key) as client:
        assert client.get("/v1/profiles/u1").status_code == 200
        assert client.get("/v1/profiles/u2").status_code == 200
    visitor.open("/login?next=/keys")
    page.fill("#key", admin)
    page.keyboard.press("Enter")
    page.wait_for_selector("h1:text('Keys')")
    names = page.locator("tbody tr td:first-child").all_inner_texts()
    assert names == ["old", "shop", "test"]
    assert shop.key not in page.content()
    visitor.look("keys")
    page.locator("tr", has_text="shop").get_by_role("link").click()
    page.wait_for_url(f"**/audit?key={shop.id}")
    assert page.locator("#key").input_value() == shop.id
    assert page.locator("tbody tr").count() == 2
    page.fill("#user", "u2")
    page.keyboard.press("Enter")
    page.wait_for_url("**/audit?user=u2*")
    assert page.locator("tbody tr").count() == 1
    assert "profile.read" in page.inner_text("tbody")
    visitor.look("audit")
    visitor.open("/audit?since=tomorrow-ish")
    assert "is no time" in page.inner_text("main")
    visitor.expect_wrong("422")


def test_older_lines_of_the_audit_log(serve: Serve, visitor_of: Callable[[Running], Visitor]) -> None:
    server = serve()
    for number in range(120):
        server.service.audit.note(f"r{number}", "-", "profile.read", "ok", [f"u{number}"])
    visitor = visitor_of(server)
    page = visitor.open("/audit")
    assert page.locator("tbody tr").count() == 51
    page.click("text=Older lines")
    page.wait_for_function("() => document.querySelectorAll('tbody tr').length === 101")
    requests = page.locator("code.request").all_inner_texts()
    assert requests[:2] == ["r119", "r118"]
    assert len(set(requests)) == 100


def test_thousands_of_batches(http: httpx.Client, gp: GraphProfile) -> None:
    """Listed whole, none twice, also where many began in the same moment; a page costs no more than before."""
    gp.store.cypher(
        "UNWIND range(1, 3000) AS n CREATE (:Batch {id: 'b' + toString(n), started_at: 1000 * (n / 7), "
        "finished_at: 1000 * (n / 7) + 500, state: 'done', read: n, applied: n, source: 'x.csv'})",
        read_only=False,
    )
    seen: list[str] = []
    cursor = None
    while cursor is not None or not seen:
        answer = http.get("/v1/batches", params={"limit": 700, **({"cursor": cursor} if cursor else {})})
        assert answer.status_code == 200, answer.text
        seen += [one["id"] for one in answer.json()["batches"]]
        cursor = answer.json()["next"]
    assert len(seen) == len(set(seen)) == 3003
    http.get("/data", headers=HTML)
    started = time.monotonic()
    shown = http.get("/data", headers=HTML)
    assert shown.status_code == 200
    assert time.monotonic() - started < 2
    assert "3,003" in shown.text
    assert "Older batches" in shown.text
    for wrong in ("x", "WzEsMl0", "WzFd"):
        assert http.get("/v1/batches", params={"cursor": wrong}).status_code == 422
        assert http.get("/data", params={"cursor": wrong}, headers=HTML).status_code == 422


def test_older_batches(serve: Serve, gp: GraphProfile, visitor_of: Callable[[Running], Visitor]) -> None:
    for number in range(30):
        gp.load([event(f"b{number}", "u1", "i1", day=30 + number)])
    visitor = visitor_of(serve())
    page = visitor.open("/data")
    page.wait_for_selector(".waiting", state="detached")
    batches = page.locator("div[aria-label=Batches] tbody tr")
    assert batches.count() == 21
    assert "1 user" in page.inner_text(".note").lower() or "user waits" in page.inner_text(".note")
    page.focus("text=Older batches")
    page.keyboard.press("Enter")
    page.wait_for_function(
        "() => document.querySelectorAll('div[aria-label=Batches] tbody tr').length === 33"
    )
    ids = page.locator("div[aria-label=Batches] tbody td:last-child").all_inner_texts()
    assert len(set(ids)) == 33
    page.evaluate("scrollTo(0, 0)")
    visitor.look("data-stale")


def test_quality_of_the_last_batches(
    serve: Serve, gp: GraphProfile, visitor_of: Callable[[Running], Visitor]
) -> None:
    def a_day(number: int, kind: str = "viewed") -> list[dict[str, Any]]:
        return [
            event(f"{number}-{n}", f"u{n % 40}", f"i{n % 20}", kind=kind, day=30 + number + n / 300)
            for n in range(120)
        ]

    gp.load([*a_day(0), event("x", "", "i1")], fail_on={"max_quarantined": 0.5, "min_rows": 100})
    gp.load([{**row, "campaign": "spring" if n < 30 else None} for n, row in enumerate(a_day(1))])
    odd = gp.load(a_day(2, "purchased"))
    visitor = visitor_of(serve())
    page = visitor.open("/data")
    page.wait_for_selector(".waiting", state="detached")
    lines = page.locator("div[aria-label='Quality of the last batches'] tbody tr")
    # The library's own three batches are below.
    assert lines.count() == 6
    newest, before, first = (lines.nth(number).locator("td").all_inner_texts() for number in range(3))
    assert newest[-1] == odd.batch
    assert newest[7].startswith("large")
    assert newest[8] == "–"
    assert before[7].startswith("stable")
    assert before[3] == "campaign 25.0%"
    assert first[1:5] == ["2 met", "121", "user_id 99.2%", "0.8%"]
    assert newest[1:4] == ["none", "120", "all full"]
    visitor.look("data-quality")


def test_what_to_do(http: httpx.Client, gp: GraphProfile) -> None:
    assert "graphprofile train" in http.get("/data/health", headers=HTML).text
    gp.load([event("late", "u1", "i1", day=9)])
    shown = http.get("/data/health", headers=HTML).text
    assert "One user waits for their interests." in shown
    assert "<code>graphprofile tags</code>" in shown
    gp.load([event("x", "u1", "i1", kind="vewed"), event("", "u2", "i2")])
    refused = http.get("/data/quarantine", headers=HTML).text
    assert "unknown event type" in refused
    assert "<code>vewed</code>" in refused


def test_empty_graph(http: httpx.Client, gp: GraphProfile) -> None:
    gp.store.cypher("MATCH (n) DETACH DELETE n", read_only=False)
    gp.forget_rules()
    assert "No batch yet" in http.get("/data", headers=HTML).text
    assert "Nothing is loaded yet." in http.get("/data/health", headers=HTML).text
    assert "No batch has a quality record yet" in http.get("/data/quality", headers=HTML).text
    assert "There are no events." in http.get("/data/events", headers=HTML).text
    assert http.get("/v1/batches").json() == {"batches": [], "next": None}


def test_a_share_of_many_events(http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from graphprofile.http.page import reads_data

    monkeypatch.setattr(reads_data, "LOOKED_AT", 120)
    shown = http.get("/data/events", headers=HTML)
    assert shown.status_code == 200
    assert "Estimated from the events of 50.0% of the users" in shown.text
    assert "By type, 240 in all" in shown.text
    monkeypatch.setattr(reads_data, "COUNTED", 100)
    monkeypatch.setattr(reads_data, "LOOKED_AT", 299)
    shown = http.get("/data/events", headers=HTML)
    assert "By type, about " in shown.text
    monkeypatch.setattr(reads_data, "LOOKED_AT", 300)
    shown = http.get("/data/events", headers=HTML)
    assert "By type, about 240 in all" in shown.text


def test_only_administrators_see_rows_places_and_logs(gp: GraphProfile, serve: Serve) -> None:
    gp.load([{**event("x", "u1", "i1", kind="vewed"), "email": "secret@example.org"}])
    server = serve(private_properties=["email"])
    with server.client() as client:
        # Nobody is signed in, and email is private: no row is shown.
        assert "secret@" not in client.get("/data/quarantine", headers=HTML).text
    reader, admin = server.key("profiles:read"), server.key("admin")
    with server.client(reader) as client:
        for path in ("/data", *FRAGMENTS):
            found = client.get(path, headers=HTML)
            assert found.status_code == 200, path
            for private in ("secret@", "vewed", str(gp.settings.data_dir), "bolt://", 'href="/audit"'):
                assert private not in found.text, (path, private)
        for path in ("/audit", "/audit/lines", "/keys"):
            found = client.get(path, headers=HTML)
            assert found.status_code == 403
            assert "does not have the scope admin" in found.text
    with server.client(admin) as client:
        assert "secret@" in client.get("/data/quarantine", headers=HTML).text
        assert str(gp.settings.data_dir) in client.get("/data/health", headers=HTML).text
        assert 'href="/audit"' in client.get("/data", headers=HTML).text
        actions = [one["action"] for one in client.get("/v1/audit").json()["entries"]]
        assert "quarantine.read" in actions


@pytest.mark.parametrize(
    ("reason", "short"),
    [
        ("'31/02/1999' is no time: use ISO 8601", "… is no time: use ISO 8601"),
        ("12.5 is no id: use text", "… is no id: use text"),
        ("2030-01-01T00:00:00Z is more than a day in the future", "… is more than a day in the future"),
        ("the engine refused it: Node(7) has email a@b.c", "the engine refused it"),
        ("unknown event type 'it\\'s'; to declare it add [events.its]", "unknown event type …"),
        ("conflict with a@b.example and 0612345678", "conflict with … and …"),
        ("\"it's cut sho…", "…"),
    ],
)
def test_reasons_say_nothing_of_anybody(reason: str, short: str) -> None:
    assert without_values(reason) == short


def test_a_large_quarantine_is_not_read_whole(gp: GraphProfile) -> None:
    for number in range(3):
        gp.load([event(f"x{number}-{row}", "u1", "i1", kind="vewed") for row in range(10)])
    data_dir: Path = gp.settings.data_dir
    found = overview(data_dir, most_rows=12, newest=3)
    assert found.rows == 12
    assert not found.complete
    assert [one.rows for one in found.batches] == [10, 2, None]
    assert len(found.newest) == 3
    newest = data_dir / "quarantine" / f"{found.batches[0].batch}.jsonl"
    newest.write_text("no JSON\n", "utf-8")
    again = overview(data_dir)
    assert again.rows == 20
    assert again.batches[0].problem
