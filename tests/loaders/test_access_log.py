"""Access logs, after the examples of Apache's and nginx's documentation."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pytest
from graphprofile.loaders.access_log import ASSET, BOT, NO_REQUEST, NOT_GET, NOT_SUCCESSFUL, AccessLogLoader

from graphprofile.errors import SourceError
from graphprofile.ingest.read import expand_paths
from graphprofile.testing import Loaded, LoaderContract

COMMON = '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /apache_pb.gif HTTP/1.0" 200 2326'
COMBINED = (
    '127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "GET /start?utm_source=a&id=7 HTTP/1.0" 200 2326 '
    '"http://www.example.com/start.html?token=x" "Mozilla/4.08 [en] (Win98; I ;Nav)"'
)
UNKNOWN = COMBINED.replace(" frank ", " - ")
BOTTED = UNKNOWN.replace("Mozilla/4.08 [en] (Win98; I ;Nav)", "Mozilla/5.0 (compatible; Googlebot/2.1)")
LINES = [
    COMMON,
    COMBINED,
    COMBINED,
    UNKNOWN,
    UNKNOWN.replace("127.0.0.1", "2001:db8::1"),
    COMMON.replace("/apache_pb.gif", "/a/index.html").replace("- frank", "- -"),
    COMBINED.replace("GET", "POST"),
    COMBINED.replace(" 200 ", " 404 "),
    COMBINED.replace(" 200 2326", " 304 -"),
    BOTTED,
    COMMON.replace("GET /apache_pb.gif HTTP/1.0", r"\x16\x03\x01").replace(" 200 ", " 400 "),
    "nonsense",
    COMBINED.replace("10/Oct", "31/Feb"),
]


class TestContract(LoaderContract):
    loader = AccessLogLoader
    files = {"access.log": "".join(f"{line}\n" for line in LINES)}
    good = {"events": 6}
    refused = [("events", "access.log", 12, "line"), ("events", "access.log", 13, "line")]
    skipped = {"events": {ASSET: 1, NOT_GET: 1, NOT_SUCCESSFUL: 1, BOT: 1, NO_REQUEST: 1}}
    earliest, latest = "2000-10-10", "2000-10-11"


def load(folder: Path, *lines: str) -> Loaded:
    path = folder / "access.log.1"
    path.write_text("".join(f"{line}\n" for line in lines))
    return Loaded.of(AccessLogLoader(), expand_paths([path]))


def event(folder: Path, line: str) -> dict[str, Any]:
    (row,) = load(folder, line).rows["events"]
    return dict(row)


def test_a_request_of_a_page_is_a_view(tmp_path: Path) -> None:
    row = event(tmp_path, COMBINED)
    names = ("type", "user_id", "object_id", "object_kind", "ts", "value", "properties")
    assert tuple(row[name] for name in names) == (
        *("VIEWED", "frank", "/start?id=7", "content", 971_211_336_000, None),
        '{"bytes":2326,"referrer":"http://www.example.com/start.html","status":200}',
    )


def test_equal_lines_are_numbered(tmp_path: Path) -> None:
    first, second, third = load(tmp_path, COMBINED, COMBINED, UNKNOWN).rows["events"]
    assert second["event_id"] == f"{first['event_id']}-2"
    assert "-" not in third["event_id"]


def test_visitors_without_a_name_are_told_by_address_and_agent(tmp_path: Path) -> None:
    users = [
        event(tmp_path, line)["user_id"]
        for line in (
            UNKNOWN,
            UNKNOWN.replace("/start", "/other"),
            UNKNOWN.replace("127.", "126."),
            UNKNOWN + " 0.01",
        )
    ]
    assert users[0] == users[1] == users[3] != users[2]
    # SHA-256 of "127.0.0.1\n" and the agent: the same on every machine.
    assert users[0] == "visitor:93e5bdcf5df9cac9d4df"
    other = UNKNOWN.replace("Win98", "Linux")
    assert event(tmp_path, other)["user_id"] != users[0]


@pytest.mark.parametrize(
    ("target", "page"),
    [
        ("/", "/"),
        ("/a/", "/a"),
        ("//a//b/index.html", "/a/b"),
        ("/index.php?p=3&x=1", "/?p=3"),
        ("http://www.example.com/a?b=c", "/a"),
        ("/a;jsessionid=1/b?page_id=2&id=1", "/a/b?id=1&page_id=2"),
        ("/a?grid=1&id=", "/a"),
        ("/report.pdf", "/report.pdf"),
    ],
)
def test_pages_are_told_by_their_path(tmp_path: Path, target: str, page: str) -> None:
    line = COMBINED.replace("/start?utm_source=a&id=7", target)
    assert event(tmp_path, line)["object_id"] == page


def test_quotes_in_agents_and_fields_after_them(tmp_path: Path) -> None:
    line = COMBINED.replace("(Win98; I ;Nav)", r"\"quoted\" agent") + ' "10.0.0.1" 0.003'
    assert event(tmp_path, line)["user_id"] == "frank"
    spaced = COMBINED.replace(" frank ", " frank von stein ")
    assert event(tmp_path, spaced)["user_id"] == "frank von stein"


def test_rotated_and_compressed_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "access.log.2.gz"
    path.write_bytes(gzip.compress(f"{COMBINED}\n".encode()))
    assert Loaded.of(AccessLogLoader(), [path]).read.total() == 1


def test_it_holds_events_only(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="An access log holds no users"):
        AccessLogLoader().sources([tmp_path / "access.log"], "users")
