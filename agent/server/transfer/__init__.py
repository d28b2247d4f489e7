"""Moves a library between a desktop and a team server, row by row, with proof. It knows nothing of PostgreSQL: only its caller does."""
