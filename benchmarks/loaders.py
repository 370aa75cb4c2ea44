"""Rows a CPU second of each loader, read and checked without any engine.

    python benchmarks/loaders.py --rows 200000 [--loader segment] [--json]

The rows are made up in the form of each source, every one with ids of its own. Every kind that a loader reads
is a pass of its own over the file; the figures are those of the events, and of all passes together. CPU seconds count
all threads, and do not depend on who else is at work.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson

from graphprofile.ingest.loaders import find_loader
from graphprofile.ingest.mapping import Mapping
from graphprofile.ingest.read import read_checked
from graphprofile.vocabulary import Vocabulary

Write = Callable[[int], bytes]


def _segment(row: int) -> bytes:
    product = {
        "product_id": f"p{row % 997}",
        "sku": "45790-32",
        "name": "Monopoly",
        "price": 19,
        "category": "Games",
    }
    calls: list[dict[str, Any]] = [
        {"type": "track", "event": "Product Viewed", "properties": product},
        {"type": "page", "properties": {"url": f"http://www.initech.com/{row % 50}?q=1", "title": "Welcome"}},
        {"type": "track", "event": "Order Completed", "properties": {"order_id": "1", "products": [product]}},
        {"type": "identify", "traits": {"name": "Peter", "plan": "free", "logins": row}},
    ]
    common = {
        "messageId": f"m{row}",
        "userId": f"u{row % 5003}",
        "anonymousId": "507f191e810c19729de860ea",
        "timestamp": "2015-12-10T04:08:31.905Z",
        "context": {"ip": "8.8.8.8", "library": {"name": "analytics.js", "version": "2.11.1"}},
    }
    return orjson.dumps({**common, **calls[row % len(calls)]}) + b"\n"


def _access_log(row: int) -> bytes:
    return (
        f"10.0.{row % 250}.{row % 7} - - [10/Oct/2000:13:{row // 60 % 60:02}:{row % 60:02} -0700] "
        f'"GET /page/{row % 997}?x={row} HTTP/1.1" 200 2326 "http://www.example.com/" "Mozilla/5.0 (X11)"\n'
    ).encode()


def _shopify(row: int) -> bytes:
    order = row // 2
    rest = f"paid,EUR,2025-10-07 09:50:26 +0200,{row % 3 + 1}" if row % 2 == 0 else f",,,{row % 3 + 1}"
    return f"#{order},u{order % 5003}@example.com,{rest},Soap {row % 997},34.90,S-{row % 997},5.00\n".encode()


def _xapi(row: int) -> bytes:
    verbs = ("experienced", "completed", "answered", "terminated")
    course = {
        "name": {"en-US": f"Course {row % 997}"},
        "description": {"en-US": "A course"},
        "type": "http://adlnet.gov/expapi/activities/course",
    }
    statement = {
        "id": f"fd41c918-b88b-4b20-a0a5-{row:012}",
        "actor": {"objectType": "Agent", "name": "Ann", "mbox": f"mailto:u{row % 5003}@example.com"},
        "verb": {"id": f"http://adlnet.gov/expapi/verbs/{verbs[row % 4]}", "display": {"en-US": "did"}},
        "object": {"id": f"http://example.com/courses/{row % 997}", "definition": course},
        "result": {"score": {"scaled": 0.95}, "success": True, "completion": True, "duration": "PT1234S"},
        "context": {"contextActivities": {"parent": [{"id": f"http://example.com/series/{row % 50}"}]}},
        "timestamp": "2015-12-18T12:17:00+00:00",
        "stored": "2015-12-18T12:17:01.123Z",
        "authority": {"account": {"homePage": "http://cloud.scorm.com/", "name": "anonymous"}},
        "version": "1.0.0",
    }
    return orjson.dumps(statement) + b"\n"


def _activity(row: int) -> bytes:
    note = {
        "id": f"https://example.org/notes/{row % 9973}",
        "type": "Note",
        "content": "<p>All about <a href='https://example.org/tags/cats'>#cats</a> &amp; dogs</p>",
        "attributedTo": f"https://example.org/users/{row % 997}",
        "tag": [{"type": "Hashtag", "name": "#cats", "href": "https://example.org/tags/cats"}],
        "published": "2015-02-10T15:04:55Z",
    }
    activity = {
        "@context": "https://www.w3.org/ns/activitystreams",
        "id": f"https://example.org/activities/{row}",
        "type": ("Like", "Announce", "Follow", "View")[row % 4],
        "actor": f"https://example.org/users/{row % 5003}",
        "object": f"https://example.org/users/{row % 4999}" if row % 4 == 2 else note,
        "published": "2015-02-10T15:04:55Z",
    }
    return orjson.dumps(activity) + b"\n"


def _survey(row: int) -> bytes:
    words = ("Strongly agree", "Agree", "Neutral", "Disagree", "Strongly disagree")
    answers = ",".join(words[(row + number) % 5] for number in range(15))
    rest = f'"since, {row}",{row % 11},Mail;Chat,{row % 80}'
    return f"{row},2025-10-07 09:50:26,u{row % 5003},{answers},{rest}\n".encode()


def _vcard(row: int) -> bytes:
    return (
        f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:u{row}\r\nFN:Ann Lee {row}\r\nN:Lee;Ann;;;\r\nORG:Acme\\, Inc.;Sales\r\n"
        f"TITLE:Buyer\r\nitem1.EMAIL;TYPE=INTERNET,WORK:ann{row}@example.com\r\nTEL;TYPE=CELL:+1 555 0100\r\n"
        "ADR;TYPE=HOME:;;1 Main St;Leeds;;LS1;UK\r\nCATEGORIES:vip,news\r\nREV:2025-01-01T00:00:00Z\r\nEND:VCARD\r\n"
    ).encode()


_QUESTIONS = ",".join(f"Q{number}. How much do you agree?" for number in range(15))
_SURVEY = f"id,submitdate,token,{_QUESTIONS},Q15. Why?,Q16. Recommend? (0-10),Q17. What do you use?,Age\n"

_ORDERS = b"Name,Email,Financial Status,Currency,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku"

SAMPLES: dict[str, tuple[str, bytes, Write]] = {
    "access-log": ("access.log", b"", _access_log),
    "shopify-orders": ("orders.csv", _ORDERS + b",Lineitem discount\n", _shopify),
    "segment": ("calls.jsonl", b"", _segment),
    "xapi": ("statements.jsonl", b"", _xapi),
    "activity-streams": ("outbox.jsonl", b"", _activity),
    "survey": ("survey.csv", _SURVEY.encode(), _survey),
    "contacts": ("people.vcf", b"", _vcard),
}
"""File name, head, and the row of a number, by loader."""


def measure(name: str, rows: int) -> dict[str, Any]:
    """One loader over so many rows."""
    file, head, write = SAMPLES[name]
    loader = find_loader(name)
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file
        with path.open("wb") as handle:
            handle.write(head)
            handle.writelines(write(row) for row in range(rows))
        for source in loader.sources([path], None):
            started = time.process_time()
            for _ in read_checked(source, loader, None, Mapping(), Vocabulary()):
                pass
            seconds[str(source.kind)] = time.process_time() - started
    result: dict[str, Any] = {"loader": name, "rows": rows}
    if "events" in seconds:
        result["events_pass"] = round(rows / seconds["events"])
    return {**result, "all_passes": round(rows / sum(seconds.values())), "passes": len(seconds)}


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--loader", choices=sorted(SAMPLES), action="append")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    arguments = parser.parse_args()
    results = [measure(name, arguments.rows) for name in arguments.loader or SAMPLES]
    if arguments.json:
        print(json.dumps({"rows": arguments.rows, "results": results}, indent=1))
        return 0
    print(f"{arguments.rows:,} rows of the source a CPU second, read and checked")
    for row in results:
        events = f"{row['events_pass']:>10,} for its events" if "events_pass" in row else " " * 23
        print(f"  {row['loader']:<16} {events}   {row['all_passes']:>10,} for all {row['passes']} passes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
