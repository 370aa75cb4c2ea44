from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from small_graphs import SMALL, checkerboard

from graphprofile.errors import UsageError
from graphprofile.graphsage.config import TrainConfig
from graphprofile.graphsage.device import torch_device
from graphprofile.graphsage.loop import Run


def test_the_gpu_is_taken_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for there, expected in ((True, "cuda"), (False, "cpu")):
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert torch_device("auto").type == expected
        assert torch_device("cpu").type == "cpu"


def test_a_gpu_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="no GPU"):
        Run(checkerboard(), replace(SMALL, device="cuda"), sequence=False)


def test_no_such_device() -> None:
    with pytest.raises(UsageError, match="device is 'tpu'"):
        TrainConfig(device="tpu")


def test_where_it_was_trained_is_no_part_of_a_recipe() -> None:
    recipe = replace(SMALL, device="cuda")
    assert recipe.recipe() == SMALL.recipe()
    assert TrainConfig.from_dict(recipe.to_dict()).device == "auto"


def test_every_tensor_of_a_step_is_made_on_the_device_of_the_run() -> None:
    run = Run(checkerboard(), replace(SMALL, device="cpu", num_negatives=8), sequence=False)
    assert {tensor.device.type for tensor in run.network.state_dict().values()} == {"cpu"}
    # What names no device is now made where nothing can be computed with it.
    with torch.device("meta"):
        run.epoch()
