"""The toolkit of the HTTP API: the guard, sessions, errors as answers, and the client."""
