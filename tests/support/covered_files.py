"""Pictures of every format with a face's worth of noise where the cover will be, and what reads a copy back with other means."""

import io
import struct
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeAlias

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray
from pillow_heif import register_heif_opener

from agent.domain.face import Box
from agent.domain.redaction import Cover, Look, Shape
from agent.inference.vision.codecs import DecodeLimits
from agent.inference.vision.redacted import png_copy
from tests.support.fast_encoders import QUICK

Make: TypeAlias = Callable[[int], bytes]
Pixels: TypeAlias = NDArray[Any]

LIMITS = DecodeLimits(megapixels=20, megabytes=20)
WIDTH, HEIGHT = 128, 96
# A box, so that blocks of JPEG and the like can be told to lie wholly inside.
INNER = (slice(32, 64), slice(48, 80))
COVER = Cover(Box(32, 16, 64, 64), Look(shape=Shape.BOX))


def scene(seed: int = 1, channels: int = 3, *, deep: bool = False) -> Pixels:
    """Smooth outside, noise where the face is."""
    across, down = np.meshgrid(np.linspace(0, 200, WIDTH), np.linspace(0, 100, HEIGHT))
    picture = np.stack([across, down + 90, 220 - across][:channels], axis=2)
    picture[INNER] = np.random.default_rng(seed).integers(0, 255, (32, 32, channels))
    eight = picture.astype(np.uint8)
    return eight.astype(np.uint16) * 257 if deep else eight


def saved(picture: PIL.Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **{**QUICK.get(kind, {}), **options})
    return out.getvalue()


def rgba(data: bytes) -> Pixels:
    """As another program shows it."""
    return np.asarray(PIL.Image.open(io.BytesIO(data)).convert("RGBA"))


def _alpha(picture: Pixels) -> PIL.Image.Image:
    alpha = np.full(picture.shape[:2], 255, np.uint8)
    alpha[:, 112:] = 100
    alpha[40:50, 60:70] = alpha[:4, :4] = 0
    return PIL.Image.fromarray(np.dstack([picture, alpha]))


def files() -> Mapping[str, Make]:
    """Name -> the file, by which noise is in the face."""
    register_heif_opener()

    def plain(seed: int) -> PIL.Image.Image:
        return PIL.Image.fromarray(scene(seed))

    def few(seed: int) -> PIL.Image.Image:
        """Of few enough colours for a palette to be exact."""
        return PIL.Image.fromarray(scene(seed) // 64 * 64).quantize(200)

    def deep_png(seed: int) -> bytes:
        return bytes(cv2.imencode(".png", scene(seed, deep=True)[:, :, ::-1])[1])

    def deep_grey_png(seed: int) -> bytes:
        """With alpha: no library at hand writes one."""
        pixels = np.dstack([scene(seed, 1, deep=True), np.full((HEIGHT, WIDTH), 50_000, np.uint16)])
        rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
        parts = (
            (b"IHDR", struct.pack(">LLBBBBB", WIDTH, HEIGHT, 16, 4, 0, 0, 0)),
            (b"IDAT", zlib.compress(rows)),
            (b"IEND", b""),
        )
        return b"\x89PNG\r\n\x1a\n" + b"".join(png_copy.chunk(*part) for part in parts)

    def deep_tiff(seed: int) -> bytes:
        return bytes(cv2.imencode(".tiff", scene(seed, deep=True)[:, :, ::-1])[1])

    def film(kind: str, seed: int) -> bytes:
        frames = [scene(seed + number) // 64 * 64 for number in range(3)]
        for number, frame in enumerate(frames):
            frame[:8, 8 * number : 8 * number + 8] = 0  # something moves outside of the cover too
        first, *more = (PIL.Image.fromarray(frame).quantize(200) for frame in frames)
        return saved(first, kind, save_all=True, append_images=more, duration=[50, 70, 90], loop=0)

    return {
        "jpeg": lambda seed: saved(plain(seed), "JPEG", quality=90),
        "jpeg-444": lambda seed: saved(plain(seed), "JPEG", quality=97, subsampling=0),
        "jpeg-progressive": lambda seed: saved(plain(seed), "JPEG", progressive=True),
        "jpeg-grey": lambda seed: saved(plain(seed).convert("L"), "JPEG"),
        "jpeg-inks": lambda seed: saved(plain(seed).convert("CMYK"), "JPEG"),
        "png": lambda seed: saved(plain(seed), "PNG"),
        "png-clear": lambda seed: saved(_alpha(scene(seed)), "PNG"),
        "png-grey-clear": lambda seed: saved(_alpha(scene(seed)).convert("LA"), "PNG"),
        "png-palette": lambda seed: saved(few(seed), "PNG", transparency=3),
        "png-one-bit": lambda seed: saved(plain(seed).convert("1", dither=PIL.Image.Dither.NONE), "PNG"),
        "png-deep": deep_png,
        "png-deep-grey": lambda seed: saved(PIL.Image.fromarray(scene(seed, 1, deep=True)[:, :, 0]), "PNG"),
        "png-deep-grey-clear": deep_grey_png,
        "png-moving": lambda seed: saved(plain(seed), "PNG", save_all=True, append_images=[plain(seed + 5)]),
        "webp": lambda seed: saved(plain(seed), "WEBP", quality=90),
        "webp-lossless": lambda seed: saved(_alpha(scene(seed)), "WEBP", lossless=True, exact=True),
        "webp-moving": lambda seed: saved(plain(seed), "WEBP", save_all=True, append_images=[plain(seed + 5)]),
        "tiff": lambda seed: saved(plain(seed), "TIFF", compression="tiff_lzw"),
        "tiff-inks": lambda seed: saved(plain(seed).convert("CMYK"), "TIFF"),
        "tiff-deep": deep_tiff,
        "tiff-deep-grey": lambda seed: saved(PIL.Image.fromarray(scene(seed, 1, deep=True)[:, :, 0]), "TIFF"),
        "tiff-pages": lambda seed: saved(plain(seed), "TIFF", save_all=True, append_images=[plain(seed + 5)]),
        "bmp": lambda seed: saved(plain(seed), "BMP"),
        "gif": lambda seed: saved(few(seed), "GIF"),
        "gif-moving": lambda seed: film("GIF", seed),
        "avif": lambda seed: saved(plain(seed), "AVIF"),
        "heic": lambda seed: saved(plain(seed), "HEIF", quality=95),
    }


# Each is made but once.
FILES: Mapping[str, Make] = {name: cache(make) for name, make in files().items()}
# Formats whose copies keep each pixel that is not covered.
LOSSLESS = (
    *("png", "png-clear", "png-grey-clear", "png-palette", "png-one-bit", "png-deep", "png-deep-grey", "png-deep-grey-clear"),
    *("png-moving", "webp-lossless"),
    *("tiff", "tiff-deep", "tiff-deep-grey", "tiff-pages", "bmp", "gif", "gif-moving"),
)
