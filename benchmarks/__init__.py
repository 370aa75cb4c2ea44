"""Figures, printed by hand: ``make bench``."""
