"""The Cypher files; read them through :mod:`graphprofile.queries`."""
