"""The command group, and the one place where errors become exit codes.

Exit codes: 0 done, 1 failed, 2 used wrongly, 3 done in part (rows quarantined, or conflicts).
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any

import click

from graphprofile import __version__
from graphprofile.cli.output import show_error
from graphprofile.errors import ConfigError, GraphProfileError, UsageError
from graphprofile.memory import share_arenas

FAILED, USED_WRONGLY, INTERRUPTED = 1, 2, 130

COMMANDS = {
    "init": "loading:init",
    "map": "mapping:map_source",
    "load": "loading:load",
    "update": "loading:update",
    "loaders": "loading:loaders",
    "quarantine": "loading:quarantine",
    "tags": "computing:tags",
    "train": "computing:train",
    "embed": "computing:embed",
    "evaluate": "computing:evaluate",
    "models": "computing:models",
    "drift": "governing:drift",
    "profile": "reading:profile",
    "recommend": "reading:recommend",
    "similar": "reading:similar",
    "explain": "reading:explain",
    "audience": "selecting:audience",
    "embeddings": "reading:embeddings",
    "insights": "reading:insights",
    "cypher": "reading:cypher",
    "analyze": "exchanging:analyze",
    "export": "exchanging:export",
    "digest": "running:digest",
    "status": "running:status",
    "report": "running:report",
    "backup": "keeping:backup",
    "restore": "keeping:restore",
    "migrate": "keeping:migrate",
    "serve": "serving:serve",
    "keys": "serving:keys",
    "audit": "serving:audit",
    "up": "running:up",
    "down": "running:down",
    "demo": "running:demo",
}


class LazyGroup(click.Group):
    """A group that imports a command's module when the command is named."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order people meet them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command = getattr(import_module(f"graphprofile.cli.{module}"), name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest name after a typing mistake."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, n=1) if args else []
            if near:
                raise click.UsageError(
                    f"{error.message.rstrip('.')}. Did you mean {near[0]}?", ctx
                ) from error
            raise

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(SUMMARIES.items()))


SUMMARIES = {
    "init": "Create constraints, indexes and a settings file.",
    "map": "A first mapping file for a source of your own.",
    "load": "Load one incremental batch.",
    "update": "Load, then bring tags and vectors up to date.",
    "loaders": "What can be read: the loaders.",
    "quarantine": "Rows that were refused: list, retry.",
    "tags": "Compute interest tags of who changed, or of all.",
    "train": "Train a model, promote it where it is better.",
    "embed": "Vectors of who changed, without training.",
    "evaluate": "The model in use beside baselines, now.",
    "models": "The model registry: list, show, compare, card, promote, rollback.",
    "drift": "How far inputs, vectors and metrics are from the last training.",
    "profile": "One user's profile.",
    "recommend": "What to offer one user, or everybody, and why.",
    "similar": "The nearest users or items.",
    "explain": "Why a tag, or why an item.",
    "audience": "People who meet conditions: how many, and who.",
    "embeddings": "Vectors with model and status.",
    "insights": "Questions to the graph, by name.",
    "cypher": "A Cypher query of your own, read-only unless told otherwise.",
    "analyze": "Communities and centrality, put on the nodes.",
    "export": "The graph for Gephi, NetworkX, data frames or PyG.",
    "digest": "One number that is equal where two graphs hold the same.",
    "status": "Counts, batches, lag, quarantine, model, drift.",
    "report": "One HTML file with plots.",
    "backup": "Everything into one file.",
    "restore": "A backup into an empty store.",
    "migrate": "Take an older store to this version.",
    "serve": "The HTTP API.",
    "keys": "API keys: create, list, revoke.",
    "audit": "Who read whom and who wrote what over HTTP.",
    "up": "Keep the embedded engine running.",
    "down": "Stop it.",
    "demo": "All of it, on a real library's readers.",
}


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(__version__, prog_name="graphprofile")
def cli() -> None:
    """User profiles in a graph: events in, interest tags and embeddings beside them.

    Example: graphprofile load events.csv && graphprofile tags && graphprofile profile USER
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit."""
    share_arenas()
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run one command.

    Returns:
        The exit code.
    """
    as_json = "--json" in arguments
    try:
        result: Any = cli.main(args=arguments, prog_name="graphprofile", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as stop:
        return int(stop.exit_code)
    except (click.Abort, KeyboardInterrupt):
        show_error(
            as_json, "interrupted", "Interrupted.", "The same command again goes on where this stopped."
        )
        return INTERRUPTED
    except click.ClickException as error:
        hint = None
        if isinstance(error, click.UsageError) and error.ctx is not None:
            hint = f"See `{error.ctx.command_path} --help`."
        show_error(as_json, "usage", error.format_message(), hint)
        return USED_WRONGLY
    except GraphProfileError as error:
        show_error(as_json, error.code, error.message, error.hint)
        return USED_WRONGLY if isinstance(error, UsageError | ConfigError) else FAILED
    except BrokenPipeError:
        # Somebody closed the pipe (`| head`): nothing is wrong.
        sys.stdout = open(os.devnull, "w")
        return 0
    except Exception as error:
        if os.environ.get("GRAPHPROFILE_DEBUG"):
            raise
        show_error(
            as_json,
            "internal",
            f"Internal error: {type(error).__name__}: {error}",
            "This is a defect of graphprofile; GRAPHPROFILE_DEBUG=1 shows where.",
        )
        return FAILED
