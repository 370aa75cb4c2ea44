"""The connection to a graph engine: ArcadeDB embedded, or Neo4j by its URI."""

from graphprofile.store.connection import Store
from graphprofile.store.transaction import Transaction

__all__ = ["Store", "Transaction"]
