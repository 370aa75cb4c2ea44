"""A real browser for the tests: the system's Chromium, driven by Playwright.

A page that is opened here must be clean: any error in its console, any failed request and anything its content
security policy stops fails the test, unless the test says that it expects it.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from debian import Unavailable, install
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ADVICE = "Install Chromium (Debian: apt-get install chromium), or point GRAPHPROFILE_TEST_CHROMIUM to one."
SIZES = {"wide": (1280, 900), "phone": (390, 844)}
WAIT_MS = 20_000


def chromium() -> str:
    """The browser; on a CI machine without one that allows it, it is installed.

    Raises:
        Unavailable: There is none.
    """
    named = os.environ.get("GRAPHPROFILE_TEST_CHROMIUM")
    if named:
        return named
    if not _found():
        install("chromium", "Chromium", ADVICE)
    found = _found()
    if found is None:
        raise Unavailable(f"The tests of the page need a browser. {ADVICE}")
    return found


def _found() -> str | None:
    return next((path for path in map(shutil.which, NAMES) if path), None)


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser for many tests."""
    program = chromium()
    # As root, and in containers with a small /dev/shm, Chromium needs both.
    arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--hide-scrollbars"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@dataclass
class Visitor:
    """Somebody in front of a browser.

    Attributes:
        context: Their cookies.
        page: The open page.
        url: Of the server.
        shots: Folder for screenshots.
        wrong: What went wrong on the pages so far.
    """

    context: BrowserContext
    page: Page
    url: str
    shots: Path
    wrong: list[str] = field(default_factory=list)

    def open(self, path: str) -> Page:
        """Go to a page, and wait until it and its plots are there."""
        answer = self.page.goto(self.url + path)
        assert answer is not None
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until nothing is on its way any more."""
        self.page.wait_for_load_state("networkidle")
        self.page.wait_for_function(
            "() => [...document.querySelectorAll('[data-figure]')]"
            ".every(one => one.classList.contains('js-plotly-plot'))"
        )
        # A change from light to dark is told with the next frame, and drawn in the one after it.
        self.page.evaluate(
            "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
        )

    def look(self, name: str) -> None:
        """Keep a screenshot of the whole page, and check it: light and dark, wide and phone.

        Checked are WCAG 2.2 AA by axe, and that nothing sticks out of a phone's width.
        """
        for size, (width, height) in SIZES.items():
            self.page.set_viewport_size({"width": width, "height": height})
            for scheme in ("light", "dark"):
                self.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                self.settle()
                self.page.screenshot(path=self.shots / f"{name}-{size}-{scheme}.png", full_page=True)
                self.check()
            room = self.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            assert room <= 0, f"{name}: {room} px stick out at a width of {width}"
        self.page.emulate_media(color_scheme="light")
        self.page.set_viewport_size({"width": SIZES["wide"][0], "height": SIZES["wide"][1]})
        self.settle()

    def check(self) -> None:
        """What axe finds against WCAG 2.2 AA."""
        rules = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
        # A frozen axe is run against one page; its own script is not bound by the page's policy.
        found = Axe().run(self.page, options={"runOnly": {"type": "tag", "values": rules}})
        wrong = [
            (one["id"], [(node["target"], node.get("failureSummary", "")) for node in one["nodes"][:3]])
            for one in found.response["violations"]
        ]
        assert not wrong, wrong

    def expect_wrong(self, pattern: str) -> None:
        """Take what went wrong as expected, all of it being of this form."""
        assert self.wrong, "nothing went wrong"
        assert all(re.search(pattern, one) for one in self.wrong), self.wrong
        self.wrong.clear()


def visit(browser: Browser, url: str, shots: Path, **options: Any) -> Visitor:
    """A browser window of its own, without cookies."""
    context = browser.new_context(bypass_csp=False, reduced_motion="reduce", **options)
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    visitor = Visitor(context, page, url, shots)
    page.on(
        "console", lambda said: visitor.wrong.append(said.text) if said.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: visitor.wrong.append(str(error)))
    page.on("requestfailed", lambda request: _failed(visitor, request))
    page.on("response", lambda answer: _answered(visitor, answer))
    return visitor


def _failed(visitor: Visitor, request: Any) -> None:
    # Going to the next page breaks off what the one before still asked for.
    if "ERR_ABORTED" not in (request.failure or ""):
        visitor.wrong.append(f"{request.url}: {request.failure}")


def _answered(visitor: Visitor, answer: Any) -> None:
    if answer.status >= 400:
        visitor.wrong.append(f"{answer.url}: {answer.status}")
