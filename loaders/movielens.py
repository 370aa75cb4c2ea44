"""MovieLens ratings: GroupLens' own files and RecBole's atomic ones.

Known by name: ``*.inter``, ``*.item`` and ``*.user`` (RecBole; tab separated, a header of ``name:type``),
``u.data``, ``u.item``, ``u.user`` (ml-100k; no header), ``ratings.csv`` and ``movies.csv`` (ml-20m and
later), each plain or compressed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from graphprofile.errors import SourceError
from graphprofile.records import Kind, SourceFile

if TYPE_CHECKING:
    import polars as pl

GENRES = (
    "unknown Action Adventure Animation Children's Comedy Crime Documentary Drama Fantasy Film-Noir Horror "
    "Musical Mystery Romance Sci-Fi Thriller War Western"
).split()
_ITEM_COLUMNS = ("item_id", "movie_title", "release_date", "video_release_date", "imdb_url", *GENRES)
_RATING_COLUMNS = ("user_id", "item_id", "rating", "timestamp")
_USER_COLUMNS = ("user_id", "age", "gender", "occupation", "zip_code")
_NO_GENRE = ("unknown", "(no genres listed)", "")
_COMPRESSED = (".gz", ".xz", ".bz2", ".zst")


class MovieLensLoader:
    """Ratings as events, films as items with their genres as tags, people as users."""

    name = "movielens"
    summary = "MovieLens: u.data, ratings.csv, or RecBole's .inter/.item/.user files"
    time_zone = "UTC"

    def sources(self, paths: Sequence[Path], kind: Kind | None) -> list[SourceFile]:
        """The files that are MovieLens', told by their names.

        Raises:
            SourceError: None of the paths is.
        """
        found = [source for source in (_source(path) for path in paths) if source is not None]
        if kind is not None:
            found = [source for source in found if source.kind == kind]
        if not found:
            raise SourceError(
                f"No MovieLens file among {', '.join(map(str, paths)) or 'nothing'}.",
                "Known: *.inter, *.item, *.user, u.data, u.item, u.user, ratings.csv, movies.csv.",
            )
        return found

    def transform(self, frame: pl.DataFrame, kind: Kind) -> pl.DataFrame:
        """MovieLens' columns as generic ones.

        Raises:
            SourceError: The file lacks the columns of its kind.
        """
        usual = {"userId": "user_id", "movieId": "item_id", "title": "movie_title"}
        names = {name: name.partition(":")[0] for name in frame.columns}
        frame = frame.rename({name: usual.get(short, short) for name, short in names.items()})
        if kind == "events":
            return _ratings(frame)
        if kind == "items":
            return _films(frame)
        if kind == "users":
            return _people(frame)
        raise SourceError(f"MovieLens has no {kind}.", "Its kinds are users, items and events.")


def _source(path: Path) -> SourceFile | None:
    name = path.name.lower()
    for suffix in _COMPRESSED:
        name = name.removesuffix(suffix)
    if name == "u.data":
        return SourceFile(path, "events", "csv", separator="\t", columns=_RATING_COLUMNS, quoting=False)
    if name == "u.item":
        return SourceFile(path, "items", "csv", "latin-1", "|", _ITEM_COLUMNS, quoting=False)
    if name == "u.user":
        return SourceFile(path, "users", "csv", separator="|", columns=_USER_COLUMNS, quoting=False)
    if name == "ratings.csv":
        return SourceFile(path, "events", "csv", separator=",")
    if name == "movies.csv":
        return SourceFile(path, "items", "csv", separator=",")
    endings: dict[str, Kind] = {".inter": "events", ".item": "items", ".user": "users"}
    kind = endings.get(Path(name).suffix)
    return SourceFile(path, kind, "tsv", separator="\t", quoting=False) if kind is not None else None


def _require(frame: pl.DataFrame, names: Sequence[str], what: str) -> None:
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise SourceError(
            f"No column {', '.join(missing)} in the {what} file; its columns: {', '.join(frame.columns)}.",
            "Is this a MovieLens file? Give other files to the generic loader.",
        )


def _ratings(frame: pl.DataFrame) -> pl.DataFrame:
    """One event per person and film, which is what identifies a rating in MovieLens."""
    import polars as pl

    _require(frame, ["user_id", "item_id", "rating", "timestamp"], "ratings")
    return frame.select(
        pl.concat_str("user_id", "item_id", separator=":").alias("event_id"),
        "user_id",
        pl.lit("rated").alias("event_type"),
        pl.col("item_id").alias("object_id"),
        "timestamp",
        pl.col("rating").alias("value"),
    )


def _films(frame: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    _require(frame, ["item_id", "movie_title"], "films")
    if "class" in frame.columns:
        genres = pl.col("class").str.split(" ")
    elif "genres" in frame.columns:
        genres = pl.col("genres").str.split("|")
    else:
        flags = [name for name in GENRES if name in frame.columns]
        genres = pl.concat_list(
            [pl.when(pl.col(name).str.strip_chars() == "1").then(pl.lit(name)) for name in flags]
            or [pl.lit("")]
        ).list.drop_nulls()
    tags = genres.list.eval(
        pl.when(~pl.element().is_in(list(_NO_GENRE))).then(pl.concat_str(pl.lit("genre:"), pl.element()))
    ).list.drop_nulls()
    year = (
        pl.col("release_year")
        if "release_year" in frame.columns
        else pl.col("movie_title").str.extract(r"\((\d{4})\)\s*$")
    )
    return frame.select(
        "item_id",
        pl.col("movie_title").alias("title"),
        year.cast(pl.Int64, strict=False).alias("release_year"),
        tags.alias("tags"),
    )


def _people(frame: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    _require(frame, ["user_id"], "users")
    return frame.select(
        "user_id",
        *(pl.col(name).cast(pl.Int64, strict=False) for name in ("age",) if name in frame.columns),
        *(name for name in ("gender", "occupation", "zip_code") if name in frame.columns),
    )
