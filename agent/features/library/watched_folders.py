"""Resolves paths to watched folders, and finds files in muted ones."""

import asyncio
from collections.abc import Sequence

from agent.domain.errors import NotFound
from agent.domain.path_text import is_remote, printable
from agent.features.library.queries.library_queries import LibraryQueries
from agent.infrastructure.core.access_scope import current_scope
from agent.infrastructure.core.settings import Folder, folder_of, root_of
from agent.infrastructure.core.user_paths import known_path


def resolve_root(path: str, folders: Sequence[Folder]) -> str:
    """Return the absolute path. Folders are given by their path in the settings, or absolute, with question marks for invalid text.

    Members of a team name them as they see them. Raises NotFound for any other.
    """
    if (reach := current_scope()) is not None:
        if (found := reach.meant(path)) is None:
            raise NotFound
        return found
    if is_remote(path):
        return path.rstrip("/")
    named = (folder.root for folder in folders if path in (printable(folder.path), printable(folder.root)))
    return next(named, None) or known_path(full := root_of(path), (folder.root for folder in folders)) or full


async def loud(library: LibraryQueries, folders: Sequence[Folder], place_ids: Sequence[int]) -> list[int]:
    """Return those of the files that are in no muted folder. Raises StoreError."""
    if not any(folder.muted for folder in folders):
        return list(place_ids)

    def is_loud(place_id: int) -> bool:
        place = library.place_by_id(place_id)
        folder = folder_of(place.path, folders) if place is not None else None
        return folder is None or not folder.muted

    return await asyncio.to_thread(lambda: [place_id for place_id in place_ids if is_loud(place_id)])
