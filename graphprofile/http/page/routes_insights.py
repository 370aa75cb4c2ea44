"""The questions that can be asked, a form for each, and its answer as a chart, a table and a file."""

from __future__ import annotations

import time
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from graphprofile import browsing
from graphprofile.http.caller import Caller, ReadsProfiles, clean_text
from graphprofile.http.insights import ask, find_insight, refuse_woven
from graphprofile.http.page.answers import Answer
from graphprofile.http.page.asked import sent_fields
from graphprofile.http.page.charts import chart_of, says
from graphprofile.http.page.forms import fields_of, parameters_of, read_form
from graphprofile.http.page.routes_search import LOOKED_AT, find_objects, find_tags
from graphprofile.http.page.site import HEADERS, Made, fragment, page, query
from graphprofile.http.page.starting import sample_of, starting_values
from graphprofile.insights import GROUPS, Insight, list_insights, wrong_parameters
from graphprofile.spreadsheet import csv_lines

router = APIRouter(include_in_schema=False)

SHOWN = 200
SUGGESTIONS = 12
MOST_FIELDS = 60
ASKED_BY = {"items": "an item", "users": "a person", "tags": "a tag"}

Name = Annotated[str, Path(max_length=100)]


@router.get("/insights")
async def insights(caller: ReadsProfiles) -> Response:
    """All questions, by their groups."""
    found = list_insights()
    groups = [
        {"group": group, "asked": [_described(one) for one in found if one.group == group]}
        for group in GROUPS
    ]
    return page(
        caller, "insights.html", title="Insights", section="insights", groups=groups, total=len(found)
    )


@router.get("/insights/suggest/{what}")
async def suggest(what: Name, caller: ReadsProfiles) -> Response:
    """Options for a field while somebody types; whatever the field is called, its text is all there is."""
    typed = clean_text(next((value for _, value in caller.request.query_params.multi_items()), "")).strip()
    store = caller.service.gp.store
    by_title = "title" not in caller.hidden

    def read() -> list[dict[str, str]]:
        if what == "users":
            return [
                {"value": one.id, "text": ""}
                for one in browsing.list_users(store, prefix=typed, limit=SUGGESTIONS)
            ]
        if what == "tags":
            tags = find_tags(store, typed.rpartition(":")[2], SUGGESTIONS)
            return [
                {"value": f"{tag['kind']}:{tag['tag']}", "text": f"{tag['events']:,} events"} for tag in tags
            ]
        objects = [
            one
            for plural in ("items", "contents")
            for one in find_objects(store, plural, "title", typed, LOOKED_AT, by_text=by_title)
        ]
        return [
            {"value": one["id"], "text": (one["title"] or "") if by_title else ""}
            for one in objects[:SUGGESTIONS]
        ]

    if what not in ASKED_BY or not typed:
        return fragment(caller, "_options.html", options=[])
    if what != "users":
        return fragment(caller, "_options.html", options=Made(await caller.bounded(read)))
    async with caller.audited("users.list"):
        found = await caller.bounded(read)
        caller.note("profile.listed", "ok", [one["value"] for one in found])
    return fragment(caller, "_options.html", options=Made(found))


@router.get("/insights/{name}")
async def insight(name: Name, request: Request, caller: ReadsProfiles) -> Response:
    """One question: its form, and the answer, which comes behind."""
    asked = find_insight(name)
    refuse_woven(caller, asked)
    given, gp = _given(request), caller.service.gp

    def read() -> dict[str, Any]:
        sample = sample_of(gp)
        values = given or {key: value for key, value in starting_values(asked, sample).items()}
        wrong = wrong_parameters(gp.store, gp.vocabulary, asked, parameters_of(asked, values))
        fields = fields_of(
            asked, values, wrong, vocabulary=gp.vocabulary, types=sample.types, kinds=sample.kinds
        )
        missing = [one["called"] for one in fields if one["required"] and not values.get(one["called"])]
        known = {one.name for one in asked.parameters}
        together = wrong.get("")
        return {
            "fields": Made(fields),
            "together": together.message if together else None,
            # A form that nobody has filled in yet is not wrong, it is empty.
            "ready": not wrong and (bool(given) or not missing),
            "chosen": {} if given else values,
            "unknown": sorted(set(values) - known),
            "link": query(**values),
        }

    documents = await caller.bounded(read)
    people = [id_ for name in ("user", "other") for id_ in documents["chosen"].get(name, ())]
    if people:
        async with caller.audited("users.list"):
            caller.note("profile.listed", "ok", people)
    return page(
        caller,
        "insight.html",
        title=asked.question,
        section="insights",
        insight=Made(_described(asked)),
        **documents,
    )


@router.get("/insights/{name}/answer")
async def answer(name: Name, request: Request, caller: ReadsProfiles) -> Response:
    """The answer to a question, put into its page."""
    asked = find_insight(name)
    values = _given(request)
    rows, seconds = await _asked(caller, asked, values)
    drawn = await caller.run(lambda: chart_of(asked, rows))
    return fragment(
        caller,
        "_answer.html",
        insight=Made(_described(asked)),
        # Masked row by row before: a chart and a table are made of what may be seen.
        figure=Made(drawn),
        says=says(asked),
        table=Made(Answer(asked, rows[:SHOWN]).table()),
        paths=Made(_paths(asked, rows)),
        total=len(rows),
        seconds=seconds,
        link=query(**values),
    )


@router.get("/insights/{name}/csv")
async def download(name: Name, request: Request, caller: ReadsProfiles) -> Response:
    """The answer as a file."""
    asked = find_insight(name)
    rows, _ = await _asked(caller, asked, _given(request))
    columns = [column.name for column in asked.columns]
    body = "".join(csv_lines([columns, *([row.get(column) for column in columns] for row in rows)]))
    headers = {**HEADERS, "Content-Disposition": f'attachment; filename="{asked.name}.csv"'}
    return Response(body.encode(), media_type="text/csv; charset=utf-8", headers=headers)


def _described(asked: Insight) -> dict[str, Any]:
    """A question for a template."""
    return {
        "called": asked.name,
        "group": asked.group,
        "question": asked.question,
        "notes": asked.notes,
        "parameters": [{"called": one.name, "needed": one.default is None} for one in asked.parameters],
        "columns": [{"called": one.name, "about": one.text} for one in asked.columns],
    }


async def _asked(
    caller: Caller, asked: Insight, values: dict[str, list[str]]
) -> tuple[list[dict[str, Any]], float]:
    """Rows as the caller may see them, and how long they took."""
    began = time.perf_counter()
    rows = await ask(caller, asked, parameters_of(asked, values))
    return caller.show(rows), time.perf_counter() - began


def _paths(asked: Insight, rows: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """Ways, step by step, with their share of the largest figure."""
    if asked.chart.type != "paths":
        return None
    column, value = asked.chart.axes["path"], asked.chart.axes.get("value")
    largest = max((row.get("share") or 0 for row in rows), default=0)
    return [
        {
            "steps": row[column] or ["nothing before"],
            "value": row.get(value) if value else None,
            "unit": value,
            "share": (row.get("share") or 0) / largest if largest else None,
        }
        for row in rows[:SHOWN]
        if row.get(column) is not None
    ]


def _given(request: Request) -> dict[str, list[str]]:
    """What a form sent.

    Raises:
        Refusal: It holds what no form of ours sends.
    """
    return read_form(sent_fields(request, MOST_FIELDS))
