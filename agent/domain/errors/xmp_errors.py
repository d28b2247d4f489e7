"""What can be wrong with the names beside a photo."""

from agent.domain.errors.error_tree import AgentError


class XmpError(AgentError):
    """The names that other programs keep with a photo can't be read or written."""


class XmpMalformed(XmpError):
    """Not XMP: not well-formed, in no encoding we know, or with a document type, which XMP never has."""

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
    """A link in the sidecar's place that leads to no sidecar of the same watched folder: nothing is written through it."""

    code = "xmp.linked"


class XmpDiskFull(XmpError):
    code = "xmp.disk_full"


class XmpChanging(XmpError):
    """Another program wrote the sidecar each time we were about to."""

    code = "xmp.changing"


class XmpOtherImage(XmpError):
    """The regions in it were made for an image of other proportions: names of two images must not be mixed."""

    code = "xmp.other_image"
