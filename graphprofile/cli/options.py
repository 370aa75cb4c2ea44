"""Options that every command has, and the open graph they lead to."""

from __future__ import annotations

import functools
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from graphprofile.cli.output import note
from graphprofile.errors import ConfigError

if TYPE_CHECKING:
    from graphprofile.profiles import GraphProfile
    from graphprofile.settings import Settings


LEVELS = ("debug", "info", "warning", "error")


@dataclass(frozen=True)
class Connection:
    """What the common options say.

    Attributes:
        as_json: One JSON document instead of tables.
        arguments: Settings given on the command line.
    """

    as_json: bool
    config: str | None
    arguments: dict[str, Any]

    def open(self, **more: Any) -> GraphProfile:
        """Open the graph; as :meth:`graphprofile.GraphProfile.open`."""
        from graphprofile.profiles import GraphProfile

        gp = GraphProfile.open(config=self.config, **{**self.arguments, **more})
        if not self.as_json and gp.changed_rules():
            note(
                "Note: the vocabulary differs from the one the interests were computed with; what is shown follows "
                "the old one until `graphprofile tags --full`."
            )
        return gp

    def settings(self) -> Settings:
        """The settings alone, without opening anything."""
        from graphprofile.settings import resolve

        return resolve(self.config, **self.arguments)


def seed_option(help_text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option ``--seed``."""
    return click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help=help_text)


def filters(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say what a recommendation must meet; the function gets them as one dict, ``met``."""

    @click.option(
        "--tag", "tags", multiple=True, metavar="TAG", help="With this tag or one below: [KIND:]NAME."
    )
    @click.option(
        "--where", multiple=True, metavar="CONDITION", help="On a property: year>=1990, author=Woolf, …"
    )
    @click.option("--available", is_flag=True, help="Without what is marked as not available.")
    @click.option(
        "--diversity", type=float, default=0.0, show_default=True, help="0 the best, 1 the least alike."
    )
    @functools.wraps(function)
    def wrapper(
        tags: tuple[str, ...], where: tuple[str, ...], available: bool, diversity: float, **rest: Any
    ) -> Any:
        met = {"tags": tags, "where": where, "available": available, "diversity": diversity}
        return function(met=met, **rest)

    return wrapper


def common(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that every command has; the function gets a :class:`Connection` first."""

    @click.option(
        "--json", "as_json", is_flag=True, help="One JSON document on stdout, errors as JSON on stderr."
    )
    @click.option("--uri", metavar="URI", help="Bolt address; without one the embedded engine is used.")
    @click.option("--user", "login", metavar="NAME", help="User on the server.")
    @click.option(
        "--password-file",
        type=click.Path(dir_okay=False),
        metavar="FILE",
        help="File that holds the password.",
    )
    @click.option("--database", metavar="NAME", help="Database on the server.")
    @click.option(
        "--data", "data_dir", metavar="DIR", help="Folder of embedded store, models and quarantine."
    )
    @click.option("--config", metavar="FILE", help="Settings file, graphprofile.toml by default.")
    @click.option(
        "--log-level",
        type=click.Choice(LEVELS),
        envvar="GRAPHPROFILE_LOG_LEVEL",
        help="A structured log on stderr, from this level on.",
    )
    @functools.wraps(function)
    def wrapper(
        as_json: bool,
        uri: str | None,
        login: str | None,
        password_file: str | None,
        database: str | None,
        data_dir: str | None,
        config: str | None,
        log_level: str | None,
        **rest: Any,
    ) -> Any:
        if log_level is not None:
            from graphprofile import logs

            logs.show(log_level)
        arguments: dict[str, Any] = {"uri": uri, "user": login, "database": database}
        if data_dir is not None:
            arguments["data_dir"] = Path(data_dir)
        if password_file is not None:
            arguments["password"] = read_password(Path(password_file))
        return function(Connection(as_json, config, arguments), **rest)

    return wrapper


def read_password(path: Path, option: str = "--password-file") -> str:
    """The first line of a password file.

    Args:
        path: The file.
        option: That names it.

    Raises:
        ConfigError: It cannot be read, or is empty.
    """
    try:
        text = path.read_text("utf-8")
        if path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
            note(f"Warning: {path} can be read by others; `chmod 600 {path}` mends that.")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot read the password: {error}.", f"Check {option}.") from error
    lines = text.splitlines()
    if not lines or not lines[0]:
        raise ConfigError(f"{path}: is empty.", "Put the password on its first line.")
    return lines[0]
