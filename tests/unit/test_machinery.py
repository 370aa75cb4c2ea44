"""The files around the code: what they promise, checked as far as it can be without running Docker."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    assert isinstance(document, dict)
    return document


def test_compose_file_fits_the_compose_schema() -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema"),
            *("--builtin-schema", "vendor.compose-spec", str(ROOT / "docker-compose.yml")),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_password_comes_from_outside_and_has_no_default(compose: dict[str, Any]) -> None:
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    uses = re.findall(r"\$\{NEO4J_PASSWORD([^}]*)\}", text)
    assert len(uses) == 2
    assert all(re.match(r":\?\S.*", use) for use in uses)
    assert compose["services"]["neo4j"]["environment"]["NEO4J_AUTH"].startswith("neo4j/${NEO4J_PASSWORD:?")


def test_services_are_checked_kept_and_closed_to_the_outside(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"neo4j", "graphprofile"}
    for service in services.values():
        assert service["healthcheck"]["test"]
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:")
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            assert source.startswith(("./", "${")) or source in compose["volumes"]
    assert services["neo4j"]["image"].startswith("neo4j:5.26")
    assert services["graphprofile"]["depends_on"] == {"neo4j": {"condition": "service_healthy"}}


def test_image_runs_as_nobody_special_and_gets_all_it_copies() -> None:
    lines = (ROOT / "Dockerfile").read_text("utf-8").splitlines()
    assert [line for line in lines if line.startswith("USER ")] == ["USER graphprofile"]
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {name for line in lines if re.match(r"COPY (?!--)", line) for name in line.split()[1:-1]}
    assert copied == allowed
    assert {name for name in copied if not (ROOT / name).exists()} == set()


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
@pytest.mark.parametrize(
    ("target", "command"),
    [("demo", "graphprofile demo"), ("test", "python -m pytest"), ("check", "mypy"), ("bench", "benchmarks")],
)
def test_make_sets_up_and_runs(target: str, command: str, tmp_path: Path) -> None:
    said = subprocess.run(
        ["make", "--dry-run", f"VENV={tmp_path}/env", target],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert said.index("-m venv") < said.index(".[dev]") < said.index(command)


def test_ci_runs_the_tests_and_says_their_last_line(tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    (tmp_path / "Makefile").write_text(
        "test:\n\t@echo '==== 1 failed, 2 passed in 0.10s ===='; exit 1\ncheck:\n\t@echo checked\n"
    )
    done = subprocess.run(
        ["bash", str(tmp_path / ".ci" / "run")], capture_output=True, text=True, check=False, cwd="/"
    )
    assert done.returncode != 0
    assert done.stdout.splitlines()[-2:] == ["checked", "==== 1 failed, 2 passed in 0.10s ===="]
