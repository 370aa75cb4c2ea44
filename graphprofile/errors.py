"""Every error graphprofile raises on purpose.

The tree::

    GraphProfileError
    ├── UsageError              the call itself is wrong (bad argument, unknown name)
    │   ├── UnknownProperty     a condition asks about a property that no node has
    │   └── Forbidden           the API key does not have the scope
    ├── ConfigError             settings or the vocabulary cannot be used
    ├── SourceError             a source cannot be read at all (single bad rows are quarantined instead)
    ├── BatchRefused            a declared threshold of data quality was passed: nothing was written
    ├── EngineError             the graph engine refused or failed
    │   ├── EngineUnavailable   nobody answers at the address
    │   ├── AuthenticationFailed
    │   ├── ConstraintViolated  a uniqueness constraint objected
    │   ├── RetriesExhausted    transient errors or write conflicts went on past the bound
    │   ├── NoVectorIndex       there is no vector index over a label
    │   ├── QueryTimeout        a query took longer than it was given
    │   ├── QueryTooLarge       a query needs more memory than the engine gives, or answers more than is taken
    │   ├── BatchTakenOver      another process goes on with the batch
    │   └── StoreMismatch       the store was written under other rules (schema version, vocabulary)
    ├── NotFound                an id or name the graph does not hold
    ├── BackupError             a backup cannot be written, read or restored
    ├── Busy                    what may happen once at a time happens already
    └── ModelError              training, embedding or the model registry
        ├── NoModel             nothing has been trained yet
        ├── TooLittleData       too few users, items or events to train on
        ├── BadVectors          NaN, zero or collapsed vectors: refused
        └── RegistryCorrupt     a saved model cannot be read back

A message says what is wrong and where; ``hint`` says what to do next; ``code`` is stable for programs.
"""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches


class GraphProfileError(Exception):
    """Base of all errors raised on purpose.

    Args:
        message: What is wrong and where (file, line, field, id).
        hint: What to do next, as a sentence, or None.
    """

    code = "failed"

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(GraphProfileError):
    """The call itself is wrong: a bad argument or an unknown name."""

    code = "usage"


class UnknownProperty(UsageError):
    """A condition asks about a property that no node has.

    Args:
        said: What the condition is called, with the name of the property.
        called: What would have it: ``user``, ``item or content``.
        name: Of the property.
        known: Names of the properties there are.
    """

    code = "unknown_property"

    def __init__(self, said: str, called: str, name: str, known: Collection[str]) -> None:
        near = get_close_matches(name, sorted(known), n=1)
        super().__init__(
            f"{said}: no {called} has such a property.",
            (f"Did you mean {near[0]}? " if near else "")
            + f"There are: {', '.join(sorted(known)) or 'none'}.",
        )
        self._told = said, called, name, frozenset(known)

    def to_one_who_may_not_see(self, hidden: Collection[str]) -> UnknownProperty:
        """The same, without a word of these properties."""
        said, called, name, known = self._told
        return UnknownProperty(said, called, name, known - set(hidden))


class Forbidden(UsageError):
    """The API key does not have the scope, or may not see a property."""

    code = "forbidden"


class ConfigError(GraphProfileError):
    """Settings or the vocabulary cannot be used."""

    code = "config"


class SourceError(GraphProfileError):
    """A source cannot be read at all."""

    code = "source"


class BatchRefused(GraphProfileError):
    """A batch does not meet the declared thresholds of data quality; nothing of it was written."""

    code = "batch_refused"


class EngineError(GraphProfileError):
    """The graph engine refused or failed."""

    code = "engine"


class EngineUnavailable(EngineError):
    """Nobody answers at the engine's address."""

    code = "engine_unavailable"


class AuthenticationFailed(EngineError):
    """The engine refused user or password."""

    code = "authentication_failed"


class ConstraintViolated(EngineError):
    """A uniqueness constraint objected to a write."""

    code = "constraint_violated"


class RetriesExhausted(EngineError):
    """Transient errors or write conflicts went on past the bound."""

    code = "retries_exhausted"


class NoVectorIndex(EngineError):
    """There is no vector index over a label."""

    code = "no_vector_index"


class QueryTimeout(EngineError):
    """A query took longer than it was given, and was ended."""

    code = "query_timeout"


class QueryTooLarge(EngineError):
    """A query needs more memory than the engine gives, or answers more than is taken."""

    code = "query_too_large"


class BatchTakenOver(EngineError):
    """Another process goes on with the batch that this one began."""

    code = "batch_taken_over"


class StoreMismatch(EngineError):
    """The store was written under other rules than the ones in use now."""

    code = "store_mismatch"


class NotFound(GraphProfileError):
    """An id or a name that the graph does not hold."""

    code = "not_found"


class BackupError(GraphProfileError):
    """A backup cannot be written, read or restored."""

    code = "backup"


class Busy(GraphProfileError):
    """What may happen once at a time happens already."""

    code = "busy"


class ModelError(GraphProfileError):
    """Training, embedding or the model registry."""

    code = "model"


class NoModel(ModelError):
    """Nothing has been trained yet."""

    code = "no_model"


class TooLittleData(ModelError):
    """Too few users, items or events to train on."""

    code = "too_little_data"


class BadVectors(ModelError):
    """Vectors that are NaN, zero or nearly all alike."""

    code = "bad_vectors"


class RegistryCorrupt(ModelError):
    """A saved model cannot be read back."""

    code = "registry_corrupt"
