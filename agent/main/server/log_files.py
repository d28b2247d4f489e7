"""The names of a server's logs: here, so that commands beside a server need not load all of it."""

SERVER_LOG, POSTGRES_LOG = "server.log", "postgres.log"
