"""What can be wrong with one image: the rest goes on."""

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
    """Parameter `video` is set for a video that was scanned."""

    code = "image.unsupported"


class ImageTooLarge(ImageError):
    """Parameters: `megapixels` or `megabytes`, and the `limit` that was passed, in the same unit.

    Of a HEIC, whose limit is lower than the setting's if that is high, also `needed`: what the setting must be.
    """

    code = "image.too_large"


class ImageChanged(ImageError):
    """The file was written to while it was read: it is taken again once it is steady."""

    code = "image.changed"


class ImageOnlineOnly(ImageError):
    """The file's content lies in a cloud; reading it would fetch it, so it waits until somebody asks."""

    code = "image.online_only"
