"""Photos that members of a team send from their browsers, in parts that a broken connection can't lose. A server's only."""
