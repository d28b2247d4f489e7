"""Failures of albums."""

from agent.domain.errors.error_tree import AgentError


class AlbumError(AgentError):
    """An album can't be shown or changed that way."""


class AlbumUnknown(AlbumError):
    code = "album.unknown"


class AlbumPhotoUnknown(AlbumError):
    """A file that is to be added is not in the library."""

    code = "album.photo_unknown"


class AlbumByRule(AlbumError):
    """Photos can't be added to, moved in or taken out of an album of people: it follows their names."""

    code = "album.by_rule"
