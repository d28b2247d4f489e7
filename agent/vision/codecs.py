"""Bytes to pixels: an upright RGB array, decoded no finer than it is needed, and the right name for what is wrong with a file."""

import io
import warnings
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import cv2
import numpy as np
import PIL.Image
from numpy.typing import NDArray

from agent.domain.errors import ImageCorrupt, ImageEmpty, ImageTooLarge, ImageTruncated, ImageUnsupported

Pixels: TypeAlias = NDArray[np.uint8]  # [height, width, 3], RGB unless said otherwise

_PILLOW_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF", "AVIF")
_EXIF_ORIENTATION = 0x0112
_EXIF_IFD, _EXIF_TAKEN_AT = 0x8769, 0x9003
# libjpeg leaves out the fine frequencies at no cost: half the size is five times faster than the whole (measured).
_REDUCTIONS = ((8, cv2.IMREAD_REDUCED_COLOR_8), (4, cv2.IMREAD_REDUCED_COLOR_4), (2, cv2.IMREAD_REDUCED_COLOR_2), (1, cv2.IMREAD_COLOR))


@dataclass(frozen=True, slots=True)
class Limits:
    """What a file may ask of memory."""

    megapixels: float
    megabytes: float


@dataclass(frozen=True, slots=True)
class Image:
    """A decoded image, upright. `pixels` may be smaller than the image: `scale` is decoded by full size."""

    pixels: Pixels
    scale: float
    width: int  # pixels of the upright image at full size
    height: int
    format: str
    taken_at: datetime | None = None  # by the camera's clock

    @property
    def reduced(self) -> bool:
        return self.scale < 1.0


def sniff(data: bytes) -> str | None:
    """The format by its first bytes, never by a file name; None if it is none of ours."""
    if data[:2] == b"\xff\xd8":
        return "jpeg"
    if data[:4] == b"\x89PNG":
        return "png"
    if data[:4] == b"RIFF" and data[8:12] in (b"WEBP", b""):
        return "webp"
    if data[:4] == b"GIF8":
        return "gif"
    if data[:4] in (b"II*\0", b"MM\0*"):
        return "tiff"
    if data[4:12] in (b"ftypavif", b"ftypavis"):
        return "avif"
    return "bmp" if data[:2] == b"BM" else None


def decode(data: bytes, limits: Limits, side: int | None = None) -> Image:
    """Decode to a longer side of at least `side` pixels where the format can be decoded reduced, else whole.

    Limits are checked from the header, before anything is decoded.
    Raises ImageEmpty, ImageUnsupported, ImageTruncated, ImageCorrupt or ImageTooLarge.
    """
    if not data:
        raise ImageEmpty
    if len(data) > limits.megabytes * 1e6:
        raise ImageTooLarge(megabytes=round(len(data) / 1e6), limit=limits.megabytes)
    name = sniff(data)
    if name is None:
        raise ImageUnsupported
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # broken metadata; and Pillow's own size limit, where ours counts
        try:
            opened = _open(data)
            _check_pixels(opened.size, limits)
            return _decode_jpeg(data, opened, side) if name == "jpeg" else _decode_other(opened, name)
        except (ImageTooLarge, ImageTruncated, ImageCorrupt, MemoryError):
            raise
        except Exception as error:  # decoders raise whatever broken bytes lead them to
            raise (ImageTruncated if _is_cut(name, data, error) else ImageCorrupt) from error


def encode_preview(data: bytes, limits: Limits, side: int) -> bytes:
    """The upright image as JPEG, its longer side at most `side` pixels. Raises what `decode` raises."""
    return encode_small(decode(data, limits, side).pixels, side)


def encode_small(pixels: Pixels, side: int) -> bytes:
    """JPEG, the longer side at most `side` pixels."""
    height, width = pixels.shape[:2]
    ratio = side / max(height, width)
    if ratio < 1:
        pixels = resize(pixels, max(1, round(width * ratio)), max(1, round(height * ratio)))
    return encode_jpeg(pixels, quality=85)


def encode_jpeg(pixels: Pixels, quality: int) -> bytes:
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ImageCorrupt
    return encoded.tobytes()


def resize(pixels: Pixels, width: int, height: int) -> Pixels:
    """Smaller by area, which keeps small faces from aliasing; larger by cubic interpolation."""
    if pixels.shape[:2] == (height, width):
        return pixels
    smaller = width * height < pixels.shape[0] * pixels.shape[1]
    return np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC), np.uint8)


def _open(data: bytes) -> PIL.Image.Image:
    PIL.Image.MAX_IMAGE_PIXELS = None
    return PIL.Image.open(io.BytesIO(data), formats=_PILLOW_FORMATS)


def _check_pixels(size: tuple[int, int], limits: Limits) -> None:
    megapixels = size[0] * size[1] / 1e6
    if megapixels > limits.megapixels:
        raise ImageTooLarge(megapixels=round(megapixels), limit=limits.megapixels)


def _decode_jpeg(data: bytes, opened: PIL.Image.Image, side: int | None) -> Image:
    if _jpeg_is_cut(data):
        raise ImageTruncated  # libjpeg would fill the rest with grey and say nothing
    longer = max(opened.size)
    factor, flag = next((f, flag) for f, flag in _REDUCTIONS if f == 1 or (side is not None and longer / f >= side))
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), flag | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None:
        raise ImageCorrupt
    cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB, dst=pixels)
    return _upright(np.asarray(pixels, np.uint8), opened, 1 / factor, "jpeg")


def _decode_other(opened: PIL.Image.Image, name: str) -> Image:
    opened.load()
    return _upright(_to_rgb(opened), opened, 1.0, name)


def _to_rgb(opened: PIL.Image.Image) -> Pixels:
    """Any of Pillow's modes as 8-bit RGB; what is transparent becomes white."""
    if opened.mode.startswith("I;16"):
        grey = (np.asarray(opened) >> 8).astype(np.uint8)
        return np.stack([grey] * 3, axis=-1)
    if opened.mode in ("I", "F"):
        values = np.asarray(opened, np.float32)
        grey = np.clip(values * (255 / max(float(np.nanmax(values)), 255.0)), 0, 255).astype(np.uint8)
        return np.stack([grey] * 3, axis=-1)
    if opened.has_transparency_data:
        picture = opened.convert("RGBA")
        opened = PIL.Image.alpha_composite(PIL.Image.new("RGBA", picture.size, "white"), picture)
    return np.array(opened.convert("RGB"), np.uint8)


def _upright(pixels: Pixels, opened: PIL.Image.Image, scale: float, name: str) -> Image:
    width, height = opened.size
    orientation = _orientation(opened)
    if orientation >= 5:
        width, height = height, width
    turned = np.ascontiguousarray(_turn(pixels, orientation))
    return Image(turned, scale, width, height, name, _taken_at(opened))


def _orientation(opened: PIL.Image.Image) -> int:
    try:
        value = opened.getexif().get(_EXIF_ORIENTATION, 1)
    except Exception:  # metadata that can't be read says nothing; the picture may be whole
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _taken_at(opened: PIL.Image.Image) -> datetime | None:
    try:
        value = opened.getexif().get_ifd(_EXIF_IFD).get(_EXIF_TAKEN_AT)
        return datetime.strptime(str(value)[:19], "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 - the camera's clock knows no zone
    except Exception:  # as above; and many cameras write blanks or zeros
        return None


def _turn(pixels: Pixels, orientation: int) -> Pixels:
    """EXIF's eight ways a camera was held, undone."""
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return pixels


def _is_cut(name: str, data: bytes, error: Exception) -> bool:
    """Whether a file that can't be decoded ends too early, as one does that is still being copied."""
    match name:
        case "jpeg":
            return _jpeg_is_cut(data)
        case "png":
            return b"IEND" not in data[-1024:]
        case "webp":
            return len(data) < 12 or int.from_bytes(data[4:8], "little") + 8 > len(data)
        case "bmp":
            return len(data) < 14 or int.from_bytes(data[2:6], "little") > len(data)
        case "gif":
            return not data.rstrip(b"\0").endswith(b"\x3b")
        case _:
            return len(data) < 64 or "truncated" in str(error).lower() or isinstance(error, EOFError)


def _jpeg_is_cut(data: bytes) -> bool:
    """Whether a JPEG lacks its end mark. Thumbnails inside the metadata have end marks of their own, so those segments are stepped over."""
    position = 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xFF:  # padding
            position += 1
            continue
        if marker == 0xDA:  # the picture itself: its bytes never form an end mark by chance
            return data.find(b"\xff\xd9", position) < 0
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    return position + 4 > len(data)
