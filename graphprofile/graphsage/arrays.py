"""A model as named arrays that NumPy saves without pickling, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from graphprofile.graphsage.describe import Foretold
from graphprofile.graphsage.fitted import FittedModel

_TEXTS = ("object_ids", "event_types", "tag_names", "feature_names")


def pack_text(name: str, values: Any) -> dict[str, npt.NDArray[Any]]:
    """Text as UTF-8 bytes and ends: a fixed-width text array would take the longest id's length for each."""
    encoded = [str(value).encode() for value in values]
    return {
        f"{name}.utf8": np.frombuffer(b"".join(encoded), dtype=np.uint8),
        f"{name}.ends": np.cumsum([len(value) for value in encoded], dtype=np.int64),
    }


def unpack_text(arrays: Mapping[str, npt.NDArray[Any]], name: str) -> list[str]:
    """The texts of ``pack_text``."""
    content, ends = arrays[f"{name}.utf8"].tobytes(), arrays[f"{name}.ends"].tolist()
    return [content[start:end].decode() for start, end in zip([0, *ends], ends, strict=False)]


def pack(model: FittedModel) -> dict[str, npt.NDArray[Any]]:
    """All arrays of a model; its numbers and arguments are in its document."""
    arrays: dict[str, npt.NDArray[Any]] = {
        "object_kind": model.object_kind,
        "inputs": model.inputs,
        "targets": model.targets,
        "popularity": model.popularity,
        "trained": model.trained,
        "known": model.known,
        "scaled_rows": model.scaled_rows,
        "channel_weights": model.channel_weights,
        "tag_table": model.description_tables[0],
        "feature_table": model.description_tables[1],
    }
    if model.foretold is not None:
        arrays["foretold_tag_table"], arrays["foretold_feature_table"] = model.foretold.tables
        arrays["foretold_mean"] = model.foretold.mean
        arrays["foretold_text_table"] = model.foretold.text
    texts = (model.object_ids, model.event_types, *model.description_names)
    for name, values in zip(_TEXTS, texts, strict=True):
        arrays |= pack_text(name, values)
    return arrays


def unpack(arrays: Mapping[str, npt.NDArray[Any]], document: Mapping[str, Any]) -> FittedModel:
    """The model of ``pack``'s arrays and its document."""
    object_ids, event_types, tag_names, feature_names = (unpack_text(arrays, name) for name in _TEXTS)
    return FittedModel(
        config=document["config"],
        choices=document["choices"],
        object_ids=np.array(object_ids, dtype=object),
        object_kind=arrays["object_kind"],
        inputs=arrays["inputs"],
        targets=arrays["targets"],
        popularity=arrays["popularity"],
        trained=arrays["trained"],
        known=arrays["known"],
        scaled_rows=arrays["scaled_rows"],
        gamma=document["gamma"],
        event_types=tuple(event_types),
        channel_weights=arrays["channel_weights"],
        description_names=(tuple(tag_names), tuple(feature_names)),
        description_tables=(arrays["tag_table"], arrays["feature_table"]),
        user_half_life_days=document["user_half_life_days"],
        popularity_mean=document["popularity_mean"],
        popularity_factors=tuple(document["popularity_factors"]),
        newest_ts=document["newest_ts"],
        foretold=_foretold(arrays, document),
    )


def _foretold(arrays: Mapping[str, npt.NDArray[Any]], document: Mapping[str, Any]) -> Foretold | None:
    """None in a version from before there was such a thing; without texts in one from before those were read."""
    if "foretold_mean" not in arrays:
        return None
    mean = arrays["foretold_mean"]
    text = arrays.get("foretold_text_table", np.zeros((0, len(mean)), dtype=np.float32))
    tables = arrays["foretold_tag_table"], arrays["foretold_feature_table"]
    return Foretold(tables, mean, text, document.get("text_encoder") or "")
