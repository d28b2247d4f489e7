"""Messages to people who run a server: by e-mail, webhook and ntfy, sent at least once."""
