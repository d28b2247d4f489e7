"""Writes an animation with its covers, each frame whole: none shows remains of an earlier one."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import BinaryIO, Final

from agent.domain.video import Covered, covers_at
from agent.vision.animations import many
from agent.vision.animations.animation_proof import Proof
from agent.vision.animations.animation_reading import Film, film_of, frames
from agent.vision.animations.many import Drawn
from agent.vision.codecs import Limits, others
from agent.vision.codecs.decode import named
from agent.vision.copies import encoders
from agent.vision.copies.kept_pixels import Kept, kept_of
from agent.vision.copies.notes import Notes, of_opened
from agent.vision.copies.proof import check_drawn
from agent.vision.copies.rendering import cover

Writer = Callable[[BinaryIO, Film, Iterator[Drawn], Kept, Notes], None]


def write(data: bytes, ways: Sequence[Covered], limits: Limits, output: BinaryIO, *, strip: bool) -> int:
    """Return the number of frames. Raises ImageError, CopyUnsupported, CopyUnproven; ValueError for an invalid cover."""
    film = named(data, limits, lambda name: film_of(data, name, limits))
    kept, notes = _kept(data, film, limits, strip=strip)
    whole, proof = io.BytesIO(), Proof()
    drawn = _drawn(data, film, limits, ways, proof)
    _WRITERS[film.name](whole, film, drawn, kept, notes)
    next(drawn, None)  # a writer that counts frames stops at the last one
    copy = whole.getvalue()
    proof.check(copy, limits)
    output.write(copy)
    return len(film.numbers)


def removed(data: bytes, limits: Limits, *, strip: bool) -> tuple[str, ...]:
    """Return the kinds of content that are in the original but not in its copy."""
    film = named(data, limits, lambda name: film_of(data, name, limits))
    return tuple(sorted({*_kept(data, film, limits, strip=strip)[0].removed, *film.left} - {"frames", "pages"}))


def _drawn(data: bytes, film: Film, limits: Limits, ways: Sequence[Covered], proof: Proof) -> Iterator[Drawn]:
    for number, frame in enumerate(frames(data, film, limits)):
        covers = covers_at(ways, number)
        cover(frame.canvas, covers)
        check_drawn(frame.canvas, covers)
        yield Drawn(frame.canvas, frame.ms, covers)
        proof.note(frame.canvas)


def _kept(data: bytes, film: Film, limits: Limits, *, strip: bool) -> tuple[Kept, Notes]:
    def read(name: str) -> tuple[Kept, Notes]:
        notes = of_opened(others.open_checked(data, name, limits), data, name)
        if name == "webp":
            notes.lossless = b"VP8L" in data and b"VP8 " not in data
        kept = kept_of(notes, notes.profile, film.width, film.height, strip=strip, faces_covered=True)
        return kept.without(*encoders.LACKING.get(name, ("comment",))), notes

    return named(data, limits, read)


_WRITERS: Final[Mapping[str, Writer]] = {
    "gif": many.write_gif,
    "png": many.write_png,
    "webp": many.write_webp,
    "avif": many.write_avif,
    "tiff": many.write_tiff,
}
