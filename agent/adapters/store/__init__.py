"""The encrypted library of images, faces, people and jobs."""

from agent.adapters.store.library import SqliteLibrary

__all__ = ["SqliteLibrary"]
