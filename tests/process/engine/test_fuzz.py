"""Valid files of every format, mutated and given to the real engine: each ends as an image or by its name, and the engine lives on.

So it is with covered copies of them. `--cases 10000` tries that many, others each time; what ends the engine is kept in build/fuzz.
"""

import asyncio
import hashlib
import io
import struct
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import PIL.Image
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ImageCms
from pillow_heif import register_heif_opener

from agent.domain.errors import AgentError, ImageError, RedactionError
from agent.domain.face import Analysis, Box
from agent.domain.image import Recipe
from agent.domain.redaction import Cover, Look, Style
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.compute_setup import ComputeSetup
from agent.inference.engine.engine_calls import EngineConfig
from agent.inference.engine.pool import EnginePool
from agent.inference.engine.renderer import Render
from agent.infrastructure.core.settings import EngineSettings

CHECKOUT = Path(__file__).parents[3]
LIMIT_S = 120  # a busy machine is no failure
CASES = 200
# Numbers that lengths, counts and sizes are broken with, in four bytes.
EDGES = [0, 1, 7, 0x7F, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF]

Change = tuple[str, float, float, int]
Analyser = Callable[[str], Analysis]
Task = Callable[[str], object]
COVER = Cover(Box(8, 8, 30, 20), Look(Style.MOSAIC))
PACKET = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
    b' xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title><rdf:Alt><rdf:li>A</rdf:li></rdf:Alt></dc:title></rdf:Description></rdf:RDF>'
    b"</x:xmpmeta>"
)


def whole_files() -> dict[str, bytes]:
    """Small valid files: each format, and its ways to write pixels, frames and metadata."""
    register_heif_opener()
    rng = np.random.default_rng(5)
    noise = PIL.Image.fromarray(rng.integers(0, 255, (48, 64, 3), np.uint8))
    plain = PIL.Image.new("RGB", (64, 48), (200, 90, 30))
    clear = PIL.Image.fromarray(rng.integers(0, 255, (48, 64, 4), np.uint8))
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8769)[0x9003] = "2025:07:06 05:04:03"
    exif.get_ifd(0x8825)[1] = "N"

    # Under another name, so that it is not passed over.
    colours = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes().replace(b"\0s\0R\0G\0B", b"\0x\0R\0G\0B")

    def saved(picture: PIL.Image.Image, kind: str, **options: object) -> bytes:
        out = io.BytesIO()
        picture.save(out, kind, **options)
        return out.getvalue()

    jpeg = saved(noise, "JPEG", exif=exif)
    dng = saved(plain, "TIFF", tiffinfo={0xC612: b"\1\4\0\0"})
    cr3 = b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + struct.pack(">L", 8 + len(exif.tobytes())) + b"CMT1" + exif.tobytes()[6:] + jpeg
    return {
        "jpeg": jpeg,
        "jpeg-progressive": saved(noise, "JPEG", progressive=True, icc_profile=colours),
        "jpeg-told": saved(plain.copy(), "JPEG", exif=exif, xmp=PACKET, comment=b"A", icc_profile=colours),
        "jpeg-inks": saved(noise.convert("CMYK"), "JPEG"),
        "png": saved(clear, "PNG", exif=exif, icc_profile=colours),
        "png-deep": saved(PIL.Image.fromarray(rng.integers(0, 65535, (48, 64), np.uint16)), "PNG"),
        "png-deep-colours": bytes(cv2.imencode(".png", rng.integers(0, 65535, (48, 64, 4), np.uint16))[1]),
        "png-moving": saved(noise, "PNG", save_all=True, append_images=[plain]),
        "png-palette": saved(noise.quantize(16), "PNG", transparency=3),
        "webp": saved(noise, "WEBP", exif=exif, xmp=PACKET),
        "webp-lossless": saved(clear, "WEBP", lossless=True),
        "webp-moving": saved(noise, "WEBP", save_all=True, append_images=[plain]),
        "gif": saved(noise, "GIF", save_all=True, append_images=[plain]),
        "bmp": saved(noise, "BMP"),
        "bmp-palette": saved(noise.quantize(16), "BMP"),
        "tiff": saved(noise, "TIFF", exif=exif),
        "tiff-deep": bytes(cv2.imencode(".tiff", rng.integers(0, 65535, (48, 64, 3), np.uint16))[1]),
        "tiff-lzw": saved(noise, "TIFF", compression="tiff_lzw"),
        "tiff-deflate": saved(clear, "TIFF", compression="tiff_deflate"),
        "tiff-jpeg": saved(noise, "TIFF", compression="jpeg"),
        "tiff-fax": saved(noise.convert("1"), "TIFF", compression="group4"),
        "tiff-pages": saved(noise, "TIFF", save_all=True, append_images=[plain, plain]),
        "avif": saved(noise, "AVIF", exif=exif.tobytes()),
        "heic": saved(noise, "HEIF", exif=exif.tobytes()),
        "heic-clear": saved(clear, "HEIF"),
        "dng": dng + jpeg,
        "cr3": cr3,
        "raf": b"FUJIFILMCCD-RAW 0201".ljust(100, b"\0") + jpeg,
    }


FILES = whole_files()


def mutate(kind: str, changes: list[Change]) -> bytes:
    data = bytearray(FILES[kind])
    for how, place, share, value in changes:
        # Mostly behind the first bytes: without those it is just another format.
        at = min(len(data), (4 if value % 16 else 0) + int(place * max(0, len(data) - 4)))
        length = 1 + int(share * share * min(len(data), 400))
        other = FILES[sorted(FILES)[value % len(FILES)]]
        data[:] = data[:at] + HOW[how](bytes(data[at:]), length, value, other)
    return bytes(data)


# What may become of the rest of a file from some place on: by a length, a number and another file.
HOW: dict[str, Callable[[bytes, int, int, bytes], bytes]] = {
    "flip": lambda rest, _, value, __: bytes([rest[0] ^ 1 << value % 8]) + rest[1:] if rest else rest,
    "byte": lambda rest, _, value, __: bytes([value]) + rest[1:],
    "number": lambda rest, _, value, __: EDGES[value % len(EDGES)].to_bytes(4, "big" if value % 2 else "little") + rest[4:],
    "short number": lambda rest, _, value, __: (
        (EDGES[value % len(EDGES)] & 0xFFFF).to_bytes(2, "big" if value % 2 else "little") + rest[2:]
    ),
    "cut": lambda _, __, ___, ____: b"",
    "drop": lambda rest, length, _, __: rest[length:],
    "twice": lambda rest, length, _, __: rest[:length] + rest,
    "many": lambda rest, length, value, _: rest[:length] * (1 + value) + rest,
    "zero": lambda rest, length, _, __: bytes(min(length, len(rest))) + rest[length:],
    "splice": lambda rest, length, value, other: other[value : value + length] + rest[length:],
    "append": lambda rest, _, __, other: rest + other,
}
UNIT = st.floats(0, 1, exclude_max=True)
# Headers are where most can go wrong.
PLACE = st.one_of(UNIT, UNIT.map(lambda place: place * place * place))
CHANGES = st.lists(st.tuples(st.sampled_from(sorted(HOW)), PLACE, UNIT, st.integers(0, 255)), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def engine(engine_config: EngineConfig, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EnginePool, Analyser, Task]]:
    """The real pool of one process, the way to analyse a file with it, and to make a covered copy."""
    output = tmp_path_factory.mktemp("copies") / "copy"

    pool = EnginePool(
        EngineSettings(workers=1, max_megapixels=2, time_limit_s=LIMIT_S),
        engine_config.models,
        ComputeSetup(converted=Path(engine_config.converted), cache=Path(engine_config.cache)),
    )
    with asyncio.Runner() as runner:

        def cover(path: str) -> None:
            content = Path(path).read_bytes()
            # Every other file; of a picture that moves nothing is kept.
            keep_regions = not content.startswith(b"GIF") and zlib.crc32(content) % 2 == 0
            runner.run(pool.render(Render(path, str(output), (COVER,), keep_regions=keep_regions)))
            output.unlink()

        yield pool, lambda path: runner.run(pool.analyse(Analyse(path, Recipe("centerface-2"), thumbnail=64))), cover
        runner.run(pool.close())


@pytest.mark.parametrize("kind", sorted(FILES))
def test_the_files_are_valid_before_they_are_mutated(engine: tuple[EnginePool, Analyser, Task], tmp_path: Path, kind: str) -> None:
    (tmp_path / "whole").write_bytes(FILES[kind])
    analysis = engine[1](str(tmp_path / "whole"))
    assert {analysis.width, analysis.height} == {64, 48}
    engine[2](str(tmp_path / "whole"))


@pytest.mark.timeout(0)
@pytest.mark.parametrize("task", ["analyse", "cover"])
def test_mutated_files_of_every_format_end_as_images_or_by_name(
    engine: tuple[EnginePool, Analyser, Task], tmp_path: Path, pytestconfig: pytest.Config, task: str
) -> None:
    cases = pytestconfig.getoption("--cases") or CASES
    pool, analyse, cover = engine
    do: Task = analyse if task == "analyse" else cover
    restarts = pool.restarts
    ends: Counter[str] = Counter()
    nameless: list[str] = []

    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        derandomize=cases <= 200,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.sampled_from(sorted(FILES)), CHANGES)
    def give(kind: str, changes: list[Change]) -> None:
        data = mutate(kind, changes)
        path = tmp_path / "mutated"
        path.write_bytes(data)
        try:
            do(str(path))
            ends["image"] += 1
        except AgentError as error:
            ends[error.code] += 1
            if not isinstance(error, ImageError | RedactionError):
                nameless.append(keep(kind, data, error))

    give()
    print(f"{sum(ends.values())} files, {pool.restarts} restarts of the engine:", dict(ends.most_common()))
    assert not nameless
    assert pool.restarts == restarts


def keep(kind: str, data: bytes, error: AgentError) -> str:
    """Keep what the engine could not bear, to be mended; returns its name."""
    folder = CHECKOUT / "build" / "fuzz"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{error.code}-{hashlib.sha256(data).hexdigest()[:12]}.{kind}"
    path.write_bytes(data)
    return path.name
