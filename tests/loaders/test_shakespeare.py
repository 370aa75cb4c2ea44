"""The library Shakespeare and Company: its shipped files and small ones of the same form."""

from __future__ import annotations

import gzip
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from graphprofile.loaders.shakespeare import ShakespeareLoader

from graphprofile.errors import SourceError
from graphprofile.ingest.loaders import find_loader
from graphprofile.ingest.mapping import Mapping
from graphprofile.ingest.read import read_checked
from graphprofile.records import DescriptionChunk, EventChunk, Kind, SourceFile
from graphprofile.sample_data import shakespeare_files
from graphprofile.testing import LoaderContract
from graphprofile.vocabulary import Vocabulary

EVENTS = "event,event_type,member,book,event_start,event_end\n"
BOOK = "https://shakespeareandco.princeton.edu/books/woolf-night-day/"


class TestContract(LoaderContract):
    loader = ShakespeareLoader
    files = {
        "events.csv": EVENTS
        + "E1,Borrow,a,x,1923,1923-11\nE1,Borrow,b,x,1923-02,\nE2,Purchase,a,y,1923-02-03,\n"
        "E3,Borrow,a,x,--02-03,\nE5,Renewal,a,x,1923,\n",
        "books.csv": f'uri,title,author,year\n{BOOK},Night,"Woolf, V;Woolf, L",19??\n{BOOK}2,Day,,\n',
        "members.csv": "uri,name\nhttps://shakespeareandco.princeton.edu/members/a/,A\n",
    }
    good = {"events": 3, "items": 2, "users": 1}
    refused = [("events", "events.csv", 5, "event_start"), ("events", "events.csv", 6, "event_type")]
    earliest, latest = "1919-01-01", "1962-12-31"


def load(path: Path, kind: Kind) -> list[EventChunk | DescriptionChunk]:
    loader = find_loader("shakespeare")
    return list(read_checked(SourceFile(path, kind), loader, None, Mapping(), Vocabulary()))


def events(path: Path, text: str) -> EventChunk:
    path = path / "events.csv"
    path.write_text(EVENTS + text)
    (chunk,) = load(path, "events")
    assert isinstance(chunk, EventChunk)
    return chunk


def descriptions(chunks: list[Any]) -> dict[str, Any]:
    return {row.id: row for chunk in chunks for row in chunk.rows}


def test_the_shipped_events_have_distinct_ids_and_their_dirt_is_counted() -> None:
    with shakespeare_files() as files:
        chunks = load(files["events"], "events")
    assert sum(chunk.read for chunk in chunks) == 21_200
    refused = [rejection for chunk in chunks for rejection in chunk.rejected]
    reasons = Counter("missing" if "missing" in r.reason else "no year" for r in refused)
    assert reasons == {"missing": 40, "no year": 48}
    assert {r.field for r in refused} == {"event_start"}
    frames = [chunk.frame for chunk in chunks if isinstance(chunk, EventChunk)]
    assert sum(frame["event_id"].n_unique() for frame in frames) == 21_200 - 88
    precision = Counter(value for frame in frames for value in frame["ts_precision"].to_list())
    assert precision == {None: 20_963, "month": 90, "year": 59}


def test_the_shipped_books_and_members_are_all_usable() -> None:
    with shakespeare_files() as files:
        books, members = (
            descriptions(load(files["items"], "items")),
            descriptions(load(files["users"], "users")),
        )
    assert (len(books), len(members)) == (6_020, 5_175)
    more = books["malory-morte-darthur"]
    assert more.properties == {
        "title": "Le Morte d'Arthur",
        "author": "Malory, Thomas",
        "year": 1485,
        "format": "Book",
        "ebook_url": "https://archive.org/details/mortedarthur02malo",
    }
    assert more.tags == [("genre", "Fiction", 1.0), ("author", "Malory, Thomas", 0.5)]
    genres = Counter(name for row in books.values() for kind, name, _ in row.tags if kind == "genre")
    assert genres == {"Fiction": 2_922, "Nonfiction": 2_009, "Poetry": 378, "Drama": 264, "Periodical": 94}
    assert members["abbott-berenice"].properties == {
        "name": "Berenice Abbott",
        "gender": "Female",
        "birth_year": 1898,
        "death_year": 1991,
        "is_organization": False,
        "has_card": False,
        "nationalities": ["United States"],
        "wikipedia_url": "https://en.wikipedia.org/wiki/Berenice_Abbott",
    }
    unwanted = {
        "addresses",
        "postal_codes",
        "coordinates",
        "arrondissements",
        "membership_years",
        "event_count",
    }
    assert not unwanted & {name for row in (*books.values(), *members.values()) for name in row.properties}


def test_partial_dates_and_ids(tmp_path: Path) -> None:
    chunk = events(
        tmp_path,
        "E1,Borrow,a,x,1923,1923-11\nE1,Borrow,b,x,1923-02,\nE2,Purchase,a,y,1923-02-03,\n"
        "E3,Borrow,a,x,--02-03,\nE4,Borrow,a,x,,1924\nE5,Renewal,a,x,1923,\n",
    )
    names = ["type", "event_id", "user_id", "object_id", "ts_precision", "properties"]
    assert chunk.frame.select(names).rows() == [
        ("BORROWED", "E1:a", "a", "x", "year", '{"event_end":"1923-11"}'),
        ("BORROWED", "E1:b", "b", "x", "month", None),
        ("PURCHASED", "E2:a", "a", "y", None, None),
    ]
    assert [(r.line, r.field, r.reason.partition(";")[0]) for r in chunk.rejected] == [
        (5, "event_start", "'--02-03' has no year"),
        (6, "event_start", "is missing: the year of the event is not known"),
        (7, "event_type", "unknown event type 'Renewal'"),
    ]
    assert chunk.rejected[0].row["event_start"] == "--02-03"


def test_books_without_genres_have_their_authors_as_tags(tmp_path: Path) -> None:
    path = tmp_path / "books.csv"
    path.write_text(f'uri,title,author,year\n{BOOK},Night,"Woolf, V;Woolf, L",19??\n{BOOK}2,Day,,\n')
    rows = descriptions(load(path, "items"))
    assert rows["woolf-night-day"].tags == [("author", "Woolf, V", 0.5), ("author", "Woolf, L", 0.5)]
    assert rows["woolf-night-day"].properties == {"title": "Night", "author": "Woolf, V;Woolf, L"}
    assert rows["2"].tags == []


def test_the_files_are_told_by_their_names(tmp_path: Path) -> None:
    loader = find_loader("shakespeare")
    names = ["README.csv", "books-with-genres.csv.gz", "books.csv.gz", "events_borrow.csv.gz", "members.csv"]
    found = loader.sources([tmp_path / name for name in names], None)
    assert [(source.path.name, source.kind) for source in found] == [
        ("books-with-genres.csv.gz", "items"),
        ("events_borrow.csv.gz", "events"),
        ("members.csv", "users"),
    ]
    assert [source.kind for source in loader.sources([tmp_path / "books.csv"], None)] == ["items"]
    assert [source.kind for source in loader.sources([tmp_path / "mine.csv"], "users")] == ["users"]
    with pytest.raises(SourceError, match="No Shakespeare and Company file among"):
        loader.sources([tmp_path / "mine.csv"], None)


def test_another_file_is_refused_by_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "events.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    for kind in ("events", "items", "users", "content"):
        with pytest.raises(SourceError, match=r"No column|has no content"):
            load(path, kind)  # type: ignore[arg-type]
