"""What every report has around its sections: HTML with styles, script and Plotly in it; it loads nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib.resources import files

from graphprofile.report_parts.sections import Page, day, text


def framed(
    page: Page,
    *,
    title: str,
    kicker: str,
    lead: str,
    tiles: str,
    generated_at: str,
    notes: Sequence[str] = (),
) -> str:
    """The whole page.

    Args:
        page: Sections and figures.
        title: Of the page, plain text.
        kicker: Above it.
        lead: Below it, HTML.
        tiles: Figures in a row, HTML.
        generated_at: ISO 8601.
        notes: At the end, plain text.
    """
    from plotly.offline import get_plotlyjs

    here = files("graphprofile.report_parts")
    # "<" could end the script element from inside a title; in JSON it can be written otherwise.
    figures = json.dumps(page.figures, separators=(",", ":")).replace("<", "\\u003c")
    links = "".join(f'<a href="#{anchor}">{text(title)}</a>' for anchor, title, _ in page.sections)
    said = "".join(f'<p class="caption">{text(note)}</p>' for note in notes)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; \
style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'">
<meta name="generator" content="graphprofile">
<title>{text(title)}</title>
<style>
{here.joinpath("palette.css").read_text("utf-8")}{here.joinpath("page.css").read_text("utf-8")}</style>
</head>
<body>
<header>
<p class="kicker">{text(kicker)}</p>
<h1>{text(title)}</h1>
<p class="lead">{lead}</p>
{tiles}
<nav aria-label="Sections">{links}</nav>
</header>
<main>
{"".join(section for _, _, section in page.sections)}
</main>
<footer>{said}<p>Written {day(generated_at)} {generated_at[11:16]} UTC. \
Plots by Plotly.js, contained in this file.</p><noscript><p>The plots need JavaScript.</p></noscript></footer>
<script>{get_plotlyjs()}</script>
<script type="application/json" id="figures">{figures}</script>
<script>
{here.joinpath("plots.js").read_text("utf-8")}{here.joinpath("page.js").read_text("utf-8")}</script>
</body>
</html>
"""
