"""What differs between the two engines, all of it: error codes, the vector index, the read-only guarantee."""

from __future__ import annotations

import math
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

from neo4j.exceptions import (
    AuthError,
    DriverError,
    IncompleteCommit,
    Neo4jError,
    ServiceUnavailable,
    SessionExpired,
)

from graphprofile.errors import (
    AuthenticationFailed,
    ConstraintViolated,
    EngineError,
    EngineUnavailable,
    UsageError,
)

VECTOR_LABELS = ("User", "Item", "Content")
INDEX_POLL_SECONDS = 0.2
Run = Callable[[str, dict[str, Any]], list[dict[str, Any]]]

_CONSTRAINT = re.compile(r"ConstraintValidationFailed|ConstraintViolation")
_MADE_MEANWHILE = re.compile(r"EquivalentSchemaRuleAlreadyExists|IndexWithNameAlreadyExists")
_STATEMENT = re.compile(r"\.Statement\.|\.Schema\.")
_WRITE_CLAUSE = re.compile(
    r"(?<![.:$\w])(CREATE|MERGE|SET|DELETE|DETACH|REMOVE|FOREACH|DROP|ALTER|LOAD\s+CSV|"
    r"IN\s+(?:\S+\s+)?(?:CONCURRENT\s+)?TRANSACTIONS)\b(?!\s*[:.)\]=,])",
    re.IGNORECASE,
)
_ESCAPE = re.compile(r"\\u+([0-9a-fA-F]{4})")
# Blanks for Neo4j, and none for this language.
_BLANK = re.compile("[\u180e\u200b\u2060\ufeff]")
_OPAQUE = {
    "'": r"'(?:\\.|[^'\\])*(?P<end1>'|\\?\Z)",
    '"': r'"(?:\\.|[^"\\])*(?P<end2>"|\\?\Z)',
    "`": r"`[^`]*(?P<end3>`|\Z)",
    "/*": r"/\*.*?(?P<end4>\*/|\Z)",
    "//": r"//[^\n]*",
}
"""What hides a text from the language, by what it begins with; up to the end of all where it is never closed."""


def write_clause(statement: str, *, only: str = "") -> str | None:
    """The first clause of a Cypher text that writes, None for a text that only reads.

    Strings, quoted names and comments are looked over. Errs on the side of finding one: a variable named
    ``set`` has to stand in back-ticks.

    Args:
        statement: The Cypher text.
        only: Look for clauses that end on this word alone.
    """
    for text in readings(statement):
        for found in _WRITE_CLAUSE.finditer(text):
            clause = re.sub(r"\s+", " ", found.group(1)).upper()
            if clause.endswith(only):
                return clause
    return None


def readings(statement: str) -> list[str]:
    """A Cypher text as an engine may read it: ``''`` for strings and quoted names, a blank for comments and blanks."""
    # Neo4j reads \uXXXX as that character before anything else: a letter of a clause, or the end of a string.
    read_so = _ESCAPE.sub(lambda found: chr(int(found.group(1), 16)), statement)
    return [_without_opaque(_BLANK.sub(" ", text)) for text in dict.fromkeys((statement, read_so))]


def _without_opaque(text: str) -> str:
    """A text with what is opaque in it taken out."""
    kept: list[str] = []
    begins, at = tuple(_OPAQUE), 0
    while found := _opaque(begins).search(text, at):
        begin = next(one for one in begins if found.group().startswith(one))
        kept.append(text[at : found.start()])
        if begin == "//" or found.group(found.lastgroup or 0) not in ("", "\\"):
            kept.append(" " if begin.startswith("/") else "''")
            at = found.end()
            continue
        # Never closed, it hides nothing; nor does a later one of its kind, each of which would be sought to the end.
        kept.append(begin)
        at = found.start() + len(begin)
        begins = tuple(one for one in begins if one != begin)
    return "".join([*kept, text[at:]])


@cache
def _opaque(begins: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(_OPAQUE[one] for one in begins), re.DOTALL)


def connection_lost(error: Exception) -> bool:
    """Whether the connection is gone, as opposed to a statement that failed."""
    if isinstance(error, IncompleteCommit):
        return True
    return isinstance(error, (ServiceUnavailable, SessionExpired, OSError)) or (
        isinstance(error, DriverError) and "defunct" in str(error).lower()
    )


class Engine(ABC):
    """One kind of graph engine behind Bolt.

    Attributes:
        name: ``arcadedb`` or ``neo4j``, as shown to people and programs.
        looks_up_relationships: Whether Cypher finds a relationship by a unique property through its index;
            otherwise the pattern is a scan, and a look-up goes through the user.
        violations_race: Whether a violation found at commit may be a race, settled by repeating.
        writers: How many transactions of one load are worth writing side by side.
        builds_vector_index_at_once: Whether a vector index answers sooner when it was made over all vectors than when
            it was kept up while they were written (making it takes longer).
        cannot_hold: Kinds of property value (see :mod:`graphprofile.store.values`) it has no place for.
    """

    name: str
    looks_up_relationships: bool
    violations_race: bool
    writers: int
    builds_vector_index_at_once: bool
    cannot_hold: frozenset[str]

    def transient(self, error: Exception) -> bool:
        """Whether the same transaction may well succeed when it is repeated."""
        return isinstance(error, Neo4jError) and error.is_retryable()

    def violates(self, error: Exception) -> bool:
        """Whether a uniqueness constraint objected."""
        return isinstance(error, Neo4jError) and _CONSTRAINT.search(error.code or "") is not None

    def made_meanwhile(self, error: Exception) -> bool:
        """Whether another process has just made the very constraint or index that was to be made.

        ``IF NOT EXISTS`` looks before it locks, so of two processes at the same moment one may hear this.
        """
        return isinstance(error, Neo4jError) and _MADE_MEANWHILE.search(error.code or "") is not None

    @abstractmethod
    def drop_unfinished(self, run: Run) -> None:
        """Remove what is left of a constraint whose making was interrupted."""

    @abstractmethod
    def await_indexes(self, run: Run) -> None:
        """Return when all indexes can be used."""

    def translate(self, error: Exception, where: str, uri: str) -> EngineError | UsageError:
        """The project's own error for a driver's.

        Args:
            error: What the driver raised.
            where: What was being done, e.g. ``query tags/list_due``.
            uri: Address of the engine.
        """
        code = getattr(error, "code", None) or ""
        text = " ".join(str(getattr(error, "message", None) or error).split())
        if isinstance(error, AuthError):
            return AuthenticationFailed(
                f"{uri} refused user or password.",
                "Set GRAPHPROFILE_USER and GRAPHPROFILE_PASSWORD, or use --user and --password-file.",
            )
        if connection_lost(error):
            return EngineUnavailable(
                f"No graph engine answers at {uri}: {text}",
                "Start Neo4j (`docker compose up -d neo4j`, or `make neo4j`) or mend the URI; "
                "without a URI the embedded engine is used.",
            )
        if "DatabaseNotFound" in code:
            return EngineError(
                f"{uri} has no such database: {text}.", "Mend GRAPHPROFILE_DATABASE or --database."
            )
        if self.violates(error):
            return ConstraintViolated(f"{where}: {text}", "Something with the same id is there already.")
        return EngineError(f"{where}: {text}", f"The engine's code is {code}." if code else None)

    def translate_own(self, error: Exception, uri: str) -> EngineError | UsageError:
        """As :meth:`translate`, for a text that the user wrote: what is wrong with it is a usage error."""
        code = getattr(error, "code", None) or ""
        if "AccessMode" in code:
            return writes_refused("the engine found a write")
        if isinstance(error, Neo4jError) and _STATEMENT.search(code) and not self.violates(error):
            text = " ".join(str(error.message).split())
            return UsageError(f"The query failed: {text}", "Mend the Cypher text or its parameters.")
        return self.translate(error, "query", uri)

    @abstractmethod
    def refuse_writes(self, statement: str) -> None:
        """Raise UsageError for a text that writes, where the engine would not refuse it itself."""

    @abstractmethod
    def vector_index_name(self, label: str) -> str:
        """What ``db.index.vector.queryNodes`` calls the index over ``label.embedding``."""

    def cosine(self, score: float) -> float:
        """The cosine in [-1, 1] for the score that the index gives, (1 + cosine) / 2 on both."""
        return 2.0 * score - 1.0


class Neo4j(Engine):
    """Neo4j 5, and what speaks exactly like it."""

    name = "neo4j"
    looks_up_relationships = True
    violations_race = False
    writers = 2
    builds_vector_index_at_once = True
    cannot_hold = frozenset({"map", "list of lists", "mixed list"})

    def refuse_writes(self, statement: str) -> None:
        """Nothing to do: a read transaction cannot write on Neo4j; only files are kept out of reach here."""
        if write_clause(statement, only="CSV"):
            raise writes_refused("LOAD CSV")

    def vector_index_name(self, label: str) -> str:
        """A name of the project's own."""
        return f"graphprofile_{label.lower()}_embedding"

    def drop_unfinished(self, run: Run) -> None:
        """A server killed while it makes a constraint keeps the index of it, and then refuses to make it again.

        The index of a constraint that is being made right now looks the same, so nothing is dropped meanwhile.
        """
        left = run(
            "SHOW INDEXES YIELD name, owningConstraint "
            "WHERE owningConstraint IS NULL AND name STARTS WITH 'constraint_' RETURN name",
            {},
        )
        making = left and run(
            "SHOW TRANSACTIONS YIELD currentQuery WHERE currentQuery CONTAINS 'CREATE CONSTRAINT' "
            "AND NOT currentQuery STARTS WITH 'SHOW TRANSACTIONS' RETURN currentQuery",
            {},
        )
        for row in () if making else left:
            # Refused where the constraint has come to its end in between.
            with suppress(EngineError):
                run(f"DROP INDEX `{row['name'].replace('`', '``')}` IF EXISTS", {})

    def await_indexes(self, run: Run) -> None:
        """Indexes are filled in the background."""
        run("CALL db.awaitIndexes(600)", {})

    def runaways(self, run: Run) -> int:
        """Limited transactions (:mod:`graphprofile.store.limits`) that were ended and are there still."""
        text = (
            "SHOW TRANSACTIONS YIELD metaData, status WHERE metaData.graphprofile = 'limited' "
            "AND status STARTS WITH 'Terminated' RETURN status"
        )
        return len(run(text, {}))

    def create_vector_index(self, run: Run, label: str, dimensions: int) -> bool:
        """Make the index, or remake it for other dimensions.

        Returns:
            Whether anything had to be done.
        """
        name = self.vector_index_name(label)
        text = "SHOW INDEXES YIELD name, state, options WHERE name = $name RETURN state, options"
        found = run(text, {"name": name})
        if found:
            fits = found[0]["options"]["indexConfig"].get("vector.dimensions") == dimensions
            if fits and found[0]["state"] != "FAILED":
                self._await_index(run, name)
                return False
            run(f"DROP INDEX `{name}` IF EXISTS", {})
        # A label and the numbers of an index cannot be parameters; both are checked by the caller.
        # Quantization, on by default, costs recall and the third digit of every score.
        run(
            f"CREATE VECTOR INDEX `{name}` IF NOT EXISTS FOR (n:{label}) ON (n.embedding) "
            f"OPTIONS {{indexConfig: {{`vector.dimensions`: {int(dimensions)}, "
            "`vector.similarity_function`: 'cosine', `vector.quantization.enabled`: false, "
            "`vector.hnsw.m`: 32, `vector.hnsw.ef_construction`: 200}}",
            {},
        )
        self._await_index(run, name)
        return True

    def drop_vector_index(self, run: Run, label: str) -> None:
        """Remove the index, if there is one."""
        run(f"DROP INDEX `{self.vector_index_name(label)}` IF EXISTS", {})

    def _await_index(self, run: Run, name: str) -> None:
        """Return when an index can be used, however long that takes."""
        found = "SHOW INDEXES YIELD name, state WHERE name = $name RETURN state"
        while state := run(found, {"name": name}):
            if state[0]["state"] == "ONLINE":
                return
            if state[0]["state"] == "FAILED":
                raise EngineError(
                    f"The engine could not make the index {name}.",
                    "Its log says why; drop the index and repeat.",
                )
            time.sleep(INDEX_POLL_SECONDS)
        raise EngineError(f"The index {name} was dropped while it was made.", "Repeat the command.")


class ArcadeDB(Engine):
    """ArcadeDB serving Bolt."""

    name = "arcadedb"
    looks_up_relationships = False
    violations_race = True
    writers = 1
    builds_vector_index_at_once = False
    cannot_hold = frozenset({"map"})

    def transient(self, error: Exception) -> bool:
        """Also what the engine says when two writers met."""
        if super().transient(error):
            return True
        text = str(error)
        return isinstance(error, Neo4jError) and (
            "retry the operation" in text or "ConcurrentModification" in text or "NeedRetry" in text
        )

    def drop_unfinished(self, run: Run) -> None:
        """This engine leaves nothing."""

    def await_indexes(self, run: Run) -> None:
        """They can be used once they are made."""

    def refuse_writes(self, statement: str) -> None:
        """Read the text: this engine writes in read transactions, and makes types outside of any."""
        clause = write_clause(statement)
        if clause:
            raise writes_refused(clause)

    def vector_index_name(self, label: str) -> str:
        """The engine names indexes after type and property."""
        return f"{label}[embedding]"


def writes_refused(clause: str, allow: str | None = "Allow it (`--write`, or read_only=False)") -> UsageError:
    """The error for a text that writes where only reading was asked for.

    Args:
        clause: What writes.
        allow: How it may be allowed, None where it cannot.
    """
    quote = "ut a name that looks like a clause in back-ticks."
    return UsageError(
        f"The query writes ({clause}), but only reading was asked for.",
        f"{allow}, or p{quote}" if allow else f"P{quote}",
    )


def engine_of(agent: str) -> Engine:
    """The engine behind a server's agent string."""
    return ArcadeDB() if "arcadedb" in agent.lower() else Neo4j()


def check_vector(vector: list[float]) -> list[float]:
    """A vector fit for search.

    Raises:
        UsageError: Empty, zero, NaN or infinite.
    """
    if not vector or not all(math.isfinite(value) for value in vector) or not any(vector):
        raise UsageError("A vector for search must be finite and not zero.")
    return vector
