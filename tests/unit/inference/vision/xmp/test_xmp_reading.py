"""Regions as others write them; and what only looks like XMP."""

import pytest

from agent.domain.errors import XmpError, XmpMalformed, XmpTooLarge
from agent.domain.regions import MAX_XMP_BYTES, Dimensions, FaceRegion, RegionArea, Regions, RegionSchema
from agent.inference.vision.xmp.xmp_reading import mwg_items, regions_of, sidecar_for
from agent.inference.vision.xmp.xmp_tree import parse
from tests.support.xmp_packets import ACDSEE, DIGIKAM, FOOT, HEAD, MICROSOFT, REGIONS, region, regions, with_properties


def read(text: str) -> Regions | None:
    return regions_of(parse(text.encode()))


def test_mwg_regions_are_read_in_every_form_of_rdf() -> None:
    found = read(DIGIKAM)
    assert found is not None
    assert found.applied_to == Dimensions(400, 300, "pixel")
    anna, unnamed, rex = found.items
    assert anna == FaceRegion("Anna", "Face", RegionArea(0.25, 0.5, 0.2, 0.2), extras=((f"{REGIONS} Description", "in red"),))
    assert (unnamed.name, unnamed.is_face, rex.name, rex.is_face) == ("", True, "Rex", False)
    assert rex.area == RegionArea(0.5, 0.1, 0.1, 0.1)


def test_microsofts_and_acdsees_regions_are_read() -> None:
    carl = read(MICROSOFT)
    assert carl and [(each.name, each.schema) for each in carl.items] == [("Carl", RegionSchema.MICROSOFT)]
    assert carl.items[0].area.box.x == pytest.approx(0.1)
    assert carl.items[0].area.box.y == pytest.approx(0.2)
    assert read(ACDSEE) == Regions((FaceRegion("Dora", "Face", RegionArea(0.5, 0.5, 0.2, 0.1), RegionSchema.ACDSEE),))


def test_a_face_that_stands_in_two_ways_is_read_once() -> None:
    microsoft = MICROSOFT.partition("<rdf:Description")[2].rpartition(" </rdf:RDF>")[0].replace("0.1, 0.2, 0.3, 0.4", "0.15, 0.4, 0.2, 0.2")
    text = with_properties(regions(region("Anna"))).replace(FOOT, f"  <rdf:Description{microsoft}{FOOT}")
    found = read(text)
    assert found and [each.name for each in found.items] == ["Anna"]
    assert len(mwg_items(parse(text.encode()))) == 1


def test_nothing_said_of_regions_is_not_the_same_as_none() -> None:
    assert read(with_properties("")) is None
    assert read(with_properties(regions())) == Regions()
    assert read(f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description xmlns:mwg-rs="{REGIONS}">'
                "<mwg-rs:Regions/></rdf:Description></rdf:RDF>") == Regions()  # fmt: skip


def test_prefixes_are_only_names() -> None:
    found = read(DIGIKAM.replace("mwg-rs:", "odd:").replace("mwg-rs=", "odd=").replace("rdf:", "r:").replace("xmlns:rdf=", "xmlns:r="))
    assert found and [each.name for each in found.items] == ["Anna", "", "Rex"]


def test_a_sidecar_tells_whose_it_is() -> None:
    photoshop = 'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"'
    assert sidecar_for(parse(with_properties("", f'{photoshop} photoshop:SidecarForExtension="CR2"').encode())) == "CR2"
    inner = "<photoshop:SidecarForExtension>NEF</photoshop:SidecarForExtension>"
    assert sidecar_for(parse(with_properties(inner, photoshop).encode())) == "NEF"
    assert sidecar_for(parse(with_properties("").encode())) == ""


@pytest.mark.parametrize("figure", ["nan", "1e999", "-5", "", "a", "0x1", "9" * 5000])
def test_a_region_that_lies_nowhere_is_no_face(figure: str) -> None:
    found = read(with_properties(regions(region("Anna").replace('"0.2"', f'"{figure}"'))))
    assert found and [each.is_face for each in found.items] == [False]


LAUGHS = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE x SYSTEM "file:///etc/passwd">'
EXTERNAL = '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize(
    "text",
    [
        LAUGHS + with_properties("&b;"),
        OUTSIDE + with_properties(""),
        EXTERNAL + with_properties("&a;"),
        "<!DOCTYPE x>" + with_properties(""),
        *("", " ", "no xml", "<a/>", HEAD, with_properties("") * 2),
        *map(with_properties, ("<mwg-rs:Regions>", "<none:x/>", "&nbsp;", "\x01", "<a>" * 300 + "</a>" * 300)),
    ],
)
def test_what_is_not_xmp_is_malformed(text: str) -> None:
    with pytest.raises(XmpMalformed):
        parse(text.encode())


def test_more_regions_or_bytes_than_a_photo_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.inference.vision.xmp.xmp_reading.MAX_REGIONS", 50)
    with pytest.raises(XmpTooLarge):
        read(with_properties(regions(region("Anna") * 51)))
    with pytest.raises(XmpTooLarge):
        parse(bytes(MAX_XMP_BYTES + 1))


def test_what_is_built_while_reading_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.inference.vision.xmp.xmp_tree._MAX_NODES", 100)
    with pytest.raises(XmpTooLarge):
        parse(with_properties(regions("<rdf:li/>" * 101)).encode())


@pytest.mark.parametrize(
    "inside",
    [
        "x" * (2 << 20),
        "".join(f"<rdf:li>{'x' * 1_000}</rdf:li>" for _ in range(1_100)),
        "".join(f"<rdf:li mwg-rs:Name='{'x' * 1_000}'/>" for _ in range(1_100)),
    ],
    ids=["between elements", "in elements", "in attributes"],
)
def test_text_is_bounded_wherever_it_stands(inside: str) -> None:
    with pytest.raises(XmpTooLarge):
        parse(with_properties(regions(inside)).encode())


def test_elements_that_are_passed_over_are_counted_too() -> None:
    with pytest.raises(XmpTooLarge):
        parse(with_properties(f"<rdf:other>{'<rdf:a/>' * 200_001}</rdf:other>").encode())


def test_many_prefixes_are_refused() -> None:
    with pytest.raises(XmpTooLarge):
        parse(with_properties("", " ".join(f'xmlns:p{number}="u{number}"' for number in range(300))).encode())


def test_many_prefixes_at_many_places_are_refused() -> None:
    outer = " ".join(f'xmlns:p{number}="u{number}"' for number in range(150))
    inner = "".join(f'<p0:a xmlns:q="{number}"/>' for number in range(20_000))
    with pytest.raises(XmpTooLarge):
        parse(with_properties(regions(inner), outer).encode())


def test_a_long_history_by_another_program_is_passed_over() -> None:
    history = "<dt:h><rdf:Seq>" + "<rdf:li dt:num='1'/>" * 100_000 + "</rdf:Seq></dt:h>"
    found = read(with_properties(history + regions(region("Anna")), 'xmlns:dt="http://darktable.sf.net/"'))
    assert found and [each.name for each in found.items] == ["Anna"]


def test_an_error_tells_nothing_of_the_document() -> None:
    with pytest.raises(XmpError) as caught:
        parse(with_properties("<Secret name>").encode())
    assert "Secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
