"""Where torch computes: on the GPU where there is one it can use, else on the CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from graphprofile.errors import UsageError


def torch_device(name: str) -> torch.device:
    """The device of a name.

    Args:
        name: ``auto`` (CUDA where torch finds it, else the CPU), ``cpu`` or ``cuda``.

    Raises:
        UsageError: CUDA was asked for by name and is not there.
    """
    there = name != "cpu" and torch.cuda.is_available()
    if name == "cuda" and not there:
        raise UsageError(
            "torch finds no GPU here.",
            "Leave --device out to train on the CPU, or install the driver and a torch built for CUDA.",
        )
    return torch.device("cuda" if there else "cpu")


def on(device: torch.device, array: npt.NDArray[Any]) -> Tensor:
    """An array as a tensor on a device; on the CPU they share memory."""
    return torch.from_numpy(np.ascontiguousarray(array)).to(device)
