"""What the benchmarks say and ask in the same way: arguments, names out of a list, errors and the one document."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from graphprofile.errors import GraphProfileError, TooLittleData
from graphprofile.graphsage.metrics import Protocol, Split


def parser_of(description: str | None) -> argparse.ArgumentParser:
    """A parser that says the first line of a program's own description, and knows ``--seed`` and ``--json``."""
    parser = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="one JSON document instead of a table")
    return parser


def take_pairs(parser: argparse.ArgumentParser) -> None:
    """TRAIN and TEST, as :func:`pairs.read` takes them, and our dimensions."""
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument(
        "--describe", type=Path, action="append", default=[], help="items or content with tags"
    )
    parser.add_argument("--loader", default="generic", help="of event files")
    parser.add_argument("--dim", type=int, default=64, help="dimensions of our vectors as they are stored")


def take_names(parser: argparse.ArgumentParser, option: str, names: Sequence[str]) -> None:
    """An option that takes some of these names, all by default; they come in the order of ``names``."""

    def some(value: str) -> list[str]:
        asked = {name.strip() for name in value.split(",") if name.strip()}
        unknown = sorted(asked - set(names))
        if unknown:
            raise argparse.ArgumentTypeError(
                f"no such name: {', '.join(unknown)}; there are {', '.join(names)}"
            )
        return [name for name in names if name in asked]

    parser.add_argument(
        option, type=some, default=list(names), help="comma-separated, of: " + ", ".join(names)
    )


def split_of(arguments: argparse.Namespace) -> Split:
    """TRAIN and TEST.

    Raises:
        SourceError: A file cannot be read.
        UsageError: The two don't fit together.
    """
    # Not in the processes that measure their memory.
    import pairs

    return pairs.read(arguments.train, arguments.test, describe=arguments.describe, loader=arguments.loader)


def protocol_of(split: Split) -> Protocol:
    """What is asked of a method.

    Raises:
        TooLittleData: Nobody can be asked for.
    """
    protocol = Protocol(split)
    if not len(protocol.users):
        raise TooLittleData(
            "no user of TEST has both history in TRAIN and something new in TEST",
            "Give two parts of one data set.",
        )
    return protocol


def finish(
    measured: Callable[[], dict[str, Any]],
    show: Callable[[dict[str, Any]], None],
    arguments: argparse.Namespace,
) -> int:
    """Measure, and print the document or what people read; an error of the user's is said without a traceback.

    Returns:
        The exit code.
    """
    try:
        document = measured()
    except GraphProfileError as error:
        print(f"{error}\n{error.hint or ''}".strip(), file=sys.stderr)
        return 1
    if arguments.json:
        print(json.dumps(document, indent=1))
    else:
        show(document)
    return 0
