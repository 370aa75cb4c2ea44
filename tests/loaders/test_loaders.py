"""Loaders are found by name and keep to one contract."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import graphprofile.loaders
import polars as pl
import pytest

from graphprofile.cli.app import run
from graphprofile.errors import UsageError
from graphprofile.ingest.loaders import find_loader, list_loaders
from graphprofile.ingest.mapping import REQUIRED
from graphprofile.testing import Loaded

NAMES = [
    *("access-log", "activity-streams", "contacts", "generic", "movielens", "online-retail"),
    *("segment", "shakespeare", "shopify-orders", "survey", "xapi"),
]
NO_LOADERS = {"sql"}
"""Pages of sources that any loader reads: the rows of a query have no format of their own."""
PAGES = [
    page
    for page in sorted((Path(__file__).parents[2] / "docs" / "loaders").glob("*.md"))
    if page.stem not in NO_LOADERS
]


def test_the_loaders_are_found_by_name() -> None:
    found = list_loaders()
    assert [one.name for one in found] == NAMES
    for one in found:
        loader = find_loader(one.name)
        assert (loader.name, loader.summary, None) == (one.name, one.summary, one.error)
        assert one.package.startswith("graphprofile ")


def test_an_unknown_loader_names_the_closest() -> None:
    with pytest.raises(
        UsageError, match=r"Unknown loader 'shakespear' \(did you mean 'shakespeare'\?\)"
    ) as caught:
        find_loader("shakespear")
    assert caught.value.hint == f"Known: {', '.join(NAMES)}."


@pytest.fixture
def others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with a loader that works, one that does not, and one that takes a name of ours."""
    info = tmp_path / "visits-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: visits\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text(
        "[graphprofile.loaders]\nvisits = visits_loader:Visits\nbroken = visits_loader:Broken\n"
        "gone = no_such_module:Loader\ngeneric = visits_loader:Visits\n"
    )
    (tmp_path / "visits_loader.py").write_text(
        "from graphprofile.loaders.generic import GenericLoader\n"
        "class Visits(GenericLoader):\n    name = 'visits'\n    summary = 'visits'\n"
        "class Broken:\n    def __init__(self): raise RuntimeError('no licence')\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.usefixtures("others")
def test_the_command_lists_other_packages_loaders_and_names_the_broken_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["loaders", "--json"]) == 0
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    assert sorted(found) == sorted([*NAMES, "broken", "gone", "visits"])
    assert found["visits"] == {"name": "visits", "summary": "visits", "package": "visits 1.2", "error": None}
    assert (found["broken"]["summary"], found["broken"]["error"]) == (None, "RuntimeError: no licence")
    assert found["gone"]["error"] == "ModuleNotFoundError: No module named 'no_such_module'"
    assert found["generic"]["package"].startswith("graphprofile ")
    assert run(["loaders"]) == 0
    shown = capsys.readouterr().out
    assert "cannot be imported: RuntimeError: no licence" in shown
    assert "MovieLens: u.data" in shown


@pytest.mark.usefixtures("others")
def test_a_broken_loader_is_refused_with_its_package() -> None:
    with pytest.raises(UsageError, match="The loader 'broken' cannot be imported: no licence") as caught:
        find_loader("broken")
    assert caught.value.hint == "Reinstall visits 1.2."


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


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_the_sample_on_a_loaders_page_loads(page: Path, tmp_path: Path) -> None:
    text = page.read_text("utf-8")
    found = re.search(r"^    graphprofile load (\S+) .*--loader ([a-z-]+)$", text, re.MULTILINE)
    sample = re.search(r"^```(?:jsonl|log|csv|vcard)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    assert sample is not None
    assert found[2] == page.stem
    path = tmp_path / found[1]
    path.write_text(sample[1], "utf-8")
    loaded = Loaded.of(find_loader(page.stem), [path])
    assert any(loaded.rows.values())
    assert not any(loaded.rejected.values())
