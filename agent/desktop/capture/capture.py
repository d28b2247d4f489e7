"""Screen captures: faces are covered before a capture reaches the disk, the clipboard or a page."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass, replace
from pathlib import PurePath

from agent.domain.errors import AgentError, CaptureGone, CopyUnsupported, RecognitionOff, RegionOutside, WholeOnly
from agent.domain.face import Box, Face
from agent.domain.identity_matching import Identity
from agent.domain.image import Recipe
from agent.domain.names import ids_of
from agent.domain.redaction import Cover, Look, PeopleChoice, Reason, Shape, cover_of
from agent.domain.screen import ALL_MONITORS, Monitor, ScreenRef, ScreenRegion
from agent.features.library.recipes import DETECTORS, recipe_of
from agent.features.library.status import CapturesShown
from agent.features.people.editor import PeopleEditor
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.screen_port import Clipboard, GrabbedFrame, ScreenGrabber
from agent.infrastructure.core.observable import Observable
from agent.infrastructure.core.service_context import Environment
from agent.infrastructure.core.settings import FaceDetector, Settings

# The formats of saved captures, by file extension.
_FORMATS = {"png": "png", "jpg": "jpeg", "jpeg": "jpeg", "webp": "webp", "bmp": "bmp"}
# The limit of hand-drawn covers per capture.
MOST_DRAWN = 500
_FAR = 1_000_000  # pixels: larger than any screen


def format_of(path: str) -> str:
    """Return the format for a file name. Raises CopyUnsupported."""
    ending = PurePath(path).suffix[1:].lower()
    if ending not in _FORMATS:
        raise CopyUnsupported(format=ending, choices=", ".join(dict.fromkeys(_FORMATS.values())))
    return _FORMATS[ending]


@dataclass(frozen=True, slots=True)
class CaptureDesktop:
    """The desktop's functions for captures."""

    window: Callable[[], tuple[int, int, int, int]]  # left, top, width and height of the active one, in pixels; raises NoWindow; blocks
    usual_name: Callable[[], str]  # the default file name
    save: Callable[[str, bytes], str]  # saves under that name or the next free one; returns it; raises RedactionError; blocks
    clipboard: Clipboard
    # The desktop's own capture, if it is the only one: returns the desktop's file, which is then deleted. The user selects the region,
    # or everything is captured. Raises CaptureRefused, PortalMissing.
    shot: Callable[[bool], AbstractAsyncContextManager[str]] | None = None


@dataclass(frozen=True, slots=True)
class SeenFace:
    """A face in a capture, in pixels of the capture."""

    face: Face  # without its embedding
    identity: Identity | None
    person: str | None  # the name; None if unknown, or while recognition is off
    reason: Reason | None  # why it is covered; None if it stays visible


@dataclass(frozen=True, slots=True)
class Capture:
    """One capture under review."""

    id: str
    width: int  # pixels
    height: int
    faces: tuple[SeenFace, ...]
    drawn: tuple[Box, ...]  # additionally covered areas
    look: Look
    copied: bool = False  # it is on the clipboard with its current covers
    path: str | None = None  # where it was saved with its current covers

    @property
    def covers(self) -> tuple[Cover, ...]:
        faces = [cover_of(each.face, self.look, each.reason) for each in self.faces if each.reason is not None]
        # A box drawn by hand keeps its size, whatever the shape.
        drawn = [Cover(box, Look(self.look.style, Shape.BOX), 0.0, Reason.HAND) for box in self.drawn]
        return (*faces, *drawn)


@dataclass(frozen=True, slots=True)
class ScreenChange:
    """The user's changes to a capture; None leaves a value unchanged."""

    covered: Mapping[int, bool] | None = None  # by the index of the face
    drawn: tuple[Box, ...] | None = None
    look: Look | None = None


class CaptureService:
    """Takes, shows and discards captures. Pixels stay in the grabber; only boxes and names are here."""

    def __init__(
        self,
        grabber: ScreenGrabber,
        desktop: CaptureDesktop,
        library: RedactionQueries,
        people: PeopleEditor,
        environment: Environment,
        *,
        supply: Callable[[Recipe], Awaitable[None]],
    ) -> None:
        """`supply` fetches the models of a recipe if they are missing (raises ModelError)."""
        self._grabber = grabber
        self._desktop = desktop
        self._library = library
        self._people = people
        self._environment = environment
        self._supply = supply
        self.shown = Observable(CapturesShown())
        self.taken = 0
        """captures that came to review since the start"""
        self._open: dict[str, Capture] = {}

    # -- taking a capture --------------------------------------------------------------------------------------------------------
    async def monitors(self) -> tuple[Monitor, ...]:
        """Return the monitors. Raises CaptureError, EngineError."""
        return await self._grabber.monitors()

    @property
    def desktop_chooses(self) -> bool:
        """Return whether only the desktop itself can capture, and lets the user select."""
        return self._desktop.shot is not None

    async def freeze(self, ref: ScreenRef, *, choosing: bool = False) -> tuple[GrabbedFrame, ScreenRegion | None]:
        """Return a picture of the screen now, and the requested part of it; None: everything. It is not shown yet.

        If only the desktop can capture, the user selects the region there if `choosing`.
        Raises CaptureError, EngineError, ModelError.
        """
        if self._desktop.shot is None:
            return await self._grabber.grab(ref), None
        if ref.monitor != ALL_MONITORS:
            raise WholeOnly
        async with self._desktop.shot(choosing) as path:
            return await self._grabber.take(path), ref.region

    async def freeze_window(self) -> tuple[GrabbedFrame, ScreenRegion | None]:
        """Return the same for the active window's visible part. Raises NoWindow besides."""
        left, top, width, height = await asyncio.to_thread(self._desktop.window)
        region = ScreenRegion.clipped(left, top, width, height, within=(_FAR, _FAR))  # clipped at the screen's end anyway
        if region is None:
            raise RegionOutside
        return await self.freeze(ScreenRef(ALL_MONITORS, region))

    async def uncovered(self, frame: GrabbedFrame, region: ScreenRegion | None) -> bytes:
        """Return a JPEG for the window of the region selection, and for nothing else. Raises CaptureGone, EngineError."""
        return await self._grabber.frame(frame.handle, region)

    async def prefetch_faces(self, frame: GrabbedFrame) -> None:
        """Detect faces during the region selection. Errors recur in the review, and are reported then."""
        with suppress(AgentError):
            task = _task(self._environment.settings.value)
            await self._supply(task.recipe)
            await self._grabber.ahead(frame.handle, task)

    async def drop(self, frame: GrabbedFrame) -> None:
        """Drop a picture that is not to be reviewed. Raises EngineError."""
        await self._grabber.drop(frame.handle)

    async def review(self, frame: GrabbedFrame, region: ScreenRegion | None, keep: Collection[str], look: Look) -> Capture:
        """Detect the faces in it, or in the selected region, and cover all but those of the named people.

        On failure nothing of the capture is left. Raises RecognitionOff, CaptureError, EngineError, ModelError, StoreError.
        """
        try:
            names = {each.id: each.name for each in await asyncio.to_thread(self._library.people)}
            task = _task(self._environment.settings.value)
            if keep and task.recipe.embedder is None:
                raise RecognitionOff
            choice = PeopleChoice(keep=ids_of(keep, names))
            await self._supply(task.recipe)
            analysis = await self._grabber.look(frame.handle, region, task)
            judged = await self._people.identify(analysis)
        except BaseException:
            await self._grabber.drop(frame.handle)
            raise
        faces = tuple(
            SeenFace(replace(face, embedding=None, chip=None), who, None if who is None else names.get(who.person_id), choice.covers(who))
            for face, who in zip(analysis.faces, judged.identities, strict=True)
        )
        self.taken += 1
        return self._hold(Capture(frame.handle, analysis.width, analysis.height, faces, (), look))

    # -- reviewing it ------------------------------------------------------------------------------------------------------------
    def get(self, id: str) -> Capture:
        """Return the capture. Raises CaptureGone."""
        if id not in self._open:
            raise CaptureGone
        return self._open[id]

    def all(self) -> tuple[Capture, ...]:
        """Return all captures, the newest last."""
        return tuple(self._open.values())

    def change(self, id: str, change: ScreenChange) -> Capture:
        """Change a capture. Raises CaptureGone."""
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
        """Return it with its covers. Raises CaptureGone, EngineError."""
        capture = self.get(id)
        try:
            return await self._grabber.cover(id, capture.covers, format)
        except CaptureGone:
            self._let_go(id)
            raise

    async def usual_name(self) -> str:
        """Return the default name of a capture: a path in the Pictures folder."""
        return await asyncio.to_thread(self._desktop.usual_name)

    async def save(self, id: str, path: str | None = None) -> str:
        """Save it with its covers, under that name or the next free one; by default in the Pictures folder. Return the name.

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
        """Copy it with its covers to the clipboard. Raises CaptureGone, ClipboardFailed, EngineError."""
        capture = self.get(id)
        pictures = {format: await self.picture(id, format) for format in self._desktop.clipboard.formats}
        await self._desktop.clipboard.put(pictures)
        if (now := self._unchanged(capture)) is not None:
            # The clipboard holds one picture, so other captures are no longer on it.
            self._open = {other.id: replace(other, copied=False) for other in self._open.values()}
            self._hold(replace(now, copied=True))

    async def discard(self, id: str) -> None:
        """Discard it. Raises EngineError."""
        self._let_go(id)
        await self._grabber.drop(id)

    def forget(self) -> None:
        """Discard all captures and faces."""
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
        """Return the current state of the same capture; None if its covers changed meanwhile, or it is gone."""
        now = self._open.get(before.id)
        return now if now is not None and now.covers == before.covers else None

    def _let_go(self, id: str) -> None:
        if self._open.pop(id, None) is not None:
            self._changed()


def _task(settings: Settings) -> Analyse:
    """Return a task with thorough detection, whatever the setting for photos is."""
    recipe = replace(recipe_of(settings), detector=DETECTORS[FaceDetector.THOROUGH])
    detection = settings.detection
    return Analyse("", recipe, detection.min_score, detection.min_face, keep_chips=False, thorough=True)
