"""``GraphProfile``: the one noun everything hangs off; each part of it is a module here."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from graphprofile import reading
from graphprofile.counts import count_events, count_nodes
from graphprofile.errors import ModelError, SourceError
from graphprofile.profiles.asking import Asking
from graphprofile.profiles.exchanging import Exchanging
from graphprofile.profiles.given import filters_of, known_id, moment, written
from graphprofile.profiles.keeping import Keeping
from graphprofile.profiles.learning import Learning
from graphprofile.profiles.loading import Loading
from graphprofile.profiles.opened import SCHEMA_VERSION
from graphprofile.records import Kind, Progress, UpdateResult, iso

if TYPE_CHECKING:
    from graphprofile.audience import Audience
    from graphprofile.audience.conditions import Condition
    from graphprofile.ingest.recipes import Given
    from graphprofile.watch import Arrival


__all__ = ["SCHEMA_VERSION", "GraphProfile", "filters_of", "known_id", "moment"]


class GraphProfile(Keeping, Loading, Learning, Asking, Exchanging):
    """User profiles in a graph: load events, compute interests, learn vectors, read them back.

    Open one with :meth:`open`; it is a context manager.

    Attributes:
        store: The graph engine.
        settings: What was resolved from arguments, environment and file.
        vocabulary: The event rules in use: the file's, else the graph's own, else the defaults.
    """

    def watch(
        self,
        folder: str | Path,
        *,
        loader: str = "generic",
        kind: Kind | None = None,
        mapping: Given = (),
        time_zone: str | None = None,
        time_unit: Literal["s", "ms", "us", "ns"] | None = None,
        settle_seconds: float = 2.0,
        stop: threading.Event | None = None,
        **options: Any,
    ) -> Iterator[Arrival]:
        """Load the files that are and come in a folder, each once, as a batch of its own.

        A file is taken when it has not changed for ``settle_seconds``; files whose names begin with a dot, or that
        are no data files, are left alone. What a batch has read before, also of another process, is not read again.

        Args:
            folder: Where files come.
            loader: As for :meth:`load`; so are ``kind``, ``mapping``, ``time_zone`` and ``time_unit``.
            kind: What rows describe.
            mapping: Generic column = source column.
            time_zone: Zone of times without one.
            time_unit: Unit of numeric times.
            settle_seconds: A file is taken when it has not changed for so long.
            stop: Ends the watch after the file at work.
            **options: ``on_conflict``, ``fail_on`` and ``progress``, as for :meth:`load`.

        Yields:
            What became of each file.

        Raises:
            SourceError: There is no such folder.
        """
        from graphprofile.ingest.recipes import make_recipe
        from graphprofile.watch import Watch

        path = Path(folder)
        if not path.is_dir():
            raise SourceError(f"{path}: there is no such folder.", "Make it, or mend the path.")
        recipe = make_recipe(loader, kind, mapping, time_zone, time_unit)
        self._prepare()
        return Watch(self, path, recipe, settle_seconds, stop or threading.Event(), options).arrivals()

    def update(self, *sources: Any, progress: Progress | None = None, **options: Any) -> UpdateResult:
        """Load, then bring tags and vectors up to date: what a scheduler calls.

        Where a threshold of drift is declared (``retrain_…`` of the settings) and passed, a model is trained too.

        Args:
            *sources: As for :meth:`load`.
            progress: As for :meth:`load`.
            **options: As for :meth:`load`.
        """
        from graphprofile import governance

        loaded = self.load(*sources, progress=progress, **options)
        tags = self.update_tags(progress=progress)
        if not self.models.in_use():
            return UpdateResult(load=loaded, tags=tags, embed=None)
        embedded = self.embed(progress=progress)
        if options.get("dry_run") or not governance.declared(self.settings):
            return UpdateResult(load=loaded, tags=tags, embed=embedded)
        because = governance.passed(self.models.drift(), self.settings)
        trained = self.train(progress=progress) if because else None
        return UpdateResult(load=loaded, tags=tags, embed=embedded, retrained_because=because, train=trained)

    def audience(
        self,
        all_of: Sequence[Condition | str] = (),
        any_of: Sequence[Condition | str] = (),
        none_of: Sequence[Condition | str] = (),
    ) -> Audience:
        """The people who meet conditions, to be counted, listed and read; see :mod:`graphprofile.audience.conditions`.

        Args:
            all_of: Each must hold: ``interest tag=Poetry share=0.2``, ``did event=purchased days=30``.
            any_of: One must hold, where there are any.
            none_of: None may hold.

        Raises:
            UsageError: A condition cannot be read, or names an unknown property or event type.
            NotFound: There is no such tag or user.
            NoModel: People alike are asked for, and nothing has been trained yet.
        """
        from graphprofile.audience import Audience

        return Audience(self, all_of, any_of, none_of)

    def report(
        self,
        out: str | Path = "report.html",
        *,
        user_id: str | None = None,
        title: str = "Profiles in a graph",
    ) -> Path:
        """Write one self-contained HTML file with plots.

        Args:
            out: Where to write it.
            user_id: Whose profile to show; somebody typical where nobody is named.
            title: Of the page.

        Raises:
            NotFound: No such user.
            UsageError: The file cannot be written.
        """
        from graphprofile.report import build_report, choose_user, collect_report

        reader = user_id or choose_user(self.store, self.vocabulary)
        in_use = self.models.in_use() if self._stored_rules() else None
        data = collect_report(
            self.store,
            self.vocabulary,
            user_id=reader,
            profile=self.profile(reader) if reader else None,
            recommendations=self.recommend(reader, 8) if reader and in_use else [],
            metrics=self.models.show(in_use).get("metrics") if in_use else None,
            model=in_use,
            title=title,
        )
        return written(Path(out), build_report(data))

    def quality_report(self, out: str | Path = "quality.html", *, batch: str | None = None) -> Path:
        """Write one self-contained HTML file on the rows of a batch, see :meth:`quality`.

        Args:
            out: Where to write it.
            batch: Id of the batch; None takes the latest that has a record.

        Raises:
            NotFound: No such batch, or none with a record yet.
            UsageError: The batch has no record, or the file cannot be written.
        """
        from graphprofile.quality_report import build_quality_report

        return written(Path(out), build_quality_report(self.quality(batch)))

    def status(self, batches: int = 5, *, drift: bool = True) -> dict[str, Any]:
        """Engine, counts, last batches with their rates, lag, quarantine, model, how fresh the vectors are, drift.

        ``watermark`` is the time of the newest event; ``lag_seconds`` how far it lies behind the clock; ``drift`` is
        measured on 2,000 users, its metrics are the ones of the last :meth:`drift` that measured them.

        Args:
            batches: How many of the last ones to list.
            drift: Whether to measure it.
        """
        from graphprofile.batches import list_batches
        from graphprofile.ingest.quarantine import list_quarantine

        newest = reading.watermark(self.store)
        nodes = count_nodes(self.store)
        events = count_events(self.store, self.vocabulary) if self._stored_rules() else {}
        in_use = self.models.in_use() if self._stored_rules() else None
        vectors = {
            row.pop("label"): row for row in self.store.read("status/count_vectors", model=in_use or "")
        }
        quarantine = list_quarantine(self.settings.data_dir)
        return {
            "engine": self.store.engine,
            "uri": self.store.uri,
            "data_dir": str(self.settings.data_dir),
            "store_id": self.store_id if self._stored_rules() else None,
            "nodes": nodes,
            "events": events,
            "watermark": iso(newest),
            "lag_seconds": None if newest is None else max(0, int(time.time() - newest / 1000)),
            "users_awaiting_tags": self.store.read("status/count_due")[0]["users"],
            "batches": list_batches(self.store, batches),
            "quarantine": {
                "files": len(quarantine),
                "rows": sum(entry.rows for entry in quarantine),
            },
            "model": in_use,
            "model_coming": self.models.coming() if in_use else None,
            "vectors": vectors,
            "drift": self._drift_now() if in_use and drift else None,
        }

    def _drift_now(self) -> dict[str, Any]:
        """Drift for ``status``, which has to answer also where the model cannot be read."""
        from graphprofile.drift import USERS_IN_STATUS

        try:
            return self.models.drift(users=USERS_IN_STATUS)
        except ModelError as error:
            return {"error": error.message}
