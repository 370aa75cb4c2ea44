"""The graph in NetworkX: for use elsewhere, for measures among the insights, and for properties written back."""

from graphprofile.networks.analysis import AnalysisResult, analyze
from graphprofile.networks.catalogue import MEASURES, Measure
from graphprofile.networks.measures import bridges, centrality, communities, influencers
from graphprofile.networks.reading import to_networkx

__all__ = [
    "MEASURES",
    "AnalysisResult",
    "Measure",
    "analyze",
    "bridges",
    "centrality",
    "communities",
    "influencers",
    "to_networkx",
]
