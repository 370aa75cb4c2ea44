"""A graph that is open: its engine, its rules, its models."""

from __future__ import annotations

import uuid
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from graphprofile import settings as settings_module
from graphprofile.errors import NotFound, StoreMismatch
from graphprofile.migrations import check_version
from graphprofile.records import InitResult
from graphprofile.settings import Settings
from graphprofile.store import Store
from graphprofile.tags import require_same_rules
from graphprofile.vocabulary import Vocabulary

if TYPE_CHECKING:
    from graphprofile.embedding import Models


SCHEMA_VERSION = 3


class Opened:
    """What every other part of :class:`graphprofile.GraphProfile` stands on."""

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
    def open(cls, uri: str | None = None, *, config: str | Path | None = None, **arguments: Any) -> Self:
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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

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

    def forget_rules(self) -> None:
        """Read the store's rules again when they are next needed: another process may have changed them."""
        before, self._rules = self._rules, None
        now = self._stored_rules()
        if now is None or before is None or now["vocabulary"] != before["vocabulary"]:
            self._models = None
            if now is not None and self.settings.vocabulary is None:
                self.vocabulary = Vocabulary.from_json(now["vocabulary"])

    @property
    def models(self) -> Models:
        """The registry of this store's models."""
        if self._models is None:
            from graphprofile.embedding import Models

            self._models = Models(self.store, self.computed_rules, self.settings, self.store_id)
        return self._models
