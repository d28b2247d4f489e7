"""XMP and orientation inside photos of every format; and files that are cut off or lie about themselves."""

import io
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import PIL.Image
import pytest

from agent.inference.vision.xmp.embedded import Embedded, _read, read_embedded
from agent.inference.vision.xmp.xmp_boxes import heif_parts
from tests.support.fast_encoders import QUICK
from tests.support.xmp_packets import DIGIKAM

XMP = DIGIKAM.encode()


def embedded(path: Path) -> Embedded:
    with path.open("rb") as file:
        return read_embedded(file)


def exif(orientation: int = 6) -> PIL.Image.Exif:
    made = PIL.Image.Exif()
    made[0x112] = orientation
    return made


def photo(folder: Path, kind: str) -> Path:
    path = folder / f"photo.{kind}"
    picture = PIL.Image.new("RGB", (32, 24), "red")
    if kind == "png":
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", DIGIKAM)
        picture.save(path, pnginfo=info, exif=exif())
    elif kind == "tif":
        directory = PIL.TiffImagePlugin.ImageFileDirectory_v2()
        directory[700], directory[0x112] = XMP, 6
        directory.tagtype[700] = 1
        picture.save(path, tiffinfo=directory)
    elif kind == "heic":
        import pillow_heif

        pillow_heif.from_pillow(picture).save(path, xmp=XMP, exif=exif().tobytes(), quality=50, **QUICK["HEIF"])
    else:
        picture.save(path, xmp=XMP, exif=exif())
    return path


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif", "heic"])
def test_xmp_and_orientation_are_found_in(kind: str, tmp_path: Path) -> None:
    found = embedded(photo(tmp_path, kind))
    assert found.xmp == XMP
    assert found.orientation == 6


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "tif", "heic"])
def test_a_file_that_is_cut_off_or_changed_anywhere_says_less_and_does_no_harm(kind: str, tmp_path: Path) -> None:
    whole = photo(tmp_path, kind).read_bytes()
    chance = random.Random(kind)
    for _ in range(60):
        data = bytearray(whole[: chance.randrange(len(whole))] if chance.random() < 0.5 else whole)
        for _ in range(3 if data else 0):
            data[chance.randrange(min(len(data), 600))] = chance.choice((0, 1, 0x7F, 0xFF))
        assert isinstance(_read(io.BytesIO(data)), Embedded)


def test_an_extended_packet_is_put_together(tmp_path: Path) -> None:
    guid, long = b"0123456789ABCDEF0123456789ABCDEF", XMP * 3
    portions = [(at, long[at : at + 2_000]) for at in range(0, len(long), 2_000)]
    assert jpeg(tmp_path, guid, long, portions).extended == long
    assert jpeg(tmp_path, guid, long, portions[::-1]).extended == long
    assert jpeg(tmp_path, guid, long, portions[1:]).extended is None
    assert jpeg(tmp_path, b"F" * 32, long, portions).extended is None


def jpeg(folder: Path, guid: bytes, long: bytes, portions: list[tuple[int, bytes]]) -> Embedded:
    def segment(data: bytes) -> bytes:
        return b"\xff\xe1" + struct.pack(">H", len(data) + 2) + data

    first = segment(b"http://ns.adobe.com/xap/1.0/\0" + b"<x note='0123456789ABCDEF0123456789ABCDEF'/>")
    head = b"http://ns.adobe.com/xmp/extension/\0" + guid + struct.pack(">I", len(long))
    path = folder / "extended.jpg"
    path.write_bytes(b"\xff\xd8" + first + b"".join(segment(head + struct.pack(">I", at) + part) for at, part in portions) + b"\xff\xd9")
    return embedded(path)


def test_a_compressed_packet_never_grows_beyond_its_bound(tmp_path: Path) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    path = tmp_path / "bomb.png"
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(20 << 20), 1)) + chunk(b"IEND", b"")
    )
    assert len(embedded(path).xmp or b"") == 4 << 20


def heif(iloc: bytes, items: int = 1) -> bytes:
    """A HEIC file whose items all are Exif."""

    def box(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(data), kind) + data

    entries = b"".join(box(b"infe", b"\x02\0\0\0" + struct.pack(">HH", number, 0) + b"Exif\0") for number in range(items))
    meta = box(b"iinf", b"\0\0\0\0" + struct.pack(">H", items) + entries) + box(b"iloc", iloc)
    return box(b"ftyp", b"heic\0\0\0\0") + box(b"meta", b"\0\0\0\0" + meta)


def test_items_in_more_pieces_than_any_photo_has_are_not_counted_to_the_end() -> None:
    pieces = b"\0\0\0\0\0\0" + struct.pack(">H", 10_000) + struct.pack(">HHH", 0, 0, 0xFFFF) * 10_000  # of no bytes each
    with pytest.raises(ValueError, match="pieces"):
        list(heif_parts(io.BytesIO(heif(pieces))))
    assert _read(io.BytesIO(heif(pieces))) == Embedded()


class Counted(io.BytesIO):
    taken = 0

    def read(self, size: int | None = -1) -> bytes:
        data = super().read(size)
        self.taken += len(data)
        return data

    def readinto(self, buffer: Any) -> int:
        self.taken += (count := super().readinto(buffer))
        return count


@pytest.mark.parametrize("kind", ["tiff", "heif", "jpeg"])
def test_a_file_that_leads_to_the_same_bytes_again_and_again_is_given_up(kind: str) -> None:
    room = bytes(1 << 20)
    if kind == "tiff":
        entries = struct.pack("<HHII", 700, 7, len(room), 64) * 900
        data = b"II*\0" + struct.pack("<I", 64 + len(room)) + bytes(56) + room + struct.pack("<H", 900) + entries
    elif kind == "heif":
        places = b"".join(struct.pack(">HHHII", 0, 0, 1, 0, len(room)) for _ in range(900))
        data = heif(b"\0\0\0\0\x44\0" + struct.pack(">H", 900) + places) + room
    else:
        portion = b"http://ns.adobe.com/xmp/extension/\0" + b"F" * 32 + struct.pack(">I", 16 << 20)
        empty = bytes(60_000)
        head = b"\xff\xe1" + struct.pack(">H", 2 + len(portion) + 4 + len(empty)) + portion
        data = b"\xff\xd8" + b"".join(part for at in range(1_200) for part in (head, struct.pack(">I", at), empty))
    file = Counted(data)
    _read(file)
    assert file.taken < 66 << 20


def test_only_one_packet_of_a_png_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    unpacked: list[int] = []
    real = zlib.decompressobj

    def counted() -> Any:
        unpacked.append(1)
        return real()

    monkeypatch.setattr(zlib, "decompressobj", counted)
    text = b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(b"")
    chunk = struct.pack(">I", len(text)) + b"iTXt" + text + bytes(4)
    _read(io.BytesIO(b"\x89PNG\r\n\x1a\n" + chunk * 100))
    assert len(unpacked) == 1


def test_other_files_carry_nothing(tmp_path: Path) -> None:
    for number, data in enumerate(
        [
            b"",
            b"BM",
            b"GIF89a",
            b"\xff\xd8",
            b"RIFF\0\0\0\0WEBP",
            b"II*\0",
            b"\0\0\0\x08ftyp",
            b"II*\0\xff\xff\xff\xff",
            b"II+\0" + b"\xff" * 12,
        ]
    ):
        path = tmp_path / str(number)
        path.write_bytes(data)
        assert embedded(path) == Embedded()
