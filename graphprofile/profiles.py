"""``GraphProfile``: the one noun everything hangs off."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

from graphprofile import reading
from graphprofile import settings as settings_module
from graphprofile.counts import count_events, count_nodes
from graphprofile.errors import ModelError, NotFound, SourceError, StoreMismatch, UsageError
from graphprofile.migrations import MigrateResult, check_version, migrate
from graphprofile.records import (
    EmbedResult,
    Explanation,
    Feedback,
    InitResult,
    Kind,
    LoadResult,
    Profile,
    Progress,
    Recommendation,
    TagsResult,
    TrainResult,
    UndoResult,
    UpdateResult,
    epoch_ms,
    iso,
)
from graphprofile.settings import Settings
from graphprofile.store import Store
from graphprofile.tags import require_same_rules, update_tags
from graphprofile.vocabulary import Vocabulary

if TYPE_CHECKING:
    import networkx as nx

    from graphprofile.audience import Audience
    from graphprofile.audience.conditions import Condition
    from graphprofile.backup import BackupResult, RestoreResult
    from graphprofile.embedding import Models
    from graphprofile.exchange import ExportResult
    from graphprofile.filters import Filters, Where
    from graphprofile.ingest.live import LiveBatch
    from graphprofile.ingest.quality.thresholds import FailOn
    from graphprofile.ingest.recipes import Given
    from graphprofile.networks import AnalysisResult
    from graphprofile.quality import Quality
    from graphprofile.store.asking import Rows
    from graphprofile.vectors import Embeddings
    from graphprofile.watch import Arrival

SCHEMA_VERSION = 3


class GraphProfile:
    """User profiles in a graph: load events, compute interests, learn vectors, read them back.

    Open one with :meth:`open`; it is a context manager.

    Attributes:
        store: The graph engine.
        settings: What was resolved from arguments, environment and file.
        vocabulary: The event rules in use: the file's, else the graph's own, else the defaults.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        """Take an open store; prefer :meth:`open`."""
        self.store = store
        self.settings = settings
        self._rules: dict[str, Any] | None = None
        self._computed: tuple[str, Vocabulary] | None = None
        found = self._stored_rules()
        stored = Vocabulary.from_json(found["vocabulary"]) if found else None
        self.vocabulary = settings.vocabulary or stored or Vocabulary()
        self._models: Models | None = None

    @classmethod
    def open(
        cls, uri: str | None = None, *, config: str | Path | None = None, **arguments: Any
    ) -> GraphProfile:
        """Open a graph.

        Args:
            uri: Bolt address such as ``neo4j://host:7687``; without one the embedded engine is used.
            config: Path of a ``graphprofile.toml``.
            **arguments: ``user``, ``password``, ``database``, ``data_dir`` and the other fields of
                :class:`graphprofile.settings.Settings`. Arguments win over the environment, that over the file.

        Raises:
            ConfigError: A setting cannot be used.
            EngineUnavailable: Nobody answers at the address.
            AuthenticationFailed: Wrong user or password.
            StoreMismatch: The store was written by another version (see :meth:`migrate`), or a restore into it
                was not finished.
        """
        settings = settings_module.resolve(config, uri=uri, **arguments)
        store = Store.open(settings)
        try:
            return cls(store, settings)
        except BaseException:
            store.close()
            raise

    def close(self) -> None:
        """Let go of the engine; the embedded one is shut down if this process owns it."""
        self.store.close()

    def __enter__(self) -> GraphProfile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- setting up -----------------------------------------------------------------------------------------

    def init(self) -> InitResult:
        """Create constraints, indexes and the store's own record; may be repeated, overwrites nothing."""
        made = self.store.create_schema(self.vocabulary.types)
        self.store.write(
            lambda tx: tx.run(
                "schema/create_store",
                store_id=uuid.uuid4().hex,
                version=SCHEMA_VERSION,
                vocabulary=self.vocabulary.to_json(),
            )
        )
        self.store.write(lambda tx: tx.run("schema/finish_import"))
        self._rules = None
        return InitResult(
            engine=self.store.engine,
            constraints=made["constraints"],
            indexes=made["indexes"],
            config_file=None,
            store_id=self.store_id,
        )

    @property
    def store_id(self) -> str:
        """Id that ``init`` wrote into the graph.

        Raises:
            NotFound: Nothing was loaded yet.
        """
        rules = self._stored_rules()
        if rules is None:
            raise NotFound("This graph is empty.", "Load something first: `graphprofile load events.csv`.")
        return str(rules["store_id"])

    @property
    def has_rules(self) -> bool:
        """Whether anything was loaded yet."""
        return self._stored_rules() is not None

    def _stored_rules(self) -> dict[str, Any] | None:
        if self._rules is None:
            rows = self.store.read("schema/read_store")
            if rows:
                rules = rows[0]["properties"]
                check_version(rules, SCHEMA_VERSION)
                if rules.get("unfinished") == "bulk":
                    raise StoreMismatch(
                        "A bulk load into this store is under way, or was broken off.",
                        "Wait for it, or run the same `graphprofile load --bulk` again: it starts over.",
                    )
                self._rules = rules
        return self._rules

    @property
    def computed_rules(self) -> Vocabulary:
        """The vocabulary that the stored interests were computed with; explanations must use the same."""
        rules = self._stored_rules()
        if rules is None:
            return self.vocabulary
        text = rules["vocabulary"]
        if self._computed is None or self._computed[0] != text:
            self._computed = text, Vocabulary.from_json(text)
        return self._computed[1]

    @property
    def reading_rules(self) -> Vocabulary:
        """:attr:`computed_rules`, with what is explicit and what implicit as declared now: nothing stored has it."""
        return self.computed_rules.with_feedback_of(self.vocabulary)

    def changed_rules(self) -> list[str]:
        """What differs between the vocabulary declared now and the one the interests were computed with."""
        return self.vocabulary.changed_rules(self.computed_rules)

    def _prepare(self) -> None:
        """Set the store up where it isn't, and take new event types into its vocabulary."""
        rules = self._stored_rules()
        if rules is None or rules.get("unfinished"):
            self.init()
            return
        stored = Vocabulary.from_json(rules["vocabulary"])
        if self.vocabulary == stored:
            return
        require_same_rules(self.vocabulary, stored)
        self.store.create_schema(self.vocabulary.types)
        self._set_vocabulary()

    def _set_vocabulary(self) -> None:
        text = self.vocabulary.to_json()
        self.store.write(lambda tx: tx.run("schema/set_vocabulary", vocabulary=text))
        self._rules = self._models = None

    # --- keeping it -----------------------------------------------------------------------------------------

    def backup(self, path: str | Path, *, progress: Progress | None = None) -> BackupResult:
        """Write everything into one file: the graph, the model registry, the refused rows.

        Args:
            path: Where to write it; a backup that lies there is replaced when the new one is complete.
            progress: Called with (what, done, total).

        Raises:
            NotFound: The graph is empty.
            BackupError: The file cannot be written, or the graph did not hold still while it was read.
        """
        from graphprofile.backup import back_up

        return back_up(self.store, self.settings.data_dir, Path(path), progress=progress)

    @staticmethod
    def restore(
        path: str | Path,
        uri: str | None = None,
        *,
        config: str | Path | None = None,
        progress: Progress | None = None,
        **arguments: Any,
    ) -> RestoreResult:
        """Put a backup into an empty store, on whichever engine; :meth:`open` it afterwards.

        Args:
            path: The backup.
            uri: As for :meth:`open`.
            config: As for :meth:`open`.
            progress: Called with (what, done, total).
            **arguments: As for :meth:`open`.

        Raises:
            BackupError: No backup, a damaged one, or a store that is not empty; nothing was written. Or what was
                restored is not what the backup holds; the store then refuses to be opened.
            StoreMismatch: The backup is of a newer program, or another restore is under way.
        """
        from graphprofile.backup import restore

        settings = settings_module.resolve(config, uri=uri, **arguments)
        with Store.open(settings) as store:
            return restore(store, settings.data_dir, Path(path), SCHEMA_VERSION, progress=progress)

    @staticmethod
    def migrate(
        uri: str | None = None, *, config: str | Path | None = None, **arguments: Any
    ) -> MigrateResult:
        """Take an older store to this program's schema version; may be repeated.

        Args:
            uri: As for :meth:`open`.
            config: As for :meth:`open`.
            **arguments: As for :meth:`open`.

        Raises:
            StoreMismatch: The store is newer, incomplete, or being loaded into by the older program.
        """
        with Store.open(settings_module.resolve(config, uri=uri, **arguments)) as store:
            return migrate(store, SCHEMA_VERSION)

    # --- loading and keeping fresh --------------------------------------------------------------------------

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

    def quality(self, batch: str | None = None) -> Quality:
        """What the rows of a batch looked like: completeness, lateness, volume, drift against earlier batches, trend.

        Args:
            batch: Id of the batch; None takes the latest finished one that has a record.

        Raises:
            NotFound: No such batch, or none with a record yet.
            UsageError: The batch has no record: it is under way, broken off, undone, or came over HTTP.
        """
        from graphprofile.quality import read_quality

        return read_quality(self.store, batch)

    def undo(self, batch: str, *, progress: Progress | None = None) -> UndoResult:
        """Take a batch out: events, nodes nothing else names, descriptions; interests of who is touched are due.

        The graph is then as if it had never seen the batch. What another batch brought too stays. An undo that was
        killed is gone on with by the same call.

        Args:
            batch: Id of the batch.
            progress: Called with (what, parts done, parts in all).

        Raises:
            NotFound: No such batch.
            UsageError: It is being loaded right now, or is undone already.
        """
        from graphprofile.ingest.undo import undo_batch

        self._prepare()
        return undo_batch(self.store, batch, self.vocabulary.types, progress=progress)

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

    def retry_quarantine(
        self,
        *batches: str,
        on_conflict: Literal["keep", "replace"] = "keep",
        progress: Progress | None = None,
    ) -> list[LoadResult]:
        """Load refused rows again, after the file or the vocabulary was mended.

        Args:
            *batches: Ids of batches; all with refused rows where none is named.
            on_conflict: As for :meth:`load`.
            progress: As for :meth:`load`.

        Raises:
            NotFound: A batch has no refused rows.
        """
        from graphprofile.ingest.quarantine import list_quarantine
        from graphprofile.ingest.retry import retry_file

        found = {entry.batch: entry.path for entry in list_quarantine(self.settings.data_dir)}
        for batch in batches:
            if batch not in found:
                raise NotFound(
                    f"No refused rows of batch {batch!r}.",
                    "`graphprofile quarantine list` names those there are.",
                )
        self._prepare()
        return [
            retry_file(self.store, self.vocabulary, found[batch], on_conflict=on_conflict, progress=progress)
            for batch in batches or found
        ]

    def update_tags(
        self, *, full: bool = False, verify: bool = False, progress: Progress | None = None
    ) -> TagsResult:
        """Compute the interests of the users who changed, or of all.

        Args:
            full: All users, under the vocabulary in use now.
            verify: Compare with a second computation outside the engine.
            progress: Called with (what, users done, total or None).

        Raises:
            StoreMismatch: The vocabulary differs from the one in the graph, and ``full`` was not asked for.
        """
        rules = self._stored_rules()
        if rules is None:
            self._prepare()
        elif full and self.vocabulary.to_json() != rules["vocabulary"]:
            self.store.create_schema(self.vocabulary.types)
            self._set_vocabulary()
        else:
            self._prepare()
        return update_tags(self.store, self.vocabulary, full=full, verify=verify, progress=progress)

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

    def refresh(self, user_ids: Sequence[str], objects: Sequence[tuple[str, str]] = ()) -> None:
        """Bring tags and vectors of some users up to date, whoever else is due.

        What everybody's interests come to (the base of ``lift``) stays as it is until :meth:`update_tags`.

        Args:
            user_ids: Whose; who does not exist is passed over.
            objects: Kind (item | content) and id of objects whose vectors are to be written too, where they are due.

        Raises:
            StoreMismatch: The vocabulary differs from the one in the graph.
        """
        from graphprofile.tags import update_tags_of

        if self._stored_rules() is None:
            return
        require_same_rules(self.vocabulary, self.computed_rules)
        update_tags_of(self.store, self.vocabulary, user_ids)
        if self.models.in_use():
            self.models.embed_some(user_ids, objects)

    def live_batch(self) -> LiveBatch:
        """A batch that stays open, for a service that takes events as they come."""
        from graphprofile.ingest.live import LiveBatch

        self._prepare()
        return LiveBatch(self.store, self.vocabulary)

    def forget_rules(self) -> None:
        """Read the store's rules again when they are next needed: another process may have changed them."""
        before, self._rules = self._rules, None
        now = self._stored_rules()
        if now is None or before is None or now["vocabulary"] != before["vocabulary"]:
            self._models = None
            if now is not None and self.settings.vocabulary is None:
                self.vocabulary = Vocabulary.from_json(now["vocabulary"])

    # --- learning -------------------------------------------------------------------------------------------

    @property
    def models(self) -> Models:
        """The registry of this store's models."""
        if self._models is None:
            from graphprofile.embedding import Models

            self._models = Models(self.store, self.computed_rules, self.settings, self.store_id)
        return self._models

    def train(
        self,
        *,
        seed: int = 0,
        epochs: int | None = None,
        force: bool = False,
        device: str = "auto",
        progress: Callable[[str, int, int | None], None] | None = None,
    ) -> TrainResult:
        """Train a model, compare it with the one in use, and promote it where it is better (or the first).

        Args:
            seed: Same seed, same machine and thread count: same vectors (on a GPU nearly the same).
            epochs: Passes over the users; None takes the default.
            force: Promote even where it is not better.
            device: ``cuda``, ``cpu``, or ``auto``: CUDA where torch finds it.
            progress: Called with (what, done, total).

        Raises:
            UsageError: CUDA is asked for by name and not there.
            TooLittleData: Says how much there is and how much is needed.
            BadVectors: The training ended in NaN, zero or collapsed vectors; nothing was promoted.
        """
        return self.models.train(seed=seed, epochs=epochs, force=force, device=device, progress=progress)

    def embed(self, *, all: bool = False, progress: Progress | None = None) -> EmbedResult:
        """Compute and write the vectors of who changed since (or of all), without training.

        Raises:
            NoModel: Nothing has been trained yet.
        """
        return self.models.embed(all=all, progress=progress)

    # --- reading --------------------------------------------------------------------------------------------

    def profile(self, user_id: str, *, as_of: datetime | str | int | None = None) -> Profile:
        """The profile of one user.

        Args:
            user_id: Whose.
            as_of: A time (datetime, ISO 8601 text or epoch ms); None takes the store's newest event.

        Raises:
            NotFound: No such user.
        """
        return reading.read_profile(self.store, self.computed_rules, known_id(user_id), as_of=moment(as_of))

    def explain(
        self,
        user_id: str,
        *,
        tag: str | None = None,
        item: str | None = None,
        as_of: datetime | str | int | None = None,
    ) -> Explanation:
        """Why a person has a tag, or why an item is recommended.

        Args:
            user_id: Whose.
            tag: ``name`` or ``kind:name``; the paths' contributions sum to the score.
            item: Id of an item or of content; each path says what the score loses without that event.
            as_of: As for :meth:`profile`; for tags.

        Raises:
            NotFound: No such user, tag or item.
            UsageError: Not exactly one of tag and item.
        """
        if (tag is None) == (item is None):
            raise UsageError("Explain takes either a tag or an item.", "Add --tag NAME or --item ID.")
        if tag is not None:
            return reading.explain_tag(
                self.store, self.reading_rules, known_id(user_id), tag, as_of=moment(as_of)
            )
        feedback = self.reading_rules.feedback_of
        return self.models.explain_item(known_id(user_id), known_id(item), feedback)

    def feedback(
        self,
        user_id: str,
        *,
        as_of: datetime | str | int | None = None,
        all: bool = False,
        limit: int = 100,
    ) -> Feedback:
        """Where what a person says (ratings, likes, answers) disagrees with what the person does.

        Args:
            user_id: Whose.
            as_of: As for :meth:`profile`.
            all: Also where both agree, and where there is one of them only.
            limit: At most so many tags, and so many things.

        Raises:
            NotFound: No such user.
        """
        from graphprofile.feedback import read_feedback

        return read_feedback(
            self.store, self.reading_rules, known_id(user_id), as_of=moment(as_of), all=all, limit=limit
        )

    def recommend(
        self,
        user_id: str,
        k: int = 10,
        *,
        kind: str | None = None,
        tags: Sequence[str] = (),
        where: Sequence[Where] = (),
        available: bool = False,
        allow_seen: bool = False,
        diversity: float = 0.0,
        exact: bool = False,
        method: str | None = None,
    ) -> list[Recommendation]:
        """The best items (or content) for one user, with reasons.

        Args:
            user_id: For whom.
            k: How many.
            kind: ``item`` or ``content``; None takes both.
            tags: Each must be there, or a tag that is part of it: ``name`` or ``kind:name``.
            where: Conditions on properties: ``year>=1990``, or ``("year", ">=", 1990)``.
            available: Leave out what is not available (``available_property`` of the settings).
            allow_seen: Also what the user already has.
            diversity: 0 takes the best, 1 the least alike of the best; between them maximal marginal relevance.
            exact: Look at every object instead of asking the vector index.
            method: A classic method of :data:`graphprofile.collaborative.METHODS` instead of the embeddings.

        Raises:
            NotFound: No such user.
            NoModel: Nothing has been trained yet.
            UsageError: An unknown tag, property, operator or method, or a diversity outside 0 to 1.
        """
        return list(
            self.models.recommend(
                known_id(user_id),
                k,
                method=method,
                exact=exact,
                kind=kind,
                allow_seen=allow_seen,
                filters=filters_of(tags, where, available),
                diversity=diversity,
            )
        )

    def recommend_all(
        self,
        out: str | Path,
        k: int = 10,
        *,
        kind: str | None = None,
        tags: Sequence[str] = (),
        where: Sequence[Where] = (),
        available: bool = False,
        allow_seen: bool = False,
        diversity: float = 0.0,
        progress: Progress | None = None,
    ) -> int:
        """Write everybody's recommendations, as :meth:`recommend`, to a Parquet file; returns the number of rows."""
        return self.models.recommend_all(
            Path(out),
            k,
            kind=kind,
            allow_seen=allow_seen,
            filters=filters_of(tags, where, available),
            diversity=diversity,
            progress=progress,
        )

    def predict_ratings(self, user_id: str, items: Sequence[str]) -> list[float]:
        """The ratings a user would give, from all ratings in the graph (biased matrix factorisation).

        Args:
            user_id: Whose.
            items: Ids of items, or of content.

        Raises:
            NotFound: No such user or object.
            UsageError: No event type of the vocabulary holds ratings.
            TooLittleData: Nobody has rated anything.
        """
        return self.models.comparing.predict_ratings(known_id(user_id), [known_id(id_) for id_ in items])

    def similar_users(self, user_id: str, k: int = 10) -> list[Recommendation]:
        """The users nearest to a user."""
        return list(self.models.similar("user", known_id(user_id), k))

    def similar_items(
        self,
        item_id: str,
        k: int = 10,
        *,
        tags: Sequence[str] = (),
        where: Sequence[Where] = (),
        available: bool = False,
        diversity: float = 0.0,
        exact: bool = False,
    ) -> list[Recommendation]:
        """The items (or content) nearest to an item; arguments as for :meth:`recommend`."""
        filters = filters_of(tags, where, available)
        return list(
            self.models.similar(
                "item", known_id(item_id), k, filters=filters, diversity=diversity, exact=exact
            )
        )

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

    def embeddings(self, user_ids: Sequence[str] | None = None) -> Embeddings:
        """Vectors of users with model version, time and status of each; of all users where none is named."""
        return self.models.embeddings(None if user_ids is None else [known_id(id_) for id_ in user_ids])

    def insights(self, name: str | None = None, **parameters: Any) -> list[dict[str, Any]]:
        """Run an insight by its name, or list them all where none is given."""
        from graphprofile.insights import list_insights, run_insight

        if name is None:
            return [insight.to_json() for insight in list_insights()]
        return run_insight(self.store, self.vocabulary, name, **parameters)

    def cypher(
        self, text: str, parameters: Mapping[str, Any] | None = None, *, read_only: bool = True, **named: Any
    ) -> list[dict[str, Any]]:
        """Run a Cypher text of your own; read-only unless told otherwise.

        Args:
            text: One statement.
            parameters: Its parameters.
            read_only: Refuse a text that writes.
            **named: Further parameters.
        """
        return self.store.cypher(text, {**(parameters or {}), **named}, read_only=read_only)

    def query(
        self,
        text: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        rows: int = 1000,
        seconds: float = 15.0,
    ) -> Rows:
        """Run somebody's Cypher text within limits: it may read this graph, and nothing else.

        Args:
            text: One statement.
            parameters: Its parameters.
            rows: At most so many; more are not fetched.
            seconds: After these it is ended, also in the engine.

        Raises:
            QueryTimeout: It took longer.
            QueryTooLarge: It needs more memory than the engine gives, or answers more than 16 MiB.
            UsageError: It does more than read, or cannot be run as it stands.
        """
        return self.store.ask(text, parameters or {}, rows=rows, seconds=seconds)

    def evaluate(self, *, methods: Sequence[str] = (), progress: Progress | None = None) -> dict[str, Any]:
        """The recipe in use beside popularity and item-to-item, scored on the newest part of the events.

        Args:
            methods: What to measure instead: names of :data:`graphprofile.collaborative.METHODS`, and ``model``.
            progress: Called with (what, done, total).

        Raises:
            NoModel: Nothing has been trained yet, and the model is to be measured.
            TooLittleData: No part of the events can be held back.
            UsageError: No such method.
        """
        return self.models.evaluate(methods=methods, progress=progress)

    def drift(self, *, metrics: bool = False, users: int | None = None) -> dict[str, Any]:
        """How far inputs, vectors and metrics are from the last training; see :mod:`graphprofile.drift`.

        Args:
            metrics: Also measure the model in use on the events since its training, and keep the result.
            users: How many users to sample; 20,000 where nothing is said.

        Raises:
            NoModel: Nothing has been trained yet.
            TooLittleData: Metrics were asked for, and too few users have something new.
        """
        return self.models.drift(metrics=metrics, users=users)

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
        return _written(Path(out), build_report(data))

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

        return _written(Path(out), build_quality_report(self.quality(batch)))

    def digest(self) -> str:
        """64 hex digits that are equal where two graphs hold the same, on whichever engine."""
        from graphprofile.digest import digest

        return digest(self.store, self.vocabulary)

    def to_networkx(self, *, events: bool = True, max_events: int = 500_000) -> nx.MultiDiGraph[Any]:
        """The graph in NetworkX.

        Nodes are ``("User", id)``, ``("Item", id)``, ``("Content", id)`` and ``("Tag", kind, name)`` with ``label``
        and the source's properties, edges have their relationship type as ``type``; see
        :func:`graphprofile.networks.to_networkx`.

        Args:
            events: Whether events come along.
            max_events: Largest number of events to be taken; a million of them need about 1 GB.

        Raises:
            UsageError: The graph has more events.
        """
        from graphprofile.networks import to_networkx

        return to_networkx(self.store, self.vocabulary, events=events, max_events=max_events)

    def analyze(self, **options: Any) -> AnalysisResult:
        """Put communities, PageRank and betweenness on the nodes; see :func:`graphprofile.networks.analyze`."""
        from graphprofile.networks import analyze

        self._prepare()
        return analyze(self.store, self.vocabulary, **options)

    def export(
        self,
        format: Literal["graphml", "parquet", "pyg"],
        out: str | Path,
        *,
        events: bool = True,
        interests: bool = True,
        progress: Progress | None = None,
    ) -> ExportResult:
        """Write the graph for another program; see :func:`graphprofile.exchange.export_graph`.

        Args:
            format: ``graphml`` for Gephi and NetworkX, ``parquet`` for tables, ``pyg`` for a ``HeteroData``.
            out: A file; for parquet a folder that is not there yet.
            events: Whether events come along.
            interests: Whether interests come along.
            progress: Called with (what, done, total).

        Raises:
            UsageError: No such format, or it cannot be written there.
        """
        from graphprofile.exchange import export_graph

        return export_graph(
            self.store,
            self.vocabulary,
            format,
            out,
            events=events,
            interests=interests,
            progress=progress,
        )

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


def filters_of(tags: Sequence[str], where: Sequence[Where], available: bool) -> Filters:
    """What a recommendation must meet; one text alone is taken as one.

    Raises:
        UsageError: Something is no tag.
    """
    from graphprofile.filters import Filters

    names = [tags] if isinstance(tags, str) else list(tags)
    for name in names:
        if not isinstance(name, str) or not name.strip():
            raise UsageError(f"{name!r} is no tag.", "Give NAME or KIND:NAME.")
    asked = [where] if isinstance(where, str) else list(where)
    return Filters(tuple(names), tuple(asked), available)


def _written(path: Path, text: str) -> Path:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(
            f"{path}: cannot be written: {error.strerror or error}.", "Name another file."
        ) from error
    return path


def known_id(value: Any) -> str:
    """An id as the graph holds it: trimmed text; whole numbers are taken as their digits.

    Raises:
        UsageError: It is no id.
    """
    if isinstance(value, str) and value.strip():
        return value.strip()
    if isinstance(value, int | float) and not isinstance(value, bool) and value == int(value):
        return str(int(value))
    if hasattr(value, "item"):
        return known_id(value.item())
    raise UsageError(f"{value!r} is no id.", "Ids are text or whole numbers.")


def moment(value: datetime | str | int | None) -> int | None:
    """A time given by a person, as epoch ms.

    Raises:
        UsageError: It cannot be read as a time.
    """
    if value is None:
        return None
    try:
        return epoch_ms(value)
    except ValueError as error:
        raise UsageError(
            f"{value!r} is no time.", "Write it like 1925-03-01 or 2024-05-06T07:08:09Z."
        ) from error
