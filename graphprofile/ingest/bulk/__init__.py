"""The bulk path: years of history into an empty store, through the engine's own importer."""
