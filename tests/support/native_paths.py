"""Paths as tests write them, turned into those of the system that runs the tests."""

import os


def native(path: str) -> str:
    """Replace slashes by the system's own separator."""
    return path.replace("/", os.sep)
