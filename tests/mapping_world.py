"""Rows through a mapping file, without any engine."""

from __future__ import annotations

import tomllib
from typing import Any

import polars as pl

from graphprofile.ingest.mapped.check import check_rules
from graphprofile.ingest.mapped.model import Rules
from graphprofile.ingest.planned import checked_chunks, plan_sources
from graphprofile.ingest.recipes import make_recipe
from graphprofile.records import DescriptionChunk, EventChunk, Rejection
from graphprofile.vocabulary import Vocabulary

EVENTS = """
[events]
user_id = "u"
event_type = { constant = "purchased" }
object_id = "o"
timestamp = "t"
value = "v"
properties = { keep = ["p"] }
"""


def rules_of(text: str) -> Rules:
    return check_rules(tomllib.loads(text), "shop.toml", text)


class Result:
    """All that came of some rows."""

    def __init__(self, source: Any, text: str, chunk_rows: int | None = None, **options: Any) -> None:
        recipe = make_recipe(mapping=rules_of(text), **options)
        self.frames: list[pl.DataFrame] = []
        self.described: dict[str, Any] = {}
        self.rejected: list[Rejection] = []
        self.skipped: dict[str, int] = {}
        self.cleaned: dict[str, int] = {}
        planned = plan_sources([source], recipe)
        for _, chunk in checked_chunks(planned, Vocabulary(), recipe, chunk_rows=chunk_rows):
            self.rejected += chunk.rejected
            if isinstance(chunk, EventChunk):
                self.frames.append(chunk.frame)
            if isinstance(chunk, DescriptionChunk):
                self.described |= {row.id: row for row in chunk.rows}
            if isinstance(chunk, EventChunk | DescriptionChunk):
                for total, more in ((self.skipped, chunk.skipped), (self.cleaned, chunk.cleaned)):
                    for name, count in more.items():
                        total[name] = total.get(name, 0) + count

    @property
    def events(self) -> pl.DataFrame:
        return pl.concat(self.frames)

    def column(self, name: str) -> list[Any]:
        return self.events[name].to_list()

    @property
    def refused(self) -> list[tuple[int, str, str]]:
        return [(entry.line, entry.field, entry.reason) for entry in self.rejected]


def row(**more: Any) -> dict[str, Any]:
    return {"u": "ann", "o": "tea", "t": "2020-01-02T03:04:05Z", "v": "1", "p": "x", **more}


def frame(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), infer_schema_length=None)
