"""A model card in Markdown, written from the model's own record and nothing else.

After Mitchell et al., "Model cards for model reporting", FAT* 2019.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graphprofile.distributions import DISTRIBUTIONS
from graphprofile.records import iso
from graphprofile.stability import LARGE, MODERATE

_METHODS = {
    "model": "**this model's recipe**",
    "current": "the recipe in use at the time",
    "popularity": "popularity",
    "item_to_item": "item-to-item",
}


def card(
    document: Mapping[str, Any], *, role: str | None = None, measured: Mapping[str, Any] | None = None
) -> str:
    """The card of one version.

    Args:
        document: The version's ``model.json``.
        role: champion, challenger or earlier.
        measured: What ``drift --metrics`` found last, if anything.
    """
    parts = [
        _head(document, role),
        _use(document),
        _data(document),
        _figures(document),
        _limits(document),
        _cold_start(document),
        _drift(document, measured),
        _arguments(document),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(document: Mapping[str, Any], role: str | None) -> str:
    rows = [
        ("version", f"`{document['version']}`"),
        ("role when this was written", role or "-"),
        ("trained", document["created_at"]),
        ("code", f"graphprofile {document.get('code_version', '-')}"),
        ("vector", f"{document.get('dimensions', '-')} numbers, cosine and dot product give one order"),
        ("decision at training", document.get("reason") or "-"),
        ("SHA-256 of the vectors", f"`{(document.get('files') or {}).get('arrays.npz', '-')}`"),
    ]
    return f"# Model card: {document['version']}\n\n{_table(('', ''), rows)}"


def _use(document: Mapping[str, Any]) -> str:
    return (
        "## Intended use\n\n"
        "A heterogeneous GraphSAGE over users, objects (items and content), events, tags and properties. It ranks "
        "objects for the users of the graph it was trained on, finds users and objects alike, and gives vectors for "
        "models downstream. Use a vector together with this version's name only: vectors of two versions have nothing "
        "to do with each other. It says what people chose, not why, and nothing about people outside this graph; it "
        "was not measured for decisions about persons."
    )


def _data(document: Mapping[str, Any]) -> str:
    graph = document.get("graph") or {}
    rows = [
        ("users", _number(graph.get("users"))),
        ("objects", _number(graph.get("objects"))),
        ("events", _number(graph.get("events"))),
        ("newest event", graph.get("newest_event") or "-"),
        ("snapshot taken", graph.get("snapshot_at") or "-"),
        ("digest of the graph", f"`{graph.get('digest', '-')}`"),
        ("event rules (fingerprint)", f"`{graph.get('vocabulary', '-')}`"),
        (
            "titles and texts",
            f"read by {document['text_encoder']}" if document.get("text_encoder") else "not used",
        ),
    ]
    return f"## Data\n\n{_table(('', ''), rows)}"


def _figures(document: Mapping[str, Any]) -> str:
    metrics, split = document.get("metrics") or {}, document.get("split") or {}
    if not split or not metrics.get("model"):
        return "## Figures\n\nNone: the graph was too small to hold a part of it back."
    cut = (
        f"fitted on the events up to {iso(split['at'])} and asked for what came later"
        if split.get("kind") == "time"
        else "fitted on four fifths of the pairs of user and object, drawn at random, and asked for the others"
    )
    rows = [
        (_METHODS.get(name, name), _figure(values, "recall_at_20"), _figure(values, "ndcg_at_20"))
        for name, values in metrics.items()
        if values
    ]
    out = [
        "## Figures",
        f"The recipe was {cut}: {_number(split.get('train_events'))} events to learn from, "
        f"{_number(split.get('test_events'))} after the cut, {_number(split.get('users'))} users, "
        f"{_number(split.get('candidates'))} candidates, {_number(split.get('targets'))} targets. All methods rank the "
        "same candidates for the same users, none of which the user had before. The model itself was then fitted to "
        "everything with the same arguments and choices. In brackets: 95% bootstrap intervals over users.",
        _table(("method", "Recall@20", "NDCG@20"), rows),
    ]
    difference = document.get("difference")
    if difference and difference.get("ndcg_at_20") is not None:
        low, high = difference["ndcg_at_20_interval"]
        out.append(
            f"Against the recipe in use, paired over users: NDCG@20 {difference['ndcg_at_20']:+.4f} "
            f"[{low:+.4f}, {high:+.4f}]."
        )
    return "\n\n".join(out)


def _limits(document: Mapping[str, Any]) -> str:
    """What the figures themselves say against the model."""
    metrics, split = document.get("metrics") or {}, document.get("split") or {}
    said = []
    mine = metrics.get("model")
    if not mine or mine.get("ndcg_at_20") is None:
        said.append("Nothing was measured; whether it is better than popularity is not known.")
    else:
        for name in ("popularity", "item_to_item"):
            other = metrics.get(name)
            if not other or other.get("ndcg_at_20") is None:
                continue
            if mine["ndcg_at_20_interval"][0] <= other["ndcg_at_20_interval"][1]:
                word = "ahead of" if mine["ndcg_at_20"] > other["ndcg_at_20"] else "behind"
                said.append(
                    f"In NDCG@20 it is {word} {_METHODS[name]}, and the two intervals overlap or touch: "
                    f"{mine['ndcg_at_20']:.4f} and {other['ndcg_at_20']:.4f}."
                )
        if mine["users"] < 200:
            said.append(f"Measured on {mine['users']} users only; the intervals are wide.")
    if split.get("unknown_object_share"):
        said.append(
            f"{split['unknown_object_share']:.1%} of the later events were on objects nobody had touched before the "
            "cut; these cannot be hit and are left out of the targets."
        )
    if split.get("users_without_history"):
        said.append(
            f"{_number(split['users_without_history'])} users had something new and no history; they are not in the "
            "figures."
        )
    if split.get("kind") == "random":
        said.append("The events could not be cut by time, so nothing is known of how it ages.")
    said.append("Repetitions of what a user had before are not rewarded by these figures.")
    return "## Limits\n\n" + "\n".join(f"- {line}" for line in said)


def _cold_start(document: Mapping[str, Any]) -> str:
    half_life = document.get("user_half_life_days")
    fading = (
        "its events count alike, however old"
        if half_life is None
        else f"an event counts half after {half_life:g} days, counted back from the user's latest"
    )
    described = "tags, properties and texts" if document.get("text_encoder") else "tags and properties"
    return (
        "## Cold start\n\n"
        f"- A user's vector is a function of the user's own events and of frozen objects, without training ({fading}); "
        "one event is enough.\n"
        "- A user without a usable event gets the declared fallback, which ranks by popularity alone, with status "
        "`cold_start`.\n"
        f"- An object that training has not seen gets a vector from its {described}; one without any has no taste, and "
        "stands where its missing popularity puts it."
    )


def _drift(document: Mapping[str, Any], measured: Mapping[str, Any] | None) -> str:
    reference = document.get("drift")
    out = ["## Drift"]
    if not reference:
        out.append("No reference: the version was trained before drift was kept.")
    else:
        out.append(
            f"Reference: the newest events of the training, {iso(reference['since'])} to {iso(reference['until'])}; "
            f"{_number(reference['events'])} events of {_number(reference['users'])} among "
            f"{_number(reference['sampled_users'])} sampled users. Population stability index below {MODERATE:g}: "
            f"stable, to {LARGE:g}: moderate, above: large. Shares of the reference:"
        )
        rows = [(name, _shares(reference["counts"][name])) for name in DISTRIBUTIONS]
        out.append(_table(("distribution", "bins"), rows))
    if measured:
        now = (measured.get("now") or {}).get("model")
        lost = measured.get("ndcg_drop")
        text = (
            f"As it is, on the events from {measured['since']} to {measured['until']} "
            f"(measured {measured['measured_at']}): NDCG@20 {_figure(now, 'ndcg_at_20')}"
        )
        if lost:
            low, high = lost["interval"]
            text += f"; {lost['lost']:.1%} [{low:.1%}, {high:.1%}] less than the recipe had at training"
        out.append(text + ".")
    return "\n\n".join(out)


def _arguments(document: Mapping[str, Any]) -> str:
    rows = [(f"`{name}`", f"`{value}`") for name, value in (document.get("config") or {}).items()]
    chosen = [(f"`{name}`", f"`{value}`") for name, value in _flat(document.get("choices") or {})]
    return (
        f"## Arguments\n\n{_table(('argument', 'value'), rows)}\n\n"
        f"Chosen on validation data inside what was trained on:\n\n{_table(('choice', 'value'), chosen)}"
    )


# --- words --------------------------------------------------------------------------------------------------


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _shares(counts: Mapping[str, float], most: int = 12) -> str:
    total = max(1e-9, sum(counts.values()))
    first = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    text = ", ".join(f"{name} {value / total:.1%}" for name, value in first[:most])
    rest = len(first) - most
    return f"{text}, and {rest} more" if rest > 0 else text or "-"


def _figure(values: Mapping[str, Any] | None, name: str) -> str:
    if not values or values.get(name) is None:
        return "-"
    low, high = values[f"{name}_interval"]
    return f"{values[name]:.4f} [{low:.4f}, {high:.4f}]"


def _number(value: Any) -> str:
    return "-" if value is None else f"{value:,}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)
