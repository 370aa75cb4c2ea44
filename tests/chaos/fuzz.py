"""A coverage-guided fuzzer on what reads the user's bytes: ``python -m tests.chaos.fuzz csv``. Needs ``atheris``.

Arguments after the target are libFuzzer's, e.g. ``-max_total_time=60 -seed=7``. It ends with an error at the first
input that gives anything but rows, refusals or an error of the project's own.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from graphprofile.errors import GraphProfileError

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed: pip install atheris (Linux, CPython 3.11 to 3.13).")

# Only what is imported here is followed by coverage.
with atheris.instrument_imports(include=["graphprofile.ingest"]):
    from graphprofile.ingest import session
    from graphprofile.ingest.times import parse_time

from graphprofile.vocabulary import Vocabulary

RULES = Vocabulary()
SEEDS = {
    "csv": b"event_id,user_id,event_type,object_id,timestamp,value\n1,u,viewed,i,2020-01-01T00:00:00Z,1.5\n",
    "jsonl": b'{"event_id": "1", "user_id": "u", "event_type": "viewed", "object_id": "i", "timestamp": 1}\n',
    "times": b"2010-12-01T08:26:00.5+01:00",
}


def one_file(path: Path, data: bytes) -> None:
    """The bytes as a file of events."""
    path.write_bytes(data)
    recipe = session.Recipe(kind="events")
    try:
        for _ in session.checked_chunks(session.plan_sources([path], recipe), RULES, recipe):
            pass
    except GraphProfileError:
        pass


def one_time(data: bytes) -> None:
    """The bytes as a time."""
    try:
        parse_time(data.decode("utf-8", "surrogateescape"))
    except ValueError:
        pass


def main(arguments: list[str]) -> None:
    """Fuzz one target until libFuzzer's own arguments say enough."""
    target = arguments[1] if len(arguments) > 1 else ""
    if target not in SEEDS:
        sys.exit(f"Targets: {', '.join(SEEDS)}.")
    with tempfile.TemporaryDirectory() as scratch:
        corpus = Path(scratch, "corpus")
        corpus.mkdir()
        (corpus / "seed").write_bytes(SEEDS[target])
        path = Path(scratch, f"events.{target}")
        test: Callable[[bytes], None] = one_time if target == "times" else lambda data: one_file(path, data)
        atheris.Setup([arguments[0], f"-artifact_prefix={scratch}/", *arguments[2:], str(corpus)], test)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
