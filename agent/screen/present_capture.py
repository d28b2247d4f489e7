"""Converts captures between the API shapes and the use cases."""

from collections.abc import Awaitable, Callable

from agent.domain.errors import BadRequest
from agent.domain.face import Box
from agent.domain.path_text import printable
from agent.domain.redaction import Look, Shape, Style
from agent.domain.screen import ALL_MONITORS, Monitor, ScreenRef, ScreenRegion
from agent.engine.screen_port import Frame
from agent.screen.capture import Capture, Capturing, Change, SeenFace
from agent.screen.schemas import BoxOut, CaptureChange, CapturedFace, CaptureOut, CaptureRequest, MonitorOut

Taken = tuple[Frame, ScreenRegion | None]


async def capture(capturing: Capturing, asked: CaptureRequest, pick: Callable[[], Awaitable[Taken]]) -> CaptureOut:
    """Take a capture, cover it, and process it as requested; `pick` lets the user select a region. Raises what `Capturing` raises."""
    frame, region = await _taken(capturing, asked, pick)
    made = await capturing.review(frame, region, asked.keep, Look(Style(asked.style), Shape(asked.shape)))
    ends = asked.copy_it or asked.save or asked.output is not None
    try:
        path = await capturing.save(made.id, asked.output) if asked.save or asked.output is not None else None
        if asked.copy_it:
            await capturing.copy(made.id)
    finally:
        if ends:
            await capturing.discard(made.id)
    return shown(made).model_copy(update={"path": None if path is None else printable(path), "copied": asked.copy_it, "open": not ends})


async def _taken(capturing: Capturing, asked: CaptureRequest, pick: Callable[[], Awaitable[Taken]]) -> Taken:
    match asked.what:
        case "window":
            return await capturing.freeze_window()
        case "screen":
            return await capturing.freeze(ScreenRef(asked.screen))
        case "all":
            return await capturing.freeze(ScreenRef(ALL_MONITORS))
        case _ if asked.region is not None:
            return await capturing.freeze(ScreenRef(ALL_MONITORS, region_of(asked.region)))
        case _ if capturing.desktop_chooses:
            return await capturing.freeze(ScreenRef(ALL_MONITORS), choosing=True)
        case _:
            return await pick()


def region_of(text: str) -> ScreenRegion:
    """Parse a region. Raises BadRequest."""
    try:
        return ScreenRegion.parse(text)
    except ValueError:
        raise BadRequest(reason="region") from None


def shown(capture: Capture) -> CaptureOut:
    return CaptureOut(
        id=capture.id,
        width=capture.width,
        height=capture.height,
        faces=tuple(map(_face, capture.faces)),
        drawn=tuple(map(_box, capture.drawn)),
        style=capture.look.style.value,
        shape=capture.look.shape.value,
        path=None if capture.path is None else printable(capture.path),
        copied=capture.copied,
    )


def change(asked: CaptureChange, now: Capture) -> Change:
    drawn = None if asked.drawn is None else tuple(Box(*box) for box in asked.drawn)
    look = Look(Style(asked.style or now.look.style), Shape(asked.shape or now.look.shape))
    return Change(asked.covered, drawn, look)


def monitor(each: Monitor) -> MonitorOut:
    return MonitorOut(number=each.number, region=(each.x, each.y, each.w, each.h), scale=each.scale, primary=each.primary)


def _face(seen: SeenFace) -> CapturedFace:
    return CapturedFace(
        box=_box(seen.face.box),
        score=round(seen.face.score, 4),
        person_id=None if seen.identity is None else seen.identity.person_id,
        person=seen.person,
        certainty=None if seen.identity is None else seen.identity.certainty.value,
        covered=seen.reason is not None,
    )


def _box(box: Box) -> BoxOut:
    return (round(box.x, 2), round(box.y, 2), round(box.w, 2), round(box.h, 2))
