"""Taking in what happened, batch by batch, and taking it out again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from graphprofile import settings as settings_module
from graphprofile.errors import NotFound, UsageError
from graphprofile.profiles.opened import SCHEMA_VERSION, Opened
from graphprofile.records import Kind, LoadResult, Progress, UndoResult

if TYPE_CHECKING:
    from graphprofile.ingest.live import LiveBatch
    from graphprofile.ingest.quality.thresholds import FailOn
    from graphprofile.ingest.recipes import Given
    from graphprofile.quality import Quality


class Loading(Opened):
    """Batches."""

    def load(
        self,
        *sources: Any,
        loader: str = "generic",
        kind: Kind | None = None,
        mapping: Given = (),
        time_zone: str | None = None,
        time_unit: Literal["s", "ms", "us", "ns"] | None = None,
        on_conflict: Literal["keep", "replace"] = "keep",
        resend: bool = False,
        fail_on: FailOn = (),
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> LoadResult:
        """Load one incremental batch; loading the same again changes nothing.

        A batch that was left behind by a kill is gone on with by the same call. A file that was taken in whole
        before (same bytes, loader, mapping, vocabulary and version) is not sent again.

        Args:
            *sources: Paths, globs, folders, data frames (Polars, pandas, Arrow), iterables of dicts, or queries
                (:class:`graphprofile.SqlSource`).
            loader: Name of a loader, ``generic`` for the generic columns.
            kind: What rows describe: events, users, items, content, tags or retracted (withdrawals of events by
                type and id); None is told by the columns, and never retracted.
            mapping: ``{"user_id": "CustomerID"}`` or ``["user_id=CustomerID"]``: generic column = source column; or
                the path of a mapping file, see ``docs/mapping.md``.
            time_zone: Zone of times without one, e.g. ``Europe/Paris``; UTC where neither this nor the loader
                says.
            time_unit: ``s``, ``ms``, ``us`` or ``ns`` for numeric times; None is told by their size.
            on_conflict: An event that comes with other content than the stored one: ``keep`` the stored one, or
                ``replace`` it. Both versions are reported either way.
            resend: Send the rows of files that were taken in whole before, too.
            fail_on: Thresholds of data quality, ``{"max_late": 0.1}`` or ``["max_late=0.1"]``, beside those of the
                mapping file (``"none"`` switches these off): see ``docs/quality.md``.
            dry_run: Check and look up only.
            progress: Called with (source, bytes or rows read, their total or None) after each stretch.

        Raises:
            SourceError: A source cannot be read, or lacks columns.
            UsageError: No such loader or wrong mapping.
            ConfigError: The mapping file is wrong.
            BatchRefused: A threshold is not met; nothing was written.
            StoreMismatch: The vocabulary differs from the one in the graph.
        """
        from graphprofile.ingest.recipes import make_recipe
        from graphprofile.ingest.session import load_batch

        if not sources:
            raise UsageError("Nothing to load.", "Name a file: `graphprofile load events.csv`.")
        if on_conflict not in ("keep", "replace"):
            raise UsageError(f"on_conflict is {on_conflict!r}.", "Use keep or replace.")
        recipe = make_recipe(loader, kind, mapping, time_zone, time_unit)
        self._prepare()
        return load_batch(
            self.store,
            self.vocabulary,
            sources,
            recipe,
            data_dir=self.settings.data_dir,
            on_conflict=on_conflict,
            resend=resend,
            fail_on=fail_on,
            dry_run=dry_run,
            progress=progress,
        )

    @classmethod
    def load_bulk(
        cls,
        *sources: Any,
        uri: str | None = None,
        config: str | Path | None = None,
        out: str | Path | None = None,
        neo4j_home: str | Path | None = None,
        progress: Progress | None = None,
        settings: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> LoadResult:
        """Load years of history into an empty store through the engine's own bulk path.

        Without ``out`` and ``neo4j_home`` the embedded store is loaded. With either, nothing is connected to: files for
        ``neo4j-admin database import full`` are written, and imported where ``neo4j_home`` says.

        Args:
            *sources: As for :meth:`load`.
            uri: As for :meth:`open`.
            config: As for :meth:`open`.
            out: Folder for the files; empty or not there yet.
            neo4j_home: A local Neo4j whose server is stopped.
            progress: As for :meth:`load`.
            settings: Further arguments of :meth:`open`.
            **options: ``loader``, ``kind``, ``mapping``, ``time_zone``, ``time_unit`` and ``fail_on`` of :meth:`load`.

        Raises:
            UsageError: The store or the folder is not empty, or the store is a server's.
            SourceError: A source cannot be read; nothing was loaded.
            EngineError: The engine failed; the store says so, and the same call starts over.
        """
        from graphprofile.ingest.bulk.run import run_bulk

        found = settings_module.resolve(config, **{**(settings or {}), **({"uri": uri} if uri else {})})
        return run_bulk(
            found,
            sources,
            version=SCHEMA_VERSION,
            out=None if out is None else Path(out),
            neo4j_home=None if neo4j_home is None else Path(neo4j_home),
            progress=progress,
            **options,
        )

    def live_batch(self) -> LiveBatch:
        """A batch that stays open, for a service that takes events as they come."""
        from graphprofile.ingest.live import LiveBatch

        self._prepare()
        return LiveBatch(self.store, self.vocabulary)

    def undo(self, batch: str, *, progress: Progress | None = None) -> UndoResult:
        """Take a batch out: events, nodes nothing else names, descriptions; interests of who is touched are due.

        The graph is then as if it had never seen the batch. What another batch brought too stays. Rows that the batch
        refused leave the quarantine, unless another batch refused them too; rows that it, a retry, took in come back
        there. An undo that was killed is gone on with by the same call.

        Args:
            batch: Id of the batch.
            progress: Called with (what, parts done, parts in all).

        Raises:
            NotFound: No such batch.
            UsageError: It is being loaded right now, or is undone already.
            SourceError: Its quarantine file was mended into something that is no JSON; nothing was undone.
        """
        from graphprofile.ingest.undo import undo_batch

        self._prepare()
        return undo_batch(
            self.store, batch, self.vocabulary.types, data_dir=self.settings.data_dir, progress=progress
        )

    def retry_quarantine(
        self,
        *batches: str,
        on_conflict: Literal["keep", "replace"] = "keep",
        progress: Progress | None = None,
    ) -> list[LoadResult]:
        """Load refused rows again, after the file or the vocabulary was mended; each is read as its batch read it.

        Args:
            *batches: Ids of batches; all with refused rows where none is named.
            on_conflict: As for :meth:`load`.
            progress: As for :meth:`load`.

        Raises:
            NotFound: A batch has no refused rows.
        """
        from graphprofile.ingest.quarantine import list_quarantine
        from graphprofile.ingest.retry import retry_file
        from graphprofile.ingest.undone import set_aside_undone

        self._prepare()
        set_aside_undone(self.store, self.settings.data_dir)
        found = {entry.batch: entry.path for entry in list_quarantine(self.settings.data_dir)}
        for batch in batches:
            if batch not in found:
                raise NotFound(
                    f"No refused rows of batch {batch!r}.",
                    "`graphprofile quarantine list` names those there are; those of a batch that was undone are not "
                    "tried again: load its file.",
                )
        return [
            retry_file(self.store, self.vocabulary, found[batch], on_conflict=on_conflict, progress=progress)
            for batch in batches or found
        ]

    def quality(self, batch: str | None = None) -> Quality:
        """What the rows of a batch looked like: completeness, lateness, volume, drift against earlier batches, trend.

        Args:
            batch: Id of the batch; None takes the latest finished one that has a record.

        Raises:
            NotFound: No such batch, or none with a record yet.
            UsageError: The batch has no record: it is under way, broken off, undone, left behind by a killed service,
                or of an older version.
        """
        from graphprofile.quality import read_quality

        return read_quality(self.store, batch)
