"""``/console`` in a real browser: editor, examples, table, graph, chart, download, errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
from http_world import Running, Serve

from .browser import Visitor


def answered(visitor: Visitor) -> None:
    visitor.page.wait_for_function("() => document.getElementById('status').textContent.includes(' ms')")
    visitor.settle()


def test_every_example_runs(reader: Visitor) -> None:
    page = reader.open("/console")
    examples = page.locator(".example")
    assert examples.count() == 8
    for number in range(examples.count()):
        examples.nth(number).click()
        assert page.evaluate("document.activeElement.id") == "query"
        page.keyboard.press("Control+Enter")
        page.wait_for_selector("#run:enabled")
        answered(reader)
        assert page.locator("#problem").is_hidden(), page.inner_text("#problem")
        assert not page.inner_text("#status").startswith("0 "), page.input_value("#query")


def test_table_and_download(reader: Visitor, tmp_path: Path) -> None:
    page = reader.open("/console")
    page.fill(
        "#query", "UNWIND [[1, '=1+1'], [2, 'a \"b\", c']] AS p RETURN p[0] AS n, p[1] AS text, null AS none"
    )
    page.click("#run")
    answered(reader)
    assert page.locator("thead th").all_inner_texts() == ["n", "text", "none"]
    assert page.locator("tbody tr").count() == 2
    assert page.locator("#tab-table").get_attribute("aria-selected") == "true"
    assert page.locator("#tab-graph").is_disabled()
    with page.expect_download() as waiting:
        page.click("#csv")
    waiting.value.save_as(tmp_path / "answer.csv")
    text = (tmp_path / "answer.csv").read_bytes().decode("utf-8-sig")
    assert text == 'n,text,none\r\n1,\'=1+1,\r\n2,"a ""b"", c",\r\n'
    reader.look("console-table")


def test_graph(reader: Visitor) -> None:
    page = reader.open("/console")
    page.click("text=Somebody's items, drawn")
    page.click("#run")
    answered(reader)
    assert page.locator("#tab-graph").get_attribute("aria-selected") == "true"
    assert page.evaluate("consoleGraph.shown().edges().length") == 40
    kinds = page.evaluate("consoleGraph.shown().nodes().map((node) => node.data('kind'))")
    assert set(kinds) == {"User", "Item"}
    assert kinds.count("User") == 1
    page.evaluate("consoleGraph.shown().nodes()[0].emit('tap')")
    assert "(:" in page.inner_text("#picked")
    reader.look("console-graph")
    ink = "consoleGraph.shown().nodes()[0].style('color')"
    light = page.evaluate(ink)
    page.click("#theme")
    assert page.evaluate(ink) != light
    page.click("#theme")
    page.focus("#tab-graph")
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.id") == "tab-table"
    assert page.locator("#view-table tbody tr").count() == 40


def test_chart(reader: Visitor) -> None:
    page = reader.open("/console")
    page.click("text=Events by year")
    page.click("#run")
    answered(reader)
    page.click("#tab-chart")
    reader.settle()
    assert page.input_value("#x") == "year"
    assert page.input_value("#y") == "events"
    page.select_option("#kind", "line")
    reader.settle()
    assert page.evaluate("document.getElementById('chart').data[0].mode") == "lines+markers"
    assert page.evaluate("document.getElementById('chart').data[0].y.reduce((a, b) => a + b, 0)") > 10_000
    reader.look("console-chart")


def test_errors_are_told(reader: Visitor) -> None:
    page = reader.open("/console?q=MATCH%20(n)%20DETACH%20DELETE%20n")
    page.click("#run")
    page.wait_for_selector("#problem:visible")
    assert "The query writes (DETACH)" in page.inner_text("#problem")
    reader.look("console-error")
    reader.expect_wrong("422")
    page.click("text=Parameters")
    page.fill("#parameters", "{not json")
    page.click("#run")
    assert "no JSON" in page.inner_text("#problem")
    page.fill("#parameters", '{"x": "<b>&</b>"}')
    page.fill(
        "#query",
        "RETURN $x AS `<i>x</i>`, {kind: 'node', labels: ['<u>'], properties: {a: '<s>'}, id: '1'} AS n",
    )
    page.click("#run")
    answered(reader)
    assert page.locator("#problem").is_hidden()
    assert page.locator("#result b, #result i, #result u, #result s").count() == 0


def test_cut_rows_are_told(serve: Serve, visitor_of: Callable[[Running], Visitor]) -> None:
    visitor = visitor_of(serve(console_rows=5))
    page = visitor.open("/console")
    page.fill("#query", "UNWIND range(1, 9) AS x RETURN x")
    page.click("#run")
    answered(visitor)
    assert "first 5" in page.inner_text("#cut")


def test_only_admin_and_only_who_sees_all(serve: Serve, visitor_of: Callable[[Running], Visitor]) -> None:
    server = serve(private_properties=["email"])
    visitor = visitor_of(server)
    page = visitor.open("/console")
    assert "email would be shown" in page.inner_text(".problem")
    page.click("#run")
    page.wait_for_selector("#problem:visible")
    assert "private properties" in page.inner_text("#problem")
    visitor.expect_wrong("403")
    html = {"Accept": "text/html"}
    for scopes, status in ((("profiles:read",), 403), (("admin",), 200)):
        with server.client() as client:
            client.post("/login", data={"key": server.key(*scopes), "next": "/"})
            assert client.get("/console", headers=html).status_code == status
            assert client.post("/console/run", json={"query": "RETURN 1 AS x"}).status_code == status
            evil = client.post(
                "/console/run", json={"query": "RETURN 1"}, headers={"Origin": "https://evil.example"}
            )
            assert evil.status_code == 403
    assert httpx.post(f"{server.url}/console/run", json={"query": "RETURN 1"}).status_code == 401
