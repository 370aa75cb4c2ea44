"""The sections of the quality report in HTML. Every text from the graph goes through :func:`text`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from graphprofile.quality import Bin, Quality
from graphprofile.report_parts import quality_figures as figures
from graphprofile.report_parts.sections import Page, day, number, text
from graphprofile.stability import LARGE, MODERATE

UNITS = {1: "hour", 24: "day", 168: "week", 672: "four weeks", 8_736: "year (52 weeks)", 87_360: "ten years"}
OUTCOMES = ("applied", "duplicates", "conflicts", "quarantined")
NAMES = {"event_types": "mix of events", "value": "values", "hours": "hours of the day"}
MOST_REASONS = 15
MOST_BINS = 24
LAGS = (
    *((60, "< 1 min"), (3_600, "< 1 h"), (86_400, "< 1 d"), (604_800, "< 7 d")),
    *((2_592_000, "< 30 d"), (31_536_000, "< 1 y"), (float("inf"), "more")),
)


def percent(share: float | None) -> str:
    """A share for people; what is not quite all or nothing does not read as all or nothing."""
    if share is None:
        return "–"
    if share in (0.0, 1.0):
        return f"{share:.0%}"
    return "<0.1%" if share < 0.001 else ">99.9%" if share > 0.999 else f"{share:.1%}"


def span(seconds: float | None) -> str:
    """A length of time for people."""
    if seconds is None:
        return "–"
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:,.1f} {unit}"
    return f"{seconds:.1f} s"


def tiles(quality: Quality) -> str:
    """The figures that are looked at first."""
    events = quality.completeness.get("events")
    least = min(events.columns.values(), default=None) if events else None
    shown = [
        (number(quality.read), "rows read"),
        (percent(quality.shares["quarantined"]), "of them quarantined"),
        (percent(quality.shares["duplicates"]), "of the events known before"),
        (percent(quality.shares["late"]), "of the new events late"),
        (percent(least), "in the emptiest event field"),
    ]
    return (
        '<div class="tiles">'
        + "".join(
            f'<div class="tile"><b>{text(figure)}</b><span>{text(words)}</span></div>'
            for figure, words in shown
        )
        + "</div>"
    )


def _about(quality: Quality, what: str) -> str:
    count = quality.distinct.get(what, 0)
    return number(count) if count < quality.distinct_exact_below else f"≈{number(count)}"


def add_thresholds(page: Page, quality: Quality) -> None:
    """What the batch had to meet."""
    if not quality.thresholds:
        return
    rows = [
        (
            f"<code>{text(one.name)}</code>",
            f'<span class="{"quiet" if one.passed else "attention"}">{"met" if one.passed else "not met"}</span>',
            f"{one.limit:g}",
            "–" if one.figure is None else f"{one.figure:.4g}",
            text(one.detail),
        )
        for one in quality.thresholds
    ]
    page.add(
        "thresholds",
        "Thresholds",
        "Judged before anything was written.",
        table("", ("Threshold", "", "Limit", "Figure", "Because"), rows, numbers=(2, 3)),
    )


def add_completeness(page: Page, quality: Quality) -> None:
    """Share of rows with a value, by kind and column."""
    cards = []
    for kind, found in quality.completeness.items():
        ordered = sorted(found.columns.items(), key=lambda pair: (pair[1], pair[0]))
        lines = "".join(
            f'<tr><td class="name">{text(name)}</td><td><div class="bar"><div class="track">'
            f'<i style="left:0;width:{100 * share:.1f}%"></i></div><span>{percent(share)}</span></div></td></tr>'
            for name, share in ordered
        )
        more = f", {found.uncounted_columns} more columns not counted" if found.uncounted_columns else ""
        cards.append(
            f'<div class="card"><h3>{text(kind.capitalize())} ({number(found.rows)} rows{more})</h3>'
            f'<table class="tags"><tbody>{lines}</tbody></table></div>'
        )
    if cards:
        page.add(
            "completeness",
            "Completeness",
            "Share of rows with a value, refused rows too; the emptiest columns first.",
            f'<div class="two">{"".join(cards)}</div>',
        )


def add_outcomes(page: Page, quality: Quality) -> None:
    """What became of the rows, and why some were refused."""
    rows = [
        (text(kind), *(number(found.get(name, 0)) for name in ("read", *OUTCOMES, "late")))
        for kind, found in quality.rows.items()
    ]
    heads = ("Kind", "Read", *(name.capitalize() for name in OUTCOMES), "Late")
    cards = [table("What became of the rows", heads, rows, numbers=range(1, 7))]
    if quality.refused:
        shown = [
            (text(f"{one.kind}.{one.field}".strip(".")), text(one.reason), number(one.rows))
            for one in quality.refused[:MOST_REASONS]
        ]
        left = sum(one.rows for one in quality.refused[MOST_REASONS:])
        shown += [("", "other reasons", number(left))] if left else []
        cards.append(table("Refused rows, by reason", ("Field", "Reason", "Rows"), shown, numbers=(2,)))
    small = [
        ("Left out on purpose", "Reason", "Rows", quality.skipped),
        ("Cleaned", "Rule", "Values", quality.cleaned),
        ("Flagged", "Flag", "Rows", quality.flagged),
    ]
    tables = [
        table(title, (what, unit), [(text(k), number(v)) for k, v in counts.items()], numbers=(1,))
        for title, what, unit, counts in small
        if counts
    ]
    if tables:
        cards.append(f'<div class="two" style="margin-top:20px">{"".join(tables)}</div>')
    unsent = (
        f" {number(quality.unsent)} more rows lie in files that were taken in whole before: they count as "
        "duplicates of the load, and nothing else here speaks of them."
        if quality.unsent
        else ""
    )
    page.add(
        "rows",
        "Rows",
        f"Late: applied, and older than the newest event before the batch.{unsent}",
        *cards,
    )


def add_time(page: Page, quality: Quality) -> None:
    """When events happened, and how late they come."""
    if not quality.volume.stretches:
        return
    unit = UNITS[quality.volume.stretch_hours]
    wide = page.plot(
        "plot-volume",
        figures.volume(quality, unit),
        f"Events per {unit} from {day(quality.volume.oldest)} to {day(quality.volume.newest)}",
        f"Volume by {unit}",
    )
    hours = [f"{hour:02d}" for hour in range(24)]
    before = quality.before.get("hours") or {}
    of_day = page.plot(
        "plot-hours",
        figures.beside(
            hours,
            _shares(quality.hours_of_day),
            [before.get(str(hour), 0.0) for hour in range(24)] if before else None,
            "Hour of the day (UTC)",
        ),
        "Events by hour of the day",
        "Hours of the day",
    )
    page.add(
        "time",
        "Volume and lateness",
        "When the events happened, also those that were there already.",
        wide,
        f'<div class="two" style="margin-top:20px">{of_day}{_lateness(page, quality)}</div>',
    )


def _lateness(page: Page, quality: Quality) -> str:
    late = quality.lateness
    if late.watermark is None:
        return (
            '<div class="card"><h3>Lateness</h3><p class="quiet">The store held no events before.</p></div>'
        )
    said = (
        f"{percent(late.share)} of the new events late · half of all that lie behind {day(late.watermark)} by less "
        f"than {span(late.p50_seconds)}, 95% by less than {span(late.p95_seconds)}"
        if late.behind
        else f"No event lies behind the newest one before the batch, of {day(late.watermark)}."
    )
    if not late.behind:
        return f'<div class="card"><h3>Lateness</h3><p class="quiet">{said}</p></div>'
    counts = _by_lag(late.lag_seconds)
    plot = page.plot(
        "plot-lag",
        figures.beside(
            [name for name, _ in counts], _shares([n for _, n in counts]), None, "Behind the watermark"
        ),
        said,
        "Lateness",
    )
    return plot.removesuffix("</div>") + f'<p class="quiet" style="padding:0 10px">{said}</p></div>'


def _by_lag(bins: Iterable[Bin]) -> list[tuple[str, int]]:
    counts = dict.fromkeys((name for _, name in LAGS), 0)
    for one in bins:
        counts[next(name for limit, name in LAGS if one.low < limit)] += one.count
    return list(counts.items())


def add_events(page: Page, quality: Quality) -> None:
    """Which events, and with which values."""
    if not quality.event_types:
        return
    before = quality.before.get("event_types") or {}
    names = sorted(
        {*quality.event_types, *before}, key=lambda name: (-quality.event_types.get(name, 0), name)
    )
    plots = [
        page.plot(
            "plot-types",
            figures.beside(
                names,
                _shares([quality.event_types.get(name, 0) for name in names]),
                [before.get(name, 0.0) for name in names] if before else None,
                "Event type",
            ),
            "; ".join(f"{name} {number(quality.event_types.get(name, 0))}" for name in names),
            "Mix of events",
        )
    ]
    if quality.values.bins:
        plots.append(_values(page, quality))
    page.add(
        "events",
        "Events and values",
        "This batch beside the earlier ones that came the same way, as shares."
        if before
        else "As shares; there is no earlier batch that came the same way.",
        f'<div class="two">{"".join(plots)}</div>',
    )


def _values(page: Page, quality: Quality) -> str:
    values, before = quality.values, quality.before.get("value") or {}
    now = {f"{one.low:g}": one.count for one in values.bins}
    edges = sorted({*now, *before}, key=float)
    step = -(-len(edges) // MOST_BINS)
    groups = [edges[start : start + step] for start in range(0, len(edges), step)]
    whole = max(1, values.events)
    said = (
        f"{number(values.events)} events have a value: {values.low:,.4g} to {values.high:,.4g}, "
        f"half of them up to {values.p50:,.4g}, 90% between {values.p05:,.4g} and {values.p95:,.4g}"
    )
    plot = page.plot(
        "plot-values",
        figures.beside(
            [group[0] for group in groups],
            [sum(now.get(name, 0) for name in group) / whole for group in groups],
            [sum(before.get(name, 0.0) for name in group) for group in groups] if before else None,
            "Value, from",
        ),
        said,
        "Values",
    )
    return plot.removesuffix("</div>") + f'<p class="quiet" style="padding:0 10px">{said}</p></div>'


def add_drift(page: Page, quality: Quality) -> None:
    """How far the batch is from the earlier ones."""
    if not quality.against:
        return
    rows = []
    for name, moved in quality.drift.items():
        what = "; ".join(
            f"{text(one['bin'])}: {percent(one['then'])} to {percent(one['now'])}" for one in moved.changes
        )
        if moved.psi is None:
            rows.append((NAMES[name], "–", "too few events", ""))
            continue
        kind = "attention" if moved.psi > LARGE else ""
        chance = " · within chance" if moved.by_chance is not None and moved.psi <= moved.by_chance else ""
        rows.append(
            (NAMES[name], f"{moved.psi:.3f}", f'<span class="{kind}">{moved.band}</span>{chance}', what)
        )
    page.add(
        "drift",
        "Drift",
        f"Population stability index against the {len(quality.against)} earlier batches that came the same way: stable "
        f"below {MODERATE:g}, moderate to {LARGE:g}, large above. Values are compared by tenths of the earlier ones.",
        table("", ("Distribution", "PSI", "Band", "What moved most"), rows, numbers=(1,)),
    )


def add_trend(page: Page, quality: Quality) -> None:
    """The last batches."""
    points = quality.trend
    if len(points) < 2:
        return
    shares = {
        name: [point.shares[name] for point in points]
        for name in ("quarantined", "duplicates", "conflicts", "late")
    }
    fields = sorted(
        {name for point in points for name in point.completeness},
        key=lambda name: (min(point.completeness.get(name, 0.0) for point in points), name),
    )[:6]
    complete = {name: [point.completeness.get(name) for point in points] for name in fields}
    psi = {NAMES[name]: [point.psi[name] for point in points] for name in NAMES}
    rows = {"rows": [float(point.rows) for point in points]}
    users = {what: [float(point.distinct.get(what, 0)) for point in points] for what in ("users", "objects")}
    plots = [
        ("plot-trend-rows", "Rows read", figures.lines(points, rows, "Rows", share=False)),
        ("plot-trend-shares", "Trouble", figures.lines(points, shares, "Share")),
        ("plot-trend-complete", "Completeness of events", figures.lines(points, complete, "Share of rows")),
        (
            "plot-trend-psi",
            "Drift",
            figures.lines(points, psi, "PSI", share=False, bands=(MODERATE, LARGE)),
        ),
        (
            "plot-trend-distinct",
            "Users and objects",
            figures.lines(points, users, "Different ones", share=False),
        ),
    ]
    page.add(
        "trend",
        "Trend",
        f"The last {len(points)} batches that came the same way, each against those before it.",
        '<div class="two">'
        + "".join(page.plot(name, figure, heading, heading) for name, heading, figure in plots)
        + "</div>",
    )


def table(
    title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: Iterable[int] = ()
) -> str:
    """A card with a table; cells are HTML."""
    right = set(numbers)
    mark = {at: ' class="number"' if at in right else "" for at in range(len(heads))}
    head = "".join(f"<th{mark[at]}>{text(name)}</th>" for at, name in enumerate(heads))
    body = "".join(
        "<tr>" + "".join(f"<td{mark[at] or _room(cell)}>{cell}</td>" for at, cell in enumerate(row)) + "</tr>"
        for row in rows
    )
    above = f"<h3>{text(title)}</h3>" if title else ""
    return (
        f'<div class="card">{above}<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div></div>"
    )


def _room(cell: str) -> str:
    """Long text is not squeezed on a phone: the table is scrolled."""
    return ' style="min-width:220px"' if len(cell) > 40 and "<" not in cell else ""


def _shares(counts: Sequence[int]) -> list[float]:
    whole = max(1, sum(counts))
    return [round(count / whole, 6) for count in counts]


def lead(quality: Quality) -> str:
    """One sentence on what this is, HTML."""
    kinds: Mapping[str, object] = quality.rows
    who = (
        f" Its events are of {_about(quality, 'users')} users, on {_about(quality, 'objects')} objects."
        if "users" in quality.distinct
        else ""
    )
    return (
        f'Batch <span class="whole">{text(quality.batch)}</span> of {day(quality.started_at)}, from '
        f"{text(quality.source) or 'rows'}: {text(', '.join(kinds)) or 'nothing'}.{who}"
    )
