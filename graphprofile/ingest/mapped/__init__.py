"""A source's own columns, cleaned and mapped as a file declares it: ``graphprofile load FILE --mapping shop.toml``."""
