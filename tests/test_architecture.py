"""Imports go one way, heavy libraries stay out of start-up, queries and code name each other."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "graphprofile"
LOADERS = ROOT / "loaders"

# Lower numbers know nothing of higher ones.
LAYERS = {
    "errors": 0,
    "queries": 1,
    "vocabulary": 1,
    "records": 1,
    "spreadsheet": 1,
    "disk": 1,
    "memory": 0,
    "logs": 0,
    "pipeline": 0,
    "stability": 0,
    "settings": 2,
    "store": 3,
    "parquet": 3,
    "text": 3,
    "sample_data": 3,
    "ingest": 4,
    "testing_texts": 0,
    "testing": 5,
    "tags": 4,
    "verifying": 4,
    "migrations": 4,
    "reading": 5,
    "batches": 6,
    "watch": 6,
    "digest": 5,
    "graphsage": 4,
    "collaborative": 4,
    "diversity": 4,
    "filters": 6,
    "audience": 9,
    "searching": 8,
    "reasons": 8,
    "fits": 7,
    "comparing": 8,
    "export": 6,
    "backup": 6,
    "networks": 6,
    "exchange": 6,
    "insights": 7,
    "quality": 7,
    "report_parts": 7,
    "report": 8,
    "quality_report": 8,
    "writeback": 7,
    "nodevectors": 8,
    "similar": 8,
    "recommend": 8,
    "distributions": 5,
    "drift": 8,
    "governance": 8,
    "modelcard": 8,
    "embedding": 9,
    "stored": 6,
    "vectors": 1,
    "profiles": 10,
    "demo": 11,
    "browsing": 6,
    "counts": 4,
    "feedback": 6,
    "http": 12,
    "calls": 2,
    "client": 3,
    "cli": 13,
}
HEAVY = (
    "torch",
    "torch_geometric",
    "polars",
    "polars_hash",
    "pyarrow",
    "pandas",
    "plotly",
    "networkx",
    "sklearn",
    "neo4j",
    "wordllama",
    "rich",
    "duckdb",
    "adbc_driver_manager",
)


def imports(path: Path) -> set[str]:
    """Full names of all modules a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def type_checking_only(path: Path) -> set[str]:
    """Modules imported for type checking alone."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for inner in ast.walk(node):
                if isinstance(inner, ast.ImportFrom) and inner.module:
                    found |= {inner.module, *(f"{inner.module}.{alias.name}" for alias in inner.names)}
    return found


def part(module: str) -> str | None:
    """The part of the package a module belongs to."""
    pieces = module.split(".")
    return pieces[1] if pieces[0] == "graphprofile" and len(pieces) > 1 and pieces[1] in LAYERS else None


def test_every_part_has_its_layer() -> None:
    parts = {
        entry.stem if entry.is_file() else entry.name
        for entry in PACKAGE.iterdir()
        if entry.name[0] not in "_."
    }
    assert parts - {"py"} == LAYERS.keys()


# Known and looked at: ingest reads the store's watermark when a batch begins.
ALLOWED = {("ingest", "reading")}


def test_imports_go_one_way() -> None:
    wrong = []
    for path in PACKAGE.rglob("*.py"):
        mine = part(".".join(["graphprofile", *path.relative_to(PACKAGE).with_suffix("").parts]))
        if mine is None:
            continue
        for module in imports(path) - type_checking_only(path):
            theirs = part(module)
            if theirs and theirs != mine and LAYERS[theirs] > LAYERS[mine] and (mine, theirs) not in ALLOWED:
                wrong.append(f"{path.relative_to(ROOT)} imports {module}")
    assert wrong == []


def test_loaders_know_records_and_errors_only() -> None:
    for path in LOADERS.glob("*.py"):
        ours = {module for module in imports(path) if module.split(".")[0] == "graphprofile"}
        assert {part(module) for module in ours} <= {"records", "errors", None}, path


def test_torch_is_imported_by_the_model_only() -> None:
    for path in PACKAGE.rglob("*.py"):
        if {"torch", "torch_geometric"} & {module.split(".")[0] for module in imports(path)}:
            assert path.parent.name == "graphsage", path


def test_pytest_is_imported_by_the_test_kit_only() -> None:
    for path in PACKAGE.rglob("*.py"):
        if any(module.split(".")[0] == "pytest" for module in imports(path)):
            assert path == PACKAGE / "testing.py", path


def test_driver_exceptions_stay_in_the_store() -> None:
    for path in PACKAGE.rglob("*.py"):
        if any(module.split(".")[0] == "neo4j" for module in imports(path)):
            assert "store" in path.parts, path


@pytest.mark.parametrize("statement", ["import graphprofile.cli.app", "import graphprofile.graphsage"])
def test_start_up_imports_nothing_heavy(statement: str) -> None:
    code = f"import sys; {statement}; print(','.join(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split(",")
    assert [name for name in HEAVY if name in loaded] == []


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from graphprofile.cli.app import run; run(['--help']); "
        "print(','.join(sys.modules), file=sys.stderr)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stderr.split(",")
    assert [name for name in HEAVY if name.strip() in loaded] == []
