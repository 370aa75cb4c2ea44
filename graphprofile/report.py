"""The report: one HTML file that needs nothing else, with plots of what a store holds.

:func:`collect_report` reads what is to be shown, :func:`build_report` makes the page. What a store does not
have yet (a model, vectors, tags, events) is left out, and the page says what to run for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from graphprofile.batches import read_batches
from graphprofile.browsing import TYPICAL_EVENTS
from graphprofile.counts import count_nodes
from graphprofile.reading import read_profile, watermark
from graphprofile.records import Profile, Recommendation, iso
from graphprofile.report_parts import neighbourhood, sections
from graphprofile.report_parts.buckets import all_starts, bucket_of, day_start, month_start, too_coarse
from graphprofile.report_parts.data import EmbeddingMap, InterestsOverTime, ReportData
from graphprofile.report_parts.figures import COLOURS
from graphprofile.report_parts.frame import framed
from graphprofile.report_parts.projection import Point, project
from graphprofile.store import Store
from graphprofile.vocabulary import Vocabulary

__all__ = [
    "EmbeddingMap",
    "InterestsOverTime",
    "ReportData",
    "build_report",
    "choose_user",
    "collect_report",
    "embedding_map",
    "main_tags",
]

MS_PER_DAY = 86_400_000
HUB_EVENTS = 1000
RECENT_OBJECTS = 300
BATCHES = 12


def choose_user(store: Store, vocabulary: Vocabulary) -> str | None:
    """Somebody typical to show: the user whose number of events is nearest to 60; None in an empty store."""
    found = store.read("report/choose_user", event_types=vocabulary.types, events=TYPICAL_EVENTS)
    return str(found[0]["id"]) if found else None


def collect_report(
    store: Store,
    vocabulary: Vocabulary,
    *,
    user_id: str | None = None,
    profile: Profile | None = None,
    recommendations: Sequence[Recommendation] = (),
    metrics: Mapping[str, Mapping[str, Any] | None] | None = None,
    model: str | None = None,
    title: str = "Profiles in a graph",
    max_points: int = 1200,
    seed: int = 0,
) -> ReportData:
    """Read everything the report shows.

    Args:
        store: The graph.
        vocabulary: The rules in use.
        user_id: Whose profile is shown; None shows nobody's, see :func:`choose_user`.
        profile: Of that user, where the caller has it already.
        recommendations: For that user, with reasons.
        metrics: Of the model in use, as training reports them.
        model: Version of the model in use; None leaves out what needs one.
        title: Of the page.
        max_points: Largest number of points on the map; more are sampled.
        seed: Of the sample and the layouts.

    Raises:
        NotFound: No such user.
    """
    newest = watermark(store)
    rows = store.read("report/count_events", event_types=vocabulary.types)
    names = vocabulary.name_of
    kind, tags, total_tags = main_tags(store)
    first = min((row["first_ts"] for row in rows), default=None)
    if user_id is not None and profile is None:
        profile = read_profile(store, vocabulary, user_id)
    person = None
    if profile is not None:
        person = str(profile.properties.get("name") or profile.user_id)
    notes = []
    if rows and kind is None:
        notes.append("No interests yet: `graphprofile tags` computes them.")
    if model is None:
        notes.append(
            "No model yet: `graphprofile train` learns one, then map, suggestions and metrics appear here."
        )
    return ReportData(
        title=title,
        engine=store.engine,
        generated_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        first_at=iso(first),
        as_of=iso(newest),
        nodes=count_nodes(store),
        active_users=store.read("report/count_active_users", event_types=vocabulary.types)[0]["users"],
        events={names.get(row["type"], row["type"]): row["events"] for row in rows},
        model=model,
        interests=_interests(store, vocabulary, kind, tags, total_tags, first, newest),
        map=embedding_map(
            store,
            vocabulary,
            model,
            kind,
            profile.user_id if profile else None,
            max_points=max_points,
            seed=seed,
        )
        if model
        else None,
        person=person,
        profile=profile,
        graph=_graph(store, vocabulary, profile.user_id, person, seed) if profile and person else None,
        recommendations=recommendations,
        metrics=metrics or {},
        batches=read_batches(store, BATCHES),
        vectors={
            row["label"]: {state: row[state] or 0 for state in ("fresh", "stale", "missing")}
            for row in store.read("status/count_vectors", model=model or "")
        },
        notes=notes,
    )


def build_report(data: ReportData) -> str:
    """The page: HTML with styles, script and Plotly in it; it loads nothing from anywhere."""
    page = sections.Page()
    sections.add_interests(page, data)
    sections.add_map(page, data)
    sections.add_person(page, data)
    sections.add_recommendations(page, data)
    sections.add_metrics(page, data)
    sections.add_data(page, data)
    text = sections.text
    lead = [f"The {text(data.engine)} store"]
    lead.append(
        f"as of its newest event, {sections.day(data.as_of)}" if data.as_of else "holds no events yet"
    )
    model = f', with vectors of model <span class="whole">{text(data.model)}</span>' if data.model else ""
    return framed(
        page,
        title=data.title,
        kicker="graphprofile report",
        lead=f"{' '.join(lead)}{model}.",
        tiles=sections.tiles(data),
        generated_at=data.generated_at,
        notes=data.notes,
    )


def main_tags(store: Store) -> tuple[str | None, list[str], int]:
    """The kind of tag that a few values describe best, with its most frequent names and their number."""
    kinds: dict[str, list[tuple[str, int]]] = {}
    for row in store.read("report/list_tags", limit=1000):
        kinds.setdefault(row["kind"], []).append((row["name"], row["events"]))
    if not kinds:
        return None, [], 0
    # Genres, not authors: the kind whose eight largest tags stand for the most events.
    kind = max(sorted(kinds), key=lambda kind: sum(events for _, events in kinds[kind][:COLOURS]))
    return kind, [name for name, _ in kinds[kind][:COLOURS]], len(kinds[kind])


def _interests(
    store: Store,
    vocabulary: Vocabulary,
    kind: str | None,
    tags: Sequence[str],
    total_tags: int,
    first: int | None,
    newest: int | None,
) -> InterestsOverTime | None:
    if kind is None or first is None or newest is None:
        return None
    span_days = (newest - first) / MS_PER_DAY
    bucket = bucket_of(span_days)
    coarse = list(too_coarse(bucket))
    by_day = bucket in ("day", "week")
    rows = store.read(
        "report/count_tag_days" if by_day else "report/count_tag_months",
        event_types=vocabulary.types,
        kind=kind,
        names=list(tags),
        too_coarse=coarse,
    )
    if not rows:
        return None
    starts = day_start(bucket) if by_day else month_start(bucket)
    counts: dict[str, Counter[date]] = {tag: Counter() for tag in tags}
    for row in rows:
        counts[row["tag"]][starts(row["day" if by_day else "month"])] += row["events"]
    found = sorted({start for counter in counts.values() for start in counter})
    dates = all_starts(found[0], found[-1], bucket)
    series = [(tag, [counts[tag][start] for start in dates]) for tag in tags if counts[tag]]
    return InterestsOverTime(kind, bucket, [d.isoformat() for d in dates], series, total_tags, bool(coarse))


def embedding_map(
    store: Store,
    vocabulary: Vocabulary,
    model: str,
    kind: str | None,
    user_id: str | None = None,
    *,
    max_points: int = 1200,
    seed: int = 0,
) -> EmbeddingMap | None:
    """Users and items in the plane; None where no vector of the model has an event behind it.

    Args:
        store: The graph.
        vocabulary: The rules in use.
        model: Whose vectors.
        kind: Of the tags that points are coloured by.
        user_id: Somebody who is on the map in any case.
        max_points: Largest number of points; more are sampled.
        seed: Of the sample and the layout.
    """
    import numpy as np

    users, items = (
        sorted(row["id"] for row in store.stream(query, event_types=vocabulary.types, model=model))
        for query in ("report/list_embedded_users", "report/list_embedded_items")
    )
    if not users and not items:
        return None
    random = np.random.default_rng(seed)
    room = max(min(len(users), max_points // 2), max_points - len(items))
    some_users = _sample(random, users, room)
    if user_id is not None and user_id in set(users):
        some_users = sorted({*some_users, user_id})
    some_items = _sample(random, items, max_points - len(some_users))
    rows = [
        *(("user", row) for row in _by_id(store, "report/read_user_vectors", some_users, kind, model)),
        *(("item", row) for row in _by_id(store, "report/read_item_vectors", some_items, kind, model)),
    ]
    places = project(
        [row["vector"] for what, row in rows if what == "user"],
        [row["vector"] for what, row in rows if what == "item"],
        seed,
    )
    points = [
        Point("user" if what == "user" else "item", row["id"], row["name"], row["tag"], float(x), float(y))
        for (what, row), (x, y) in zip(rows, places, strict=True)
    ]
    spread = Counter(point.tag for point in points if point.tag is not None)
    tags = [tag for tag, _ in sorted(spread.items(), key=lambda pair: (-pair[1], pair[0]))[:COLOURS]]
    return EmbeddingMap(points, tags, kind if tags else None, len(users), len(items))


def _by_id(
    store: Store, query: str, ids: Sequence[str], kind: str | None, model: str
) -> list[dict[str, Any]]:
    rows = store.read(query, ids=list(ids), kind=kind or "", model=model)
    return sorted((row for row in rows if row["vector"]), key=lambda row: str(row["id"]))


def _sample(random: Any, ids: Sequence[str], size: int) -> list[str]:
    if len(ids) <= size:
        return list(ids)
    # A sample for a plot, the same each time.
    return [ids[at] for at in sorted(random.choice(len(ids), size=max(size, 0), replace=False))]  # nosec B311


def _graph(
    store: Store, vocabulary: Vocabulary, user_id: str, person: str, seed: int
) -> neighbourhood.Neighbourhood:
    objects = store.read(
        "report/read_user_objects", event_types=vocabulary.types, user_id=user_id, limit=RECENT_OBJECTS
    )
    others = store.read(
        "report/read_co_users",
        event_types=vocabulary.types,
        user_id=user_id,
        hub=HUB_EVENTS,
        limit=neighbourhood.OTHERS,
    )
    return neighbourhood.build(person, objects, others, seed)
