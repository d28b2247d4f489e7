"""Buckets of an object store (S3 protocol) as sources of a team server. Only the server's and its workers' processes import this."""
