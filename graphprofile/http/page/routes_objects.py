"""The pages of items, content and tags."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from graphprofile.errors import ModelError, NotFound
from graphprofile.http.caller import Caller, ItemId, ReadsProfiles, an_id
from graphprofile.http.page import reads_objects
from graphprofile.http.page.asked import TagKind, TagName, a_tag
from graphprofile.http.page.site import page, part

router = APIRouter(include_in_schema=False)

SIMILAR = 8
TOGETHER = 10


@router.get("/items/{item_id}")
async def show_item(item_id: ItemId, caller: ReadsProfiles) -> Response:
    """One item."""
    return await _object(caller, "item", item_id)


@router.get("/content/{item_id}")
async def show_content(item_id: ItemId, caller: ReadsProfiles) -> Response:
    """One piece of content."""
    return await _object(caller, "content", item_id)


async def _object(caller: Caller, kind: str, given: str) -> Response:
    id_ = an_id(given, f"path/{kind}_id")
    gp = caller.service.gp

    def read() -> tuple[dict[str, Any], dict[str, Any]]:
        in_use = next((row["version"] for row in gp.store.read("embed/read_model")), None)
        found = reads_objects.read_object(gp.store, kind, id_, in_use)
        return found, reads_objects.read_audience(gp.store, gp.vocabulary, kind, id_)

    found, audience = await caller.run(read)
    title = caller.show({"title": found["title"]})["title"] or id_
    return page(caller, "object.html", title=title, section="search", one=found, audience=audience)


@router.get("/items/{item_id}/similar")
async def similar_items(item_id: ItemId, caller: ReadsProfiles) -> Response:
    """The items nearest to one."""
    return await _similar(caller, "item", item_id)


@router.get("/content/{item_id}/similar")
async def similar_content(item_id: ItemId, caller: ReadsProfiles) -> Response:
    """The content nearest to one."""
    return await _similar(caller, "content", item_id)


async def _similar(caller: Caller, kind: str, given: str) -> Response:
    id_ = an_id(given, f"path/{kind}_id")
    gp = caller.service.gp

    def read() -> tuple[list[dict[str, Any]], str | None]:
        try:
            return [one.to_json() for one in gp.similar_items(id_, SIMILAR)], None
        except (ModelError, NotFound) as error:
            # Nothing is wrong with the page: there is nothing to show yet.
            return [], " ".join(filter(None, (error.message, error.hint)))

    found, said = await caller.run(read)
    shown: dict[str, Any] = {"results": found, "said": said}
    return part(caller, "_similar_items.html", title="Similar", back=(kind, id_), **shown)


@router.get("/items/{item_id}/together")
async def together(item_id: ItemId, caller: ReadsProfiles) -> Response:
    """What the people who got an item got as well."""
    id_ = an_id(item_id, "path/item_id")
    gp = caller.service.gp
    rows = await caller.bounded(lambda: gp.insights("co_purchase", item=id_, limit=TOGETHER))
    return part(caller, "_together.html", title="Together with it", back=("item", id_), rows=rows)


@router.get("/tags/{kind}/{name}")
async def show_tag(kind: TagKind, name: TagName, caller: ReadsProfiles) -> Response:
    """One tag."""
    tag_kind, tag = a_tag(kind, name)
    gp = caller.service.gp
    found = await caller.run(lambda: reads_objects.read_tag(gp.store, gp.vocabulary, tag_kind, tag))
    return page(caller, "tag.html", title=tag, section="search", one=found)


@router.get("/tags/{kind}/{name}/top")
async def show_tagged(kind: TagKind, name: TagName, caller: ReadsProfiles) -> Response:
    """Who and what goes with a tag most."""
    tag_kind, tag = a_tag(kind, name)
    gp = caller.service.gp
    async with caller.audited("users.list"):
        found = await caller.run(
            lambda: reads_objects.read_tagged(gp.store, gp.computed_rules, tag_kind, tag)
        )
        caller.note("profile.listed", "ok", [one["id"] for one in found["people"]])
    return part(caller, "_tagged.html", title=tag, back=("tag", tag, tag_kind), **found)
