"""The audience builder: conditions, how many people meet them, who, and what they are interested in."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from graphprofile.audience import MOST_CONDITIONS, Audience, properties_of, users_of
from graphprofile.audience.conditions import Interest, parse, write
from graphprofile.audience.steps import Resolver
from graphprofile.errors import GraphProfileError, NotFound, UnknownProperty, UsageError
from graphprofile.http.caller import Caller, ReadsProfiles, clean_text
from graphprofile.http.page.asked import sent_fields
from graphprofile.http.page.audience_form import GROUPS, LABELS, Groups, fields_of, read_query
from graphprofile.http.page.charts import beside_everybody
from graphprofile.http.page.site import HEADERS, Made, fragment, page, query
from graphprofile.http.page.starting import sample_of
from graphprofile.http.problems import Refusal, invalid
from graphprofile.http.routes_audience import checked
from graphprofile.records import SYSTEM_PROPERTIES, batched
from graphprofile.spreadsheet import csv_lines

router = APIRouter(include_in_schema=False)

SHOWN = 20
FOUND_AT_ONCE, IN_A_FILE_AT_ONCE = 20_000, 1_000
MOST_FIELDS = 400
After = Annotated[str, Query(max_length=512)]


@router.get("/audience")
async def audience(request: Request, caller: ReadsProfiles) -> Response:
    """The form; a sent one is led to its link, which can be kept."""
    groups, sent = _groups(request)
    if sent:
        return Response(status_code=303, headers={**HEADERS, "Location": f"/audience{query(**groups)}"})
    gp = caller.service.gp

    def read() -> dict[str, Any]:
        sample = sample_of(gp)
        names = {row["name"] for row in gp.store.read("audience/list_properties")} - SYSTEM_PROPERTIES
        return {
            "types": sample.types,
            "others": sorted(set(gp.vocabulary.events) - set(sample.types)),
            "names": sorted(names - caller.hidden),
            "busy": [{"tag": tag, "condition": write(Interest(tag))} for tag in sample.tags[:5]],
        }

    documents = await caller.bounded(read)
    numbered, number = [], 0
    for name, (title, joined) in GROUPS.items():
        conditions = []
        for text in groups[name]:
            number += 1
            conditions.append({"number": number, **fields_of(text)})
        numbered.append({"group": name, "heading": title, "joined": joined, "conditions": conditions})
    return page(
        caller,
        "audience.html",
        title="Audience",
        section="audience",
        groups=Made(numbered),
        kinds=LABELS,
        link=query(**groups),
        empty=not number,
        **documents,
    )


@router.get("/audience/found")
async def found(request: Request, caller: ReadsProfiles) -> Response:
    """How many people meet the conditions, the first of them, and their tags beside everybody's."""
    groups, _ = _groups(request)
    if sum(map(len, groups.values())) > MOST_CONDITIONS:
        raise invalid("query", f"holds more than {MOST_CONDITIONS} conditions")
    gp = caller.service.gp
    began = time.perf_counter()

    def read() -> dict[str, Any]:
        resolver = Resolver(gp)
        kept, notes = _finished(caller, groups, resolver)
        audience = Audience(gp, kept["all"], kept["any"], kept["none"], resolver)
        size = audience.measure()
        members = audience.page(SHOWN + 1)
        tags = [tag.model_dump() for tag in audience.tags(size.sample)]
        return {
            "words": audience.words(),
            "count": size.count,
            "of": size.of,
            "share": size.share,
            "sampled": len(size.sample),
            "members": members,
            "tags": tags,
            "notes": notes,
            "everybody": not any(kept.values()),
            "link": query(**kept),
        }

    async with caller.audited("audience.read", _named(groups)):
        documents = await caller.bounded(read)
        members = documents["members"]
        caller.note("profile.listed", "ok", [one.id for one in members[:SHOWN]])
    more = members[SHOWN - 1].id if len(members) > SHOWN else None
    drawn = Made(beside_everybody(documents["tags"]))
    documents |= {"members": members[:SHOWN], "more": more, "figure": drawn}
    answer = fragment(caller, "_found.html", seconds=time.perf_counter() - began, **documents)
    answer.headers["HX-Replace-Url"] = f"/audience{query(**groups)}"
    return answer


@router.get("/audience/members")
async def members(request: Request, caller: ReadsProfiles, after: After = "") -> Response:
    """The next people."""
    groups, _ = _groups(request)
    gp = caller.service.gp
    given = checked(caller, groups["all"], groups["any"], groups["none"])
    async with caller.audited("audience.read", _named(groups)):
        found = await caller.bounded(lambda: gp.audience(*given).page(SHOWN + 1, clean_text(after)))
        caller.note("profile.listed", "ok", [one.id for one in found[:SHOWN]])
    more = found[SHOWN - 1].id if len(found) > SHOWN else None
    return fragment(caller, "_members.html", members=found[:SHOWN], more=more, link=query(**groups))


@router.get("/audience/csv")
async def download(request: Request, caller: ReadsProfiles) -> Response:
    """All of them as a file, which begins before its end is known."""
    groups, _ = _groups(request)
    given = checked(caller, groups["all"], groups["any"], groups["none"])
    gp = caller.service.gp

    def begin() -> tuple[Audience, list[str]]:
        audience = gp.audience(*given)
        return audience, audience.columns(caller.hidden)

    async with caller.audited("audience.read", _named(groups)):
        audience, columns = await caller.bounded(begin)
    headers = {**HEADERS, "Content-Disposition": 'attachment; filename="audience.csv"'}
    return StreamingResponse(
        _lines(caller, audience, columns), media_type="text/csv; charset=utf-8", headers=headers
    )


async def _lines(caller: Caller, audience: Audience, columns: list[str]) -> AsyncIterator[str]:
    """The file in parts; each begins after the last id of the one before, so no query waits for a slow reader."""
    yield "".join(csv_lines([columns]))
    after = ""
    while True:
        ids = await caller.bounded(lambda after=after: audience.first(FOUND_AT_ONCE, after))  # type: ignore[misc]
        for part in batched(ids, IN_A_FILE_AT_ONCE):
            members = await caller.bounded(lambda part=part: audience.describe(part))  # type: ignore[misc]
            caller.note("profile.listed", "ok", [one.id for one in members])
            yield "".join(csv_lines(audience.rows(members, columns)))
        if len(ids) < FOUND_AT_ONCE:
            return
        after = ids[-1]


def _finished(caller: Caller, groups: Groups, resolver: Resolver) -> tuple[Groups, list[dict[str, Any]]]:
    """Conditions that can be asked, and what is to be said of each one."""
    kept: Groups = {name: [] for name in groups}
    notes: list[dict[str, Any]] = []
    for name, texts in groups.items():
        for text in texts:
            note: dict[str, Any] = {"number": len(notes) + 1, "words": None, "wrong": None, "hint": None}
            try:
                condition = parse(text)
                caller.refuse_hidden(f"query/{name}", properties_of([condition]))
                resolver.step(condition)
                note["words"] = condition.words()
                kept[name].append(text)
            except Refusal as refusal:
                note["wrong"], note["hint"] = refusal.detail, refusal.hint
            except UnknownProperty as error:
                told = error.to_one_who_may_not_see(caller.hidden)
                note["wrong"], note["hint"] = told.message, told.hint
            except (UsageError, NotFound) as error:
                note["wrong"], note["hint"] = error.message, error.hint
            except GraphProfileError as error:
                if error.code != "no_model":
                    raise
                note["wrong"], note["hint"] = error.message, error.hint
            notes.append(note)
    return kept, notes


def _named(groups: Groups) -> list[str]:
    """People whom conditions name; of conditions that cannot be read nobody."""
    named: list[str] = []
    for text in (text for texts in groups.values() for text in texts):
        try:
            named += users_of([text])
        except UsageError:
            continue
    return named


def _groups(request: Request) -> tuple[Groups, bool]:
    """Conditions of a request, and whether they came as a form.

    Raises:
        Refusal: It holds what no form of ours sends.
    """
    return read_query(sent_fields(request, MOST_FIELDS))
