"""The page: what a person sees at ``/``, rendered here and made lively by htmx, Plotly and Cytoscape.

A page is a route in ``routes_*.py`` that reads documents and gives them to :func:`site.page` with a template. There
they are masked as every document is, so a template can show whatever it is given. Fragments, which htmx puts into a
page that is already open, are routes too, with :func:`site.fragment`. Scripts and styles lie in ``static`` and are
the only ones a browser is allowed to run: no inline script, no ``style`` element, nothing from elsewhere.
"""
