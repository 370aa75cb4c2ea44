"""Loaders are found by name and keep to one contract."""

from __future__ import annotations

import ast
from pathlib import Path

import graphprofile.loaders
import polars as pl
import pytest

from graphprofile.errors import UsageError
from graphprofile.ingest.loaders import find_loader, list_loaders
from graphprofile.ingest.mapping import REQUIRED


def test_the_loaders_are_found_by_name() -> None:
    assert list(list_loaders()) == ["generic", "movielens", "online-retail", "shakespeare"]
    for name, summary in list_loaders().items():
        loader = find_loader(name)
        assert (loader.name, loader.summary) == (name, summary)
        assert loader.time_zone


def test_an_unknown_loader_names_the_closest() -> None:
    with pytest.raises(
        UsageError, match=r"Unknown loader 'shakespear' \(did you mean 'shakespeare'\?\)"
    ) as caught:
        find_loader("shakespear")
    assert caught.value.hint == "Known: generic, movielens, online-retail, shakespeare."


def test_the_generic_loader_changes_nothing() -> None:
    loader = find_loader("generic")
    frame = pl.DataFrame({name: ["x"] for name in REQUIRED["events"]})
    assert loader.transform(frame, "events") is frame
    assert [(s.path, s.kind) for s in loader.sources([Path("a.csv")], None)] == [(Path("a.csv"), None)]


def test_loaders_import_only_records_and_errors_of_the_core() -> None:
    (folder,) = {Path(path) for path in graphprofile.loaders.__path__}
    for path in folder.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("graphprofile"):
                assert node.module in ("graphprofile.records", "graphprofile.errors"), path.name
