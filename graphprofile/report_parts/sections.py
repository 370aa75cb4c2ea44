"""The page's sections in HTML. Every text from the graph goes through :func:`text`."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

from graphprofile.records import TagInterest, iso
from graphprofile.report_parts import figures
from graphprofile.report_parts.data import ReportData

METHODS = {
    "model": "graphprofile",
    "current": "model in use before",
    "item_to_item": "item to item",
    "popularity": "popularity",
}
MEASURES = {
    "recall_at_20": ("Found among 20 suggestions", "Recall@20, 0 to 1"),
    "ndcg_at_20": ("Found early among 20 suggestions", "NDCG@20, 0 to 1"),
}
TROUBLE = ("conflicts", "quarantined")
TAGS_PER_KIND = 10
KINDS = 4
# What decayed to less is no interest any more, and reads as 0.0%.
SMALLEST_SHARE = 0.001


def text(value: object) -> str:
    """Text made safe for HTML, in elements and in quoted attributes."""
    return html.escape(str(value), quote=True)


def day(moment: str | None) -> str:
    """The date of an ISO 8601 time."""
    return moment[:10] if moment else "–"


def number(value: float) -> str:
    """A whole number with thousands apart."""
    return f"{value:,.0f}"


class Page:
    """Collects sections and figures in the order they are added."""

    def __init__(self) -> None:
        self.sections: list[tuple[str, str, str]] = []
        self.figures: dict[str, figures.Figure] = {}

    def add(self, anchor: str, title: str, caption: str, *bodies: str) -> None:
        """One section: anchor, heading, one line on what is to be seen, and what is to be seen."""
        body = "\n".join(bodies)
        self.sections.append(
            (
                anchor,
                title,
                f'<section id="{anchor}" aria-labelledby="{anchor}-title">\n'
                f'<h2 id="{anchor}-title">{text(title)}</h2>\n<p class="caption">{caption}</p>\n'
                f"{body}\n</section>",
            )
        )

    def plot(self, name: str, figure: figures.Figure, description: str, heading: str = "") -> str:
        """A card with a figure; the description is for those who cannot see it."""
        self.figures[name] = figure
        above = f"<h3>{text(heading)}</h3>" if heading else ""
        return (
            f'<div class="card flush">{above}<div class="figure" id="{name}" role="img" '
            f'style="height:{int(figure["layout"]["height"])}px" aria-label="{text(description)}"></div>'
            "</div>"
        )


def tiles(data: ReportData) -> str:
    """The key figures."""
    found = [
        (number(data.active_users), f"active of {number(data.nodes.get('User', 0))} people"),
        (number(data.nodes.get("Item", 0)), "items"),
        (number(data.nodes.get("Content", 0)), "pieces of content"),
        (
            number(sum(data.events.values())),
            f"events: {', '.join(list(data.events)[:3])}",
        ),
        (number(data.nodes.get("Tag", 0)), "tags"),
        (f"{day(data.first_at)[:4]}–{day(data.as_of)[:4]}", "first to newest event"),
    ]
    shown = [
        (value, label)
        for value, label in found
        if value != "0" and not (not data.as_of and "newest" in label)
    ]
    if data.as_of and day(data.first_at)[:4] == day(data.as_of)[:4]:
        shown[-1] = (day(data.as_of), f"newest event; first {day(data.first_at)}")
    return (
        '<div class="tiles">'
        + "".join(f'<div class="tile"><b>{text(v)}</b><span>{text(label)}</span></div>' for v, label in shown)
        + "</div>"
    )


def add_interests(page: Page, data: ReportData) -> None:
    """Interests over time."""
    found = data.interests
    if found is None:
        return
    more = f", the {len(found.series)} most frequent" if found.total_tags > len(found.series) else ""
    coarse = " Events dated too coarsely for this are left out." if found.coarse else ""
    caption = (
        f"How many events each {found.bucket} went to things of each {text(found.kind)}{more}. "
        f"Something with two of these tags counts for both.{coarse}"
    )
    figure = figures.interests_over_time(found.dates, found.series, found.bucket)
    peak = max(range(len(found.dates)), key=lambda at: sum(events[at] for _, events in found.series))
    description = (
        f"Stacked areas of events by {found.kind}; most of them in the {found.bucket} of {found.dates[peak]}."
    )
    page.add("interests", "Interests over time", caption, page.plot("plot-interests", figure, description))


def add_map(page: Page, data: ReportData) -> None:
    """Map of the embeddings."""
    found = data.map
    if found is None:
        return
    users = sum(point.kind == "user" for point in found.points)
    sample = (
        f"{number(users)} of {number(found.users)} people (circles) and "
        f"{number(len(found.points) - users)} of {number(found.items)} items (diamonds)"
    )
    coloured = f", coloured by their strongest {text(found.kind)}" if found.kind else ""
    caption = (
        f"{sample}{coloured}. Who and what lies close together has similar vectors; directions and distances "
        "across the map mean nothing. People and items are centred apart."
    )
    person = data.profile.user_id if data.profile else None
    figure = figures.embedding_map(found.points, found.tags, person)
    description = f"Scatter plot of {len(found.points)} embeddings in two dimensions."
    page.add("map", "Map of the embeddings", caption, page.plot("plot-map", figure, description))


def add_person(page: Page, data: ReportData) -> None:
    """The profile, and the graph around it."""
    profile = data.profile
    if profile is None:
        return
    name = data.person or profile.user_id
    facts = {
        "id": profile.user_id,
        "active": f"{day(profile.first_seen)} to {day(profile.last_seen)}",
        "events": ", ".join(f"{number(count)} {event}" for event, count in profile.events.items()),
        **{key: value for key, value in profile.properties.items() if key != "name"},
    }
    if profile.embedding is not None:
        facts["vector"] = profile.embedding.status
    listed = "".join(
        f"<div><dt>{text(key)}</dt><dd>{text(_plain(value))}</dd></div>"
        for key, value in list(facts.items())[:10]
        if value not in ("", None)
    )
    kinds: dict[str, list[TagInterest]] = {}
    for tag in profile.tags:
        if tag.share is not None and tag.share >= SMALLEST_SHARE:
            kinds.setdefault(tag.kind, []).append(tag)
    cards = [_tag_table(kind, tags[:TAGS_PER_KIND]) for kind, tags in list(kinds.items())[:KINDS]]
    caption = (
        f"What {text(name)} cares about as of {day(profile.as_of)}. Share is the part of this person's "
        "interest of that kind; lift compares it with everybody's: above ×1 sets the person apart."
    )
    body = (
        f'<div class="two">{"".join(cards)}</div>'
        if cards
        else '<p class="quiet">No interests computed yet.</p>'
    )
    page.add("profile", f"Profile: {name}", caption, f'<dl class="facts">{listed}</dl>', body)
    if data.graph is not None and len(data.graph.nodes) > 1:
        kinds_shown = {node.kind for node in data.graph.nodes}
        parts = ["items"]
        parts += ["tags that several of them have"] if "tag" in kinds_shown else []
        parts += ["people who share them"] if "other" in kinds_shown else []
        page.add(
            "graph",
            f"The graph around {name}",
            f"The person with {', '.join(parts)}. Rarely shared items weigh more in the choice of people; "
            "a node without a label tells its name on pointing at it.",
            page.plot("plot-graph", figures.neighbourhood(data.graph), f"Network drawing around {name}."),
        )


def _plain(value: object) -> str:
    """A property as one would say it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _tag_table(kind: str, tags: Sequence[TagInterest]) -> str:
    largest = max((tag.share or 0.0 for tag in tags), default=0.0) or 1.0
    logs = [math.log2(tag.lift) for tag in tags if tag.lift and tag.lift > 0]
    spread = max(map(abs, logs), default=0.0) or 1.0
    # The bars start in the middle only where some go to the left.
    middle = 50.0 if any(log < -0.01 for log in logs) else 0.0
    rows = "".join(
        f'<tr><td class="name">{text(tag.tag)}</td><td><div class="bar"><i style="width:'
        f'{100 * (tag.share or 0) / largest:.1f}%"></i><span>{100 * (tag.share or 0):.1f}%</span></div></td>'
        f'<td>{_lift(tag.lift, spread, middle)}</td><td class="number optional">{tag.events}</td></tr>'
        for tag in tags
    )
    return (
        f'<div class="card"><h3>{text(kind)}</h3><div class="scroll"><table class="tags"><thead><tr>'
        '<th>Tag</th><th>Share, %</th><th>Lift, ×</th><th class="number optional">Events</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div></div>"
    )


def _lift(lift: float | None, spread: float, middle: float) -> str:
    """A bar to the right of the middle where a tag is above everybody's share, to the left where below."""
    if not lift or lift <= 0:
        return '<span class="quiet">–</span>'
    size = (100 - middle) * abs(math.log2(lift)) / spread
    side = f"{'left' if lift >= 1 else 'right'}:{middle:.0f}%;width:{size:.1f}%"
    kind = "" if lift >= 1 else ' class="less"'
    shown = f"{lift:.1f}" if lift < 100 else number(lift)
    return (
        f'<div class="bar"><div class="track" style="--middle:{middle:.0f}%">'
        f'<i{kind} style="{side}"></i></div>'
        f"<span>×{shown}</span></div>"
    )


def add_recommendations(page: Page, data: ReportData) -> None:
    """What the model suggests, and why."""
    if not data.recommendations:
        return
    rows = "".join(
        f"<li><b>{text(pick.title or pick.id)}</b>"
        + "".join(f"<span>{text(reason)}</span>" for reason in pick.because[:3])
        + "</li>"
        for pick in data.recommendations
    )
    page.add(
        "recommendations",
        "Recommendations, with reasons",
        f"What {text(data.person or 'this person')} has not had yet and the vectors put nearest, nearest "
        "first; the reasons are paths in the graph.",
        f'<div class="card"><ol class="picks">{rows}</ol></div>',
    )


def add_metrics(page: Page, data: ReportData) -> None:
    """The model beside plain methods."""
    known = [(label, data.metrics[key]) for key, label in METHODS.items() if data.metrics.get(key)]
    plots = []
    for measure, (heading, title) in MEASURES.items():
        rows = [
            (label, float(found[measure]), *_interval(found.get(f"{measure}_interval")))
            for label, found in known
            if found and found.get(measure) is not None
        ]
        if rows:
            description = "; ".join(f"{label} {value:.3f}" for label, value, _, _ in rows)
            figure = figures.metric(rows, title)
            plots.append(page.plot(f"plot-{measure.replace('_', '-')}", figure, description, heading))
    if plots:
        users = next((found["users"] for _, found in known if found and found.get("users")), None)
        tested = f" over {number(users)} people" if users else ""
        page.add(
            "metrics",
            "How good the suggestions are",
            f"Trained on the earlier events, tested on the later ones{tested}. "
            "How much of what each person took next was suggested: "
            "dots are means, lines 95% bootstrap "
            "intervals over people; further right is better.",
            f'<div class="two">{"".join(plots)}</div>',
        )


def _interval(interval: Sequence[float] | None) -> tuple[float | None, float | None]:
    return (float(interval[0]), float(interval[1])) if interval else (None, None)


def add_data(page: Page, data: ReportData) -> None:
    """Batches, and how fresh the vectors are."""
    cards = []
    if data.batches:
        cards.append(_batch_table(data.batches))
    rows = {label: counts for label, counts in data.vectors.items() if sum(counts.values())}
    if rows and data.model is not None:
        cards.append(_freshness(rows, data.model))
    if cards:
        page.add(
            "data",
            "Data and freshness",
            "What each batch brought, newest first, and which vectors are up to date: computed by the model "
            "in use from all of the person's events.",
            *cards,
        )


def _batch_table(batches: Sequence[Mapping[str, Any]]) -> str:
    counts = ("read", "applied", "duplicates", "conflicts", "quarantined", "late")
    rows = []
    for batch in batches:
        cells = "".join(
            f'<td class="number{" attention" if name in TROUBLE and batch.get(name) else ""}">'
            f"{number(batch.get(name) or 0)}</td>"
            for name in counts
        )
        dated = batch.get("newest_ts") is not None
        span = f"{day(iso(batch.get('oldest_ts')))} to {day(iso(batch.get('newest_ts')))}"
        rows.append(
            f'<tr><td class="name">{text(batch.get("source") or batch.get("id") or "")}</td>'
            f'<td class="quiet">{text(batch.get("kind") or "")}</td>'
            f'<td class="quiet whole optional">{span if dated else "–"}</td>{cells}'
            f'<td class="quiet">{text(batch.get("state") or "")}</td></tr>'
        )
    head = "".join(f'<th class="number">{name.capitalize()}</th>' for name in counts)
    return (
        '<div class="card"><h3>Batches (rows)</h3><div class="scroll"><table><thead><tr><th>Source</th>'
        "<th>Kind</th>"
        f'<th class="optional">Events from, to</th>{head}<th>State</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div></div>"
    )


def _freshness(rows: Mapping[str, Mapping[str, int]], model: str) -> str:
    states = ("fresh", "stale", "missing")
    lines = []
    for label, counts in rows.items():
        total = sum(counts.get(state, 0) for state in states) or 1
        parts = "".join(
            f'<i class="{state}" style="width:{100 * counts.get(state, 0) / total:.2f}%"></i>'
            for state in states
        )
        said = ", ".join(f"{number(counts[state])} {state}" for state in states if counts.get(state))
        lines.append(
            f'<tr><td>{text(label)}</td><td style="width:55%"><div class="stack" role="img" '
            f'aria-label="{text(said)}">{parts}</div></td><td class="number">{text(said)}</td></tr>'
        )
    keys = "".join(f'<span><i class="key {state}"></i>{state}</span>' for state in states)
    return (
        f'<div class="card"><h3>Vectors of model {text(model)} (nodes)</h3><table><tbody>'
        f"{''.join(lines)}</tbody>"
        f'</table><div class="keys">{keys}</div></div>'
    )
