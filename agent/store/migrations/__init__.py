"""The steps by which the library's schema came to be, for Alembic."""
