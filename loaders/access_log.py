"""Access logs of Apache and nginx: the common and the combined log format.

The format strings are those of Apache's Common and Combined Log Format and of nginx's ``combined``. What counts as a
visit, and who the visitor is, stands in ``docs/loaders/access-log.md``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from graphprofile.errors import SourceError
from graphprofile.records import Kind, SourceFile

if TYPE_CHECKING:
    import polars as pl

PARAMETERS = ("article", "id", "p", "page_id")
"""Parameters of a query that say which page it is; all others are taken off."""
ASSETS = frozenset(
    "avif bmp css eot gif ico jpeg jpg js json map mjs otf png svg ttf txt webmanifest webp woff woff2 xml".split()
)
"""Endings of files that a page brings along, or that are meant for programs."""
BOTS = (
    "bot",
    "crawl",
    "spider",
    "slurp",
    "curl/",
    "wget/",
    "python-",
    "go-http-client",
    "okhttp",
    "java/",
    "libwww-perl",
    "headlesschrome",
    "facebookexternalhit",
    "monitor",
    "pingdom",
    "feedfetcher",
)
"""What the agents of programs hold, in small letters."""

NO_REQUEST = "no HTTP request"
NOT_GET = "method other than GET"
NOT_SUCCESSFUL = "status other than 2xx or 304"
ASSET = "asset, not a page"
BOT = "bot, by its agent"

_QUOTED = r'"((?:[^"\\]|\\.)*)"'
_LINE = rf"^(\S+) (\S+) (.+?) \[([^\]]*)\] {_QUOTED} (\d{{3}}|-) (\d+|-)(?: {_QUOTED} {_QUOTED})?(?: .*)?$"
_REQUEST = r"^([A-Za-z]+) (\S+)(?: HTTP/[0-9.]+)?$"
_FIELDS = ("address", "ident", "remote_user", "time", "request", "status", "bytes", "referrer", "agent")


class AccessLogLoader:
    """Successful requests of pages as views of content, by the remote user or else by a pseudonym."""

    name = "access-log"
    summary = "Access logs of Apache and nginx, common or combined: page views, without assets and bots"
    time_zone = "UTC"
    """Unused: every line names its zone."""

    def sources(self, paths: Sequence[Path], kind: Kind | None) -> list[SourceFile]:
        """Every file, as lines of one column.

        Raises:
            SourceError: A kind other than events.
        """
        if kind not in (None, "events"):
            raise SourceError(f"An access log holds no {kind}.", "It holds events only.")
        # No line holds the separator: a unit separator would be written as \\x1f.
        return [
            SourceFile(path, "events", "csv", separator="\x1f", columns=("line",), quoting=False)
            for path in paths
        ]

    def transform(self, frame: pl.DataFrame, kind: Kind) -> pl.DataFrame:
        """Lines as views of pages; ids are made from what a line says."""
        import polars as pl

        parsed = frame.select(
            pl.col("line").str.strip_chars_end().str.extract_groups(_LINE).alias("_")
        ).unnest("_")
        parsed.columns = list(_FIELDS)
        request = pl.col("request").str.extract_groups(_REQUEST)
        parsed = parsed.with_columns(
            request.struct.field("1").str.to_uppercase().alias("method"),
            request.struct.field("2").alias("target"),
            pl.col("time")
            .str.to_datetime("%d/%b/%Y:%H:%M:%S %z", time_unit="ms", time_zone="UTC", strict=False)
            .alias("timestamp"),
        ).with_columns(_page(), agent=_said("agent"), referrer=_said("referrer"))
        return parsed.select(
            _user(parsed),
            pl.lit("viewed").alias("event_type"),
            pl.col("page").alias("object_id"),
            pl.lit("content").alias("object_kind"),
            "timestamp",
            _without_query("referrer").alias("referrer"),
            pl.col("bytes").cast(pl.Int64, strict=False).alias("bytes"),
            pl.col("status").cast(pl.Int64, strict=False).alias("status"),
            pl.when(pl.col("address").is_null())
            .then(pl.lit("line: is neither of the common nor of the combined log format"))
            .when(pl.col("timestamp").is_null())
            .then(pl.format("line: [{}] is no time such as [10/Oct/2000:13:55:36 -0700]", "time"))
            .alias("_reject"),
            pl.when(pl.col("address").is_not_null() & pl.col("timestamp").is_not_null())
            .then(_left_out())
            .alias("_skip"),
        )


def _said(column: str) -> pl.Expr:
    """A field, null where the server had nothing to say."""
    import polars as pl

    return pl.when(~pl.col(column).is_in(["-", ""])).then(pl.col(column))


def _without_query(column: str) -> pl.Expr:
    """An address without what may be private in it."""
    import polars as pl

    return pl.col(column).str.replace(r"[?#].*$", "")


def _page() -> pl.Expr:
    """Path, and of the query the parameters that say which page it is."""
    import polars as pl

    target = pl.col("target").str.replace(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*", "").str.replace(r"#.*$", "")
    path = (
        target.str.replace(r"\?.*$", "")
        .str.replace_all(r";[^/]*", "")
        .str.replace_all(r"/{2,}", "/")
        .str.replace(r"/index\.(?:html?|php)$", "/")
        .str.replace(r"(.)/$", "${1}")
    )
    path = pl.when(path == "").then(pl.lit("/")).otherwise(path)
    query = pl.concat_str(pl.lit("&"), target.str.extract(r"\?(.*)$"))
    kept = pl.concat_str(
        [query.str.extract(rf"&({name}=[^&]+)") for name in PARAMETERS], separator="&", ignore_nulls=True
    )
    return pl.when(kept != "").then(pl.concat_str(path, pl.lit("?"), kept)).otherwise(path).alias("page")


def _user(parsed: pl.DataFrame) -> pl.Series:
    """The remote user, else a pseudonym of address and agent: the same in every file and on every machine."""
    import polars as pl
    import polars_hash

    known = _said("remote_user")
    named = parsed.select(
        user_id=known,
        seen=pl.when(known.is_null()).then(
            pl.concat_str("address", pl.lit("\n"), pl.col("agent").fill_null(""))
        ),
    )
    few = named.select(pl.col("seen").drop_nulls().unique())
    hashed = few.with_columns(
        pl.concat_str(pl.lit("visitor:"), polars_hash.col("seen").chash.sha2_256().str.head(20)).alias(
            "visitor"
        )
    )
    joined = named.join(hashed, on="seen", how="left", maintain_order="left")
    return joined.select(pl.coalesce("user_id", "visitor").alias("user_id")).to_series()


def _left_out() -> pl.Expr:
    """Why a request is no visit of a person to a page; null where it is one."""
    import polars as pl

    ending = pl.col("target").str.replace(r"[?#].*$", "").str.extract(r"\.([A-Za-z0-9]+)$").str.to_lowercase()
    status = pl.col("status")
    return (
        pl.when(pl.col("method").is_null())
        .then(pl.lit(NO_REQUEST))
        .when(pl.col("method") != "GET")
        .then(pl.lit(NOT_GET))
        .when(~(status.str.starts_with("2") | (status == "304")))
        .then(pl.lit(NOT_SUCCESSFUL))
        .when(ending.is_in(list(ASSETS)).fill_null(False))
        .then(pl.lit(ASSET))
        .when(pl.col("agent").str.to_lowercase().str.contains_any(list(BOTS)).fill_null(False))
        .then(pl.lit(BOT))
    )
