"""The encrypted library of images, faces, people and jobs."""

from agent.adapters.store.library import SqliteLibrary
from agent.adapters.store.opening import open_library

__all__ = ["SqliteLibrary", "open_library"]
