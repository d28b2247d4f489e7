"""Reads BMP with channel masks, of which Pillow supports only the usual ones."""

import struct
from typing import Any, Final, TypeAlias, cast

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from agent.domain.errors import ImageTruncated, ImageUnsupported
from agent.inference.vision.codecs.decoded_image import DecodeLimits, Pixels
from agent.inference.vision.codecs.file_bytes import FileBytes

Words: TypeAlias = NDArray[Any]

_MASKS: Final = frozenset({3, 6})  # the compression types with masks
_SHORTEST: Final = 40  # bytes of a header that contains them
_WORDS: Final = {16: np.dtype("<u2"), 32: np.dtype("<u4")}


def by_masks(data: FileBytes, limits: DecodeLimits) -> PIL.Image.Image:
    """Decode the picture. Raises ImageUnsupported, ImageTooLarge, ImageTruncated; struct.error for a truncated header."""
    begin, size, width, height, _, bits, way = struct.unpack_from("<4xLLllHHL", data, 6)
    if way not in _MASKS or bits not in _WORDS or size < _SHORTEST or width <= 0 or not height:
        raise ImageUnsupported
    limits.check_pixels(width, abs(height))
    limits.make_room(width, abs(height))
    # In the oldest header they follow it, in later ones they are at the same place.
    red, green, blue, alpha = (*struct.unpack_from("<3L", data, 54), struct.unpack_from("<L", data, 66)[0] if way == 6 or size >= 56 else 0)
    if not (red and green and blue):
        raise ImageUnsupported
    line = -(-width * bits // 32) * 4
    if begin + line * abs(height) > len(data):
        raise ImageTruncated
    lines = np.frombuffer(data, np.uint8, line * abs(height), begin).reshape(abs(height), line)
    words = lines[:: -1 if height > 0 else 1, : width * bits // 8].copy().view(cast("Any", _WORDS[bits]))
    return PIL.Image.fromarray(np.dstack([_channel(words, mask) for mask in (red, green, blue, alpha) if mask]))


def _channel(words: Words, mask: int) -> Pixels:
    """Return the channel, stretched or cut to eight bits."""
    low = (mask & -mask).bit_length() - 1
    numbers = (words.astype(np.uint32) & np.uint32(mask)) >> np.uint32(low)
    return np.asarray(np.rint(numbers * np.float32(255 / (mask >> low))).clip(0, 255), np.uint8)
