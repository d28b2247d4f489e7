"""Which answers about names are believed, and what the engine makes of odd packets before it answers."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from agent.domain.errors import EngineBadAnswer
from agent.domain.regions import MAX_REGIONS, MAX_XMP_BYTES, Dimensions, FaceRegion, Origin, Reading, RegionArea, Regions
from agent.domain.xmp_edits import NamesRemoved, NamesWritten, SidecarEdit
from agent.inference.engine.xmp_calls import (
    FORGET_NAMES,
    LONGEST_TEXT,
    READ_NAMES,
    WRITE_NAMES,
    ForgetNames,
    PhotoFiles,
    PhotoNames,
    ReadNames,
    WriteNames,
)
from agent.inference.engine.xmp_service import read_names, sendable
from tests.support.xmp_packets import region, regions, with_properties

AREA = RegionArea(0.5, 0.5, 0.2, 0.2)
LONG, PLAIN = PhotoFiles(long=True, short=False), PhotoFiles(long=False, short=False)
EDIT = SidecarEdit(Origin.LONG, "0" * 64, b"<a/>", 1)


def reading(*names: str, origin: Origin | None = Origin.LONG) -> Reading:
    return Reading(Regions(tuple(FaceRegion(name, "Face", AREA) for name in names)), origin)


@pytest.mark.parametrize(
    ("found", "believed"),
    [
        ((PhotoNames(reading("Mei")),), True),
        ((PhotoNames(reading(origin=None)),), True),
        ((PhotoNames(reading("Mei", origin=Origin.EMBEDDED)),), True),
        ((PhotoNames(fault="xmp.malformed"),), True),
        ((PhotoNames(replace(reading("Mei"), passed_over=(Origin.EMBEDDED,))),), True),
        ((), False),
        ((PhotoNames(reading("Mei")),) * 2, False),
        ((PhotoNames(),), False),
        ((PhotoNames(fault="xmp.disk_full"),), False),
        ((PhotoNames(reading("Mei"), "xmp.malformed"),), False),
        ((PhotoNames(reading("Mei", origin=Origin.SHORT)),), False),
        ((PhotoNames(replace(reading("Mei"), passed_over=(Origin.LONG,))),), False),
        ((PhotoNames(replace(reading("Mei"), orientation=0)),), False),
        ((PhotoNames(reading("M" * (LONGEST_TEXT + 1))),), False),
        ((PhotoNames(reading(*["Mei"] * (3 * MAX_REGIONS + 1))),), False),
        ((PhotoNames(Reading(Regions((FaceRegion("Mei", "Face", AREA, extras=(("a", "b"),)),)), Origin.LONG)),), False),
        ((PhotoNames(Reading(Regions((), Dimensions(1, 1, "p" * (LONGEST_TEXT + 1))), Origin.LONG)),), False),
    ],
)
def test_readings_are_believed_if_they_can_be_those_of_the_photos(found: tuple[PhotoNames, ...], believed: bool) -> None:
    asked = ReadNames((LONG,))
    if believed:
        assert READ_NAMES.checked(found, asked) == READ_NAMES.response.load(READ_NAMES.response.dump(found))
    else:
        with pytest.raises(EngineBadAnswer):
            READ_NAMES.checked(found, asked)


@pytest.mark.parametrize(
    ("photo", "edit", "believed"),
    [
        (LONG, EDIT, True),
        (LONG, None, True),
        (PLAIN, replace(EDIT, old=None), True),
        (LONG, replace(EDIT, old=None), False),  # another sidecar would take the place of the one that is there
        (PLAIN, EDIT, False),
        (LONG, replace(EDIT, old="x"), False),
        (LONG, replace(EDIT, origin=Origin.SHORT), False),
        (LONG, replace(EDIT, origin=Origin.EMBEDDED), False),
        (LONG, replace(EDIT, packet=b""), False),
        (LONG, replace(EDIT, packet=bytes(MAX_XMP_BYTES + 1)), False),
        (LONG, replace(EDIT, changes=0), False),
    ],
)
def test_an_edit_is_believed_if_it_can_be_one_of_the_photos_sidecar(photo: PhotoFiles, edit: SidecarEdit | None, believed: bool) -> None:
    asked, written = WriteNames(photo, (400, 300), None, ()), NamesWritten(Regions(), 1, edit)
    assert WRITE_NAMES.can_be(written, asked) is believed
    assert not WRITE_NAMES.can_be(written, replace(asked, orientation=6)), "it was asked for another orientation"


def test_forgetting_edits_each_sidecar_once_and_makes_none() -> None:
    asked = ForgetNames(PhotoFiles(long=True, short=True, photo=False), ("Mei",), False)
    both = NamesRemoved((EDIT, replace(EDIT, origin=Origin.SHORT)), 1)
    assert FORGET_NAMES.can_be(both, asked)
    assert FORGET_NAMES.response.load(FORGET_NAMES.response.dump(both)) == both
    for odd in (replace(both, edits=(EDIT, EDIT)), replace(both, left=-1), replace(both, edits=(replace(EDIT, old=None),))):
        assert not FORGET_NAMES.can_be(odd, asked)


def test_figures_and_texts_that_cannot_be_sent_are_left_out() -> None:
    odd = Regions(
        (
            FaceRegion("M" * 5_000, "F" * 5_000, RegionArea(float("nan"), 0, float("inf"), 1), extras=(("a", "b"),), written="M" * 5_000),
            FaceRegion("Mei" + " " * 5_000 + "Lin", "Face", AREA),
        ),
        Dimensions(float("inf"), 300),
    )
    sent = sendable(odd)
    assert READ_NAMES.can_be((PhotoNames(Reading(sent, Origin.LONG)),), ReadNames((LONG,)))
    assert [(each.is_face, len(each.name), each.is_name_unmodified) for each in sent.items] == [
        (False, LONGEST_TEXT, True),
        (True, 7, False),
    ]
    assert sent.fit(1, 1) and odd.fit(1, 1)


def test_a_file_that_grew_is_read_up_to_the_limit(tmp_path: Path) -> None:
    found = []
    for name, data in (("large", bytes(MAX_XMP_BYTES + 1)), ("small", with_properties(regions(region("Mei"))).encode())):
        (tmp_path / name).write_bytes(data)
        found.append(os.open(tmp_path / name, os.O_RDONLY | getattr(os, "O_BINARY", 0)))
    sidecar = PhotoFiles(long=True, short=False, photo=False)
    large, small = read_names(ReadNames((sidecar, sidecar)), found)
    assert large == PhotoNames(fault="xmp.too_large")
    assert small.reading and [each.name for each in small.reading.regions.items] == ["Mei"]
