"""The steps from the schema of the first release to today's, for Alembic.

They begin with a baseline that no database is taken through: `schema.create` makes the tables of a new library, and a library of an
earlier release has those of the baseline or of a later step. What is older is refused (docs/decisions/0108).

Each says its `kind`. After an `expand` step the programs before it still work: it only adds what they can ignore (tables, columns that may
be empty or have a default, indices), and later programs cope with rows that the older ones write. A `contract` step takes something away
or changes its meaning. It names in `works_from` the oldest schema revision whose program works after it; without that, only its own. Ship
it in a release after the one that stopped to need what it removes, and a rollback by one release stays possible without a restore.

A `contract` step with `deferred = True` is one without which the program that ships it works too (`SERVES_FROM` in
`agent/infrastructure/store/schema.py`
names the step before). It has to be among the newest. A deployment leaves it for later: until then the version before can still come back.
"""
