"""Any names in any script, any regions of others: what is written is read again, and nothing of theirs is lost."""

from pathlib import Path
from tempfile import TemporaryDirectory
from xml.sax.saxutils import escape

from hypothesis import given
from hypothesis import strategies as st

from agent.domain.errors import XmpError
from agent.domain.face import Box
from agent.domain.regions import FaceRegion, NamedArea, NamedBox, area_of, stored, tidy, upright
from agent.inference.vision.xmp.editing import NEW, edited
from agent.inference.vision.xmp.region_changes import AddRegion, changes_to_forget, changes_to_write
from agent.inference.vision.xmp.xmp_packet import decode
from agent.inference.vision.xmp.xmp_reading import regions_of
from agent.inference.vision.xmp.xmp_tree import parse
from tests.support.inline_sidecars import SidecarsNow
from tests.support.xmp_packets import DIGIKAM, region, regions, with_properties

SIZE = (4000, 3000)
ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
NAMES = ANY_TEXT.map(tidy)
# Cells of a grid, so that no face is another one's.
CELLS = st.lists(st.integers(0, 99), unique=True, max_size=8)
ORIENTATIONS = st.integers(1, 8)


def box(cell: int) -> Box:
    return Box(cell % 10 * 400 + 40, cell // 10 * 300 + 30, 320, 240)


def faces_of(cells: list[int], names: list[str]) -> list[NamedBox]:
    return [NamedBox(name, box(cell)) for cell, name in zip(cells, names, strict=False)]


def read(body: bytes) -> tuple[FaceRegion, ...]:
    found = regions_of(parse(body))
    return found.items if found else ()


@given(CELLS, st.lists(ANY_TEXT, min_size=8, max_size=8), ORIENTATIONS)
def test_names_are_read_as_they_were_written(cells: list[int], names: list[str], orientation: int) -> None:
    faces = faces_of(cells, names)
    with TemporaryDirectory() as folder:
        photo, sidecars = Path(folder, "a.jpg"), SidecarsNow()
        photo.write_bytes(b"")
        sidecars.write(photo, SIZE, orientation, faces)
        found = sidecars.read(photo).regions.items
        wanted = [face for face in faces if tidy(face.name)]
        assert [each.name for each in found] == [tidy(face.name) for face in wanted]
        for face, each in zip(wanted, found, strict=True):
            assert each.area.box.iou(area_of(face.box, *SIZE, orientation).box) > 0.99
        assert sidecars.write(photo, SIZE, orientation, faces).changes == 0
        sidecars.forget(photo, [face.name for face in wanted])
        assert not sidecars.read(photo).regions.items


@given(st.lists(NAMES, max_size=6), CELLS, st.lists(NAMES, min_size=8, max_size=8), st.booleans())
def test_nothing_of_others_is_lost(theirs: list[str], cells: list[int], names: list[str], kind: bool) -> None:
    items = [region(escape(name), x=at / 6 + 0.05, kind="Face" if kind else "Pet") for at, name in enumerate(theirs)]
    before = with_properties("<!-- theirs -->" + regions(*items)).encode()
    ours = [NamedArea(face.name, area_of(face.box, *SIZE, 1)) for face in faces_of(cells, names)]
    there = read(before)
    body = edited(before, changes_to_write(ours, there), SIZE)
    after = read(body)
    for old, new in zip(there, after, strict=False):
        assert new.area == old.area
        assert new.type == old.type
        assert new.name == old.name or not old.name
    assert not changes_to_write(ours, after)
    # And back: only a name that was empty leaves an empty field behind.
    back = edited(body, changes_to_write([], after), SIZE)
    assert back == before or any(not name for name in theirs)
    assert [each.name for each in read(back)] == [each.name for each in there]


@given(st.lists(st.tuples(NAMES, CELLS.filter(bool)), max_size=5), st.sets(NAMES, max_size=3))
def test_a_forgotten_name_stands_nowhere_in_what_we_wrote(written: list[tuple[str, list[int]]], forgotten: set[str]) -> None:
    body = NEW
    for name, cells in written:
        areas = [NamedArea(f"n{name}", area_of(box(cell), *SIZE, 1)) for cell in cells]
        body = edited(body, [AddRegion(each.name, each.area) for each in areas], SIZE)
    body = edited(body, changes_to_forget([f"n{name}" for name in forgotten], read(body)), SIZE)
    left = {each.name.casefold() for each in read(body)} | {(each.written or "").casefold() for each in read(body)}
    assert not left & {f"n{name}".casefold() for name in forgotten}


@given(st.binary(max_size=300), st.integers(0, len(DIGIKAM)))
def test_bytes_put_anywhere_into_a_sidecar_are_read_or_refused(rubbish: bytes, at: int) -> None:
    data = DIGIKAM.encode()
    for harmed in (data[:at] + rubbish + data[at:], data[:at] + rubbish + data[at + len(rubbish) :], rubbish):
        try:
            packet = decode(harmed)
            found = regions_of(parse(packet.body))
        except XmpError:
            continue
        face = NamedArea("Mei", area_of(box(0), *SIZE, 1))
        changes = changes_to_write([face], found.items if found else ())
        assert "Mei" in [each.name for each in read(edited(packet.body, changes, SIZE))]


@given(CELLS.filter(bool), ORIENTATIONS)
def test_turning_keeps_areas_inside_the_image(cells: list[int], orientation: int) -> None:
    for cell in cells:
        area = area_of(box(cell), *SIZE, orientation)
        assert 0 <= area.box.x <= 1 - area.w + 1e-9
        back = stored(upright(area, orientation), orientation)
        assert abs(back.x - area.x) < 1e-9
        assert abs(back.y - area.y) < 1e-9
