"""Failures of one image, and of the names beside it: the other images are not affected."""

from agent.domain.errors.error_tree import AgentError


class ImageError(AgentError):
    """One image could not be analysed. Parameter `upload` is set for one that was sent only to be looked at, and is not kept."""


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


class XmpError(AgentError):
    """The names that other programs store with a photo can't be read or written."""


class XmpMalformed(XmpError):
    """Not XMP: not well-formed, in an unknown encoding, or with a document type, which XMP never has."""

    code = "xmp.malformed"


class XmpTooLarge(XmpError):
    """More bytes, elements or regions than a photo ever has."""

    code = "xmp.too_large"


class XmpUnreadable(XmpError):
    code = "xmp.unreadable"


class XmpUnwritable(XmpError):
    """Read-only: the sidecar, its folder or the disk."""

    code = "xmp.unwritable"


class XmpLinked(XmpError):
    """A link in the sidecar's place leads to no sidecar of the same watched folder: nothing is written through it."""

    code = "xmp.linked"


class XmpDiskFull(XmpError):
    code = "xmp.disk_full"


class XmpChanging(XmpError):
    """Another program wrote the sidecar each time before this program could."""

    code = "xmp.changing"


class XmpOtherImage(XmpError):
    """The regions were made for an image with another aspect ratio: names of two images must not be mixed."""

    code = "xmp.other_image"
