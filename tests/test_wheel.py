"""The wheel: built, installed into an environment of its own, the demo run from outside the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)],
        check=True,
    )
    (found,) = folder.glob("*.whl")
    return found


def test_everything_that_is_needed_is_inside(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in (ROOT / "cypher").rglob("*.cypher"):
        assert f"graphprofile/cypher/{path.relative_to(ROOT / 'cypher').as_posix()}" in names
    for path in (ROOT / "graphprofile").rglob("*"):
        if path.is_file() and path.suffix in (".py", ".css", ".js", ".gz", ".typed", ".txt"):
            assert path.relative_to(ROOT).as_posix() in names
    assert {"graphprofile/loaders/generic.py", "graphprofile/loaders/shakespeare.py"} <= names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]


def test_the_demo_runs_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=False)
    python = home / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, str(wheel)], check=True)
    # The dependencies are the ones already here: what is tried is the wheel, not the registry.
    outside = [path for path in sys.path if path.endswith("site-packages")]
    (site,) = (home / "lib").glob("python*/site-packages")
    (site / "dependencies.pth").write_text("\n".join(outside) + "\n", "utf-8")
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("GRAPHPROFILE_", "PYTHON"))}
    code = "import graphprofile, sys; print(graphprofile.__file__)"
    where = subprocess.run(
        [str(python), "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert where.startswith(str(home))
    ran = subprocess.run(
        [str(home / "bin" / "graphprofile"), "demo", "--json"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    document = json.loads(ran.stdout)
    assert document["profile"]["events"] == {"borrowed": 118}
    assert document["profile"]["embedding"]["status"] == "fresh"
    assert sum(load["quarantined"] for load in document["loads"]) == 88
    assert document["tags"]["max_relative_error"] <= 1e-9
    assert len(document["recommendations"]) == 5
    assert all(entry["because"] for entry in document["recommendations"])
    assert all(len(rows) > 0 for rows in document["insights"].values())
    metrics = document["train"]["metrics"]
    assert metrics["model"]["recall_at_20"] > metrics["popularity"]["recall_at_20"]
    assert metrics["model"]["recall_at_20"] > metrics["item_to_item"]["recall_at_20"]
    assert Path(tmp_path / document["report"]).read_text("utf-8").startswith("<!doctype html>")
