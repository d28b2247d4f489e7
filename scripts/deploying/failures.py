"""What stops a deployment."""


class Failed(Exception):
    """Its message says what is in the way, and what to do about it."""
