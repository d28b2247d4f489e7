"""The one HTTP API on loopback, and its client."""
