"""Pillow's reader of TIFF, without the layouts that it decodes wrongly."""

from PIL import TiffImagePlugin

_PLANAR, _SEPARATE = 284, 2  # the tag for the planar configuration, and its value for separate planes


class TiffFile(TiffImagePlugin.TiffImageFile):
    """Leaves planes to libtiff, compressed or not.

    Pillow's own decoder of uncompressed strips assumes eight bits per sample for each plane, and none of YCbCr.
    """

    def _setup(self) -> None:
        """Set up each page."""
        TiffImagePlugin.READ_LIBTIFF = self.tag_v2.get(_PLANAR) == _SEPARATE
        super()._setup()
