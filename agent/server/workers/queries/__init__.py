"""The workers room's SQL. It runs on PostgreSQL alone."""
