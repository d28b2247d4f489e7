"""Failures of one image: the other images are not affected."""

from agent.domain.errors.error_tree import AgentError


class ImageError(AgentError):
    """One image could not be analysed."""


class ImageMissing(ImageError):
    code = "image.missing"


class ImageUnreadable(ImageError):
    code = "image.unreadable"


class ImageEmpty(ImageError):
    code = "image.empty"


class ImageTruncated(ImageError):
    code = "image.truncated"


class ImageCorrupt(ImageError):
    code = "image.corrupt"


class ImageUnsupported(ImageError):
    """The file can't be read. Parameter `video` is set for a video that was scanned."""

    code = "image.unsupported"


class ImageTooLarge(ImageError):
    """The image exceeds a limit. Parameters: `megapixels` or `megabytes`, and the `limit`, in the same unit.

    For a HEIC, whose limit may be lower than the setting's, also `needed`: the setting that would allow it.
    """

    code = "image.too_large"


class ImageChanged(ImageError):
    """The file was written while it was read: it is read again once it no longer changes."""

    code = "image.changed"


class ImageOnlineOnly(ImageError):
    """The file's content is in a cloud; reading would download it, so it waits for a request."""

    code = "image.online_only"
