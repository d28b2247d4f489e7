"""Raw files and colour profiles, made up for the tests."""

import struct
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from pillow_heif import register_heif_opener

from agent.inference.vision.codecs import Pixels

Tag = tuple[int, int, bytes]  # number, type (3: short, 4: long, 2: text), value
MakeRaw = Callable[..., bytes]


def directory(tags: Sequence[Tag], at: int, order: str = "<") -> bytes:
    """A TIFF directory that lies `at` bytes from the header, its long values behind it."""
    sizes = {2: 1, 3: 2, 4: 4}
    behind = at + 2 + 12 * len(tags) + 4
    entries, values = b"", b""
    for number, kind, value in sorted(tags):
        inline = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack(order + "L", behind + len(values))
        entries += struct.pack(order + "HHL", number, kind, len(value) // sizes[kind]) + inline
        values += value if len(value) > 4 else b""
    return struct.pack(order + "H", len(tags)) + entries + bytes(4) + values


def tiff(tags: Sequence[Tag], taken_at: str | None = None, magic: bytes = b"II*\0", mark: bytes = b"") -> bytes:
    """A TIFF header, a maker's mark, one directory and, if there is a moment, an EXIF directory of that."""
    order = "<" if magic.startswith(b"I") else ">"
    inner_at = 4096
    pointers = [] if taken_at is None else [(0x8769, 4, struct.pack(order + "L", inner_at))]
    at = 8 + len(mark)
    outer = magic + struct.pack(order + "L", at) + mark + directory([*tags, *pointers], at, order)
    return outer if taken_at is None else outer.ljust(inner_at, b"\0") + directory([(0x9003, 2, taken_at.encode())], inner_at, order)


@pytest.fixture
def make_raw() -> MakeRaw:
    """A file as a camera of that kind writes it, around a preview."""

    def make(kind: str, preview: bytes, orientation: int = 1, taken_at: str = "2025:07:06 05:04:03") -> bytes:
        held = (0x112, 3, struct.pack("<H", orientation))
        sensor = bytes(range(1, 250)) * 50
        match kind:
            case "dng":
                head = tiff([held, (0xC612, 3, b"\1\0")], taken_at)
            case "cr2":
                head = tiff([held], taken_at, mark=b"CR\2\0")
            case "nef":
                head = tiff([held, (0x14A, 4, struct.pack("<L", 8000))], taken_at)
                head = head.ljust(8000, b"\0") + directory([(0x106, 3, struct.pack("<H", 32803))], 8000)
            case "orf":
                head = tiff([held], taken_at, b"IIRO")
            case "rw2":
                head = tiff([held], taken_at, b"IIU\0")
            case "raf":
                head = b"FUJIFILMCCD-RAW 0201".ljust(100, b"\0")
            case _:
                boxes = [(b"CMT1", tiff([held])), (b"CMT2", tiff([(0x9003, 2, taken_at.encode())]))]
                inside = b"".join(struct.pack(">L", len(body) + 8) + name + body for name, body in boxes)
                head = b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + struct.pack(">L", len(inside) + 8) + b"moov" + inside
        return head + sensor + preview + sensor

    return make


@pytest.fixture
def display_p3() -> bytes:
    """An ICC profile with the primaries of phones' screens and a plain gamma of 2.2."""

    def fixed(*numbers: float) -> bytes:
        return b"".join(struct.pack(">l", round(number * 65536)) for number in numbers)

    curve = b"curv" + bytes(4) + struct.pack(">LH", 1, round(2.2 * 256))
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">L", 8) + b"Display\0" + bytes(78),
        b"wtpt": b"XYZ \0\0\0\0" + fixed(0.9642, 1.0, 0.8249),
        b"rXYZ": b"XYZ \0\0\0\0" + fixed(0.51512, 0.24120, -0.00105),
        b"gXYZ": b"XYZ \0\0\0\0" + fixed(0.29198, 0.69225, 0.04189),
        b"bXYZ": b"XYZ \0\0\0\0" + fixed(0.15710, 0.06657, 0.78407),
        b"rTRC": curve,
        b"gTRC": curve,
        b"bTRC": curve,
    }
    table, body, at = b"", b"", 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        padded = value + bytes(-len(value) % 4)
        table += name + struct.pack(">LL", at + len(body), len(value))
        body += padded
    head = struct.pack(">L4sL4s4s4s", at + len(body), b"lcms", 0x02400000, b"mntr", b"RGB ", b"XYZ ")
    head = head.ljust(36, b"\0") + b"acsp" + bytes(28) + fixed(0.9642, 1.0, 0.8249)
    return head.ljust(128, b"\0") + struct.pack(">L", len(tags)) + table + body


@pytest.fixture
def stored() -> Callable[[Pixels, int], Pixels]:
    """What a camera stores that is held in one of EXIF's eight ways: the upright scene, turned or mirrored the opposite way."""

    def turn(scene: Pixels, orientation: int) -> Pixels:
        turned = {
            1: scene,
            2: scene[:, ::-1],
            3: scene[::-1, ::-1],
            4: scene[::-1],
            5: scene.swapaxes(0, 1),
            6: np.rot90(scene, 1),
            7: scene[::-1, ::-1].swapaxes(0, 1),
            8: np.rot90(scene, -1),
        }[orientation]
        return np.ascontiguousarray(turned)

    return turn


@pytest.fixture
def upright() -> Callable[[Pixels], bool]:
    """Whether pixels are those of `quarters`, as they were."""

    def check(pixels: Pixels) -> bool:
        height, width = pixels.shape[:2]
        expected = {(1, 1): (220, 20, 20), (1, 4): (20, 200, 20), (4, 1): (20, 20, 220), (4, 4): (240, 240, 240)}
        return all(np.abs(pixels[height * y // 5, width * x // 5].astype(int) - colour).max() < 12 for (y, x), colour in expected.items())

    return check


@pytest.fixture
def heif_writer() -> None:
    """Pillow can write HEIF."""
    register_heif_opener()
