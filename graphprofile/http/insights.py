"""Asking an insight over HTTP: the same refusals and the same audit for the API and the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from graphprofile import queries
from graphprofile.errors import NotFound, UsageError
from graphprofile.http.caller import Caller
from graphprofile.http.masks import woven_in
from graphprofile.insights import Insight, base_type, list_insights

USERS = ("user", "other_user")
"""Columns that hold ids of users."""


def find_insight(name: str) -> Insight:
    """The insight of a name.

    Raises:
        NotFound: There is none.
    """
    for insight in list_insights():
        if insight.name == name:
            return insight
    raise NotFound(f"There is no insight {name!r}.", "`GET /v1/insights` lists those there are.")


def refuse_woven(caller: Caller, insight: Insight) -> None:
    """Refuse an insight whose rows are made of a hidden property, not marked by it: no mask finds it there.

    Raises:
        Refusal: It is.
    """
    if insight.kind == "cypher":
        woven = woven_in(queries.load(f"insights/{insight.name}").statement, caller.hidden)
        caller.refuse_hidden("path/name", [woven] if woven else [])


async def ask(caller: Caller, insight: Insight, given: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of an insight, not yet masked.

    Args:
        caller: Who asks.
        insight: Which.
        given: Its parameters.

    Raises:
        Refusal: It may not be asked by this caller.
        UsageError: A parameter cannot be used.
    """
    refuse_woven(caller, insight)
    if reserved := given.keys() & {"name", "self"}:
        raise UsageError(f"No insight takes a parameter {min(reserved)!r}.", "`GET /v1/insights` lists them.")
    gp = caller.service.gp
    people = {field.name for field in insight.parameters if base_type(field.type) == "user id"}
    users = [str(value) for name, value in given.items() if name in people]

    async with caller.audited(f"insight.{insight.name}", users):
        rows = await caller.bounded(lambda: gp.insights(insight.name, **given))
        shown = {str(row[name]) for row in rows for name in USERS if row.get(name)}
        if shown:
            caller.note("profile.listed", "ok", sorted(shown))
        return rows
