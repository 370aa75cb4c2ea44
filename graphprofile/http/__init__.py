"""The HTTP service: handlers are thin, and call the same methods as the command line and a notebook."""
