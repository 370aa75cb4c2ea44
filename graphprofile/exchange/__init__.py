"""The graph for other programs: GraphML for Gephi and NetworkX, Parquet tables, a HeteroData for PyG."""

from graphprofile.exchange.write import FORMATS, ExportResult, export_graph

__all__ = ["FORMATS", "ExportResult", "export_graph"]
