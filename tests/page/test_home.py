"""The first page, signing in, and what surrounds every page."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest
from http_world import Running, Serve

from .browser import Visitor

HTML = {"Accept": "text/html"}


def test_home(reader: Visitor) -> None:
    page = reader.open("/")
    assert page.locator(".tile b").first.inner_text() == "5,185"
    reader.look("home")


def test_theme_is_chosen_and_kept(visitor: Visitor) -> None:
    page = visitor.open("/")
    colour = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(colour)
    page.click("#theme")
    dark = page.evaluate(colour)
    assert dark != light
    visitor.open("/login")
    assert page.evaluate(colour) == dark


def test_unknown_path_is_a_page(visitor: Visitor) -> None:
    page = visitor.open("/nowhere")
    assert "nothing at this path" in page.inner_text("main")
    visitor.look("not-found")
    visitor.expect_wrong("404")


def test_sign_in_and_out(serve: Serve, visitor_of: Callable[[Running], Visitor]) -> None:
    server = serve()
    key = server.key("profiles:read")
    visitor = visitor_of(server)
    page = visitor.open("/?q=a%20b")
    assert page.url.endswith("/login?next=%2F%3Fq%3Da%2520b")
    visitor.look("login")
    page.fill("#key", "gpk_wrong")
    page.keyboard.press("Enter")
    page.wait_for_selector(".problem")
    assert "unknown, ended or revoked" in page.inner_text(".problem")
    visitor.expect_wrong("401")
    page.fill("#key", key)
    page.keyboard.press("Enter")
    page.wait_for_url("**/?q=a%20b")
    (cookie,) = visitor.context.cookies()
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    page.click("text=Sign out")
    page.wait_for_url("**/login")
    assert visitor.context.cookies() == []


@pytest.fixture
def signed_in(serve: Serve) -> Iterator[Callable[..., tuple[Running, httpx.Client, str]]]:
    """Makes a server, a client that is signed in there, and the id of its key."""
    clients: list[httpx.Client] = []

    def made(*scopes: str) -> tuple[Running, httpx.Client, str]:
        server = serve()
        created = server.service.keys.create("test", scopes or ("profiles:read",))
        clients.append(server.client())
        assert clients[-1].post("/login", data={"key": created.key, "next": "/"}).status_code == 303
        return server, clients[-1], created.id

    yield made
    for client in clients:
        client.close()


SignedIn = Callable[..., tuple[Running, httpx.Client, str]]


def test_session_ends_with_its_key(signed_in: SignedIn) -> None:
    server, client, key_id = signed_in()
    assert client.get("/", headers=HTML).status_code == 200
    server.service.keys.revoke(key_id)
    answer = client.get("/", headers=HTML)
    assert answer.status_code == 303
    assert answer.headers["location"] == "/login?next=%2F"


def test_cookie_opens_no_api(signed_in: SignedIn) -> None:
    _, client, _ = signed_in("admin")
    assert client.get("/v1/status").status_code == 401
    assert client.get("/v1/status", headers=HTML).status_code == 401


def test_cookie_of_another_origin_is_refused(signed_in: SignedIn) -> None:
    _, client, _ = signed_in("admin")
    answer = client.post("/logout", headers={"Origin": "https://evil.example"})
    assert answer.status_code == 403
    assert client.get("/", headers=HTML).status_code == 200


def test_nobody_is_sent_elsewhere(serve: Serve) -> None:
    server = serve()
    key = server.key("profiles:read")
    with server.client() as client:
        for to in ("https://evil.example/", "//evil.example", "/\\evil.example", "/%0d%0aX: y", "/\r\nX: y"):
            answer = client.post("/login", data={"key": key, "next": to})
            assert answer.status_code == 303
            assert answer.headers["location"].startswith("/")
            assert not answer.headers["location"].startswith(("//", "/\\"))
            assert "x" not in answer.headers


def test_wrong_keys_are_slowed(serve: Serve) -> None:
    server = serve()
    server.key("profiles:read")
    with server.client(headers=HTML) as client:
        answers = [client.post("/login", data={"key": f"gpk_{n}"}).status_code for n in range(40)]
    assert answers[0] == 401
    assert answers[-1] == 429


def test_page_may_run_only_its_own_scripts(http: httpx.Client) -> None:
    answer = http.get("/", headers=HTML)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-frame-options"] == "DENY"
    assert "<script>" not in answer.text
    assert "<style" not in answer.text


def test_files_are_kept_by_the_browser(http: httpx.Client) -> None:
    from graphprofile.http.page.files import static_names, static_url

    for name in sorted(static_names()):
        found = http.get(static_url(name))
        assert found.status_code == 200
        assert "immutable" in found.headers["cache-control"]
        again = http.get(static_url(name), headers={"If-None-Match": found.headers["etag"]})
        assert again.status_code == 304
    assert http.get("/static/../site.py").status_code == 404
    assert http.get("/static/%2e%2e/site.py").status_code == 404
    assert http.get("/static/vendor/htmx.LICENSE").status_code == 404


def test_errors_of_the_api_stay_problem_documents(http: httpx.Client) -> None:
    answer = http.get("/v1/profiles/nobody", headers=HTML)
    assert answer.headers["content-type"] == "application/problem+json"


def test_other_cookies_spoil_no_session(signed_in: SignedIn) -> None:
    _, client, _ = signed_in()
    own = f"graphprofile_session={client.cookies['graphprofile_session']}"
    client.cookies.clear()
    for others in ('prefs={"a": 1}', "expires", "a=b=c", "=", 'x="'):
        answer = client.get("/", headers={**HTML, "Cookie": f"{others}; {own}"})
        assert answer.status_code == 200, others


def test_signing_in_again_ends_the_session_before(signed_in: SignedIn) -> None:
    server, client, _ = signed_in()
    before = client.cookies["graphprofile_session"]
    client.post("/login", data={"key": server.key("profiles:read"), "next": "/"})
    assert client.cookies["graphprofile_session"] != before
    assert server.service.sessions.key_id(before) is None


def test_cookie_is_for_tls_alone_where_the_browser_came_by_it(serve: Serve) -> None:
    server = serve(allowed_hosts=["shop.example"])
    key = server.key("profiles:read")
    headers = {"Host": "shop.example", "Origin": "https://shop.example"}
    with server.client() as client:
        answer = client.post("/login", data={"key": key}, headers=headers)
        assert "; Secure" in answer.headers["set-cookie"]
        answer = client.post("/login", data={"key": key})
        assert "; Secure" not in answer.headers["set-cookie"]


def test_what_is_no_form_of_the_page_is_refused(serve: Serve) -> None:
    with serve().client(headers=HTML) as client:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        assert client.post("/login", content="a=1&" * 30, headers=form).status_code == 400
        assert client.post("/login", content="key=" + "x" * 40_000, headers=form).status_code == 413
        assert client.post("/login", json={"key": "x"}).status_code == 415


def test_a_long_address_is_not_come_back_to(serve: Serve) -> None:
    server = serve()
    server.key("profiles:read")
    with server.client(headers=HTML) as client:
        answer = client.get("/audience?all=" + "x" * 3000)
        assert answer.headers["location"] == "/login"
        assert client.get("/login").status_code == 200
