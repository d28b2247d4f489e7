"""The child process that decodes and infers, and the pool that runs it."""
