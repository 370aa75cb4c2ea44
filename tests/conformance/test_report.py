"""The HTML report: what is on the page, that nothing in it can break out, and that parts may be missing."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import plotly.graph_objects as go
import pytest

from graphprofile.errors import NotFound
from graphprofile.records import Recommendation
from graphprofile.report import build_report, choose_user, collect_report
from graphprofile.store import Store
from graphprofile.vocabulary import Vocabulary

from .small_graph import Event, fill

RULES = Vocabulary()
EVIL = "</script><b onclick=alert(1)>Tea & \"'friends"

PEOPLE = [f"p{n}" for n in range(6)]
EVENTS: list[Event] = [
    (person, "PURCHASED", f"thing{(at + n) % 8}", 40.0 * n + at)
    for at, person in enumerate(PEOPLE)
    for n in range(5)
]
TAGS = {f"thing{n}": [("genre", EVIL if n % 2 else "Even"), ("maker", f"maker{n}")] for n in range(8)}
METRICS: dict[str, dict[str, Any] | None] = {
    "model": {
        "recall_at_20": 0.2,
        "ndcg_at_20": 0.1,
        "users": 50,
        "recall_at_20_interval": [0.15, 0.26],
        "ndcg_at_20_interval": [0.08, 0.12],
    },
    "current": None,
    "popularity": {"recall_at_20": 0.1, "ndcg_at_20": 0.05, "users": 50},
}


class Page(HTMLParser):
    """What a browser would make of the page, as far as the tests ask."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.scripts: list[str] = []
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "br"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "script":
            self.scripts.append(data)
        elif self._open and self._open[-1] != "style":
            self.text.append(data)

    @property
    def sections(self) -> list[str | None]:
        return [attrs["id"] for tag, attrs in self.tags if tag == "section"]

    @property
    def figures(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.scripts[1])
        return found


def embed(store: Store) -> None:
    """Vectors of a model ``m1`` that put even things and odd things on two sides."""
    for label, where in (("User", PEOPLE), ("Item", list(TAGS))):
        rows = [[id_, [float(int(id_[-1]) % 2), 1.0, 0.1 * int(id_[-1]), 0.5]] for id_ in where]
        store.cypher(
            f"UNWIND $rows AS r MATCH (n:{label} {{id: r[0]}}) SET n.embedding = r[1], "
            "n.embedding_model = 'm1', n.embedding_rev = n.rev, n.embedding_at = 1",
            {"rows": rows},
            read_only=False,
        )


def full_report(store: Store) -> Page:
    fill(store, EVENTS, tags=TAGS, names={"p0": EVIL}, titles={f"thing{n}": f"{EVIL} {n}" for n in range(8)})
    embed(store)
    picks = [Recommendation(id="thing7", kind="item", title=EVIL, score=0.5, because=[EVIL])]
    data = collect_report(
        store, RULES, user_id="p0", recommendations=picks, metrics=METRICS, model="m1", title=EVIL
    )
    return Page(build_report(data))


def test_page_has_all_sections_and_every_plot_its_place(store: Store) -> None:
    page = full_report(store)
    assert page.sections == ["interests", "map", "profile", "graph", "recommendations", "metrics", "data"]
    ids = {attrs.get("id") for _, attrs in page.tags}
    assert set(page.figures) == {
        "plot-interests",
        "plot-map",
        "plot-graph",
        "plot-recall-at-20",
        "plot-ndcg-at-20",
    }
    assert set(page.figures) <= ids
    links = {attrs["href"] for tag, attrs in page.tags if tag == "a"}
    assert links == {f"#{section}" for section in page.sections}
    headings = [attrs for tag, attrs in page.tags if tag == "h1"]
    assert len(headings) == 1
    for tag, attrs in page.tags:
        if attrs.get("class") == "figure":
            assert tag == "div"
            assert attrs["role"] == "img"
            assert attrs["aria-label"]


def test_page_loads_nothing_and_no_text_breaks_out(store: Store) -> None:
    page = full_report(store)
    for tag, attrs in page.tags:
        assert not {"src", "srcset", "onclick", "onload"} & set(attrs), tag
        assert tag not in ("link", "b onclick", "iframe", "object")
        assert "url(" not in (attrs.get("style") or "")
    assert [attrs for tag, attrs in page.tags if tag == "b" and attrs] == []
    policy = next(attrs["content"] for _, attrs in page.tags if attrs.get("http-equiv"))
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    # Shown as it is in HTML; in plots, which read some HTML themselves, it is escaped once more.
    assert sum(EVIL in text for text in page.text) >= 3
    assert "onclick=alert" not in re.sub(r"&lt;b onclick=alert", "", json.dumps(page.figures))
    assert len(page.scripts) == 3


def test_plots_are_valid_and_have_titles_with_units(store: Store) -> None:
    figures = full_report(store).figures
    for name, figure in figures.items():
        drawn = json.loads(re.sub(r'"var\(--[\w-]+\)"', '"#123456"', json.dumps(figure)))
        go.Figure(data=drawn["data"], layout=drawn["layout"])
        for number, changes in (drawn["narrow"].get("data") or {}).items():
            assert 0 <= int(number) < len(drawn["data"])
            go.Figure(data=[changes])
        go.Figure(layout=drawn["narrow"]["layout"])
        for axis in ("xaxis", "yaxis"):
            # A drawing of links has no quantities along its axes; methods are named at their ticks.
            shown = figure["layout"][axis]
            if shown.get("visible", True) and shown.get("type") != "category":
                assert shown["title"]["text"], (name, axis)


def test_numbers_on_the_page(store: Store) -> None:
    page = full_report(store)
    text = " ".join(" ".join(page.text).split())
    assert "6 active of 6 people" in text
    assert "8 items" in text
    assert "30 events: purchased" in text
    assert "6 fresh" in text
    # Days 0 to 165: by week, each event under its genre and none twice.
    interests = page.figures["plot-interests"]
    assert interests["layout"]["yaxis"]["title"]["text"] == "Events per week"
    assert sum(sum(trace["y"]) for trace in interests["data"]) == 30
    assert len(interests["data"][0]["x"]) == 24
    # All thirty events come out of six people and eight things; the person is marked apart.
    marks = [trace for trace in page.figures["plot-map"]["data"]]
    assert sum(len(trace["x"]) for trace in marks) == 14
    assert [len(trace["x"]) for trace in marks if trace["marker"]["symbol"] == "star"] == [1]
    recall = page.figures["plot-recall-at-20"]["data"][0]
    assert recall["y"] == ["graphprofile", "popularity"]
    assert recall["error_x"]["array"] == pytest.approx([0.06, 0])
    assert recall["error_x"]["arrayminus"] == pytest.approx([0.05, 0])


def test_graph_around_a_person(store: Store) -> None:
    fill(store, EVENTS, tags=TAGS, names={"p1": "Pia"})
    data = collect_report(store, RULES, user_id="p0")
    assert data.graph is not None
    nodes = data.graph.nodes
    assert (nodes[0].kind, nodes[0].label) == ("person", "p0")
    assert {node.label for node in nodes if node.kind == "object"} == {f"thing{n}" for n in range(5)}
    # Both genres are on more than one of p0's five things; every maker is on one only.
    assert {node.label for node in nodes if node.kind == "tag"} == {"Even", EVIL}
    assert {node.label for node in nodes if node.kind == "other"} == {"Pia", "p2", "p3", "p4", "p5"}
    assert {b for a, b in data.graph.edges if a == 0} == {
        n for n, node in enumerate(nodes) if node.kind == "object"
    }
    assert all(0 <= node.x <= 1 and 0 <= node.y <= 1 for node in nodes)


def test_same_store_and_seed_give_the_same_plots(store: Store) -> None:
    first = full_report(store)
    data = collect_report(store, RULES, user_id="p0", metrics=METRICS, model="m1", title=EVIL)
    assert Page(build_report(data)).figures == first.figures


def test_sample_keeps_the_person(store: Store) -> None:
    fill(store, EVENTS, tags=TAGS)
    embed(store)
    data = collect_report(store, RULES, user_id="p5", model="m1", max_points=4)
    assert data.map is not None
    assert (data.map.users, data.map.items) == (6, 8)
    assert 4 <= len(data.map.points) <= 5
    assert ("user", "p5") in {(point.kind, point.id) for point in data.map.points}


def test_report_of_an_empty_store(store: Store) -> None:
    assert choose_user(store, RULES) is None
    page = Page(build_report(collect_report(store, RULES)))
    assert page.sections == []
    assert page.figures == {}
    assert "holds no events yet" in " ".join(page.text)


def test_report_without_model_or_tags_says_what_to_run(store: Store) -> None:
    fill(store, EVENTS)
    page = Page(build_report(collect_report(store, RULES, user_id=choose_user(store, RULES))))
    assert page.sections == ["profile", "graph", "data"]
    text = " ".join(page.text)
    assert "graphprofile tags" in text
    assert "graphprofile train" in text


def test_report_without_a_person(store: Store) -> None:
    fill(store, EVENTS, tags=TAGS)
    assert Page(build_report(collect_report(store, RULES))).sections == ["interests", "data"]
    with pytest.raises(NotFound):
        collect_report(store, RULES, user_id="nobody")


@pytest.mark.parametrize(
    ("days", "bucket", "buckets"),
    [(3, "day", 4), (100, "week", 15), (700, "month", 23), (4000, "quarter", 45), (20000, "year", 56)],
)
def test_buckets_follow_the_span(store: Store, days: int, bucket: str, buckets: int) -> None:
    fill(
        store,
        [("ada", "VIEWED", "tea", 0), ("ada", "VIEWED", "tea", -days)],
        tags={"tea": [("genre", "Tea")]},
    )
    interests = collect_report(store, RULES).interests
    assert interests is not None
    assert interests.bucket == bucket
    (tag, events) = interests.series[0]
    assert (tag, sum(events), events[0], events[-1]) == ("Tea", 2, 1, 1)
    assert abs(len(events) - buckets) <= 1
    assert interests.dates == sorted(set(interests.dates))
