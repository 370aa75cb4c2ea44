"""Arrays of a whole graph as a PyG ``HeteroData`` on disk."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from graphprofile.disk import replaced


@dataclass(frozen=True)
class NodeArrays:
    """Nodes of one type.

    Attributes:
        count: How many.
        ids: What names them, lists of text by name.
        x: Their vectors [count, dimensions], or None.
        has_x: Which of them have one, bool [count], or None.
    """

    count: int
    ids: Mapping[str, Sequence[str]]
    x: npt.NDArray[np.float32] | None = None
    has_x: npt.NDArray[np.bool_] | None = None


@dataclass(frozen=True)
class EdgeArrays:
    """Edges of one type.

    Attributes:
        index: Numbers of their ends, int64 [2, num_edges].
        columns: Further numbers by name, [num_edges] each.
    """

    index: npt.NDArray[np.int64]
    columns: Mapping[str, npt.NDArray[Any]]


def save_hetero(
    path: Path, nodes: Mapping[str, NodeArrays], edges: Mapping[tuple[str, str, str], EdgeArrays]
) -> None:
    """Save a ``HeteroData`` that ``torch.load(path, weights_only=False)`` reads.

    Args:
        path: Where to write; what lies there is replaced when the new file is complete.
        nodes: By node type.
        edges: By (source type, relation, target type).

    Raises:
        OSError: It cannot be written there.
    """
    import torch

    with warnings.catch_warnings():
        # PyG compiles parts of itself with torch.jit.script on import, which new versions of torch deprecate.
        warnings.filterwarnings("ignore", category=FutureWarning)
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        from torch_geometric.data import HeteroData

    data = HeteroData()
    for name, of in nodes.items():
        data[name].num_nodes = of.count
        for key, values in of.ids.items():
            data[name][key] = list(values)
        if of.x is not None and of.has_x is not None:
            data[name].x = torch.from_numpy(of.x)
            data[name].has_x = torch.from_numpy(of.has_x)
    for edge_type, found in edges.items():
        data[edge_type].edge_index = torch.from_numpy(found.index)
        for key, column in found.columns.items():
            data[edge_type][key] = torch.from_numpy(column)
    with replaced(path) as scratch, scratch.open("wb") as file:
        torch.save(data, file)
