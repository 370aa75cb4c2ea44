"""The graph around one person: what belongs to it, where each node is drawn, and where its label goes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

NodeKind = Literal["person", "object", "tag", "other"]

OBJECTS = 22
TAGS = 8
OTHERS = 7
LONGEST_LABEL = 28
# A tag on nearly everything a person has links everything to everything and shows nothing.
TOO_COMMON = 0.7

_SIDES = (
    ("middle right", 1.0, 0.0),
    ("middle left", -1.0, 0.0),
    ("top center", 0.0, 1.0),
    ("bottom center", 0.0, -1.0),
    ("top right", 1.0, 1.0),
    ("top left", -1.0, 1.0),
    ("bottom right", 1.0, -1.0),
    ("bottom left", -1.0, -1.0),
)
RADIUS = {"person": 15.0, "object": 6.0, "tag": 9.0, "other": 9.0}


@dataclass
class Node:
    """One node as it is drawn.

    Attributes:
        kind: What it stands for.
        label: Its name in full.
        hover: What is said on pointing at it, lines.
        x: 0..1, from the left.
        y: 0..1, from below.
        side: Where the label goes, in Plotly's words; None where it would lie on others. By canvas.
    """

    kind: NodeKind
    label: str
    hover: list[str]
    x: float = 0.5
    y: float = 0.5
    side: dict[str, str | None] = field(default_factory=dict)

    @property
    def short(self) -> str:
        """The label, cut."""
        text = self.label
        return text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1].rstrip(" ,.:;/") + "…"


@dataclass
class Neighbourhood:
    """Nodes and the pairs of positions in ``nodes`` that are linked."""

    nodes: list[Node]
    edges: list[tuple[int, int]]


@dataclass(frozen=True)
class Canvas:
    """Size of the drawing in pixels, and of its letters."""

    name: str
    width: float
    height: float
    letter_width: float
    line_height: float


WIDE = Canvas("wide", 1000, 640, 6.4, 16)
NARROW = Canvas("narrow", 350, 520, 5.2, 14)


def build(
    person: str,
    objects: Sequence[Mapping[str, Any]],
    others: Sequence[Mapping[str, Any]],
    seed: int,
) -> Neighbourhood:
    """Choose what is shown around a person, lay it out and label it.

    Args:
        person: Name of the person.
        objects: Rows of ``report/read_user_objects``, latest first.
        others: Rows of ``report/read_co_users``, nearest first.
        seed: Of the layout.
    """
    others = others[:OTHERS]
    wanted = Counter(tuple(key) for other in others for key in other["objects"])
    known = {(row["label"], row["id"]): row for row in objects}
    shared = sorted((key for key in wanted if key in known), key=lambda key: (-wanted[key], key))
    chosen = list(dict.fromkeys([*shared[: OBJECTS * 2 // 3], *known]))[:OBJECTS]
    nodes = [Node("person", person, ["the person in focus"])]
    edges: list[tuple[int, int]] = []
    place: dict[Any, int] = {}
    for key in chosen:
        row = known[key]
        place[key] = len(nodes)
        tags = ", ".join(name for _, name in row["tags"][:4])
        nodes.append(Node("object", row["title"] or row["id"], [tags] if tags else []))
        edges.append((0, place[key]))
    spread = Counter((kind, name) for key in chosen for kind, name in known[key]["tags"])
    telling = [t for t, n in spread.items() if 1 < n <= max(2, TOO_COMMON * len(chosen))]
    for tag in sorted(telling, key=lambda tag: (-spread[tag], tag))[:TAGS]:
        place[tag] = len(nodes)
        nodes.append(Node("tag", tag[1], [f"{tag[0]}, on {spread[tag]} of these"]))
        edges += [(place[key], place[tag]) for key in chosen if list(tag) in known[key]["tags"]]
    for other in others:
        links = [place[tuple(key)] for key in other["objects"] if tuple(key) in place]
        if links:
            nodes.append(
                Node("other", other["name"] or other["id"], [f"shares {len(other['objects'])} of them"])
            )
            edges += [(len(nodes) - 1, at) for at in links]
    graph = Neighbourhood(nodes, edges)
    _lay_out(graph, seed)
    for canvas in (WIDE, NARROW):
        _label(graph, canvas)
    return graph


def _lay_out(graph: Neighbourhood, seed: int) -> None:
    """Positions by a spring layout (Fruchterman and Reingold, 1991), the person held in the middle."""
    import networkx as nx

    drawing: Any = nx.Graph()
    drawing.add_nodes_from(range(len(graph.nodes)))
    drawing.add_edges_from(graph.edges)
    if len(graph.nodes) == 1:
        return
    places = nx.spring_layout(
        drawing,
        k=2.6 / math.sqrt(len(graph.nodes)),
        pos={0: (0.0, 0.0), **_circle(len(graph.nodes))},
        fixed=[0],
        iterations=400,
        seed=seed,
    )
    for node, x in enumerate(_spread([float(places[n][0]) for n in range(len(graph.nodes))])):
        graph.nodes[node].x = x
    for node, y in enumerate(_spread([float(places[n][1]) for n in range(len(graph.nodes))])):
        graph.nodes[node].y = y


def _circle(count: int) -> dict[int, tuple[float, float]]:
    """A start that is the same on every machine."""
    return {n: (math.cos(2.4 * n), math.sin(2.4 * n)) for n in range(1, count)}


def _spread(values: list[float]) -> list[float]:
    """Positions in 0..1, half by value and half by rank: a dense middle leaves room for its labels."""
    low, high = min(values), max(values)
    ranks = {at: rank for rank, at in enumerate(sorted(range(len(values)), key=lambda at: (values[at], at)))}
    return [
        round(0.08 + 0.42 * (value - low) / ((high - low) or 1) + 0.42 * ranks[at] / (len(values) - 1), 4)
        for at, value in enumerate(values)
    ]


def _label(graph: Neighbourhood, canvas: Canvas) -> None:
    """Give labels, most important nodes first, a side on which they cover neither nodes nor labels."""
    order = {"person": 0, "tag": 1, "other": 2, "object": 3}
    taken = []
    for node in graph.nodes:
        x, y, r = node.x * canvas.width, node.y * canvas.height, RADIUS[node.kind]
        taken.append((x - r, y - r, x + r, y + r))
    for node in sorted(graph.nodes, key=lambda node: (order[node.kind], -node.y)):
        node.side[canvas.name] = None
        if canvas is NARROW and node.kind == "object":
            continue
        bold = 1.25 if node.kind in ("person", "tag") else 1.0
        width, height = len(node.short) * canvas.letter_width * bold, canvas.line_height
        x, y, r = node.x * canvas.width, node.y * canvas.height, RADIUS[node.kind] + 2
        for side, right, up in _SIDES:
            left = x + right * r - (width / 2 if not right else 0 if right > 0 else width)
            bottom = y + up * r - (height / 2 if not up else 0 if up > 0 else height)
            box = (left, bottom, left + width, bottom + height)
            inside = (
                box[0] >= 4 and box[1] >= 4 and box[2] <= canvas.width - 4 and box[3] <= canvas.height - 4
            )
            own = (x - RADIUS[node.kind], y - RADIUS[node.kind], x + RADIUS[node.kind], y + RADIUS[node.kind])
            if inside and not any(_overlap(box, other) for other in taken if other != own):
                node.side[canvas.name] = side
                taken.append(box)
                break


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
