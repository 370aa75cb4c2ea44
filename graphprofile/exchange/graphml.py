"""GraphML, written as it streams by.

Nodes and edges go into a file of their own first, since the keys that stand before them name all of their properties.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

# For writing; nothing is parsed here.
from xml.sax.saxutils import escape, quoteattr  # nosec B406

from graphprofile.disk import replaced
from graphprofile.exchange.rows import GraphRows, Key, as_text, common_kind, kind_of

_HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">
"""
_TAIL = "</graph>\n</graphml>\n"
# What XML has no place for, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NOT_IN_AN_ID = re.compile("[\x00-\x1f%\ufffe\uffff]")
_ID_NAMES = {"User": "user_id", "Item": "item_id", "Content": "content_id"}


def write_graphml(rows: GraphRows, path: Path) -> None:
    """Write a graph as GraphML.

    Nodes carry ``type`` (User, Item, Content, Tag), ``label`` (title, name or id, what Gephi shows), their id as
    ``user_id``, ``item_id`` or ``content_id``, and their properties; edges ``label`` (the relationship type) and their
    properties, times in epoch ms. Lists are JSON text.

    Args:
        rows: The graph.
        path: Where to write.

    Raises:
        OSError: It cannot be written there.
    """
    body = path.with_name(f".{path.name}.body")
    keys = _Keys()
    try:
        with body.open("w", encoding="utf-8") as file:
            for node in rows.nodes():
                label = node.key[0]
                shown = node.properties.get("title") or node.properties.get("name") or node.key[-1]
                own = {"type": label, "label": shown}
                if label in _ID_NAMES:
                    own[_ID_NAMES[label]] = node.key[1]
                else:
                    own |= {"kind": node.key[1], "name": node.key[2]}
                file.write(f"<node id={quoteattr(node_id(node.key))}>")
                keys.write(file, "node", {**node.properties, **own})
                file.write("</node>\n")
            for number, edge in enumerate(rows.edges()):
                source, target = quoteattr(node_id(edge.source)), quoteattr(node_id(edge.target))
                file.write(f'<edge id="e{number}" source={source} target={target}>')
                keys.write(file, "edge", {**edge.properties, "label": edge.type})
                file.write("</edge>\n")
        with replaced(path) as whole, whole.open("w", encoding="utf-8") as file:
            file.write(_HEAD)
            keys.declare(file)
            file.write('<graph id="graphprofile" edgedefault="directed">\n')
            with body.open(encoding="utf-8", newline="") as written:
                shutil.copyfileobj(written, file)
            file.write(_TAIL)
    finally:
        body.unlink(missing_ok=True)


def node_id(key: Key) -> str:
    """A node's id in the file: ``User:ada``, ``Tag:genre:Green tea``; what an id in XML cannot hold as %XX."""
    parts = [_NOT_IN_AN_ID.sub(lambda found: f"%{ord(found.group()):02X}", part) for part in key]
    return ":".join([*(part.replace(":", "%3A") for part in parts[:-1]), parts[-1]])


def _xml(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)


class _Keys:
    """Names of properties and the kinds of their values."""

    def __init__(self) -> None:
        self._ids: dict[tuple[str, str], str] = {}
        self._kinds: dict[tuple[str, str], set[str]] = {}

    def write(self, file: IO[str], of: str, properties: Mapping[str, Any]) -> None:
        for name, value in properties.items():
            if value is None:
                continue
            key = self._ids.setdefault((of, name), f"d{len(self._ids)}")
            self._kinds.setdefault((of, name), set()).add(kind_of(value))
            file.write(f'<data key="{key}">{escape(_xml(as_text(value)))}</data>')

    def declare(self, file: IO[str]) -> None:
        for (of, name), key in self._ids.items():
            named = quoteattr(_xml(name))
            kind = common_kind(self._kinds[of, name])
            file.write(f'<key id="{key}" for="{of}" attr.name={named} attr.type="{kind}"/>\n')
