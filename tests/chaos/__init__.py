"""Faults while loading: what must hold after each of them, on both engines."""
