"""An album of two people, made of the sample photos: clear ones, and some too blurred to be certain."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from PIL import Image, ImageFilter, ImageOps

Picture: TypeAlias = Image.Image
SIDE = 400

FIRST = ("first-1.jpg", "first-2.jpg", "first-3.jpg", "first-4.jpg")
SECOND = ("second-1.jpg", "second-2.jpg")
BOTH = "both.jpg"
# Near enough to the first one's clear photos to be probably them, never certainly.
BLURRED = ("blurred-1.jpg", "blurred-2.jpg", "blurred-3.jpg", "blurred-4.jpg")
# Too far from all of them for any claim.
UNCLEAR = "unclear.jpg"
ALBUM = (*FIRST, *SECOND, BOTH, *BLURRED)


class Album:
    """Makes its photos, each of another content."""

    def __init__(self, samples: Path) -> None:
        self._samples = samples
        self._made: Mapping[str, Callable[[], Picture]] = {
            "first-1.jpg": lambda: self._head("obama.jpg"),
            "first-2.jpg": lambda: self._head("obama2.jpg"),
            "first-3.jpg": lambda: self._head("obama3.jpg"),
            "first-4.jpg": lambda: self._head("obama_partial_face.jpg"),
            "second-1.jpg": lambda: self._head("biden.jpg"),
            "second-2.jpg": lambda: ImageOps.mirror(self._head("biden.jpg")),
            "both.jpg": lambda: _beside(self._head("obama_partial_face2.jpg"), self._head("biden.jpg")),
            "blurred-1.jpg": lambda: self._blurred("obama.jpg", 3),
            "blurred-2.jpg": lambda: self._blurred("obama3.jpg", 2),
            "blurred-3.jpg": lambda: self._blurred("obama2.jpg", 6),
            "blurred-4.jpg": lambda: self._blurred("obama.jpg", 3.5),
            "unclear.jpg": lambda: self._blurred("obama.jpg", 5),
        }

    def drop(self, folder: Path, names: Iterable[str] = ALBUM) -> None:
        """Put these photos into a folder."""
        for name in names:
            self._made[name]().save(folder / name, quality=95)

    def _head(self, name: str) -> Picture:
        whole = Image.open(self._samples / name).convert("RGB")
        return ImageOps.contain(whole.crop((0, 0, whole.width, min(whole.height, whole.width))), (SIDE, SIDE))

    def _blurred(self, name: str, radius: float) -> Picture:
        return self._head(name).filter(ImageFilter.GaussianBlur(radius))


def _beside(left: Picture, right: Picture) -> Picture:
    both = Image.new("RGB", (left.width + right.width, max(left.height, right.height)), (90, 90, 90))
    both.paste(left, (0, 0))
    both.paste(right, (left.width, 0))
    return both
