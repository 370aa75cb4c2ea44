"""The connection to a graph engine: ArcadeDB embedded, or Neo4j by its URI."""

from graphprofile.store.connection import Store, Transaction

__all__ = ["Store", "Transaction"]
