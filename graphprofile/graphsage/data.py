"""The training graph as columns of arrays: what training and embedding take in.

Nothing here knows of an engine or of torch. An event keeps its signed contribution (``weight(type) *
m(value)``), which the caller computes by the vocabulary; this package never sees raw values.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from graphprofile.errors import BadVectors, UsageError

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]
DoubleArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
TextArray = npt.NDArray[np.object_]

#: Signs of an event's contribution; an event type and a sign make one **channel** of the graph.
SIGNS = ("+", "0", "-")

_TYPES: dict[str, Any] = {
    "object_kind": np.int8,
    "event_type": np.int16,
    "event_weight": np.float32,
    "tag_weight": np.float32,
    "feature_weight": np.float32,
    "text": np.float32,
}
_TEXT = ("user_ids", "object_ids")


def _no_indices() -> IntArray:
    return np.empty(0, dtype=np.int64)


def _no_weights() -> FloatArray:
    return np.empty(0, dtype=np.float32)


def _no_types() -> npt.NDArray[np.int16]:
    return np.empty(0, dtype=np.int16)


def _no_kinds() -> npt.NDArray[np.int8]:
    return np.empty(0, dtype=np.int8)


@dataclass(frozen=True)
class TrainingGraph:
    """Users, objects (items and content together), events, tags and properties, in columns.

    Arrays are converted to the types named here and checked on construction; rows may be in any order, and
    nothing computed from the graph depends on that order.

    Attributes:
        user_ids: Ids of users, object [num_users].
        object_ids: Ids of items and content, object [num_objects].
        object_kind: 0 for an item, 1 for content, int8 [num_objects]; all items if left out.
        event_types: Names of the event types that ``event_type`` points to.
        event_user: Index into ``user_ids``, int64 [num_events].
        event_object: Index into ``object_ids``, int64 [num_events].
        event_type: Index into ``event_types``, int16 [num_events].
        event_weight: Signed contribution of the event, float32 [num_events].
        event_ts: Epoch milliseconds UTC, may be negative, int64 [num_events].
        tag_names: Names of the tags that ``tag_tag`` points to.
        tag_object: Index into ``object_ids``, int64 [num_tag_pairs].
        tag_tag: Index into ``tag_names``, int64 [num_tag_pairs]. Ancestors are the caller's business.
        tag_weight: Weight of the tag on the object, positive, float32 [num_tag_pairs].
        feature_names: Property tokens such as ``author=Woolf`` (a numeric property is one token with a
            weight).
        feature_object: Index into ``object_ids``, int64 [num_feature_pairs].
        feature_feature: Index into ``feature_names``, int64 [num_feature_pairs].
        feature_weight: Weight of the token on the object, float32 [num_feature_pairs].
        text: Vectors of the objects' texts, unit or zero where there is none, float32 [num_objects, dimensions]; no
            column where texts are not read.
        text_encoder: What made them; vectors of different encoders have nothing to do with each other.

    Raises:
        UsageError: Columns of one table differ in length, or an index points outside its table.
        BadVectors: A weight is NaN or infinite.
    """

    user_ids: TextArray
    object_ids: TextArray
    object_kind: npt.NDArray[np.int8] = field(default_factory=_no_kinds)
    event_types: tuple[str, ...] = ()
    event_user: IntArray = field(default_factory=_no_indices)
    event_object: IntArray = field(default_factory=_no_indices)
    event_type: npt.NDArray[np.int16] = field(default_factory=_no_types)
    event_weight: FloatArray = field(default_factory=_no_weights)
    event_ts: IntArray = field(default_factory=_no_indices)
    tag_names: tuple[str, ...] = ()
    tag_object: IntArray = field(default_factory=_no_indices)
    tag_tag: IntArray = field(default_factory=_no_indices)
    tag_weight: FloatArray = field(default_factory=_no_weights)
    feature_names: tuple[str, ...] = ()
    feature_object: IntArray = field(default_factory=_no_indices)
    feature_feature: IntArray = field(default_factory=_no_indices)
    feature_weight: FloatArray = field(default_factory=_no_weights)
    text: FloatArray = field(default_factory=_no_weights)
    text_encoder: str = ""

    def __post_init__(self) -> None:
        for column in fields(self):
            value = getattr(self, column.name)
            if column.name in ("event_types", "tag_names", "feature_names"):
                object.__setattr__(self, column.name, tuple(value))
                continue
            if column.name == "text_encoder":
                continue
            dtype = object if column.name in _TEXT else _TYPES.get(column.name, np.int64)
            object.__setattr__(self, column.name, np.ascontiguousarray(value, dtype=dtype))
        if len(self.object_kind) == 0:
            object.__setattr__(self, "object_kind", np.zeros(self.num_objects, dtype=np.int8))
        if not self.text.size:
            object.__setattr__(self, "text", np.zeros((self.num_objects, 0), dtype=np.float32))
        self._check()

    def _check(self) -> None:
        tables: dict[str, dict[str, int]] = {
            "event": {
                "user": self.num_users,
                "object": self.num_objects,
                "type": len(self.event_types),
                "weight": -1,
                "ts": -1,
            },
            "tag": {"object": self.num_objects, "tag": len(self.tag_names), "weight": -1},
            "feature": {"object": self.num_objects, "feature": len(self.feature_names), "weight": -1},
            "object": {"kind": -1},
        }
        lengths = {"object": self.num_objects}
        if self.text.ndim != 2 or len(self.text) != self.num_objects:
            raise UsageError(
                f"training graph: text has shape {self.text.shape}, there are {self.num_objects} objects",
                "Give a row to every object, of zeros to one without text.",
            )
        if not np.isfinite(self.text).all():
            raise BadVectors("training graph: text is NaN or infinite", "Leave that text out.")
        for table, columns in tables.items():
            for name, bound in columns.items():
                values = getattr(self, f"{table}_{name}")
                expected = lengths.setdefault(table, len(values))
                if len(values) != expected:
                    raise UsageError(
                        f"training graph: {table}_{name} has {len(values)} rows, the others {expected}",
                        "Give every column of one table the same length.",
                    )
                if bound >= 0 and len(values) and (values.min() < 0 or values.max() >= bound):
                    raise UsageError(
                        f"training graph: {table}_{name} points outside its table of {bound} entries",
                        "Indices start at 0 and stay below the number of entries.",
                    )
                if name == "weight" and not np.isfinite(values).all():
                    row = int(np.flatnonzero(~np.isfinite(values))[0])
                    raise BadVectors(
                        f"training graph: {table}_weight is NaN or infinite in row {row}",
                        "Drop or repair that value in the source; nothing is trained on it.",
                    )

    @property
    def num_users(self) -> int:
        """Number of users, those without events included."""
        return len(self.user_ids)

    @property
    def num_objects(self) -> int:
        """Number of items and content nodes, those without events included."""
        return len(self.object_ids)

    @property
    def num_events(self) -> int:
        """Number of events."""
        return len(self.event_user)

    @property
    def num_features(self) -> int:
        """Number of description columns: tags, then properties."""
        return len(self.tag_names) + len(self.feature_names)

    def select(self, keep: BoolArray) -> TrainingGraph:
        """The same users, objects and descriptions with some of the events.

        Args:
            keep: Mask over events, bool [num_events].
        """
        return replace(
            self,
            event_user=self.event_user[keep],
            event_object=self.event_object[keep],
            event_type=self.event_type[keep],
            event_weight=self.event_weight[keep],
            event_ts=self.event_ts[keep],
        )

    def before(self, ts: int) -> TrainingGraph:
        """The graph of the events at or before ``ts`` (epoch ms); users and objects without events stay."""
        return self.select(self.event_ts <= ts)

    def after(self, ts: int) -> TrainingGraph:
        """The graph of the events later than ``ts`` (epoch ms); users and objects without events stay."""
        return self.select(self.event_ts > ts)

    def compact(self) -> tuple[TrainingGraph, IntArray, IntArray]:
        """The graph of those users and objects that have events, with the descriptions of these objects.

        Returns:
            The graph, and the indices in this graph of its users and of its objects.
        """
        users, event_user = np.unique(self.event_user, return_inverse=True)
        objects, event_object = np.unique(self.event_object, return_inverse=True)
        place = np.full(self.num_objects, -1, dtype=np.int64)
        place[objects] = np.arange(len(objects))
        tags, features = place[self.tag_object] >= 0, place[self.feature_object] >= 0
        graph = replace(
            self,
            user_ids=self.user_ids[users],
            object_ids=self.object_ids[objects],
            object_kind=self.object_kind[objects],
            event_user=event_user,
            event_object=event_object,
            tag_object=place[self.tag_object[tags]],
            tag_tag=self.tag_tag[tags],
            tag_weight=self.tag_weight[tags],
            feature_object=place[self.feature_object[features]],
            feature_feature=self.feature_feature[features],
            feature_weight=self.feature_weight[features],
            text=self.text[objects],
        )
        return graph, users, objects

    def channels(self) -> tuple[npt.NDArray[np.int16], list[str]]:
        """The channel of each event: its type and the sign of its contribution.

        Returns:
            Index of the channel, int16 [num_events], and the channels' names, such as ``rated+``; three for
            each event type, in the order of ``event_types``.
        """
        sign = np.where(self.event_weight > 0, 0, np.where(self.event_weight == 0, 1, 2))
        names = [name + sign for name in self.event_types for sign in SIGNS]
        return (self.event_type * 3 + sign).astype(np.int16), names
