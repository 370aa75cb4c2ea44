"""Markdown that the program writes, as HTML that is safe whatever names and numbers stand in it."""

from __future__ import annotations

from functools import cache

from markdown_it import MarkdownIt
from markupsafe import Markup

DEEPER = 1
"""A document's first heading is below that of the page."""
_LOWEST = 6


def to_html(text: str) -> Markup:
    """Markdown as HTML: tags in it stay text, links lead nowhere that runs a script, headings go one down."""
    tokens = _reader().parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(_LOWEST, int(token.tag[1]) + DEEPER)}"
    reader = _reader()
    # The reader lets no HTML through.
    return Markup(reader.renderer.render(tokens, reader.options, {}))  # nosec B704


@cache
def _reader() -> MarkdownIt:
    # Images would let a name in the graph make a browser ask for something.
    return MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")
