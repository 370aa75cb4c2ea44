"""Commands around the HTTP service: serve, keys, audit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from graphprofile.cli.options import Connection, common
from graphprofile.cli.output import note, print_json, print_table

DONE = 0


@click.command(epilog="Example: graphprofile serve --port 8800")
@click.option("--host", metavar="ADDRESS", help="Where to listen; 127.0.0.1 by default.")
@click.option("--port", type=click.IntRange(0, 65_535), help="TCP port; 8800 by default, 0 takes a free one.")
@click.option("--tls-cert", metavar="FILE", help="Certificate chain, PEM.")
@click.option("--tls-key", metavar="FILE", help="Its private key, PEM.")
@common
def serve(
    connection: Connection, host: str | None, port: int | None, tls_cert: str | None, tls_key: str | None
) -> int:
    """Serve the HTTP API until SIGINT or SIGTERM; on other than loopback only with a key."""
    from graphprofile.cli.watching import logger

    settings = connection.settings()
    given: dict[str, Any] = {"host": host, "port": port, "tls_cert": tls_cert, "tls_key": tls_key}
    changed = {name: value for name, value in given.items() if value is not None}
    for name in ("tls_cert", "tls_key"):
        if name in changed:
            changed[name] = Path(str(changed[name]))
    options = settings.http.model_copy(update=changed)
    log = logger()

    def ready(url: str) -> None:
        if connection.as_json:
            print_json({"url": url})
        else:
            note(f"Serving on {url}; Ctrl-C ends it.")
        log.info("serving", url=url)

    # A request must not hang for as long as a batch may wait for its engine.
    with connection.open(retry_seconds=min(settings.retry_seconds, 5.0)) as gp:
        from graphprofile.http.server import serve as run

        run(gp, options, ready)
    log.info("stopped")
    return DONE


@click.group(epilog="Example: graphprofile keys list")
def keys() -> None:
    """API keys: create, list, revoke."""


@keys.command("create", epilog="Example: graphprofile keys create shop --scope events:write --expires 90d")
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    metavar="SCOPE",
    help="profiles:read, embeddings:read, events:write or admin; may be repeated.",
)
@click.option("--expires", metavar="TIME", help="When it ends, e.g. 90d or 12h; never by default.")
@click.option("--show", multiple=True, metavar="PROPERTY", help="A private property it may see.")
@common
def create(
    connection: Connection, name: str, scopes: tuple[str, ...], expires: str | None, show: tuple[str, ...]
) -> int:
    """Make a key; it is shown this once."""
    made = _ring(connection).create(name, scopes, expires=expires, show=show)
    if connection.as_json:
        print_json(made.to_json())
        return DONE
    note(f"Key {made.id} ({made.name}): {', '.join(made.scopes)}; ends {made.expires_at or 'never'}.")
    note("It is shown this once:")
    print(made.key)
    return DONE


@keys.command("list", epilog="Example: graphprofile keys list")
@common
def listed(connection: Connection) -> int:
    """List all keys there ever were, without their secrets."""
    found = _ring(connection).list()
    if connection.as_json:
        print_json([key.to_json() for key in found])
    else:
        print_table(
            ["id", "name", "state", "scopes", "created at", "expires at", "revoked at"],
            [
                (k.id, k.name, k.state, ", ".join(k.scopes), k.created_at, k.expires_at, k.revoked_at)
                for k in found
            ],
        )
    return DONE


@keys.command("revoke", epilog="Example: graphprofile keys revoke shop")
@click.argument("key")
@common
def revoke(connection: Connection, key: str) -> int:
    """End a key now, by its id or name; running servers notice at their next request."""
    ended = _ring(connection).revoke(key)
    if connection.as_json:
        print_json(ended.to_json())
    else:
        note(f"Key {ended.id} ({ended.name}) is revoked.")
    return DONE


def _ring(connection: Connection) -> Any:
    from graphprofile.http.keys import KeyRing

    return KeyRing(connection.settings().data_dir)


@click.command(epilog="Example: graphprofile audit --about u1 --since 7d")
@click.option("--about", "subject", metavar="USER", help="Only what is about this user.")
@click.option("--key", metavar="KEY", help="Only what was done with the key of this id or name.")
@click.option("--since", metavar="TIME", help="Only since then: ISO 8601, or 7d for the last week.")
@click.option(
    "--limit", type=click.IntRange(1, 100_000), default=100, show_default=True, help="At most so many."
)
@common
def audit(connection: Connection, subject: str | None, key: str | None, since: str | None, limit: int) -> int:
    """Show who read whom and who wrote what over HTTP, newest first."""
    from graphprofile.http.audit import read_audit
    from graphprofile.http.keys import since_ms
    from graphprofile.profiles import moment

    data_dir = connection.settings().data_dir
    start = None
    if since is not None:
        start = since_ms(since) if since[-1:] in "smhdw" else moment(since)
    if key is not None:
        named = [one.id for one in _ring(connection).list() if key in (one.id, one.name)]
        key = named[0] if named else key
    found = read_audit(data_dir, user=subject, key=key, since=start, limit=limit)
    if connection.as_json:
        print_json([entry.to_json() for entry in found])
    else:
        print_table(
            ["at", "key", "action", "outcome", "about", "request"],
            [(e.at, e.key_id, e.action, e.outcome, _few(e.subjects), e.request_id) for e in found],
        )
    return DONE


def _few(subjects: list[str]) -> str:
    more = len(subjects) - 3
    return ", ".join(subjects[:3]) + (f" and {more} more" if more > 0 else "")
