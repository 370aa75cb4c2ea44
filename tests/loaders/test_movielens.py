"""MovieLens in RecBole's and in GroupLens' own files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from graphprofile.loaders.movielens import MovieLensLoader

from graphprofile.errors import SourceError
from graphprofile.ingest.files import expand_paths
from graphprofile.ingest.loaders import find_loader
from graphprofile.testing import Loaded, LoaderContract

RATINGS = "196\t1\t3\t881250949\n186\t2\t3.5\t891717742\n"
RECBOLE = {
    "ml.inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\n" + RATINGS,
    "ml.item": (
        "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
        '1\tToy "Story"\t1995\tAnimation Children\'s Comedy\n2\t"Golden" Eye\t\tunknown\n'
    ),
    "ml.user": (
        "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n"
        "196\t49\tM\twriter\t55105\n"
    ),
}
FLAGS = "|".join("1" if n in (3, 5) else "0" for n in range(19))
OWN = {
    "u.data": RATINGS,
    "u.item": (
        f'1|Toy "Story" (1995)|01-Jan-1995||http://x|{FLAGS}\n'
        f"2|Caf\xe9 (1994)|01-Jan-1994|||{'|'.join('0' * 19)}\n"
    ),
    "u.user": "196|49|M|writer|55105\n",
    "u.genre": "unknown|0\n",
}
LATER = {
    "ratings.csv": "userId,movieId,rating,timestamp\n196,1,3.0,881250949\n186,2,3.5,891717742\n",
    "movies.csv": (
        'movieId,title,genres\n1,"Toy Story, The (1995)",Animation|Children\n2,Nothing,(no genres listed)\n'
    ),
}


class OfMovieLens(LoaderContract):
    loader = MovieLensLoader
    latest = "2000-01-01"


class TestRecbole(OfMovieLens):
    files = {**RECBOLE, "ml.inter": RECBOLE["ml.inter"] + "196\t2\tgood\t881250949\n"}
    good = {"events": 2, "items": 2, "users": 1}
    refused = [("events", "ml.inter", 4, "value")]


class TestMl100k(OfMovieLens):
    files = {name: text.encode("latin-1") for name, text in OWN.items() if name != "u.genre"}
    good = {"events": 2, "items": 2, "users": 1}


class TestLater(OfMovieLens):
    files = LATER
    good = {"events": 2, "items": 2}


def load(folder: Path, files: dict[str, str]) -> dict[str, Any]:
    """What each kind of file gives, by kind."""
    for name, content in files.items():
        (folder / name).write_bytes(content.encode("latin-1"))
    return read(folder)


def read(folder: Path) -> dict[str, Any]:
    loaded = Loaded.of(MovieLensLoader(), expand_paths([folder]))
    assert not any(loaded.rejected.values())
    return loaded.rows


@pytest.mark.parametrize("files", [RECBOLE, OWN, LATER], ids=["recbole", "ml-100k", "ml-20m"])
def test_ratings_are_events_identified_by_person_and_film(tmp_path: Path, files: dict[str, str]) -> None:
    names = ("type", "event_id", "user_id", "object_id", "ts", "value")
    assert [tuple(row[name] for name in names) for row in load(tmp_path, files)["events"]] == [
        ("RATED", "196:1", "196", "1", 881_250_949_000, 3.0),
        ("RATED", "186:2", "186", "2", 891_717_742_000, 3.5),
    ]


def test_films_have_their_genres_as_tags(tmp_path: Path) -> None:
    first, second = load(tmp_path, RECBOLE)["items"]
    assert (first.id, first.properties) == ("1", {"title": 'Toy "Story"', "release_year": 1995})
    assert first.tags == [("genre", "Animation", 1.0), ("genre", "Children's", 1.0), ("genre", "Comedy", 1.0)]
    assert (second.properties, second.tags) == ({"title": '"Golden" Eye'}, [])


def test_films_of_ml_100k_have_flags_and_latin_1(tmp_path: Path) -> None:
    first, second = load(tmp_path, OWN)["items"]
    assert first.tags == [("genre", "Animation", 1.0), ("genre", "Comedy", 1.0)]
    assert first.properties == {"title": 'Toy "Story" (1995)', "release_year": 1995}
    assert (second.properties["title"], second.tags) == ("Café (1994)", [])


def test_films_of_later_sets_have_lists(tmp_path: Path) -> None:
    first, second = load(tmp_path, LATER)["items"]
    assert first.tags == [("genre", "Animation", 1.0), ("genre", "Children", 1.0)]
    assert (first.properties["title"], second.tags) == ("Toy Story, The (1995)", [])


@pytest.mark.parametrize("files", [RECBOLE, OWN], ids=["recbole", "ml-100k"])
def test_people_have_properties(tmp_path: Path, files: dict[str, str]) -> None:
    (row,) = load(tmp_path, files)["users"]
    assert (row.id, row.properties) == (
        "196",
        {"age": 49, "gender": "M", "occupation": "writer", "zip_code": "55105"},
    )


def test_other_files_are_refused(tmp_path: Path) -> None:
    loader = find_loader("movielens")
    with pytest.raises(SourceError, match="No MovieLens file among"):
        loader.sources([tmp_path / "events.csv"], None)
    with pytest.raises(SourceError, match="No MovieLens file among"):
        loader.sources([tmp_path / "u.data"], "users")
    (tmp_path / "x.inter").write_text("a\tb\n1\t2\n")
    with pytest.raises(
        SourceError, match="No column user_id, item_id, rating, timestamp in the ratings file"
    ):
        read(tmp_path)


def test_ml_100k_is_whole() -> None:
    folder = Path(os.environ.get("GRAPHPROFILE_TEST_DATA", "/nowhere")) / "ml-100k"
    if not folder.is_dir():
        pytest.skip(
            "ml-100k: set GRAPHPROFILE_TEST_DATA to the folder that holds ml-100k/ (it may not be shipped)"
        )
    found = read(folder)
    assert (len(found["events"]), len(found["items"]), len(found["users"])) == (100_000, 1_682, 943)
    assert len({row["event_id"] for row in found["events"]}) == 100_000
