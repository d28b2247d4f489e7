"""Edits leave all other bytes as they are."""

import difflib

import pytest

from agent.domain.errors import XmpMalformed
from agent.domain.regions import NamedArea, RegionArea
from agent.inference.vision.xmp.editing import NEW, edited, with_regions_of
from agent.inference.vision.xmp.region_changes import AddRegion, RegionChange, ReleaseOwnership, RemoveRegion, SetName, changes_to_write
from agent.inference.vision.xmp.xmp_names import RDF
from agent.inference.vision.xmp.xmp_reading import regions_of
from agent.inference.vision.xmp.xmp_tree import parse
from tests.support.xmp_packets import ACDSEE, DIGIKAM, MICROSOFT, REGIONS, region, regions, with_properties

AREA = RegionArea(0.5, 0.8, 0.1, 0.1)
MEI = AddRegion("Mei <梅> & \"co\"", AREA)  # fmt: skip


def names(text: str) -> list[str]:
    found = regions_of(parse(text.encode()))
    return [each.name for each in found.items] if found else []


def change(text: str, *changes: RegionChange) -> str:
    return edited(text.encode(), changes, (400, 300)).decode()


def lost(before: str, after: str) -> list[str]:
    """Lines that are not there any more."""
    return [line[2:] for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line.startswith("- ")]


def test_a_region_is_added_and_everything_else_stays() -> None:
    after = change(DIGIKAM, MEI)
    assert names(after) == ["Anna", "", "Rex", MEI.name]
    assert not lost(DIGIKAM, after)


def test_an_empty_name_is_filled_and_taken_out_again() -> None:
    filled = change(DIGIKAM, SetName(1, "Mei"))
    assert names(filled) == ["Anna", "Mei", "Rex"]
    assert lost(DIGIKAM, filled) == ['       <rdf:Description mwg-rs:Name="" mwg-rs:Type="Face">']
    emptied = change(filled, SetName(1, ""))
    assert emptied == DIGIKAM.replace(' mwg-rs:Name=""', "")


def test_what_was_added_is_removed_without_a_trace() -> None:
    assert change(change(DIGIKAM, MEI), RemoveRegion(3)) == DIGIKAM


def test_marks_are_taken_off_a_region_that_another_program_renamed() -> None:
    renamed = change(DIGIKAM, AddRegion("Mei", AREA)).replace(":Name>Mei<", ":Name>Li<")
    after = change(renamed, ReleaseOwnership(3))
    assert "Mei" not in after
    assert names(after)[3] == "Li"
    found = regions_of(parse(after.encode()))
    assert found and not found.items[3].added


def test_several_changes_are_made_at_once() -> None:
    after = change(DIGIKAM, RemoveRegion(2), SetName(1, "Mei"), AddRegion("Li", AREA), AddRegion("Bo", AREA))
    assert names(after) == ["Anna", "Mei", "Li", "Bo"]


@pytest.mark.parametrize(
    "text",
    [
        NEW.decode(),
        with_properties(""),
        with_properties(regions()),
        with_properties('<mwg-rs:Regions rdf:parseType="Resource"/>'),
        with_properties('<mwg-rs:Regions rdf:parseType="Resource"> </mwg-rs:Regions>'),
        with_properties("<mwg-rs:Regions><rdf:Description/></mwg-rs:Regions>"),
        with_properties('<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList/></mwg-rs:Regions>'),
        with_properties('<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList rdf:parseType="Resource"/></mwg-rs:Regions>'),
        with_properties('<mwg-rs:Regions rdf:parseType="Resource"><mwg-rs:RegionList><rdf:Seq/></mwg-rs:RegionList></mwg-rs:Regions>'),
        f'<RDF xmlns="{RDF}"/>',
        f'<r:RDF xmlns:r="{RDF}" xmlns:stArea="urn:taken"><r:Description r:about="uuid:7" xmlns:m="{REGIONS}"/></r:RDF>',
    ],
)
def test_whatever_is_missing_around_a_region_is_made(text: str) -> None:
    after = change(text, MEI)
    assert names(after) == [MEI.name]
    found = regions_of(parse(after.encode()))
    assert found and not changes_to_write([NamedArea(MEI.name, AREA)], found.items)


def test_a_new_property_is_about_what_the_others_are_about() -> None:
    assert change(with_properties("").replace('about=""', 'about="uuid:7"'), MEI).count('about="uuid:7"') == 2


def test_other_ways_of_writing_regions_are_left_alone() -> None:
    assert names(change(MICROSOFT, MEI)) == [MEI.name, "Carl"]
    assert not lost(MICROSOFT, change(MICROSOFT, MEI))
    assert names(change(ACDSEE, MEI)) == [MEI.name, "Dora"]


def test_a_property_that_is_no_structure_is_not_written_into() -> None:
    with pytest.raises(XmpMalformed):
        change(with_properties("<mwg-rs:Regions>text</mwg-rs:Regions>"), MEI)


def test_regions_are_taken_over_from_another_packet_with_all_they_say() -> None:
    seeded = with_regions_of(NEW, DIGIKAM.encode()).decode()
    assert names(seeded) == ["Anna", "", "Rex"]
    assert 'mwg-rs:Description="in red"' in seeded
    assert "Rating" not in seeded
    assert with_regions_of(NEW, with_properties("").encode()) == NEW


def test_prefixes_of_the_other_packet_come_along() -> None:
    text = with_properties(regions(region("Anna"))).replace("mwg-rs", "rdf2").replace("rdf:", "x:").replace(":rdf=", ":x=")
    other = text.replace("<x:xmpmeta xmlns:x", "<y:xmpmeta xmlns:y").replace("</x:xmpmeta", "</y:xmpmeta").replace(" x:xmptk", " y:xmptk")
    assert names(with_regions_of(DIGIKAM.replace(REGIONS, "urn:other").encode(), other.encode()).decode()) == ["Anna"]
