"""Loaders: one module per source, each turning the source's files into the generic columns.

A loader has a ``name``, a one-line ``summary``, the ``time_zone`` of times that name none, and two methods:
``sources`` lists the files to read, ``transform`` turns a frame of the source's columns into the generic
ones, row by row, with the reason for a row it cannot use in the column ``_reject`` (``field: reason``), and
the reason for one that it leaves out on purpose in ``_skip``. It is found through the entry-point group
``graphprofile.loaders``, so another package can bring its own.
"""
