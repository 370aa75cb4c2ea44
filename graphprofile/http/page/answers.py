"""Rows of an insight with what their columns mean: words, links, a table, axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graphprofile.http.page.site import object_path, path
from graphprofile.insights import Insight
from graphprofile.report_parts.figures import Figure, axis, safe

Row = Mapping[str, Any]
SHARES = ("0 to 1", "-1 to 1")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
UNSAID = ("id", "name", "title")


class Answer:
    """Rows with what their columns mean."""

    def __init__(self, insight: Insight, rows: Sequence[Row]) -> None:
        self.insight, self.rows, self.axes = insight, rows, insight.chart.axes
        self.types = {column.name: column.type for column in insight.columns}
        self.names = [column.name for column in insight.columns]

    def values(self, where: str) -> list[Any]:
        """The column of an axis."""
        return [row.get(self.axes[where]) for row in self.rows]

    def title(self, where: str) -> str:
        """Its name in words."""
        return words(self.axes[where])

    def label(self, row: Row, where: str) -> str:
        """What a person calls the row: a name or a title where the axis has an id."""
        column = self.axes[where]
        for better in {"user": ("name",), "id": ("title", "name")}.get(column, ()):
            if row.get(better):
                return str(row[better])
        return text_of(row.get(column), column)

    def is_share(self, where: str) -> bool:
        """Whether an axis holds parts of a whole."""
        return any(rule in self.types[self.axes[where]] for rule in SHARES)

    def number_axis(self, where: str, **more: Any) -> Figure:
        """An axis of numbers, written as they are large."""
        values = [value for value in self.values(where) if isinstance(value, int | float)]
        high = max((abs(value) for value in values), default=0)
        form = (".0%" if high >= 0.05 else ".1%") if self.is_share(where) else "~g" if high < 10 else ",~r"
        lowest = "tozero" if all(value >= 0 for value in values) else "normal"
        return axis(self.title(where), rangemode=lowest, tickformat=form, **more)

    def hover(self, row: Row) -> str:
        """All of a row."""
        parts = [
            f"{words(name)}: {safe(figure_text(row[name], self.types[name], name))}"
            for name in self.names
            if row.get(name) is not None and name not in ("id", "name", "title")
        ]
        return "<br>".join(parts)

    def table(self) -> dict[str, Any]:
        """Columns, and cells with where they lead to."""
        columns = [
            {
                "label": words(column.name),
                "text": column.text,
                "number": column.type.split(",")[0] in ("int", "float") and column.name != "weekday",
            }
            for column in self.insight.columns
        ]
        cells = [
            [
                {
                    "text": figure_text(row.get(name), self.types[name], name),
                    "to": link_of(row, name, self.types),
                    "sort": row.get(name) if isinstance(row.get(name), int | float) else None,
                }
                for name in self.names
            ]
            for row in self.rows
        ]
        return {"columns": columns, "rows": cells}


def link_of(row: Row, column: str, types: Mapping[str, str]) -> str | None:
    """Where a cell leads to: the page of a user, a thing or a tag."""
    value = row.get(column)
    if not isinstance(value, str) or not value:
        return None
    if column == "user":
        return object_path("user", value)
    if column == "name":
        return object_path("user", row["user"]) if row.get("user") else None
    if column in ("tag", "other_tag", "part_of"):
        kind = row.get("other_kind" if column == "other_tag" else "kind")
        return path("tags", kind, value) if kind else None
    about = {"id": "id", "title": "id", "other": "other", "other_title": "other"}.get(column)
    if about is None or not isinstance(row.get(about), str):
        return None
    kind = row.get("kind") if "kind" in types else "item"
    if kind == "tag":
        return path("tags", *row[about].split(":", 1))
    return object_path(kind, row[about]) if kind in ("item", "content") else None


def text_of(value: Any, column: str) -> str:
    """A value that is no number."""
    if column == "weekday" and isinstance(value, int) and 1 <= value <= 7:
        return WEEKDAYS[value - 1]
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value if one)
    text = "–" if value is None else str(value)
    return text[:10] if column.endswith("_at") else text


def figure_text(value: Any, declared: str, column: str) -> str:
    """A value as people read it."""
    if isinstance(value, bool) or not isinstance(value, int | float) or column == "weekday":
        return text_of(value, column)
    if any(rule in declared for rule in SHARES):
        return f"{value:.1%}" if abs(value) < 0.1 else f"{value:.0%}"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def words(column: str) -> str:
    """A column's name in words."""
    return column.removesuffix("_at").replace("_", " ")


def short(text: str, length: int = 34) -> str:
    """A text that fits beside a plot."""
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
