"""Captures of the screen: faces are covered before anything of it reaches the disk, the clipboard or a page."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, replace
from pathlib import PurePath

from agent.core.environment import Environment
from agent.core.observable import Observable
from agent.core.settings import FaceDetector, Settings
from agent.domain.errors import AgentError, CaptureGone, CopyUnsupported, RecognitionOff, RegionOutside, WholeOnly
from agent.domain.face import Box, Face
from agent.domain.image import Recipe
from agent.domain.names import ids_of
from agent.domain.people import Identity
from agent.domain.redaction import Choice, Cover, Look, Reason, Shape, cover_of
from agent.domain.screen import ALL_MONITORS, Monitor, ScreenRef, ScreenRegion
from agent.engine.analyser import Analyse
from agent.engine.screen_port import Clipboard, Frame, ScreenGrabber
from agent.library.library_port import Library
from agent.library.recipes import DETECTORS, recipe_of
from agent.library.status import CapturesShown
from agent.people.naming import People

# What a capture can be saved as, by the ending of the file's name.
_FORMATS = {"png": "png", "jpg": "jpeg", "jpeg": "jpeg", "webp": "webp", "bmp": "bmp"}
# Covers drawn by hand on one capture.
MOST_DRAWN = 500
_FAR = 1_000_000  # pixels: no screen reaches there


def format_of(path: str) -> str:
    """The one that a capture of that name is saved in. Raises CopyUnsupported."""
    ending = PurePath(path).suffix[1:].lower()
    if ending not in _FORMATS:
        raise CopyUnsupported(format=ending, choices=", ".join(dict.fromkeys(_FORMATS.values())))
    return _FORMATS[ending]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the desktop does for captures."""

    window: Callable[[], tuple[int, int, int, int]]  # left, top, width and height of the one in use, in pixels; raises NoWindow; blocks
    usual_name: Callable[[], str]  # a file's, where nobody said one
    save: Callable[[str, bytes], str]  # under that name or the next that is free; the name; raises RedactionError; blocks
    clipboard: Clipboard
    # The desktop's own way, if it is the only one: gives the file that it leaves, which is gone afterwards. The user chooses the region,
    # or all is taken. Raises CaptureRefused, PortalMissing.
    shot: Callable[[bool], AbstractAsyncContextManager[str]] | None = None


@dataclass(frozen=True, slots=True)
class SeenFace:
    """A face on a capture, in pixels of that."""

    face: Face  # without its print
    identity: Identity | None
    person: str | None  # the name; None if nobody is known, or recognition is off
    reason: Reason | None  # why it is covered; None if it stays visible


@dataclass(frozen=True, slots=True)
class Capture:
    """One capture under review."""

    id: str
    width: int  # pixels
    height: int
    faces: tuple[SeenFace, ...]
    drawn: tuple[Box, ...]  # covered besides
    look: Look
    copied: bool = False  # it is on the clipboard, covered as it is now
    path: str | None = None  # where it was saved, covered as it is now

    @property
    def covers(self) -> tuple[Cover, ...]:
        faces = [cover_of(each.face, self.look, each.reason) for each in self.faces if each.reason is not None]
        # A box drawn by hand is as large as it was drawn, whatever the shape is.
        drawn = [Cover(box, Look(self.look.style, Shape.BOX), 0.0, Reason.HAND) for box in self.drawn]
        return (*faces, *drawn)


@dataclass(frozen=True, slots=True)
class Change:
    """What the user changes of a capture; None leaves it as it is."""

    covered: Mapping[int, bool] | None = None  # by the number of the face
    drawn: tuple[Box, ...] | None = None
    look: Look | None = None


class Capturing:
    """Takes, shows and lets go of captures. What was taken stays in the grabber; here are boxes and names only."""

    def __init__(
        self,
        grabber: ScreenGrabber,
        desktop: Surroundings,
        library: Library,
        people: People,
        environment: Environment,
        *,
        supply: Callable[[Recipe], Awaitable[None]],
    ) -> None:
        """`supply` gets the models of a recipe, unless they are there (raises ModelError)."""
        self._grabber = grabber
        self._desktop = desktop
        self._library = library
        self._people = people
        self._environment = environment
        self._supply = supply
        self.shown = Observable(CapturesShown())
        self._open: dict[str, Capture] = {}

    # -- taking one --------------------------------------------------------------------------------------------------------------
    async def monitors(self) -> tuple[Monitor, ...]:
        """Raises CaptureError, EngineError."""
        return await self._grabber.monitors()

    @property
    def desktop_chooses(self) -> bool:
        """Only the desktop itself takes pictures here, and lets the user choose what of."""
        return self._desktop.shot is not None

    async def freeze(self, ref: ScreenRef, *, choosing: bool = False) -> tuple[Frame, ScreenRegion | None]:
        """A picture of the screen as it is now, and what of it was asked for; None: all of it. Nothing is shown of it yet.

        Where only the desktop takes pictures, the user chooses the region there if `choosing`.
        Raises CaptureError, EngineError, ModelError.
        """
        if self._desktop.shot is None:
            return await self._grabber.grab(ref), None
        if ref.monitor != ALL_MONITORS:
            raise WholeOnly
        async with self._desktop.shot(choosing) as path:
            return await self._grabber.take(path), ref.region

    async def freeze_window(self) -> tuple[Frame, ScreenRegion | None]:
        """The same of the window in use, as far as it is on the screen. Raises NoWindow besides."""
        left, top, width, height = await asyncio.to_thread(self._desktop.window)
        region = ScreenRegion.clipped(left, top, width, height, within=(_FAR, _FAR))  # where the screen ends it is cut anyway
        if region is None:
            raise RegionOutside
        return await self.freeze(ScreenRef(ALL_MONITORS, region))

    async def uncovered(self, frame: Frame, region: ScreenRegion | None) -> bytes:
        """JPEG, for the window in which the region is chosen, and for nothing else. Raises CaptureGone, EngineError."""
        return await self._grabber.frame(frame.handle, region)

    async def look_ahead(self, frame: Frame) -> None:
        """Find faces on it while the region is chosen. What goes wrong does so again when it is reviewed, and is said then."""
        with suppress(AgentError):
            task = _task(self._environment.settings.value)
            await self._supply(task.recipe)
            await self._grabber.ahead(frame.handle, task)

    async def drop(self, frame: Frame) -> None:
        """Forget one that is not to be reviewed. Raises EngineError."""
        await self._grabber.drop(frame.handle)

    async def review(self, frame: Frame, region: ScreenRegion | None, keep: Collection[str], look: Look) -> Capture:
        """Find the faces on it, or on the region that was chosen, and cover all but those of the people named.

        If it fails nothing is left of the capture. Raises RecognitionOff, CaptureError, EngineError, ModelError, StoreError.
        """
        try:
            names = {each.id: each.name for each in await asyncio.to_thread(self._library.people)}
            task = _task(self._environment.settings.value)
            if keep and task.recipe.embedder is None:
                raise RecognitionOff
            choice = Choice(keep=ids_of(keep, names))
            await self._supply(task.recipe)
            analysis = await self._grabber.look(frame.handle, region, task)
            judged = await self._people.opinions(analysis)
        except BaseException:
            await self._grabber.drop(frame.handle)
            raise
        faces = tuple(
            SeenFace(replace(face, embedding=None, chip=None), who, None if who is None else names.get(who.person_id), choice.covers(who))
            for face, who in zip(analysis.faces, judged.identities, strict=True)
        )
        return self._hold(Capture(frame.handle, analysis.width, analysis.height, faces, (), look))

    # -- reviewing it ------------------------------------------------------------------------------------------------------------
    def get(self, id: str) -> Capture:
        """Raises CaptureGone."""
        if id not in self._open:
            raise CaptureGone
        return self._open[id]

    def all(self) -> tuple[Capture, ...]:
        """The newest last."""
        return tuple(self._open.values())

    def change(self, id: str, change: Change) -> Capture:
        """Raises CaptureGone."""
        capture = self.get(id)
        covered = change.covered or {}
        faces = tuple(
            replace(face, reason=(face.reason or Reason.FACE) if covered[number] else None) if number in covered else face
            for number, face in enumerate(capture.faces)
        )
        drawn = capture.drawn if change.drawn is None else change.drawn[:MOST_DRAWN]
        made = replace(capture, faces=faces, drawn=drawn, look=change.look or capture.look)
        return self._hold(made if made.covers == capture.covers else replace(made, copied=False, path=None))

    async def picture(self, id: str, format: str = "png") -> bytes:
        """With its covers. Raises CaptureGone, EngineError."""
        capture = self.get(id)
        try:
            return await self._grabber.cover(id, capture.covers, format)
        except CaptureGone:
            self._let_go(id)
            raise

    async def usual_name(self) -> str:
        """What a capture is called where nobody said otherwise: a path among the user's pictures."""
        return await asyncio.to_thread(self._desktop.usual_name)

    async def save(self, id: str, path: str | None = None) -> str:
        """With its covers, under that name or the next that is free; without one among the user's pictures. Returns the name.

        Raises CaptureGone, RedactionError, EngineError.
        """
        capture = self.get(id)
        if path is None:
            path = await self.usual_name()
        picture = await self.picture(id, format_of(path))
        saved = await asyncio.to_thread(self._desktop.save, path, picture)
        if (now := self._unchanged(capture)) is not None:
            self._hold(replace(now, path=saved))
        return saved

    async def copy(self, id: str) -> None:
        """Put it on the clipboard, with its covers. Raises CaptureGone, ClipboardFailed, EngineError."""
        capture = self.get(id)
        pictures = {format: await self.picture(id, format) for format in self._desktop.clipboard.formats}
        await self._desktop.clipboard.put(pictures)
        if (now := self._unchanged(capture)) is not None:
            # The clipboard holds one picture, so no other capture is on it any more.
            self._open = {other.id: replace(other, copied=False) for other in self._open.values()}
            self._hold(replace(now, copied=True))

    async def discard(self, id: str) -> None:
        """Raises EngineError."""
        self._let_go(id)
        await self._grabber.drop(id)

    def forget(self) -> None:
        """Hold nothing any more, neither captures nor faces."""
        self._open.clear()
        self._grabber.forget()
        self._changed()

    async def close(self) -> None:
        self._open.clear()
        await self._desktop.clipboard.close()
        await self._grabber.close()

    def _hold(self, capture: Capture) -> Capture:
        self._open[capture.id] = capture
        self._changed()
        return capture

    def _changed(self) -> None:
        self.shown.set(CapturesShown(len(self._open), self.shown.value.changes + 1))

    def _unchanged(self, before: Capture) -> Capture | None:
        """The same capture as it is now; None if it is covered otherwise by now, or gone."""
        now = self._open.get(before.id)
        return now if now is not None and now.covers == before.covers else None

    def _let_go(self, id: str) -> None:
        if self._open.pop(id, None) is not None:
            self._changed()


def _task(settings: Settings) -> Analyse:
    """What is to be covered is looked for as thoroughly as can be, whatever photos are looked at with."""
    recipe = replace(recipe_of(settings), detector=DETECTORS[FaceDetector.THOROUGH])
    detection = settings.detection
    return Analyse("", recipe, detection.min_score, detection.min_face, keep_chips=False, thorough=True)
