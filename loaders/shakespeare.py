"""The lending library Shakespeare and Company, Paris 1919–1962.

Files of the Shakespeare and Company Project (Princeton University, CC BY 4.0): ``members``, ``books`` or
``books-with-genres``, and ``events`` in any of their cuts (``events_borrow`` and so on), as CSV.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from graphprofile.errors import SourceError
from graphprofile.records import Kind, SourceFile

if TYPE_CHECKING:
    import polars as pl

EVENTS = {"Borrow": "borrowed", "Purchase": "purchased"}
AUTHOR_WEIGHT = 0.5
"""A reader of one book by an author says more of its genre than of the author."""


class ShakespeareLoader:
    """Members as users, books as items tagged with genres and authors, loans and purchases as events."""

    name = "shakespeare"
    summary = "Shakespeare and Company Project: members, books (with genres), loans and purchases"
    time_zone = "UTC"
    """The files know days, not hours: a day is kept as the day it names."""

    def sources(self, paths: Sequence[Path], kind: Kind | None) -> list[SourceFile]:
        """The project's files among the paths, told by their names; books with genres win over books alone.

        Raises:
            SourceError: None of the paths is one of the project's files.
        """
        if kind is not None:
            return [SourceFile(path, kind, separator=",") for path in paths]
        found: list[SourceFile] = []
        for path in paths:
            told = _kind(path.name)
            if told is not None:
                found.append(SourceFile(path, told, separator=","))
        if not found:
            raise SourceError(
                f"No Shakespeare and Company file among {', '.join(map(str, paths)) or 'nothing'}.",
                "Their names begin with members, books or events; or say --kind.",
            )
        with_genres = {path.parent for path in paths if path.name.startswith("books-with-genres")}
        return [
            source
            for source in found
            if not (source.path.name.startswith(("books.", "books_")) and source.path.parent in with_genres)
        ]

    def transform(self, frame: pl.DataFrame, kind: Kind) -> pl.DataFrame:
        """The project's columns as generic ones.

        Raises:
            SourceError: The file lacks a column that the project's files have.
        """
        if kind == "events":
            return _events(frame)
        if kind == "items":
            return _books(frame)
        if kind == "users":
            return _members(frame)
        raise SourceError(
            f"The Shakespeare and Company Project has no {kind}.", "Its kinds are users, items and events."
        )


def _kind(name: str) -> Kind | None:
    starts: tuple[tuple[str, Kind], ...] = (("members", "users"), ("books", "items"), ("events", "events"))
    return next((kind for start, kind in starts if name.lower().startswith(start)), None)


def _require(frame: pl.DataFrame, names: Sequence[str], what: str) -> None:
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise SourceError(
            f"No column {', '.join(missing)} in the {what} file; its columns: {', '.join(frame.columns)}.",
            "Is this the project's own file? Give other files to the generic loader.",
        )


def _optional(frame: pl.DataFrame, names: Sequence[str]) -> list[str]:
    return [name for name in names if name in frame.columns]


def _last_part(column: str) -> pl.Expr:
    import polars as pl

    return pl.col(column).str.strip_chars().str.strip_chars_end("/").str.split("/").list.last()


def _listed(column: str) -> pl.Expr:
    """``a;b`` as a list, null where nothing is named."""
    import polars as pl

    entries = pl.col(column).str.split(";").list.eval(pl.element().str.strip_chars())
    entries = entries.list.eval(pl.element().filter((pl.element() != "") & (pl.element() != "N/A")))
    return pl.when(entries.list.len() > 0).then(entries)


def _members(frame: pl.DataFrame) -> pl.DataFrame:
    """Who the members were; not where they lived, and nothing that tells of their later loans."""
    import polars as pl

    _require(frame, ["uri", "name"], "members")
    lists = _optional(frame, ["nationalities"])
    return frame.select(
        _last_part("uri").alias("user_id"),
        "name",
        *_optional(frame, ["title", "gender", "wikipedia_url"]),
        *(
            pl.col(name).cast(pl.Int64, strict=False)
            for name in _optional(frame, ["birth_year", "death_year"])
        ),
        *(
            (pl.col(name).str.to_lowercase() == "true").alias(name)
            for name in _optional(frame, ["is_organization", "has_card"])
        ),
        *(_listed(name).alias(name) for name in lists),
        *(pl.col(name).alias("updated_at") for name in _optional(frame, ["updated"])),
    )


def _books(frame: pl.DataFrame) -> pl.DataFrame:
    """What the books are; counts of loans are left out, they would tell a model the future."""
    import polars as pl

    _require(frame, ["uri", "title"], "books")
    people = _optional(frame, ["author", "editor", "translator", "illustrator"])
    return frame.select(
        _last_part("uri").alias("item_id"),
        "title",
        *people,
        *(pl.col(name).cast(pl.Int64, strict=False) for name in _optional(frame, ["year"])),
        *_optional(frame, ["format", "ebook_url"]),
        *([_tags(frame).alias("tags")] if _optional(frame, ["genre", "author"]) else []),
        *(pl.col(name).alias("updated_at") for name in _optional(frame, ["updated"])),
    )


def _tags(frame: pl.DataFrame) -> pl.Expr:
    import polars as pl

    tag = pl.List(pl.Struct({"name": pl.String, "kind": pl.String, "weight": pl.Float64}))

    def tagged(column: str, weight: float) -> pl.Expr:
        entry = pl.struct(
            pl.element().alias("name"),
            pl.lit(column).alias("kind"),
            pl.lit(weight, dtype=pl.Float64).alias("weight"),
        )
        return _listed(column).list.eval(entry).cast(tag).fill_null(pl.lit([], dtype=tag))

    weights = {"genre": 1.0, "author": AUTHOR_WEIGHT}
    return pl.concat_list([tagged(name, weights[name]) for name in _optional(frame, list(weights))])


def _events(frame: pl.DataFrame) -> pl.DataFrame:
    """Loans and purchases.

    360 event ids stand for the two members of a shared account each, so an id is completed by its member.
    """
    import polars as pl

    _require(frame, ["event", "event_type", "member", "book", "event_start"], "events")
    start = pl.col("event_start").str.strip_chars()
    unusable = (
        pl.when(start.is_null() | (start == ""))
        .then(pl.lit("event_start: is missing: the year of the event is not known"))
        .when(start.str.starts_with("--"))
        .then(pl.format("event_start: '{}' has no year", start))
    )
    kind = pl.col("event_type").str.strip_chars()
    return frame.select(
        pl.concat_str("event", "member", separator=":").alias("event_id"),
        pl.col("member").alias("user_id"),
        kind.replace_strict(EVENTS, default=kind, return_dtype=pl.String).alias("event_type"),
        pl.col("book").alias("object_id"),
        start.alias("timestamp"),
        *_optional(frame, ["event_end"]),
        unusable.alias("_reject"),
    )
