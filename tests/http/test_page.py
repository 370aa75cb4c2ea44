"""What ``docs/http.md`` shows runs: every curl line, and the Python."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from http_world import Running

PAGE = (Path(__file__).parents[2] / "docs" / "http.md").read_text("utf-8")
ADDRESS = "http://127.0.0.1:8800"
NEEDS_A_MODEL = ("recommendations", "similar")


def test_curl_lines_of_the_page(served: Running, tmp_path: Path) -> None:
    lines = re.findall(r"^curl .*$", PAGE, re.MULTILINE)
    assert len(lines) > 12
    for line in lines:
        command = line.replace(ADDRESS, served.url) + " -w '%{stderr}%{http_code}'"
        done = subprocess.run(
            ["bash", "-c", command], capture_output=True, text=True, cwd=tmp_path, timeout=60
        )
        assert done.returncode == 0, line
        expected = "409" if any(f"/{word}" in line for word in NEEDS_A_MODEL) else "200"
        assert done.stderr.endswith(expected), (line, done.stdout, done.stderr)


def test_python_of_the_page(served: Running, capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = re.findall(r"^```pycon\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    code = "\n".join(line[4:] for line in block.splitlines())
    exec(compile(code.replace(ADDRESS, served.url), "http.md", "exec"), {})
