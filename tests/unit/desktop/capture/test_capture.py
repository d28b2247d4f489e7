"""A capture is covered before anything of it goes anywhere, and gone when it is let go."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from agent.desktop.capture.capture import Capture, CaptureDesktop, CaptureService, ScreenChange
from agent.domain.errors import CaptureGone, CopyUnsupported, EngineCrashed, NoSuchName, NoWindow, RecognitionOff, RegionOutside, WholeOnly
from agent.domain.face import Analysis, Box
from agent.domain.identity_matching import Certainty, IdentificationResult, Identity
from agent.domain.image import Recipe
from agent.domain.redaction import Look, Reason, Shape, Style
from agent.domain.screen import ScreenRef, ScreenRegion
from agent.features.library.records import Person
from agent.infrastructure.core.settings import Settings
from tests.support.fake_screen import FakeClipboard, FakeGrabber
from tests.support.service_environment import environment

REGION = ScreenRegion(10, 20, 30, 40)
ON = Settings.model_validate({"recognition": {"enabled": True}})


class FakePeople:
    """Who the two faces are."""

    def __init__(self) -> None:
        self.identities: tuple[Identity | None, ...] = (None, None)

    async def identify(self, _: Analysis) -> IdentificationResult:
        return IdentificationResult(self.identities)


class FakeLibrary:
    def people(self) -> list[Person]:
        return [Person(7, "Mei", 1, 1, 0), Person(8, "José", 1, 1, 0)]


class Desk:
    """All of it, put together."""

    def __init__(self) -> None:
        self.grabber, self.clipboard, self.people = FakeGrabber(), FakeClipboard(), FakePeople()
        self.environment = environment()
        self.window: tuple[int, int, int, int] | None = (-5, 10, 100, 50)
        self.saved: dict[str, bytes] = {}
        self.supplied: list[Recipe] = []
        self.shots: list[bool] = []
        self.capturing = self.make(portal=False)

    def make(self, *, portal: bool) -> CaptureService:
        def window() -> tuple[int, int, int, int]:
            if self.window is None:
                raise NoWindow
            return self.window

        def save(path: str, picture: bytes) -> str:
            self.saved[path] = picture
            return path

        @asynccontextmanager
        async def shot(choosing: bool) -> AsyncIterator[str]:
            self.shots.append(choosing)
            yield "of the desktop"

        async def supply(recipe: Recipe) -> None:
            self.supplied.append(recipe)

        surroundings = CaptureDesktop(window, lambda: "/pictures/now.png", save, self.clipboard, shot if portal else None)
        self.capturing = CaptureService(
            self.grabber,
            surroundings,
            FakeLibrary(),  # type: ignore[arg-type]
            self.people,  # type: ignore[arg-type]
            self.environment,
            supply=supply,
        )
        return self.capturing

    async def capture(self, *keep: str, look: Look | None = None) -> Capture:
        frame, region = await self.capturing.freeze(ScreenRef(1, REGION))
        return await self.capturing.review(frame, region, keep, look or Look())


@pytest.fixture
def desk() -> Desk:
    return Desk()


def sure(person: int, certainty: Certainty = Certainty.CERTAIN) -> Identity:
    return Identity(person, certainty, 0.5, 1, 1)


async def test_every_face_is_covered_from_the_beginning(desk: Desk) -> None:
    capture = await desk.capture()
    assert [each.reason for each in capture.faces] == [Reason.FACE, Reason.FACE] and len(capture.covers) == 2
    assert await desk.capturing.picture(capture.id) == b"png 2"
    assert desk.capturing.get(capture.id) == capture and desk.capturing.all() == (capture,)


async def test_faces_are_looked_for_thoroughly_whatever_photos_are_looked_at_with(desk: Desk) -> None:
    desk.environment.settings.set(Settings.model_validate({"detection": {"detector": "fast", "min_score": 0.9, "min_face": 200}}))
    await desk.capture()
    [task] = desk.grabber.tasks
    assert desk.grabber.asked == [ScreenRef(1, REGION), None]  # what was grabbed is the region already
    assert task.recipe == Recipe("centerface-2") and task.thorough and not task.keep_chips
    assert desk.supplied == [task.recipe]


async def test_who_is_to_be_kept_stays_visible_if_it_is_surely_them(desk: Desk) -> None:
    desk.environment.settings.set(ON)
    desk.people.identities = (sure(7), sure(8))
    capture = await desk.capture("  Mei ")
    assert [(each.person, each.reason) for each in capture.faces] == [("Mei", None), ("José", Reason.FACE)]
    desk.people.identities = (sure(7, Certainty.PROBABLE), None)
    assert len((await desk.capture("Mei")).covers) == 2


async def test_names_are_found_however_their_letters_are_spelt(desk: Desk) -> None:
    desk.environment.settings.set(ON)
    desk.people.identities = (sure(8), None)
    assert len((await desk.capture("Jose\u0301")).covers) == 1


async def test_prints_of_faces_are_not_held(desk: Desk) -> None:
    desk.environment.settings.set(ON)
    assert all(each.face.embedding is None and each.face.chip is None for each in (await desk.capture()).faces)


async def test_nothing_is_left_of_a_capture_that_can_not_be_covered_as_wished(desk: Desk) -> None:
    with pytest.raises(RecognitionOff):
        await desk.capture("Mei")
    desk.environment.settings.set(ON)
    with pytest.raises(NoSuchName) as nobody:
        await desk.capture("Mai")
    assert nobody.value.params["nearest"] == "Mei"
    desk.grabber.error = EngineCrashed()
    with pytest.raises(EngineCrashed):
        await desk.capture()
    assert not desk.grabber.open and not desk.capturing.all()


async def test_faces_are_uncovered_and_boxes_drawn_by_the_user(desk: Desk) -> None:
    capture = await desk.capture()
    changed = desk.capturing.change(capture.id, ScreenChange(covered={0: False, 9: True}, drawn=(Box(1, 2, 3, 4),)))
    assert [each.reason for each in changed.faces] == [None, Reason.FACE]
    drawn = changed.covers[-1]
    assert (drawn.box, drawn.look.shape, drawn.reason) == (Box(1, 2, 3, 4), Shape.BOX, Reason.HAND)
    again = desk.capturing.change(capture.id, ScreenChange(covered={0: True}, look=Look(Style.MOSAIC)))
    assert len(again.covers) == 3 and {each.look.style for each in again.covers} == {Style.MOSAIC}


async def test_what_is_copied_and_saved_is_covered(desk: Desk) -> None:
    capture = await desk.capture()
    await desk.capturing.copy(capture.id)
    assert desk.clipboard.holds == {"png": b"png 2", "bmp": b"bmp 2"}
    assert await desk.capturing.save(capture.id, "/here/a.JPG") == "/here/a.JPG"
    assert await desk.capturing.save(capture.id) == "/pictures/now.png"
    assert desk.saved == {"/here/a.JPG": b"jpeg 2", "/pictures/now.png": b"png 2"}


@pytest.mark.parametrize("path", ["/here/a.gif", "/here/a", "/here.png/a"])
async def test_what_can_not_be_written_is_refused_before_it_is_made(desk: Desk, path: str) -> None:
    capture = await desk.capture()
    with pytest.raises(CopyUnsupported) as refused:
        await desk.capturing.save(capture.id, path)
    assert refused.value.params == {"format": "gif" if path.endswith("gif") else "", "choices": "png, jpeg, webp, bmp"}


async def test_it_is_known_what_is_copied_and_saved_as_it_is_now(desk: Desk) -> None:
    first, capture = await desk.capture(), await desk.capture()
    await desk.capturing.copy(first.id)
    await desk.capturing.copy(capture.id)
    await desk.capturing.save(capture.id)
    now = desk.capturing.get(capture.id)
    assert (now.copied, now.path, desk.capturing.get(first.id).copied) == (True, "/pictures/now.png", False)
    same = desk.capturing.change(capture.id, ScreenChange({0: True}))
    assert (same.copied, same.path) == (True, "/pictures/now.png")
    other = desk.capturing.change(capture.id, ScreenChange({0: False}))
    assert (other.copied, other.path) == (False, None)


async def test_whatever_becomes_of_captures_is_counted(desk: Desk) -> None:
    counts = [desk.capturing.shown.value.changes]
    capture = await desk.capture()
    counts.append(desk.capturing.shown.value.changes)
    await desk.capturing.copy(capture.id)
    counts.append(desk.capturing.shown.value.changes)
    await desk.capturing.discard(capture.id)
    counts.append(desk.capturing.shown.value.changes)
    assert counts == [0, 1, 2, 3]


async def test_a_discarded_capture_is_gone_everywhere(desk: Desk) -> None:
    capture = await desk.capture()
    await desk.capturing.discard(capture.id)
    await desk.capturing.discard(capture.id)
    assert not desk.grabber.open
    for use in (desk.capturing.picture(capture.id), desk.capturing.copy(capture.id), desk.capturing.save(capture.id)):
        with pytest.raises(CaptureGone):
            await use


async def test_one_that_the_engine_lost_is_gone_too(desk: Desk) -> None:
    capture = await desk.capture()
    desk.grabber.open.clear()
    with pytest.raises(CaptureGone):
        await desk.capturing.picture(capture.id)
    assert not desk.capturing.all()


async def test_forgetting_lets_go_of_everything(desk: Desk) -> None:
    await desk.capture()
    desk.capturing.forget()
    assert not desk.capturing.all() and desk.grabber.forgotten == 1


async def test_the_window_in_use_is_taken_as_far_as_it_is_on_the_screen(desk: Desk) -> None:
    await desk.capturing.freeze_window()
    assert desk.grabber.asked == [ScreenRef(0, ScreenRegion(0, 10, 95, 50))]
    desk.window = (-200, 0, 100, 100)
    with pytest.raises(RegionOutside):
        await desk.capturing.freeze_window()
    desk.window = None
    with pytest.raises(NoWindow):
        await desk.capturing.freeze_window()


async def test_where_only_the_desktop_takes_pictures_it_is_asked_and_the_region_cut_from_its_file(desk: Desk) -> None:
    capturing = desk.make(portal=True)
    frame, region = await capturing.freeze(ScreenRef(0, REGION))
    await capturing.freeze(ScreenRef(), choosing=True)
    assert desk.grabber.asked == ["of the desktop"] * 2 and region == REGION and desk.shots == [False, True]
    with pytest.raises(WholeOnly):
        await capturing.freeze(ScreenRef(1))
    assert capturing.desktop_chooses and not desk.make(portal=False).desktop_chooses
    assert (await desk.capturing.review(frame, region, (), Look())).id == frame.handle
