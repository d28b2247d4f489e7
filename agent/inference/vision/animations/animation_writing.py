"""Writes an animation with its covers, each frame whole: none shows remains of an earlier one."""

import io
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from agent.domain.errors import CopyUnproven
from agent.domain.video import Covered, covers_at
from agent.inference.vision.animations import multi_frame_writer
from agent.inference.vision.animations.animation_reading import Film, film_of, frames
from agent.inference.vision.animations.multi_frame_writer import DrawnFrames
from agent.inference.vision.codecs import DecodeLimits, pillow
from agent.inference.vision.codecs.decode import named
from agent.inference.vision.codecs.file_bytes import FileBytes
from agent.inference.vision.redacted import encoders
from agent.inference.vision.redacted.canvas import Canvas
from agent.inference.vision.redacted.copy_checks import MOST_OFF, block_means, check_drawn, readable
from agent.inference.vision.redacted.kept_metadata import KeptMetadata, kept_of
from agent.inference.vision.redacted.metadata import PhotoMetadata, of_opened
from agent.inference.vision.redacted.rendering import cover

Writer = Callable[[BinaryIO, Film, Iterator[DrawnFrames], KeptMetadata, PhotoMetadata], None]


Means = NDArray[np.float32]
_DEEP: Final = 8  # more bits than are compared


class AnimationProof:
    """Coarse copies of the drawn frames, small enough to hold all of them until the copy is finished."""

    def __init__(self) -> None:
        self._meant: list[tuple[Means, int]] = []  # and a marker of whether a frame equals the previous one

    def note(self, canvas: Canvas) -> None:
        """Record the next frame, as it was encoded."""
        self._meant.append((_seen(canvas), _digest(canvas)))

    def check(self, copy: bytes, limits: DecodeLimits) -> None:
        """Check the copy. Raises CopyUnproven."""
        with readable():
            film = named(copy, limits, lambda name: film_of(copy, name, limits))
            self._compare((_seen(frame.canvas) for frame in frames(copy, film, limits)), len(self._meant) - len(film.numbers))

    def _compare(self, shown: Iterator[Means], spare: int) -> None:
        """Compare; the encoder left out `spare` frames, each equal to the previous one. Raises CopyUnproven."""
        before: int | None = None
        for meant, digest in self._meant:
            if spare > 0 and digest == before:
                spare -= 1
                continue
            before = digest
            if (now := next(shown, None)) is None or not _alike(now, meant):
                raise CopyUnproven
        if spare or next(shown, None) is not None:
            raise CopyUnproven


def _digest(canvas: Canvas) -> int:
    return zlib.crc32(b"" if canvas.alpha is None else canvas.alpha.tobytes(), zlib.crc32(canvas.colours.tobytes()))


def _alike(one: Means, other: Means) -> bool:
    return one.shape == other.shape and float(np.abs(one - other).max()) <= MOST_OFF


def _seen(canvas: Canvas) -> Means:
    """Return block means of RGB and of transparency, with invisible pixels as black."""
    colours = canvas.colours if canvas.order == "RGB" else canvas.colours[:, :, ::-1]
    alpha = np.full(colours.shape[:2], np.iinfo(colours.dtype).max, colours.dtype) if canvas.alpha is None else canvas.alpha
    picture = np.dstack([*([colours] if colours.shape[2] == 3 else [colours] * 3), alpha])
    if canvas.deep:
        picture = (picture >> _DEEP).astype(np.uint8)
    return block_means(picture)


def write(data: FileBytes, ways: Sequence[Covered], limits: DecodeLimits, output: BinaryIO, *, strip: bool) -> int:
    """Return the number of frames. Raises ImageError, CopyUnsupported, CopyUnproven; ValueError for an invalid cover."""
    film = named(data, limits, lambda name: film_of(data, name, limits))
    kept, notes = _kept(data, film, limits, strip=strip)
    whole, proof = io.BytesIO(), AnimationProof()
    drawn = _drawn(data, film, limits, ways, proof)
    _WRITERS[film.name](whole, film, drawn, kept, notes)
    next(drawn, None)  # a writer that counts frames stops at the last one
    copy = whole.getvalue()
    proof.check(copy, limits)
    output.write(copy)
    return len(film.numbers)


def removed(data: FileBytes, limits: DecodeLimits, *, strip: bool) -> tuple[str, ...]:
    """Return the kinds of content that are in the original but not in its copy."""
    film = named(data, limits, lambda name: film_of(data, name, limits))
    return tuple(sorted({*_kept(data, film, limits, strip=strip)[0].removed, *film.left} - {"frames", "pages"}))


def _drawn(data: FileBytes, film: Film, limits: DecodeLimits, ways: Sequence[Covered], proof: AnimationProof) -> Iterator[DrawnFrames]:
    for number, frame in enumerate(frames(data, film, limits)):
        covers = covers_at(ways, number)
        cover(frame.canvas, covers)
        check_drawn(frame.canvas, covers)
        yield DrawnFrames(frame.canvas, frame.ms, covers)
        proof.note(frame.canvas)


def _kept(data: FileBytes, film: Film, limits: DecodeLimits, *, strip: bool) -> tuple[KeptMetadata, PhotoMetadata]:
    def read(name: str) -> tuple[KeptMetadata, PhotoMetadata]:
        notes = of_opened(pillow.open_checked(data, name, limits), data, name)
        if name == "webp":
            notes.lossless = data.find(b"VP8L") >= 0 and data.find(b"VP8 ") < 0
        kept = kept_of(notes, notes.profile, film.width, film.height, strip=strip, faces_covered=True)
        return kept.without(*encoders.LACKING.get(name, ("comment",))), notes

    return named(data, limits, read)


_WRITERS: Final[Mapping[str, Writer]] = {
    "gif": multi_frame_writer.write_gif,
    "png": multi_frame_writer.write_png,
    "webp": multi_frame_writer.write_webp,
    "avif": multi_frame_writer.write_avif,
    "tiff": multi_frame_writer.write_tiff,
}
