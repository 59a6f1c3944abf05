"""The store: projects, scenarios and every step of every plan, in one SQLite file.

:class:`store.projects.Store` is all that pages and commands need; ``docs/store.md`` says what the
file holds and what it promises.
"""
