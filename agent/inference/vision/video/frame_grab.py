"""Returns one frame of a video as a picture."""

from itertools import chain
from typing import BinaryIO

import numpy as np
from av.error import FFmpegError

from agent.domain.errors import VideoUnreadable
from agent.inference.vision.codecs import Image, encode_small
from agent.inference.vision.video.geometry import Turn
from agent.inference.vision.video.video_opening import decoded, moment_of, opened


def still(file: BinaryIO, seconds: float, side: int) -> bytes:
    """Return the frame shown at that time, or the first: JPEG, its longer side at most `side` pixels.

    Raises VideoUnreadable, VideoNoPicture.
    """
    with opened(file) as clip:
        wanted = round(seconds / clip.time_base)
        try:
            clip.container.seek(max(wanted, clip.stream.start_time or 0), stream=clip.stream)
        except FFmpegError:
            clip.container.seek(clip.stream.start_time or 0, stream=clip.stream)
        found = decoded(clip)
        shown = first = next(found, None)
        if first is None:
            raise VideoUnreadable
        for frame in chain((first,), found):
            if (moment_of(frame) or 0) > wanted:
                break
            shown = frame
        assert shown is not None
        pixels = Turn.of(shown).turned(np.asarray(shown.to_ndarray(format="rgb24"), np.uint8))
    return encode_small(Image(pixels, 1.0, pixels.shape[1], pixels.shape[0], "rgb"), side)
