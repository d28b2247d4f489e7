"""What goes with a copy: facts of the camera go, unless all is to go; what could show a covered face, or lies, never does."""

import io
import struct
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageSequence
import pytest
from PIL import ImageCms
from PIL.PngImagePlugin import PngInfo

from agent.domain.errors import CopyUnsupported, NotRestorable, RegionsTooLarge
from agent.domain.redaction import Cover
from agent.inference.vision.animations.animation_writing import write
from agent.inference.vision.codecs import DecodeLimits
from agent.inference.vision.redacted import RenderOptions, RenderPart, icc, png_copy, render, rendering, restore, tiff_copy, xmp_copy
from tests.support.covered_files import COVER, FILES, HEIGHT, LIMITS, LOSSLESS, WIDTH, rgba, saved, scene

XMP = b"""<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/" xmlns:lr="http://ns.adobe.com/lightroom/1.0/"
 xmlns:xmpGImg="http://ns.adobe.com/xap/1.0/g/img/" xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"
 xmlns:ext="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" xmlns:GDepth="http://ns.google.com/photos/1.0/depthmap/"
 xmp:CreateDate="2024-05-06T07:08:09" xmp:Rating="4" GDepth:Data="aGlkZGVu">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">At the lake</rdf:li></rdf:Alt></dc:title>
<dc:subject><rdf:Bag><rdf:li>Mei Lin</rdf:li></rdf:Bag></dc:subject>
<lr:hierarchicalSubject><rdf:Bag><rdf:li>People|Mei Lin</rdf:li></rdf:Bag></lr:hierarchicalSubject>
<ext:PersonInImage><rdf:Bag><rdf:li>Mei Lin</rdf:li></rdf:Bag></ext:PersonInImage>
<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:Name>Mei Lin</mwg-rs:Name></mwg-rs:Regions>
<xmp:Thumbnails><rdf:Alt><rdf:li xmpGImg:image="aGlkZGVu"/></rdf:Alt></xmp:Thumbnails>
<xmpMM:History><rdf:Seq><rdf:li>hidden</rdf:li></rdf:Seq></xmpMM:History>
</rdf:Description></rdf:RDF></x:xmpmeta>"""


def exif() -> PIL.Image.Exif:
    made = PIL.Image.Exif()
    made[0x0112], made[0x010F], made[0x0132] = 1, "A maker", "2024:05:06 07:08:09"
    made[0x010E], made[0x9C9B] = "Mei at the lake", "Mei at the lake".encode("utf-16-le")
    inner, place = made.get_ifd(0x8769), made.get_ifd(0x8825)
    inner[0x9003], inner[0x927C] = "2024:05:06 07:08:09", b"a maker's note with a preview inside"
    inner[0x9286], inner[0xA436] = b"ASCII\0\0\0Mei at the lake", "Mei at the lake"
    place[1], place[2] = "N", (47.0, 33.0, 0.0)
    return made


def with_thumbnail(exif: bytes, thumbnail: bytes) -> bytes:
    """EXIF whose second directory is a picture."""
    order = "<" if exif.startswith(b"II") else ">"
    (first,) = struct.unpack_from(order + "L", exif, 4)
    (count,) = struct.unpack_from(order + "H", exif, first)
    link = first + 2 + 12 * count
    at = len(exif) + len(exif) % 2
    entries = [(0x103, 3, 6 if order == "<" else 6 << 16), (0x201, 4, at + 2 + 36 + 4), (0x202, 4, len(thumbnail))]
    directory = struct.pack(order + "H", 3) + b"".join(struct.pack(order + "HHLL", tag, kind, 1, value) for tag, kind, value in entries)
    whole = exif[:link] + struct.pack(order + "L", at) + exif[link + 4 :]
    return whole.ljust(at, b"\0") + directory + bytes(4) + thumbnail


@cache
def told(kind: str) -> bytes:
    """A file that says all that its format can say."""
    block = with_thumbnail(exif().tobytes().removeprefix(b"Exif\0\0"), saved(PIL.Image.fromarray(scene(1)).resize((64, 48)), "JPEG"))
    picture = PIL.Image.fromarray(scene(1))
    if kind == "TIFF":
        noted = PIL.Image.Exif()
        noted.load(exif().tobytes())
        noted[700], noted[33723] = XMP, b"\x1c\x02x\0\3abc"
        return saved(picture, kind, exif=noted)
    options: dict[str, Any] = {"comment": b"Mei at the lake"} if kind == "JPEG" else {}
    if kind == "PNG":
        options["pnginfo"] = PngInfo()
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", XMP.decode())
    data = saved(picture, kind, exif=b"Exif\0\0" + block, xmp=XMP, **options)
    if kind != "JPEG":
        return data
    extra = b"".join(
        struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body
        for marker, body in (
            (0xE0, b"JFXX\0\x10" + saved(picture.resize((32, 24)), "JPEG")),
            (0xE2, b"MPF\0" + bytes(40)),
            (0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0\0\0\0\x04Mei "),
            (0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(60) + b"hidden"),
            (0xEB, b"HDR_RI ver=1"),
        )
    )
    return data[:20] + extra + data[20:] + saved(picture, "JPEG")


HIDDEN = (b"Mei Lin", b"hidden", b"preview inside", b"aGlkZGVu")


WORDS = (b"At the lake", b"Mei at the lake", "Mei at the lake".encode("utf-16-le"))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_what_people_wrote_stays_where_nobody_is_covered(kind: str) -> None:
    copy = render(told(kind), RenderOptions(()), LIMITS)
    assert all(word in copy.data for word in WORDS)
    assert b"Mei Lin" in copy.data  # its keyword
    assert "comment" not in copy.removed


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_the_cameras_facts_are_kept_and_what_may_show_or_name_the_covered_is_not(kind: str) -> None:
    copy = render(told(kind), RenderOptions((COVER,)), LIMITS)
    opened = PIL.Image.open(io.BytesIO(copy.data))
    kept = opened.getexif()
    assert (kept[0x010F], kept[0x0132]) == ("A maker", "2024:05:06 07:08:09")
    assert kept.get_ifd(0x8769)[0x9003] == "2024:05:06 07:08:09"
    assert kept.get_ifd(0x8769)[0xA002] == WIDTH
    assert kept.get_ifd(0x8825)[2] == (47.0, 33.0, 0.0)
    assert 0x927C not in kept.get_ifd(0x8769) and not kept.get_ifd(-1)
    packet = opened.tag_v2[700] if kind == "TIFF" else opened.info["xmp"]  # type: ignore[attr-defined]
    assert b"2024-05-06T07:08:09" in packet
    assert not [word for word in (*HIDDEN, *WORDS) if word in copy.data]
    assert {"people", "keywords", "comment", "thumbnail", "pictures", "history", "maker-note"} <= set(copy.removed)
    assert not {"exif", "gps"} & set(copy.removed)


def facts(tiff: bytes) -> list[Any]:
    """As another program reads them, of a TIFF whose pages can be decoded."""
    opened = PIL.Image.open(io.BytesIO(tiff))
    kept = opened.getexif()
    found = [kept.get_ifd(0x8769)[0x9003], kept.get_ifd(0x8769)[0xA002], kept.get_ifd(0x8825)[2]]
    for page in PIL.ImageSequence.Iterator(opened):
        assert np.asarray(page.convert("RGB")).any()
    return [*found, opened.n_frames]  # type: ignore[attr-defined]


KEPT = ["2024:05:06 07:08:09", WIDTH, (47.0, 33.0, 0.0)]


# Pillow closes what it wrote several pages with a second time when that is collected, which fails; Python tells of it since 3.13.
@pytest.mark.filterwarnings("ignore:Exception ignored in. <PIL.TiffImagePlugin.AppendingTiffWriter:pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("packed", ["raw", "tiff_lzw", "packbits", "tiff_adobe_deflate"])
def test_a_tiff_keeps_the_cameras_facts_however_it_is_packed(packed: str) -> None:
    picture = PIL.Image.fromarray(scene(1))
    for more in (0, 2):
        whole = io.BytesIO(saved(picture, "TIFF", compression=packed, save_all=True, append_images=[picture] * more))
        tiff_copy.add_directories(whole, exif().tobytes())
        pages, out = whole.getvalue(), io.BytesIO()
        write(pages, [], LIMITS, out, strip=False)
        assert facts(out.getvalue()) == [*KEPT, 1 + more]
        assert facts(render(pages, RenderOptions((COVER,)), LIMITS).data) == [*KEPT, 1]


def test_a_photo_becomes_a_tiff_with_the_cameras_facts() -> None:
    assert facts(render(told("JPEG"), RenderOptions((COVER,), "tiff"), LIMITS).data) == [*KEPT, 1]


@pytest.mark.parametrize("format", ["jpeg", "png", "webp", "tiff", "avif"])
def test_letters_of_any_language_stay_in_what_the_camera_or_its_owner_wrote(format: str) -> None:
    letters, noted, owner = "© 林美 é".encode(), exif(), 0xA430
    noted[0x8298] = noted.get_ifd(0x8769)[owner] = "x" * len(letters)
    block = noted.tobytes().replace(b"x" * len(letters), letters)
    data = saved(PIL.Image.fromarray(scene(1)), "JPEG", exif=block)
    copy = render(data, RenderOptions((COVER,), format), LIMITS)
    kept = PIL.Image.open(io.BytesIO(copy.data)).getexif()
    assert (kept[0x8298], kept.get_ifd(0x8769)[owner]) == (letters.decode("latin-1"),) * 2


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_all_goes_if_all_is_to_go(kind: str) -> None:
    copy = render(told(kind), RenderOptions((), strip=True), LIMITS)
    opened = PIL.Image.open(io.BytesIO(copy.data))
    kept = opened.getexif()
    assert 0x010F not in kept and not kept.get_ifd(0x8769) and not kept.get_ifd(0x8825)
    assert not {"xmp", "comment", "photoshop"} & set(opened.info)
    assert not [word for word in (*HIDDEN, b"lake", b"maker", b"2024") if word in copy.data]
    assert {"exif", "gps", "xmp", "thumbnail"} <= set(copy.removed)


def test_a_jpegs_other_parts_are_told_and_go() -> None:
    copy = render(told("JPEG"), RenderOptions((COVER,)), LIMITS)
    assert {"thumbnail", "pictures", "iptc", "xmp", "application", "trailing"} <= set(copy.removed)
    assert copy.data.count(b"\xff\xd8\xff") == 1


@pytest.mark.parametrize("name", FILES)
def test_of_a_plain_file_nothing_is_said_to_have_gone(name: str) -> None:
    removed = set(render(FILES[name](1), RenderOptions((COVER,), strip=True), LIMITS).removed)
    assert removed <= {"frames", "pages"}


def test_texts_of_a_png_are_kept_or_go() -> None:
    texts = PngInfo()
    texts.add_text("Title", "At the lake")
    texts.add_text("parameters", "what some program did")
    texts.add_itxt("Author", "林美")
    data = saved(PIL.Image.fromarray(scene(1)), "PNG", pnginfo=texts)
    copy = render(data, RenderOptions((COVER,)), LIMITS)
    shown = PIL.Image.open(io.BytesIO(copy.data))
    shown.load()
    assert shown.text == {"Author": "林美"}  # type: ignore[attr-defined]
    assert copy.removed == ("comment",)
    without_alpha = PIL.Image.open(io.BytesIO(render(data, RenderOptions(()), LIMITS).data))
    without_alpha.load()
    assert without_alpha.text == {"Title": "At the lake", "Author": "林美"}  # type: ignore[attr-defined]
    assert b"tEXt" not in render(data, RenderOptions((), strip=True), LIMITS).data


def test_what_stands_behind_a_deep_pngs_picture_is_kept_too() -> None:
    noted = (
        png_copy.chunk(b"eXIf", exif().tobytes().removeprefix(b"Exif\0\0")),
        png_copy.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
    )
    for name in ("png", "png-deep"):
        data = FILES[name](1)
        opened = PIL.Image.open(io.BytesIO(render(data[:-12] + b"".join(noted) + data[-12:], RenderOptions((COVER,)), LIMITS).data))
        assert opened.getexif()[0x010F] == "A maker"
        assert b"2024-05-06T07:08:09" in opened.info["xmp"]


def test_how_a_pngs_colours_are_meant_is_kept() -> None:
    texts = PngInfo()
    for name, body in ((b"gAMA", struct.pack(">L", 55_555)), (b"teSt", b"hidden")):
        texts.add(name, body)
    data = saved(PIL.Image.fromarray(scene(1)), "PNG", pnginfo=texts, dpi=(127, 127))
    copy = render(data, RenderOptions((COVER,), strip=True), LIMITS)
    info = PIL.Image.open(io.BytesIO(copy.data)).info
    assert info["gamma"] == 0.55555 and round(info["dpi"][0]) == 127
    assert copy.removed == ("application",) and b"hidden" not in copy.data


@cache
def colours() -> bytes:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return bytes(profile.replace("sRGB".encode("utf-16-be"), "made".encode("utf-16-be")))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_the_colours_profile_goes_on_without_its_comments(kind: str) -> None:
    data = saved(PIL.Image.fromarray(scene(1)), kind, icc_profile=colours())
    copy = render(data, RenderOptions((COVER,), strip=True), LIMITS)
    kept = PIL.Image.open(io.BytesIO(copy.data)).info["icc_profile"]
    assert kept == icc.cleaned(colours())
    assert "made".encode("utf-16-be") not in kept


@pytest.mark.parametrize("format", ["bmp", "gif", "png"])
def test_what_was_kept_of_a_copy_that_has_no_profile_comes_back_in_the_colours_around_it(format: str) -> None:
    red_is_green = colours().replace(b"rXYZ", b"....").replace(b"gXYZ", b"rXYZ").replace(b"....", b"gXYZ")
    data = saved(PIL.Image.new("RGB", (WIDTH, HEIGHT), (200, 60, 20)), "PNG", icc_profile=red_is_green)
    copy = render(data, RenderOptions((COVER,), format=format, keep_regions=True), LIMITS)
    shown = np.asarray(PIL.Image.open(io.BytesIO(restore(copy.data, copy.parts, LIMITS))).convert("RGB"), np.int16)
    assert np.ptp(shown, axis=(0, 1)).max() <= 8  # a GIF has few colours


def test_a_cleaned_profile_means_the_same_colours() -> None:
    patch = PIL.Image.fromarray(np.random.default_rng(1).integers(0, 255, (16, 16, 3), np.uint8))
    to, exactly = ImageCms.createProfile("LAB"), ImageCms.Flags.NOOPTIMIZE
    before, after = (
        np.asarray(ImageCms.profileToProfile(patch, ImageCms.ImageCmsProfile(io.BytesIO(each)), to, outputMode="LAB", flags=exactly))
        for each in (colours(), icc.cleaned(colours()))
    )
    assert np.array_equal(before, after)


@pytest.mark.parametrize("broken", [b"", b"acsp" * 40, colours()[:140], colours()[:128] + b"\xff" * 40])
def test_what_is_no_profile_is_left_out(broken: bytes) -> None:
    assert icc.cleaned(broken) == b""


@pytest.mark.parametrize(
    "packet",
    [
        b"<not xml",
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16"),
        b"<a>" * 100_000,
        b"<x>" + b"a" * 2_000_000 + b"</x>",
    ],
)
def test_what_is_no_packet_is_left_out(packet: bytes) -> None:
    assert xmp_copy.cleaned(packet, strip=False, faces_covered=True) == (b"", {"xmp"})


@pytest.mark.parametrize("quality", [60, 85, 95])
@pytest.mark.parametrize("sampling", [0, 1, 2])
def test_a_jpeg_is_written_as_fine_as_it_was(quality: int, sampling: int) -> None:
    data = saved(PIL.Image.fromarray(scene(1)), "JPEG", quality=quality, subsampling=sampling)
    before, after = (PIL.Image.open(io.BytesIO(each)) for each in (data, render(data, RenderOptions((COVER,)), LIMITS).data))
    assert [sum(table) for table in after.quantization.values()] == pytest.approx(  # type: ignore[attr-defined]
        [sum(table) for table in before.quantization.values()],  # type: ignore[attr-defined]
        rel=0.02,
    )
    assert after.layer == before.layer  # type: ignore[attr-defined]


@pytest.mark.parametrize("asked", ["jpeg", "png", "webp", "tiff", "bmp", "gif", "avif"])
@pytest.mark.parametrize("name", ["png-clear", "png-deep", "jpeg-grey", "heic", "gif-moving"])
def test_a_copy_can_have_another_format(name: str, asked: str) -> None:
    copy = render(FILES[name](1), RenderOptions((COVER,), asked), LIMITS)
    assert copy.format == asked
    assert PIL.Image.open(io.BytesIO(copy.data)).format == asked.upper()


def test_other_formats_are_refused() -> None:
    with pytest.raises(CopyUnsupported):
        render(FILES["png"](1), RenderOptions((COVER,), "heic"), LIMITS)


# -- the way back -----------------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", FILES)
def test_kept_regions_restore_what_was_decoded(name: str) -> None:
    data = FILES[name](1)
    copy = render(data, RenderOptions((COVER,), keep_regions=True), LIMITS)
    whole = restore(copy.data, copy.parts, LIMITS)
    decoded = render(data, RenderOptions((), "png"), LIMITS).data
    rows, columns = slice(16, 80), slice(32, 96)
    assert np.array_equal(rgba(whole)[rows, columns], rgba(decoded)[rows, columns])
    if name in LOSSLESS:
        assert np.array_equal(rgba(whole), rgba(decoded))


def test_parts_of_another_picture_restore_nothing() -> None:
    copy = render(FILES["png"](1), RenderOptions((COVER,), keep_regions=True), LIMITS)
    (part,) = copy.parts
    for moved in (RenderPart(WIDTH - 3, part.y, part.png), RenderPart(-1, part.y, part.png), RenderPart(part.x, HEIGHT, part.png)):
        with pytest.raises(NotRestorable):
            restore(copy.data, [moved], LIMITS)


def test_no_more_is_kept_than_can_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendering, "LARGEST_REGIONS", 100)
    with pytest.raises(RegionsTooLarge):
        render(FILES["png"](1), RenderOptions((COVER, COVER), keep_regions=True), LIMITS)


def test_a_cover_that_is_none_is_the_callers_mistake(tmp_path: Path) -> None:
    broken = Cover(type(COVER.box)(float("nan"), 0, 1, 1))
    with pytest.raises(ValueError, match="cover"):
        render(FILES["png"](1), RenderOptions((broken,)), DecodeLimits(1, 1))
