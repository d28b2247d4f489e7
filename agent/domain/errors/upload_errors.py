"""Failures of uploads to a team server."""

from agent.domain.errors.error_tree import AgentError


class UploadError(AgentError):
    """A photo can't be taken from a browser."""


class UploadTooLarge(UploadError):
    """Parameters: `megabytes` of the file, `limit`."""

    code = "upload.too_large"


class UploadNoRoom(UploadError):
    """The disk, or the room for uploads, is full. Parameter: `limit` in GB, if it is the room for uploads."""

    code = "upload.no_room"


class UploadShare(UploadError):
    """A member's unfinished ones would take more than half of the room together."""

    code = "upload.share"


class UploadsTooMany(UploadError):
    """Unfinished ones of one member. Parameter: `limit`."""

    code = "upload.too_many"


class UploadType(UploadError):
    """By its name or by its content it is no photo and no video."""

    code = "upload.type"


class UploadLibrary(UploadError):
    """It isn't said to which of several libraries the upload goes, or that one is out of reach."""

    code = "upload.library"


class UploadGone(UploadError):
    """Finished long ago, removed, expired, or another member's."""

    code = "upload.gone"


class UploadOffset(UploadError):
    """The part does not begin where the last one ended. Parameter: `offset`, where it has to begin."""

    code = "upload.offset"


class UploadChecksum(UploadError):
    """A part arrived damaged."""

    code = "upload.checksum"


class UploadProtocol(UploadError):
    """A request that isn't of the protocol tus 1.0. Parameter: `header`, which is wrong or missing."""

    code = "upload.protocol"


class UploadUnwritable(UploadError):
    """The folder of uploads can't be written to."""

    code = "upload.unwritable"
