"""The demo: a real lending library's readers, from files to a living profile."""

from __future__ import annotations

import csv
import gzip
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from graphprofile.batches import read_batches
from graphprofile.errors import UsageError
from graphprofile.profiles import GraphProfile
from graphprofile.records import LoadResult, Progress
from graphprofile.sample_data import shakespeare_files

if TYPE_CHECKING:
    from collections.abc import Iterator

READER = "hemingway-ernest"
"""Ernest Hemingway, 118 loans from 1925 to 1938."""

BATCHES = (("1919-1928", "1929"), ("1929-1936", "1937"), ("1937-1962", None))
LOADER = "shakespeare"
RECOMMENDATIONS = 5


def run_demo(
    folder: Path,
    *,
    config: str | None,
    arguments: Mapping[str, Any],
    seed: int,
    say: Callable[[str], None],
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Run all of it; may be repeated, the second time every row is a duplicate.

    Args:
        folder: Where files, store and report go.
        config: Settings file, or None.
        arguments: Settings given by the caller, a server's address for example.
        seed: Of the training.
        say: Takes each line for people.
        progress: Called with (what, done, total).

    Returns:
        What each step answered, and the path of the report.

    Raises:
        UsageError: The store holds other data than the demo's.
    """
    started = time.perf_counter()
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"data_dir": folder / "data", **{k: v for k, v in arguments.items() if v is not None}}
    with GraphProfile.open(config=config, **settings) as gp:
        _require_own(gp)
        say(
            "Shakespeare and Company, a lending library in Paris, 1919 to 1962: its members, books and loans."
        )
        say(f"Engine: {gp.store.engine}. Everything lies in {folder}.\n")
        loads = _load(gp, folder, say, progress)
        verified = gp.update_tags(verify=True)
        say(f"  checked against a rebuild: largest relative error {verified.max_relative_error:.0e}\n")
        trained = gp.train(seed=seed, progress=progress)
        _say_training(trained.metrics, say)
        say(f"  model {trained.model}: {trained.reason}; {trained.seconds:.0f} s, vectors written back\n")
        profile = gp.profile(READER)
        _say_profile(profile.to_json(), say)
        recommended = gp.recommend(READER, RECOMMENDATIONS)
        say("\nWhat to offer him next, and why")
        for entry in recommended:
            say(f"  {entry.title} ({entry.score:.2f})\n      {'; '.join(entry.because)}")
        insights = _insights(gp, say)
        report = gp.report(folder / "report.html", user_id=READER, title="Shakespeare and Company, Paris")
        seconds = time.perf_counter() - started
        say(f"\nAll of it took {seconds:.0f} s. The report: {report}")
        return {
            "loads": [load.to_json() for load in loads],
            "tags": verified.to_json(),
            "train": trained.to_json(),
            "profile": profile.to_json(),
            "recommendations": [entry.to_json() for entry in recommended],
            "insights": insights,
            "digest": gp.digest(),
            "report": str(report),
            "seconds": round(seconds, 1),
        }


def _require_own(gp: GraphProfile) -> None:
    batches = read_batches(gp.store, 100)
    if any(batch.get("loader") not in (LOADER, "quarantine") for batch in batches):
        raise UsageError(
            "This store holds other data than the demo's.",
            "Point the demo at an empty store, or use --out DIR.",
        )


def _load(
    gp: GraphProfile, folder: Path, say: Callable[[str], None], progress: Progress | None
) -> list[LoadResult]:
    with shakespeare_files() as files:
        described = gp.load(files["items"], files["users"], loader=LOADER, progress=progress)
        say(f"Loaded {described.read:,} books and members in {described.seconds:.1f} s")
        paths = split_events(files["events"], folder)
    loads = [described]
    for path in paths:
        loaded = gp.load(path, loader=LOADER, kind="events", progress=progress)
        tags = gp.update_tags(progress=progress)
        say(
            f"Loaded {path.name}: {loaded.applied:,} loans in {loaded.seconds:.1f} s, "
            f"interests of the {tags.users:,} people touched in {tags.seconds:.1f} s"
        )
        if loaded.duplicates:
            say(f"  {loaded.duplicates:,} were there already")
        if loaded.quarantined:
            say(
                f"  {loaded.quarantined:,} loans without a usable year went to quarantine: {loaded.quarantine_file}"
            )
        loads.append(loaded)
    return loads


def split_events(source: Path, folder: Path) -> list[Path]:
    """Three files of loans in the order of time; what has no year goes into the last.

    Raises:
        OSError: The folder cannot be written to.
    """
    paths = [folder / f"events-{name}.csv" for name, _ in BATCHES]
    with gzip.open(source, "rt", encoding="utf-8-sig", newline="") as stream, _writers(paths) as outputs:
        rows = csv.reader(stream)
        header = next(rows)
        column = header.index("event_start")
        writers = [csv.writer(output) for output in outputs]
        for writer in writers:
            writer.writerow(header)
        for row in rows:
            year = row[column][:4]
            place = next(
                (
                    i
                    for i, (_, end) in enumerate(BATCHES)
                    if end is not None and year.isdigit() and year < end
                ),
                len(BATCHES) - 1,
            )
            writers[place].writerow(row)
    return paths


@contextmanager
def _writers(paths: list[Path]) -> Iterator[list[IO[str]]]:
    with ExitStack() as stack:
        yield [stack.enter_context(path.open("w", encoding="utf-8", newline="")) for path in paths]


def _say_training(metrics: Mapping[str, Mapping[str, Any] | None], say: Callable[[str], None]) -> None:
    say("Trained GraphSAGE. On the latest fifth of the loans, which it had not seen:")
    for name, values in metrics.items():
        if values is not None:
            low, high = values["recall_at_20_interval"]
            say(
                f"  {name.replace('_', ' '):<13} Recall@20 {values['recall_at_20']:.3f} [{low:.3f}, {high:.3f}]   "
                f"NDCG@20 {values['ndcg_at_20']:.3f}"
            )


def _say_profile(profile: Mapping[str, Any], say: Callable[[str], None]) -> None:
    say(f"{profile['properties'].get('name', READER)}: {cell(profile['events'])}, "
        f"{profile['first_seen'][:10]} to {profile['last_seen'][:10]}")  # fmt: skip
    for tag in profile["tags"][:8]:
        lift = f"{tag['lift']:.1f} x everybody's" if tag["lift"] is not None else ""
        loans = f"{tag['events']:>4} {'loan ' if tag['events'] == 1 else 'loans'}"
        say(f"  {tag['tag']:<24} {tag['share'] or 0:>4.0%} of {tag['kind']:<7} {loans}   {lift}")
    say(f"  vector: {profile['embedding']['status']}, by {profile['embedding']['model']}")


def cell(value: Any) -> str:
    """A value in a line of text."""
    if isinstance(value, float):
        return f"{value:.2f}"
    if isinstance(value, list):
        return "; ".join(map(cell, value))
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {cell(entry)}" for key, entry in value.items())
    return str(value)


def _insights(gp: GraphProfile, say: Callable[[str], None]) -> dict[str, Any]:
    asked: dict[str, dict[str, Any]] = {
        "co_purchase": {"item": "joyce-ulysses", "limit": 3},
        "path_between_users": {"user": READER, "other": "beauvoir-simone-de"},
        "rising_tags": {"as_of": "1930-01-01", "window_days": 1095, "limit": 3},
    }
    answers = {}
    say("\nThree questions to the graph")
    for name, parameters in asked.items():
        rows = gp.insights(name, **parameters)
        answers[name] = rows
        say(f"  {name} {cell(parameters)}")
        for row in rows[:3]:
            say(
                "      "
                + ", ".join(f"{key} {cell(value)}" for key, value in row.items() if value is not None)
            )
    return answers
