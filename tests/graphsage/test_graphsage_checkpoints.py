"""A training that is killed goes on where it was, and ends with the vectors of one that was not."""

from __future__ import annotations

import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_graphs import SMALL, checkerboard

from graphprofile.graphsage import checkpoints as module
from graphprofile.graphsage.checkpoints import Checkpoints
from graphprofile.graphsage.compare import train

CHILD = """
import sys
from pathlib import Path
from small_graphs import SMALL, checkerboard
from graphprofile.graphsage import checkpoints as module
from graphprofile.graphsage.compare import train
module.SMALLEST_EVENTS = 0
train(checkerboard(), config=SMALL, checkpoints=module.Checkpoints(Path(sys.argv[1])),
      progress=lambda done, total, figures: print(done, flush=True))
"""


@pytest.fixture(autouse=True)
def small_graphs_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SMALLEST_EVENTS", 0)


def test_killed_again_and_again(tmp_path: Path) -> None:
    graph, folder = checkerboard(), tmp_path / "training"
    clean = train(graph, config=SMALL)
    for epochs in (1, 4, 9):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(folder)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent,
        )
        assert child.stdout is not None
        with child:
            while int(child.stdout.readline()) < epochs:
                pass
            child.kill()
    states = Checkpoints(folder)
    done = train(graph, config=SMALL, checkpoints=states)
    assert states.resumed >= 7
    np.testing.assert_array_equal(done.model.targets, clean.model.targets)
    np.testing.assert_array_equal(done.model.inputs, clean.model.inputs)
    assert done.model.choices == clean.model.choices
    assert done.metrics == clean.metrics

    # All of it is there now: nothing is trained again, unless the recipe or the graph is another.
    told: list[object] = []
    again = Checkpoints(folder)
    train(graph, config=SMALL, checkpoints=again, progress=lambda done, total, figures: told.append(figures))
    assert again.resumed == len(told)
    for other in (
        (graph, replace(SMALL, seed=5)),
        (replace(graph, event_ts=graph.event_ts + 1), SMALL),
        (replace(graph, object_ids=graph.object_ids[::-1]), SMALL),
    ):
        changed = Checkpoints(folder)
        train(other[0], config=other[1], checkpoints=changed)
        assert changed.resumed == 0
    states.clear()
    assert not folder.exists()


def test_damaged_states_are_passed_over(tmp_path: Path) -> None:
    graph = checkerboard()
    clean = train(graph, config=SMALL, checkpoints=Checkpoints(tmp_path / "training"))
    for path in (tmp_path / "training").glob("*.pt"):
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
    states = Checkpoints(tmp_path / "training")
    again = train(graph, config=SMALL, checkpoints=states)
    assert states.resumed == 0
    np.testing.assert_array_equal(again.model.targets, clean.model.targets)


def test_where_no_state_can_be_kept_training_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "training").write_text("a file is in the way")
    with caplog.at_level(logging.WARNING):
        report = train(checkerboard(), config=SMALL, checkpoints=Checkpoints(tmp_path / "training"))
    assert report.model.trained.all()
    assert "could not be kept" in caplog.text


def test_short_trainings_keep_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SMALLEST_EVENTS", 100_000)
    train(checkerboard(), config=SMALL, checkpoints=Checkpoints(tmp_path / "training"))
    assert not (tmp_path / "training").exists()
