"""Heterogeneous GraphSAGE embeddings: training, evaluation, and the registry of models.

Importing this package imports neither torch nor PyTorch Geometric; training does.
"""
