r"""A test kit for loaders, also for those of other packages.

Inherit from :class:`LoaderContract` in a test module of pytest's, name a sample and what must come of it; the tests
that every loader has to pass come along::

    from graphprofile.testing import LoaderContract

    class TestVisits(LoaderContract):
        loader = VisitsLoader
        files = {"visits.csv": "who,page,at\nann,/a,2026-01-31\nbob,/b,soon\n"}
        good = {"events": 1}
        refused = [("events", "visits.csv", 3, "timestamp")]

It needs pytest, which graphprofile itself does not.
"""

from __future__ import annotations

import ast
import inspect
import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from graphprofile.errors import SourceError
from graphprofile.ingest.files import open_source
from graphprofile.ingest.mapping import Mapping as Columns
from graphprofile.ingest.read import CHUNK_ROWS, read_checked, read_source
from graphprofile.ingest.times import zone
from graphprofile.ingest.transformed import transform
from graphprofile.records import Kind, Loader, Rejection, SourceFile, epoch_ms, iso
from graphprofile.testing_texts import Text
from graphprofile.vocabulary import Vocabulary

__all__ = ["Loaded", "LoaderContract"]

Refusal = tuple[str, str, int, str]
"""Kind, name of the file, line, field."""

_LINES = ("csv", "tsv", "jsonl", "runs")
_JSON = ("json", "documents")
_CUTS = 25


class Loaded:
    """What a loader makes of files, by kind of record.

    Attributes:
        rows: Events and withdrawals as dicts of their columns, descriptions as they are.
        read: Rows read, good and bad.
        repeats: Descriptions that another one stands for.
        skipped: Why how many rows were left out on purpose.
        rejected: Rows refused.
        positions: Name of the file, how far reading had come, and its size, a chunk at a time.
    """

    def __init__(self) -> None:
        self.rows: dict[str, list[Any]] = {}
        self.read: Counter[str] = Counter()
        self.repeats: Counter[str] = Counter()
        self.skipped: dict[str, Counter[str]] = {}
        self.rejected: dict[str, list[Rejection]] = {}
        self.positions: list[tuple[str, str, int, int | None]] = []

    @classmethod
    def of(
        cls,
        loader: Loader,
        sources: Iterable[Path | SourceFile],
        kinds: Sequence[Kind] | None = None,
        check_rows: int | None = None,
    ) -> Loaded:
        """Read files with a loader, as ``graphprofile load`` does, and keep everything.

        Args:
            loader: The loader.
            sources: Paths, or what the loader's ``sources`` gave.
            kinds: Only these; None takes all.
            check_rows: Most rows transformed at once.

        Raises:
            SourceError: A file cannot be read at all.
        """
        loaded = cls()
        listed = list(sources)
        paths = [source for source in listed if isinstance(source, Path)]
        files = [source for source in listed if isinstance(source, SourceFile)]
        for source in [*files, *(loader.sources(paths, None) if paths else [])]:
            if kinds is None or source.kind in kinds:
                loaded.add(loader, source, source.kind, check_rows)
        return loaded

    def add(self, loader: Loader, source: Any, kind: Kind | None, check_rows: int | None = None) -> None:
        """Read one more source: a file or an iterable of dicts."""
        rows = check_rows or CHUNK_ROWS
        if kind is not None:
            self._kind(kind)
        for chunk in read_checked(
            source, loader, kind, Columns(), Vocabulary(), chunk_rows=rows, check_rows=check_rows
        ):
            self._kind(chunk.kind)
            self.rows[chunk.kind] += getattr(chunk, "rows", None) or (
                chunk.frame.rows(named=True) if hasattr(chunk, "frame") else []
            )
            self.read[chunk.kind] += chunk.read
            self.repeats[chunk.kind] += getattr(chunk, "repeats", 0)
            self.skipped[chunk.kind].update(getattr(chunk, "skipped", {}))
            self.rejected[chunk.kind] += chunk.rejected
            self.positions.append((chunk.kind, chunk.source, chunk.position, chunk.size))

    def _kind(self, kind: str) -> None:
        self.rows.setdefault(kind, [])
        self.skipped.setdefault(kind, Counter())
        self.rejected.setdefault(kind, [])

    def events(self) -> Counter[tuple[str, str, str]]:
        """Events as (type, id, hash of the content), in no order."""
        return Counter((row["type"], row["event_id"], row["hash"]) for row in self.rows.get("events", ()))

    def withdrawals(self) -> set[tuple[str, str]]:
        """Withdrawn events as (type, id)."""
        return {(row["type"], row["event_id"]) for row in self.rows.get("retracted", ())}

    def descriptions(self) -> dict[tuple[str, str, str], int | None]:
        """What is said of each node, and when it was said last."""
        said: dict[tuple[str, str, str], int | None] = {}
        for kind, rows in self.rows.items():
            for row in rows if kind not in ("events", "retracted") else ():
                text = json.dumps([row.properties, row.tags], sort_keys=True, ensure_ascii=False)
                before = said.get((kind, row.id, text))
                known = [at for at in (before, row.updated_at) if at is not None]
                said[kind, row.id, text] = max(known, default=None)
        return said

    def refusals(self) -> Counter[tuple[str, str, str]]:
        """Refused rows as (kind, field, reason), in no order."""
        return Counter((kind, one.field, one.reason) for kind, rows in self.rejected.items() for one in rows)

    def everything(self) -> tuple[Any, ...]:
        """All of it, free of order and chunks: two readings of the same rows are equal in this."""
        return (
            self.events(),
            self.withdrawals(),
            self.descriptions(),
            self.refusals(),
            {kind: +reasons for kind, reasons in self.skipped.items() if +reasons},
        )


class LoaderContract:
    """Tests that every loader has to pass; a subclass says what they are about.

    Attributes:
        loader: The loader's class, or anything that gives one when it is called.
        files: The sample: file name -> content. Take the examples of the format's specification, and put rows in that
            must be refused and that are left out.
        good: Kind -> how many events (withdrawals, different descriptions) the sample holds.
        refused: The sample's rows that must be refused: kind, file, line, field.
        skipped: Kind -> reason -> how many rows the loader leaves out on purpose.
        earliest: No time in the sample is before this.
        latest: No time is after this; a day from now where it is None.
        bad_row: What no row of the format is; put between good rows it must cost nothing but itself, also as the
            element of a JSON array.
        shuffled: Whether the order of the sample's stretches says nothing.
    """

    loader: Callable[[], Loader]
    files: ClassVar[Mapping[str, str | bytes]]
    good: ClassVar[Mapping[str, int]]
    refused: ClassVar[Sequence[Refusal]] = ()
    skipped: ClassVar[Mapping[str, Mapping[str, int]]] = {}
    earliest: ClassVar[str] = "1990-01-01"
    latest: ClassVar[str | None] = None
    bad_row: ClassVar[bytes] = b"\xff bad \xfe\n"
    shuffled: ClassVar[bool] = True

    def stretches(self, content: bytes, has_header: bool) -> tuple[bytes, list[bytes]]:
        """The head of a file of lines, and stretches that may change places; each line is one, unless overridden.

        Those of a JSON array, and of documents that hold their rows inside, are its rows.

        Args:
            content: The file.
            has_header: Whether its first line names columns.
        """
        lines = content.splitlines(keepends=True)
        return (lines[0], lines[1:]) if has_header else (b"", lines)

    def written(self, folder: Path) -> list[Path]:
        """The sample in a folder."""
        return [_write(folder / name, content) for name, content in self.files.items()]

    def load(self, paths: Sequence[Path], check_rows: int | None = None) -> Loaded:
        """What the loader makes of files."""
        return Loaded.of(type(self).loader(), paths, check_rows=check_rows)

    def texts(self, folder: Path) -> list[Text]:
        """Those of the sample's files that are text as it is, taken apart; skips where none is."""
        loader, found = type(self).loader(), []
        for source in {file.path: file for file in loader.sources(self.written(folder), None)}.values():
            opened = open_source(source)
            opened.raw.close()
            content = source.path.read_bytes()
            if opened.stream is not opened.raw or content.startswith((b"\xff\xfe", b"\xfe\xff")):
                continue
            if opened.format in _JSON:
                found.append(Text.of_json(source.path, content, source.inside))
            elif opened.format in _LINES:
                header = opened.format in ("csv", "tsv") and source.columns is None
                found.append(Text.of_lines(source.path, *self.stretches(content, header)))
        if not found:
            pytest.skip("no file of the sample is plain text")
        return found

    # --- what it is ---------------------------------------------------------------------------------------

    def test_it_says_what_it_is(self) -> None:
        """Name, one line of summary, and a zone that exists."""
        loader = type(self).loader()
        assert loader.name
        assert loader.name == loader.name.strip().lower(), loader.name
        assert loader.summary
        assert "\n" not in loader.summary
        zone(loader.time_zone)

    def test_it_imports_only_records_and_errors(self) -> None:
        """The core may change beneath it."""
        module = inspect.getmodule(type(type(self).loader()))
        assert module is not None
        tree = ast.parse(inspect.getsource(module))
        named = [
            node.module or ""
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and not node.level
        ]
        named += [
            alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        ]
        allowed = ("graphprofile.records", "graphprofile.errors")
        wrong = [name for name in named if name.split(".")[0] == "graphprofile" and name not in allowed]
        assert not wrong, (
            f"{module.__name__} imports {', '.join(wrong)}: only {' and '.join(allowed)} are stable"
        )

    # --- what it gives ------------------------------------------------------------------------------------

    def test_the_sample_gives_what_is_expected(self, tmp_path: Path) -> None:
        """As many of each kind as declared; refused and left out what is declared, and no more."""
        loaded = self.load(self.written(tmp_path))
        found = Counter(kind for kind, _, _ in loaded.descriptions())
        found.update(events=loaded.events().total(), retracted=len(loaded.withdrawals()))
        _same(dict(+found), dict(self.good), "good")
        refused = sorted(
            (kind, Path(one.source).name, one.line, one.field)
            for kind, rows in loaded.rejected.items()
            for one in rows
        )
        reasons = "; ".join(
            f"{one.line} {one.field}: {one.reason}" for r in loaded.rejected.values() for one in r
        )
        _same(refused, sorted(self.refused), f"refused ({reasons})")
        skipped = {kind: dict(reasons) for kind, reasons in loaded.skipped.items() if reasons}
        _same(skipped, {kind: dict(reasons) for kind, reasons in self.skipped.items()}, "skipped")

    def test_nothing_is_lost(self, tmp_path: Path) -> None:
        """Every row of every file is something good, refused, or counted as left out."""
        loader = type(self).loader()
        for source in loader.sources(self.written(tmp_path), None):
            rows = made = 0
            for raw in read_source(source):
                rows += len(raw.lines) + len(raw.rejected)
                out = transform(raw, loader)  # raises where rows are lost
                made += out.frame.height + sum(out.skipped.values()) + len(raw.rejected)
            loaded = Loaded.of(loader, [source])
            good = sum(map(len, loaded.rows.values())) + loaded.repeats.total()
            # A withdrawal of whatever type is one of each type there is.
            gone = [(row["line"], row["event_id"]) for row in loaded.rows.get("retracted", ())]
            refused = sum(map(len, loaded.rejected.values()))
            left_out = sum(reasons.total() for reasons in loaded.skipped.values())
            assert good + refused == loaded.read.total()
            assert rows <= made
            # Of a row that holds several things the refusal counts once.
            assert rows <= good - len(gone) + len(set(gone)) + refused + left_out <= made

    def test_every_refusal_says_where_and_why(self, tmp_path: Path) -> None:
        """File, line, field, reason, and the row as it was."""
        for rows in self.load(self.written(tmp_path)).rejected.values():
            for one in rows:
                assert Path(one.source).name in self.files
                assert one.line >= 1
                assert one.field
                assert len(one.reason) > 5, one
                assert one.row is not None

    def test_ids_are_unique(self, tmp_path: Path) -> None:
        """No two events of the sample share type and id."""
        events = self.load(self.written(tmp_path)).events().elements()
        counts = Counter((kind, event_id) for kind, event_id, _ in events)
        _same([key for key, count in counts.items() if count > 1], [], "ids that come twice")

    def test_times_are_plausible(self, tmp_path: Path) -> None:
        """Between the declared bounds."""
        loaded = self.load(self.written(tmp_path))
        times = [row["ts"] for row in loaded.rows.get("events", ())]
        times += [at for at in loaded.descriptions().values() if at is not None]
        last = epoch_ms(self.latest or datetime.now().astimezone() + timedelta(days=1))
        wrong = [iso(ts) for ts in times if not epoch_ms(self.earliest) <= ts <= last]
        _same(wrong, [], "times")

    # --- however it is read -------------------------------------------------------------------------------

    def test_reading_twice_gives_the_same(self, tmp_path: Path) -> None:
        """The same rows, refusals and counts; the same ids."""
        paths = self.written(tmp_path)
        _same(self.load(paths).everything(), self.load(paths).everything(), "everything")

    @pytest.mark.parametrize("rows", [1, 2, 3, 7])
    def test_any_chunks_give_the_same(self, tmp_path: Path, rows: int) -> None:
        """What becomes of a row does not depend on which rows are transformed with it."""
        paths = self.written(tmp_path)
        _same(self.load(paths, rows).everything(), self.load(paths).everything(), "everything")

    def test_the_order_of_files_does_not_matter(self, tmp_path: Path) -> None:
        """Last file first."""
        paths = self.written(tmp_path)
        _same(self.load(paths[::-1]).everything(), self.load(paths).everything(), "everything")

    @pytest.mark.parametrize("seed", [1, 2, 3])
    def test_the_order_of_rows_does_not_matter(self, tmp_path: Path, seed: int) -> None:
        """Stretches of each file in another order."""
        if not self.shuffled:
            pytest.skip("the order of rows means something here")
        texts = self.texts(tmp_path)
        whole = self.load(self.written(tmp_path)).everything()
        for text in texts:
            # An order that a seed repeats; nothing secret rests on it.
            order = random.Random(seed).sample(text.stretches, len(text.stretches))  # nosec B311
            text.path.write_bytes(text.joined(order))
        _same(self.load([tmp_path / name for name in self.files]).everything(), whole, "everything")

    def test_positions_rise_to_the_end(self, tmp_path: Path) -> None:
        """What a progress bar and a load that goes on rely on."""
        last: dict[tuple[str, str], int] = {}
        for kind, source, position, size in self.load(self.written(tmp_path), 1).positions:
            assert last.get((kind, source), 0) <= position <= (size or position)
            last[kind, source] = position
        for _, source, _, size in self.load(self.written(tmp_path)).positions:
            assert size == Path(source).stat().st_size

    # --- damage -------------------------------------------------------------------------------------------

    def test_a_byte_order_mark_and_windows_line_ends_change_nothing(self, tmp_path: Path) -> None:
        """BOM and CRLF."""
        loader = type(self).loader()
        texts = self.texts(tmp_path)
        expected = self.load(self.written(tmp_path)).everything()
        encodings = {source.path: source.encoding for source in loader.sources(self.written(tmp_path), None)}
        for text in texts:
            content = text.path.read_bytes()
            if b"\r\n" not in content:
                content = content.replace(b"\n", b"\r\n")
            utf8 = encodings[text.path].lower().startswith("utf-8")
            marked = utf8 and not content.startswith(b"\xef\xbb\xbf")
            text.path.write_bytes(b"\xef\xbb\xbf" + content if marked else content)
        _same(self.load([tmp_path / name for name in self.files]).everything(), expected, "everything")

    def test_an_empty_file_is_refused_by_name(self, tmp_path: Path) -> None:
        """As a whole, before anything is read."""
        for path in self.written(tmp_path):
            path.write_bytes(b"")
            with pytest.raises(SourceError, match="empty"):
                self.load([path])

    def test_a_file_without_rows_gives_nothing(self, tmp_path: Path) -> None:
        """A header alone, an array that is empty: no rows, no refusals."""
        for text in self.texts(tmp_path):
            if nothing := text.first(0):
                text.path.write_bytes(nothing)
                assert self.load([text.path]).read.total() == 0

    def test_a_bad_row_costs_only_itself(self, tmp_path: Path) -> None:
        """Between any two stretches."""
        whole = self.load(self.written(tmp_path))
        for text in self.texts(tmp_path):
            content = text.path.read_bytes()
            for at in sorted({0, len(text.stretches) // 2, len(text.stretches)}):
                text.path.write_bytes(text.with_row(at, self.bad_row))
                self._costs_one_row(whole, self.load([tmp_path / name for name in self.files]))
            text.path.write_bytes(content)

    def test_what_follows_the_end_costs_only_itself(self, tmp_path: Path) -> None:
        """Text behind the last row, behind an array and behind a document."""
        whole = self.load(self.written(tmp_path))
        for text in self.texts(tmp_path):
            content = text.path.read_bytes()
            text.path.write_bytes(text.joined(text.stretches).rstrip(b"\n") + b"\n" + self.bad_row)
            self._costs_one_row(whole, self.load([tmp_path / name for name in self.files]))
            text.path.write_bytes(content)

    def _costs_one_row(self, whole: Loaded, loaded: Loaded) -> None:
        _same(loaded.events(), whole.events(), "events")
        _same(loaded.withdrawals(), whole.withdrawals(), "withdrawals")
        _same(loaded.descriptions(), whole.descriptions(), "descriptions")
        more = loaded.refusals() - whole.refusals()
        assert more, "the bad row is nowhere"
        assert {kind for kind, _, _ in more} <= loaded.rows.keys()

    def test_a_file_that_is_cut_keeps_what_came_before(self, tmp_path: Path) -> None:
        """Cut at many places: the stretches that are whole give what they gave."""
        for text in self.texts(tmp_path):
            whole = text.joined(text.stretches)
            for cut, count in text.cuts(_CUTS):
                text.path.write_bytes(whole[:cut])
                cut_short = self._readable([text.path])
                if count:
                    text.path.write_bytes(text.first(count))
                    before = self.load([text.path])
                    assert not before.events() - cut_short.events()
                    assert before.withdrawals() <= cut_short.withdrawals()
                    assert before.descriptions().keys() <= cut_short.descriptions().keys()
            text.path.write_bytes(whole)

    def _readable(self, paths: Sequence[Path]) -> Loaded:
        """What a file gives; nothing where it is refused whole, which is a refusal too."""
        try:
            return self.load(paths)
        except SourceError:
            return Loaded()

    def test_refused_rows_are_judged_alike_when_they_come_again(self, tmp_path: Path) -> None:
        """A row out of the quarantine, alone and as a dict, gets the same verdict."""
        loader = type(self).loader()
        for kind, rows in self.load(self.written(tmp_path)).rejected.items():
            for one in rows:
                if isinstance(one.row, dict):
                    again = Loaded()
                    again.add(loader, [one.row], one.kind)  # type: ignore[arg-type]
                    verdicts = [(r.field, r.reason) for found in again.rejected.values() for r in found]
                    _same(verdicts, [(one.field, one.reason)], kind)


def _same(found: Any, expected: Any, what: str) -> None:
    # Spelled out: pytest explains the asserts of test modules only.
    assert found == expected, f"{what}: found {found!r}, expected {expected!r}"


def _write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path
