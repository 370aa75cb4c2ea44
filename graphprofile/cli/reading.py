"""Commands that read: profile, recommend, similar, explain, embeddings, insights, cypher."""

from __future__ import annotations

import contextlib
import json
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import click

from graphprofile.cli.options import Connection, common, filters
from graphprofile.cli.output import cell, note, print_json, print_pairs, print_table, progress_bar
from graphprofile.errors import UsageError

if TYPE_CHECKING:
    from graphprofile.records import Feedback, SaysAndDoes

DONE = 0
TAGS_SHOWN = 15
APART_SHOWN = 5


@click.command(epilog="Example: graphprofile profile u1 --as-of 2024-05-01")
@click.argument("user")
@click.option("--as-of", metavar="TIME", help="ISO 8601; the store's newest event by default.")
@click.option(
    "--feedback", "everything", is_flag=True, help="All that is said and done, also where both agree."
)
@common
def profile(connection: Connection, user: str, as_of: str | None, everything: bool) -> int:
    """Show one user's profile: properties, events, interest tags, the state of the vector.

    Where what the user says (ratings, likes, answers) and what the user does disagree, that is shown too.
    """
    with connection.open() as gp:
        found = gp.profile(user, as_of=as_of)
        feedback = gp.feedback(user, as_of=as_of, all=everything)
    document = found.to_json()
    if connection.as_json:
        print_json({**document, "feedback": feedback.model_dump(mode="json", include={"tags", "objects"})})
        return DONE
    print_pairs(
        {
            **{name: str(value) for name, value in document["properties"].items()},
            "as of": found.as_of,
            "first seen": found.first_seen,
            "last seen": found.last_seen,
            "events": ", ".join(f"{count:,} {name}" for name, count in found.events.items()) or "none",
        },
        f"User {user}",
    )
    print_table(
        ["tag", "kind", "share", "lift", "events", "last"],
        [
            (t.tag, t.kind, percent(t.share), lift(t.lift), t.events, t.last_at[:10])
            for t in found.tags[:TAGS_SHOWN]
        ],
        title=f"Interests ({min(TAGS_SHOWN, len(found.tags))} of {len(found.tags)})",
    )
    _says_and_does(feedback, TAGS_SHOWN if everything else APART_SHOWN)
    if found.embedding:
        vector = found.embedding
        print(
            f"Vector: {vector.status}"
            + (f", {vector.dimensions} numbers by {vector.model}" if vector.model else "")
        )
    return DONE


def _says_and_does(feedback: Feedback, most: int) -> None:
    tags, objects = feedback.tags[:most], feedback.objects[:most]
    if not tags and not objects:
        return
    rows: list[tuple[str, str, SaysAndDoes]] = [(one.tag, one.kind, one) for one in tags]
    rows += [(one.title or one.id, one.kind, one) for one in objects]
    print_table(
        ["what", "kind", "says", "events", "does", "events", "apart"],
        [
            (
                what,
                kind,
                side(one.says),
                one.explicit_events,
                side(one.does),
                one.implicit_events,
                f"{one.disagreement:.2f}",
            )
            for what, kind, one in rows
        ],
        title=f"Says / does ({len(rows)} of {len(feedback.tags) + len(feedback.objects)})",
    )


def side(value: float | None) -> str:
    """What is said or done, from -1 (against) to +1 (for), as people read it."""
    return "-" if value is None else f"{value:+.2f}"


def percent(share: float | None) -> str:
    """A share as people read it."""
    return "-" if share is None else f"{share:.0%}" if share >= 0.095 else f"{share:.1%}"


def lift(value: float | None) -> str:
    """A lift as people read it: how many times as much as everybody."""
    return "-" if value is None else f"{value:.1f} x"


@click.command(epilog="Example: graphprofile recommend u1 -k 5")
@click.argument("user", required=False)
@click.option("-k", "k", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many.")
@click.option("--kind", type=click.Choice(["item", "content"]), help="Only of this kind.")
@click.option("--allow-seen", is_flag=True, help="Also what the user already has.")
@click.option("--exact", is_flag=True, help="Look at everything instead of asking the index.")
@click.option(
    "--method", metavar="NAME", help="A classic method instead: item_knn, user_knn, svd, als, popularity."
)
@click.option("--all", "everybody", is_flag=True, help="For all users, into --out; always exact.")
@click.option("--out", metavar="FILE.parquet", help="Parquet file for --all.")
@filters
@common
def recommend(
    connection: Connection,
    user: str | None,
    k: int,
    kind: str | None,
    allow_seen: bool,
    exact: bool,
    method: str | None,
    everybody: bool,
    out: str | None,
    met: dict[str, Any],
) -> int:
    """Recommend items or content to one user with reasons, or to everybody into a file."""
    if everybody == (user is not None) or everybody != (out is not None):
        raise UsageError("Name one USER, or use --all with --out FILE.parquet.")
    if everybody and method is not None:
        raise UsageError(
            "--method goes with one USER.", "`graphprofile evaluate --methods` measures it for all."
        )
    with connection.open() as gp:
        if out is not None:
            with progress_bar(not connection.as_json) as progress:
                rows = gp.recommend_all(out, k, kind=kind, allow_seen=allow_seen, progress=progress, **met)
            if connection.as_json:
                print_json({"rows": rows, "out": out})
            else:
                print(f"{rows:,} recommendations written to {out}")
            return DONE
        found = gp.recommend(
            str(user), k, kind=kind, allow_seen=allow_seen, exact=exact, method=method, **met
        )
    return _list(connection, [r.to_json() for r in found], f"For {user}")


@click.command(epilog="Example: graphprofile similar u1, or: graphprofile similar --item i1")
@click.argument("user", required=False)
@click.option("--item", metavar="ID", help="Neighbours of an item or of content.")
@click.option("-k", "k", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many.")
@click.option("--exact", is_flag=True, help="Look at everything instead of asking the index.")
@filters
@common
def similar(
    connection: Connection, user: str | None, item: str | None, k: int, exact: bool, met: dict[str, Any]
) -> int:
    """Find the users nearest to a user, or the items nearest to an item."""
    if (user is None) == (item is None):
        raise UsageError("Name one USER, or use --item ID.")
    if user is not None and (exact or any(met.values())):
        raise UsageError("Conditions, --diversity and --exact go with --item.", "Leave them out for a USER.")
    with connection.open() as gp:
        found = (
            gp.similar_users(user, k)
            if user is not None
            else gp.similar_items(str(item), k, exact=exact, **met)
        )
    return _list(connection, [r.to_json() for r in found], f"Like {user or item}")


def _list(connection: Connection, rows: list[dict[str, Any]], title: str) -> int:
    if connection.as_json:
        print_json(rows)
    else:
        print_table(
            ["id", "title", "score", "because"],
            [(row["id"], row["title"], row["score"], "; ".join(row["because"])) for row in rows],
            title=title,
        )
    return DONE


@click.command(epilog="Example: graphprofile explain u1 --tag Poetry")
@click.argument("user")
@click.option("--tag", metavar="TAG", help="NAME or KIND:NAME.")
@click.option("--item", metavar="ID", help="An item or content.")
@click.option("--as-of", metavar="TIME", help="ISO 8601; the store's newest event by default.")
@common
def explain(connection: Connection, user: str, tag: str | None, item: str | None, as_of: str | None) -> int:
    """Explain a tag by the events that sum to its score, or an item by what its score loses without each."""
    with connection.open() as gp:
        found = gp.explain(user, tag=tag, item=item, as_of=as_of)
    if connection.as_json:
        print_json(found.to_json())
        return DONE
    print(f"{user} and {found.tag or found.item}: score {cell(found.score)}")
    print_table(
        ["share", "contribution", "event", "at", "object", "through"],
        [
            (
                percent(p.contribution / found.score if found.score else None),
                p.contribution,
                p.event,
                p.at[:10],
                p.title or p.object_id,
                ", ".join(p.tags),
            )
            for p in found.paths
        ],
    )
    return DONE


@click.command(epilog="Example: graphprofile embeddings --out vectors.parquet")
@click.option("--out", metavar="FILE.parquet", help="Write all vectors there.")
@common
def embeddings(connection: Connection, out: str | None) -> int:
    """Export the vectors of users, items and content with model, time and status."""
    with connection.open() as gp:
        if out is not None:
            rows = gp.models.export(out)
            if connection.as_json:
                print_json({"rows": rows, "out": out})
            else:
                print(f"{rows:,} vectors written to {out}")
            return DONE
        found = gp.embeddings()
    if connection.as_json:
        print_json(found.to_json())
    else:
        print_table(
            ["user", "model", "computed at", "status"],
            [(row["id"], row["model"], row["computed_at"], row["status"]) for row in found.to_json()[:20]],
            title=f"{len(found.ids):,} vectors; the first 20 (--out FILE.parquet writes all, --json prints them)",
        )
    return DONE


@click.command(epilog="Example: graphprofile insights co_purchase --param item=i1")
@click.argument("name", required=False)
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter; may be repeated.")
@common
def insights(connection: Connection, name: str | None, params: tuple[str, ...]) -> int:
    """List the insight queries by group, or run one by its name."""
    from graphprofile.insights import list_insights

    parameters = dict(split_parameter(param) for param in params)
    if name is None:
        listed = [insight.to_json() for insight in list_insights()]
        if connection.as_json:
            print_json(listed)
        else:
            for group, members in groupby(listed, key=itemgetter("group")):
                print_table(
                    ["name", "question", "parameters"],
                    [
                        (i["name"], i["question"], ", ".join(p["name"] for p in i["parameters"]))
                        for i in members
                    ],
                    title=group.capitalize(),
                )
        return DONE
    with connection.open() as gp:
        rows = gp.insights(name, **parameters)
    return _rows(connection, rows)


def split_parameter(text: str) -> tuple[str, str]:
    """NAME=VALUE in two.

    Raises:
        UsageError: There is no equals sign.
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(f"--param {text!r}: write NAME=VALUE.")
    return name, value


@click.command(epilog="Example: graphprofile cypher 'MATCH (u:User) RETURN count(u) AS users'")
@click.argument("text")
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="A parameter; JSON or text.")
@click.option("--write", is_flag=True, help="Let the query write.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help="Seconds; then it is ended.")
@common
def cypher(
    connection: Connection, text: str, params: tuple[str, ...], write: bool, timeout: float | None
) -> int:
    """Run a Cypher query of your own; read-only unless --write."""
    if write and timeout is not None:
        raise UsageError("--timeout is for queries that read.", "Leave one of --write and --timeout out.")
    parameters: dict[str, Any] = {}
    for name, value in map(split_parameter, params):
        try:
            parameters[name] = json.loads(value)
        except json.JSONDecodeError:
            parameters[name] = value
    with connection.open() as gp, gp.store.within(timeout) if timeout else contextlib.nullcontext():
        rows = gp.cypher(text, parameters, read_only=not write)
    return _rows(connection, rows, exact=True)


def _rows(connection: Connection, rows: list[dict[str, Any]], *, exact: bool = False) -> int:
    if connection.as_json:
        print_json(rows)
    elif not rows:
        note("No rows.")
    else:
        print_table(list(rows[0]), [tuple(row.values()) for row in rows], exact=exact)
    return DONE
