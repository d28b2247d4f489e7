"""The API schemas of screen captures and screen watching."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal, Self, TypeAlias

from pydantic import Field, StringConstraints

from agent.domain.face import Box
from agent.domain.path_text import printable
from agent.domain.screen import Monitor
from agent.features.redaction.schemas import Places, Size
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.schema_base import Schema
from agent.interfaces.web.schemas import FilePath, Problem

if TYPE_CHECKING:
    from agent.desktop.capture import face_alerts, watch
    from agent.desktop.capture.capture import Capture, SeenFace

BoxOut: TypeAlias = tuple[float, float, float, float]
StyleName: TypeAlias = Literal["solid", "mosaic", "blur", "emoji"]
ShapeName: TypeAlias = Literal["ellipse", "box"]
RegionText: TypeAlias = Annotated[str, StringConstraints(pattern=r"^\d{1,6},\d{1,6},\d{1,6},\d{1,6}$")]
"""`X,Y,W,H` in pixels, from the top left"""


def _rounded(box: Box) -> BoxOut:
    return (round(box.x, 2), round(box.y, 2), round(box.w, 2), round(box.h, 2))


class CaptureRequest(Schema):
    """What to capture, who stays visible, and what to do with it. Without `output` and `copy` it stays open for review."""

    what: Literal["region", "window", "screen", "all"] = "region"
    region: RegionText | None = None
    """of all screens together; without it the user chooses"""
    screen: Annotated[int, Field(ge=1, le=99)] = 1
    keep: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    """names of people who stay visible; recognition must be on"""
    style: StyleName = "solid"
    shape: ShapeName = "ellipse"
    output: str | None = None
    """where to save it; if that is taken, the next free name"""
    save: bool = False
    """save it among the user's pictures, if `output` does not say where"""
    copy_it: bool = False
    """put it on the clipboard"""


class CapturedFace(Schema):
    box: BoxOut
    """left, top, width, height in pixels of the capture"""
    score: float
    person_id: int | None
    person: str | None
    certainty: Literal["confirmed", "certain", "probable"] | None
    covered: bool

    @classmethod
    def of(cls, seen: "SeenFace") -> Self:
        return cls(
            box=_rounded(seen.face.box),
            score=round(seen.face.score, 4),
            person_id=None if seen.identity is None else seen.identity.person_id,
            person=seen.person,
            certainty=None if seen.identity is None else seen.identity.certainty.value,
            covered=seen.reason is not None,
        )


class CaptureOut(Schema):
    id: str
    width: int
    height: int
    faces: tuple[CapturedFace, ...]
    drawn: tuple[BoxOut, ...]
    """covered besides, by hand"""
    style: StyleName
    shape: ShapeName
    path: str | None = None
    """where it was saved, covered as it is now"""
    copied: bool = False
    """it is on the clipboard, covered as it is now"""
    open: bool = True
    """it is there to be reviewed"""

    @classmethod
    def of(cls, capture: "Capture") -> Self:
        return cls(
            id=capture.id,
            width=capture.width,
            height=capture.height,
            faces=tuple(map(CapturedFace.of, capture.faces)),
            drawn=tuple(map(_rounded, capture.drawn)),
            style=capture.look.style.value,
            shape=capture.look.shape.value,
            path=None if capture.path is None else printable(capture.path),
            copied=capture.copied,
        )


class Captures(Schema):
    items: tuple[CaptureOut, ...]
    """the newest last"""


class CaptureChange(Schema):
    """Omitted values stay unchanged."""

    covered: dict[Annotated[int, Field(ge=0)], bool] | None = None
    """by the number of the face"""
    drawn: Annotated[tuple[tuple[Places, Places, Size, Size], ...], Field(max_length=500)] | None = None
    style: StyleName | None = None
    shape: ShapeName | None = None


class SaveRequest(Schema):
    path: FilePath | None = None
    """without it, among the user's pictures"""


class SavedAt(Schema):
    path: str


class MonitorOut(Schema):
    number: int
    region: tuple[int, int, int, int]
    """left, top, width, height in pixels of all screens together"""
    scale: float
    primary: bool

    @classmethod
    def of(cls, monitor: Monitor) -> Self:
        return cls.from_record(monitor, region=(monitor.x, monitor.y, monitor.w, monitor.h))


class Monitors(Schema):
    items: tuple[MonitorOut, ...]


class PickStep(Schema):
    """The progress of a window for the region selection."""

    step: Literal["ready", "chosen", "cancelled"]
    monitor: Annotated[int, Field(ge=1, le=99)] = 1
    region: RegionText | None = None
    """of all monitors together; without it the whole of this one was chosen"""


class WatchSaid(Schema):
    """An alert, in the program's language. It is kept until the program ends."""

    number: int
    at: datetime
    kind: Literal["new_face", "person", "shared"]
    text: str
    person_id: int | None

    @classmethod
    def of(cls, said: "face_alerts.SightingAnnouncement", names: Mapping[int, str], texts: Texts) -> Self:
        """`names` are those of people who may be named."""
        known = said.person_id if said.person_id in names else None
        return cls(number=said.number, at=said.at, kind=said.kind.value, text=said.text(texts, names), person_id=known)


class WatchOut(Schema):
    state: Literal["off", "on", "paused", "snoozed", "battery", "locked", "call", "failed"]
    until: datetime | None
    """snoozed until then"""
    problem: Problem | None
    said: tuple[WatchSaid, ...]
    """the newest last"""

    @classmethod
    def of(cls, watching: "watch.WatchService", names: Mapping[int, str], texts: Texts) -> Self:
        now = watching.shown.value
        said = tuple(WatchSaid.of(each, names, texts) for each in watching.said)
        return cls(state=now.state.value, until=now.until, problem=Problem.maybe(now.problem, texts), said=said)


class WatchSwitch(Schema):
    on: bool


class WatchSnooze(Schema):
    minutes: Annotated[int, Field(ge=1, le=10_080)] | None = None
    """null, and not until tomorrow: watch again"""
    until_tomorrow: bool = False
