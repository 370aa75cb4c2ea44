"""The graph for other programs, and what they compute brought back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from graphprofile.profiles.opened import Opened
from graphprofile.records import Progress

if TYPE_CHECKING:
    import networkx as nx

    from graphprofile.exchange import ExportResult
    from graphprofile.networks import AnalysisResult


class Exchanging(Opened):
    """NetworkX, and files."""

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
