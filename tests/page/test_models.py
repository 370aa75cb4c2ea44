"""The models on the page: all of them, one of them, and what is shown where there is none or a damaged one."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from http_world import Running, Serve

from graphprofile import GraphProfile
from graphprofile.http.page.document import to_html

from .browser import Visitor

HTML = {"Accept": "text/html"}


def test_models_of_the_library(reader: Visitor, library: Running) -> None:
    version = library.gp.models.in_use()
    assert version
    page = reader.open("/models")
    assert page.locator("nav a[aria-current]").inner_text() == "Models"
    assert page.locator(".figure.js-plotly-plot").count() == 2
    found = library.gp.models.show(version)["metrics"]["model"]
    assert f"{found['ndcg_at_20']:.4f}" in page.inner_text("table")
    assert f"{found['ndcg_at_20_interval'][1]:.3f}" in page.inner_text("table")
    reader.look("models")
    page.click(f"td >> text={version}")
    page.wait_for_url(f"**/models/{version}")
    assert page.inner_text("h1") == version


def test_model_of_the_library(reader: Visitor, library: Running) -> None:
    version = library.gp.models.in_use()
    assert version
    page = reader.open(f"/models/{version}")
    page.wait_for_selector(".waiting", state="detached")
    assert "Too few users have had events since" in page.inner_text("main")
    card = page.inner_text("article")
    assert f"Model card: {version}" in card
    assert "Intended use" in card
    assert library.gp.models.show(version)["graph"]["digest"] in card
    assert page.locator("article table").count() >= 4
    reader.look("model")
    page.click("summary")
    assert '"code_version"' in page.inner_text("pre")


def test_a_card_cannot_bring_a_script() -> None:
    text = to_html(
        "# A <script>alert(1)</script>\n\n[x](javascript:alert(1)) ![x](http://evil.example/i)\n\n<b>"
    )
    assert "<script" not in text
    assert "<h2>" in text
    assert 'href="javascript' not in text
    assert "<img" not in text
    assert "<b>" not in text


def test_no_graph_and_no_model(http: httpx.Client, gp: GraphProfile) -> None:
    assert "graphprofile train" in http.get("/models", headers=HTML).text
    missing = http.get("/models/m-1", headers=HTML)
    assert missing.status_code == 404
    assert "No model" in missing.text
    assert http.get("/models/..%2F..%2Faccess.db", headers=HTML).status_code == 404
    gp.store.cypher("MATCH (n) DETACH DELETE n", read_only=False)
    gp.forget_rules()
    assert "There is no model yet" in http.get("/models", headers=HTML).text


@pytest.mark.slow
def test_versions_and_a_damaged_one(
    gp: GraphProfile, serve: Serve, visitor_of: Callable[[Running], Visitor]
) -> None:
    first = gp.train(seed=0, epochs=2, force=True).model
    second = gp.train(seed=1, epochs=2).model
    third = gp.train(seed=2, epochs=2).model
    in_use = gp.models.in_use()
    assert in_use
    damaged = next(one for one in (second, first) if one != in_use)
    (gp.models.registry.folder / damaged / "model.json").write_text("{", "utf-8")
    server = serve()
    visitor = visitor_of(server)
    page = visitor.open("/models")
    versions = page.locator("tbody a").all_inner_texts()
    # Newest first, to the second: two of one second come in any order.
    assert sorted(versions, key=lambda one: one[:17], reverse=True) == versions
    assert set(versions) == {third, second, first}
    assert "damaged" in page.inner_text("table")
    visitor.look("models-damaged")
    page.click(f"text={damaged}")
    page.wait_for_selector(".problem")
    assert "This version is damaged." in page.inner_text(".problem")
    assert str(gp.settings.data_dir) in page.inner_text(".problem")
    visitor.look("model-damaged")
    visitor.open(f"/models/{in_use}")
    page.wait_for_selector(".waiting", state="detached")
    key = server.key("profiles:read")
    with server.client(key) as client:
        listed = client.get("/v1/models")
        assert listed.status_code == 200
        assert str(gp.settings.data_dir) not in listed.text
        for path in ("/models", f"/models/{damaged}", f"/models/{in_use}/drift"):
            found = client.get(path, headers=HTML)
            assert found.status_code == 200, path
            assert str(gp.settings.data_dir) not in found.text, path


def test_drift_of_a_later_stretch(gp: GraphProfile, serve: Serve) -> None:
    from http_world import event

    version = gp.train(seed=0, epochs=2, force=True).model
    gp.load([event(f"n{n}", f"u{n}", f"i{n % 20}", day=20) for n in range(40)])
    server = serve()
    with server.client() as client:
        found = client.get(f"/models/{version}/drift", headers=HTML)
        assert found.status_code == 200
        assert "data-figure" in found.text
        assert "events per user day" in found.text
        assert "40 of 40 users" in found.text


def test_scopes(serve: Serve) -> None:
    server = serve()
    with server.client(server.key("events:write")) as client:
        answer = client.get("/models", headers=HTML)
        assert answer.status_code == 403
        assert "does not have the scope profiles:read" in answer.text
    with server.client(server.key("profiles:read")) as client:
        assert client.get("/models", headers=HTML).status_code == 200
