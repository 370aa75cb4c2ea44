"""From the graph to arrays: what training and embedding take in."""

from __future__ import annotations

import itertools
import math
from array import array
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from graphprofile import text
from graphprofile.errors import ModelError
from graphprofile.graphsage.data import TrainingGraph
from graphprofile.reading import significant
from graphprofile.records import SYSTEM_PROPERTIES, chunks
from graphprofile.tags import Hierarchy
from graphprofile.vocabulary import Vocabulary

if TYPE_CHECKING:
    from graphprofile.store import Store

ITEM, CONTENT = "i:", "c:"
"""Prefix of an object's key in arrays: ids are unique within items and within content only."""

USERS_AT_ONCE = 5_000
LONGEST_TOKEN = 64
NOT_FEATURES = frozenset({*text.PROPERTIES, "url"})
TEXTS_AT_ONCE = 1_000


def feature_tokens(properties: Mapping[str, Any]) -> list[str]:
    """Tokens of an object's properties, each property on its own, so that a new object gets the same ones.

    Short text and booleans are taken as they are, numbers to two significant digits (years by the decade), lists by
    entry. Titles and long text say nothing that another object would share; see :mod:`graphprofile.text`.
    """
    tokens = []
    for name, value in sorted(properties.items()):
        if name in SYSTEM_PROPERTIES or name in NOT_FEATURES or value is None:
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, bool) or (isinstance(part, str) and 0 < len(part) <= LONGEST_TOKEN):
                tokens.append(f"{name}={part}")
            elif isinstance(part, int | float) and math.isfinite(part):
                # Of a year two digits would leave the century; most whole numbers of that size are years.
                digits = 3 if isinstance(part, int) and 1000 <= part < 3000 else 2
                tokens.append(f"{name}~{significant(float(part), digits):g}")
    return tokens


class Descriptions:
    """Collects tags and tokens of objects as index pairs, and the vectors of their texts.

    Args:
        hierarchy: Of the tags.
        encoder: What has to read texts; empty reads none, None takes the encoder that is installed, if one is.
    """

    def __init__(self, hierarchy: Hierarchy, encoder: str | None = None) -> None:
        self._hierarchy = hierarchy
        self._tags: dict[str, int] = {}
        self._tokens: dict[str, int] = {}
        self._tag_rows: list[tuple[int, int, float]] = []
        self._token_rows: list[tuple[int, int]] = []
        self._texts = None if encoder == "" else _Texts(encoder)

    def add(self, index: int, tags: Iterable[tuple[str, str, float]], properties: Mapping[str, Any]) -> None:
        """Take in one object.

        Args:
            index: Of the object.
            tags: Kind, name and weight of each.
            properties: As they are stored.

        Raises:
            ModelError: It has a text, and the encoder that has to read it is not installed.
        """
        direct = [((kind, name), weight) for kind, name, weight in tags if kind is not None]
        for (kind, name), (weight, _) in sorted(self._hierarchy.weights(direct).items()):
            tag = self._tags.setdefault(f"{kind}:{name}", len(self._tags))
            self._tag_rows.append((index, tag, weight))
        for token in feature_tokens(properties):
            self._token_rows.append((index, self._tokens.setdefault(token, len(self._tokens))))
        if self._texts is not None:
            self._texts.add(index, properties)

    def columns(self, num_objects: int) -> dict[str, Any]:
        """The columns of a training graph that describe its objects."""
        return {
            "tag_names": list(self._tags),
            "tag_object": [row[0] for row in self._tag_rows],
            "tag_tag": [row[1] for row in self._tag_rows],
            "tag_weight": [row[2] for row in self._tag_rows],
            "feature_names": list(self._tokens),
            "feature_object": [row[0] for row in self._token_rows],
            "feature_feature": [row[1] for row in self._token_rows],
            "feature_weight": [1.0] * len(self._token_rows),
            **(self._texts.columns(num_objects) if self._texts is not None else {}),
        }


class _Texts:
    """Collects vectors of texts; the encoder is read when the first text comes."""

    def __init__(self, wanted: str | None) -> None:
        self._wanted = wanted
        self._waiting: list[tuple[int, str]] = []
        self._index: list[int] = []
        self._vectors: list[npt.NDArray[np.float32]] = []

    def add(self, index: int, properties: Mapping[str, Any]) -> None:
        said = text.text_of(properties)
        if said:
            self._waiting.append((index, said))
            if len(self._waiting) == TEXTS_AT_ONCE:
                self._encode()

    def _encode(self) -> None:
        encoder = text.encoder() if self._waiting else None
        if self._waiting and self._wanted and (encoder is None or encoder.name != self._wanted):
            raise ModelError(
                f"The model reads texts with {self._wanted}; installed is {encoder.name if encoder else 'none'}.",
                "`pip install 'graphprofile[text]'`, as it was where the model was trained; or `graphprofile train`.",
            )
        if encoder is not None:
            self._vectors.append(encoder.encode([said for _, said in self._waiting]))
            self._index += [index for index, _ in self._waiting]
        self._waiting.clear()

    def columns(self, num_objects: int) -> dict[str, Any]:
        self._encode()
        encoder = text.encoder() if self._index else None
        if encoder is None:
            return {}
        vectors = np.zeros((num_objects, text.DIMENSIONS), dtype=np.float32)
        done = 0
        for part in self._vectors:
            vectors[self._index[done : done + len(part)]] = part
            done += len(part)
        return {"text": vectors, "text_encoder": encoder.name}


class _Events:
    """Collects events of users as columns."""

    def __init__(self, objects: dict[str, int], *, grow: bool) -> None:
        self._objects = objects
        self._grow = grow
        # Packed arrays: a list of numbers takes four times as much.
        self._user = array("q")
        self._object = array("q")
        self._type = array("h")
        self._weight = array("f")
        self._ts = array("q")

    def add(self, user: int, row: Mapping[str, Any]) -> None:
        known = self._objects
        if self._grow:
            for key in row["objects"]:
                if key[:2] != "u:":
                    known.setdefault(key, len(known))
        self._object.extend([known.get(key, -1) for key in row["objects"]])
        self._user.extend(itertools.repeat(user, len(row["objects"])))
        self._type.extend(row["types"])
        self._weight.extend(row["weights"])
        self._ts.extend(row["times"])

    def columns(self) -> dict[str, Any]:
        columns: dict[str, npt.NDArray[Any]] = {
            "event_user": np.asarray(self._user, dtype=np.int64),
            "event_object": np.asarray(self._object, dtype=np.int64),
            "event_type": np.asarray(self._type, dtype=np.int16),
            "event_weight": np.asarray(self._weight, dtype=np.float32),
            "event_ts": np.asarray(self._ts, dtype=np.int64),
        }
        known = columns["event_object"] >= 0
        return columns if known.all() else {name: values[known] for name, values in columns.items()}


def event_parameters(vocabulary: Vocabulary) -> dict[str, Any]:
    """Parameters of the queries that read events with their contributions."""
    return {
        "rules": vocabulary.rules(),
        "codes": {event_type: code for code, event_type in enumerate(vocabulary.types)},
    }


def _events_of_everybody(
    store: Store, vocabulary: Vocabulary, objects: dict[str, int], *, grow: bool
) -> tuple[list[str], _Events]:
    """Users, sorted, and their events; ``objects`` as for :class:`_Events`."""
    user_ids = sorted(row["user_id"] for row in store.stream("tags/list_users"))
    users = {user_id: index for index, user_id in enumerate(user_ids)}
    events = _Events(objects, grow=grow)
    for some in chunks(user_ids, USERS_AT_ONCE):
        # An engine collects a whole answer before its first row, so nobody asks it for everybody's events at once.
        found = store.stream(
            "embed/read_events",
            event_types=vocabulary.types,
            user_ids=some,
            **event_parameters(vocabulary),
        )
        for row in found:
            events.add(users[row["user_id"]], row)
    return user_ids, events


def training_graph(store: Store, vocabulary: Vocabulary, encoder: str | None = None) -> TrainingGraph:
    """The whole graph as arrays; users and objects sorted, so that equal graphs give equal arrays.

    Args:
        store: The graph.
        vocabulary: The rules in use.
        encoder: As for :class:`Descriptions`.

    Raises:
        ModelError: An object has a text, and the encoder that has to read it is not installed.
    """
    descriptions = Descriptions(Hierarchy.read(store), encoder)
    rows = [(ITEM + row["id"], row) for row in store.stream("embed/read_items")]
    rows += [(CONTENT + row["id"], row) for row in store.stream("embed/read_contents")]
    rows.sort(key=lambda pair: pair[0])
    objects = {key: index for index, (key, _) in enumerate(rows)}
    for index, (_, row) in enumerate(rows):
        descriptions.add(index, row["tags"], row["properties"])
    user_ids, events = _events_of_everybody(store, vocabulary, objects, grow=False)
    return TrainingGraph(
        user_ids=np.array(user_ids, dtype=object),
        object_ids=np.array(list(objects), dtype=object),
        object_kind=np.array([key.startswith(CONTENT) for key in objects], dtype=np.int8),
        event_types=vocabulary.types,
        **events.columns(),
        **descriptions.columns(len(objects)),
    )


def events_graph(store: Store, vocabulary: Vocabulary) -> TrainingGraph:
    """Users, their events and the objects of these, without any description: what collaborative filters take in."""
    objects: dict[str, int] = {}
    user_ids, events = _events_of_everybody(store, vocabulary, objects, grow=True)
    columns = events.columns()
    # The engine hands users out in any order; sorted, equal graphs give equal arrays.
    keys = sorted(objects)
    place = np.empty(len(keys), dtype=np.int64)
    place[[objects[key] for key in keys]] = np.arange(len(keys))
    columns["event_object"] = place[columns["event_object"]]
    return TrainingGraph(
        user_ids=np.array(user_ids, dtype=object),
        object_ids=np.array(keys, dtype=object),
        object_kind=np.array([key.startswith(CONTENT) for key in keys], dtype=np.int8),
        event_types=vocabulary.types,
        **columns,
    )


def objects_graph(
    store: Store,
    vocabulary: Vocabulary,
    keys: Iterable[str],
    hierarchy: Hierarchy,
    rows: Sequence[Mapping[str, Any]] = (),
    *,
    encoder: str | None = None,
) -> TrainingGraph:
    """Some objects with their descriptions, and the events of some users.

    Args:
        store: The graph.
        vocabulary: The rules in use.
        keys: Keys (``i:id``, ``c:id``) of objects whose descriptions are wanted.
        hierarchy: Of the tags.
        rows: Rows of ``embed/read_events_of_users``, a user each.
        encoder: As for :class:`Descriptions`.

    Returns:
        All wanted objects and all that the rows name; only the wanted ones are described.

    Raises:
        ModelError: A wanted object has a text, and the encoder that has to read it is not installed.
    """
    wanted = sorted(set(keys))
    objects = {key: index for index, key in enumerate(wanted)}
    descriptions = Descriptions(hierarchy, encoder)
    for prefix, query in ((ITEM, "embed/read_some_items"), (CONTENT, "embed/read_some_contents")):
        ids = [key[2:] for key in wanted if key.startswith(prefix)]
        for row in store.read(query, ids=ids) if ids else ():
            descriptions.add(objects[prefix + row["id"]], row["tags"], row["properties"])
    events = _Events(objects, grow=True)
    for user, of_user in enumerate(rows):
        events.add(user, of_user)
    return TrainingGraph(
        user_ids=np.array([row["user_id"] for row in rows], dtype=object),
        object_ids=np.array(list(objects), dtype=object),
        object_kind=np.array([key.startswith(CONTENT) for key in objects], dtype=np.int8),
        event_types=vocabulary.types,
        **events.columns(),
        **descriptions.columns(len(objects)),
    )
