"""Which watched folder a client means by the path it was told."""

from collections.abc import Sequence

from agent.core.settings import Folder, root_of
from agent.domain.path_text import printable


def root_meant(path: str, folders: Sequence[Folder]) -> str:
    """The absolute path. Folders go by their path as the settings have it, or whole, with question marks for what is no text."""
    return next((folder.root for folder in folders if path in (printable(folder.path), printable(folder.root))), root_of(path))
