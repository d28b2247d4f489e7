"""The toolkit of the HTTP API: the guard, sessions, error responses and the client."""
