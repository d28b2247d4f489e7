"""Failures of the names beside a photo."""

from agent.domain.errors.error_tree import AgentError


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
