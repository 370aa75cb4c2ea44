"""States of training on disk, so that a training that was killed goes on instead of starting over.

A state is found again by what it depends on: the graph, the recipe and the kind of history. Whoever trains the same
again takes it up; for anything else it is not there.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import torch

from graphprofile.disk import replace_file
from graphprofile.graphsage.config import TrainConfig
from graphprofile.graphsage.data import TrainingGraph

#: Smaller graphs are trained on in less time than it takes to wonder whether it goes on.
SMALLEST_EVENTS = 100_000

_log = logging.getLogger(__name__)


#: Only what is made of a trained model rests on these.
_NOT_TRAINED_ON = frozenset({"text", "text_encoder"})


class Checkpoints:
    """States of the runs of one graph's trainings.

    Args:
        folder: Where they lie; made when the first is saved.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.resumed = 0

    def key(self, graph: TrainingGraph, config: TrainConfig, *, sequence: bool) -> str | None:
        """Names the states of a run; None for one that is too short to keep any."""
        if graph.num_events < SMALLEST_EVENTS:
            return None
        digest = hashlib.blake2b(digest_size=12)
        about = [config.recipe(), torch.get_num_threads(), torch.__version__, sequence]
        digest.update(json.dumps(about, sort_keys=True).encode())
        for column in fields(graph):
            if column.name in _NOT_TRAINED_ON:
                continue
            value = getattr(graph, column.name)
            if isinstance(value, np.ndarray) and value.dtype != object:
                digest.update(value.tobytes())
            else:
                digest.update("\0".join(map(str, value)).encode())
            digest.update(column.name.encode())
        return digest.hexdigest()

    def epochs(self, key: str) -> list[int]:
        """Epochs of a run of which there are states, in order."""
        found = self.folder.glob(f"{key}-*.pt")
        return sorted(int(path.stem.rpartition("-")[2]) for path in found)

    def save(self, key: str, epoch: int, state: Mapping[str, Any]) -> None:
        """Keep a state; where that cannot be done, training goes on without."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            content = io.BytesIO()
            torch.save(dict(state), content)
            body = content.getbuffer()
            replace_file(self._path(key, epoch), hashlib.sha256(body).digest(), body)
        except OSError as error:
            _log.warning("the state of training could not be kept in %s: %s", self.folder, error)

    def load(self, key: str, epoch: int) -> dict[str, Any] | None:
        """A state; None where there is none, or it is damaged."""
        try:
            content = self._path(key, epoch).read_bytes()
        except OSError:
            return None
        if hashlib.sha256(content[32:]).digest() != content[:32]:
            return None
        state: dict[str, Any] = torch.load(io.BytesIO(content[32:]), weights_only=True, map_location="cpu")
        return state

    def forget(self, key: str, epoch: int) -> None:
        """A later state has taken this one's place."""
        with contextlib.suppress(OSError):
            self._path(key, epoch).unlink()

    def clear(self) -> None:
        """Training has ended."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _path(self, key: str, epoch: int) -> Path:
        return self.folder / f"{key}-{epoch}.pt"
