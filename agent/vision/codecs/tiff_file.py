"""Pillow's reader of TIFF, led past the layouts that it decodes wrongly."""

from PIL import TiffImagePlugin

_PLANAR, _SEPARATE = 284, 2  # the tag for how the channels lie, and its value for one plane each


class TiffFile(TiffImagePlugin.TiffImageFile):
    """Planes are left to libtiff, packed or not.

    Pillow's own decoder of unpacked strips takes each plane for eight bits a sample, and knows none of YCbCr.
    """

    def _setup(self) -> None:
        """Of each page."""
        TiffImagePlugin.READ_LIBTIFF = self.tag_v2.get(_PLANAR) == _SEPARATE
        super()._setup()
