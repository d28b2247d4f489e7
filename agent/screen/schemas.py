"""The API schemas of screen captures."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StringConstraints

from agent.redaction.schemas import Places, Size
from agent.web.schemas import FilePath, Schema

BoxOut: TypeAlias = tuple[float, float, float, float]
StyleName: TypeAlias = Literal["solid", "mosaic", "blur", "emoji"]
ShapeName: TypeAlias = Literal["ellipse", "box"]
RegionText: TypeAlias = Annotated[str, StringConstraints(pattern=r"^\d{1,6},\d{1,6},\d{1,6},\d{1,6}$")]
"""`X,Y,W,H` in pixels, from the top left"""


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


class Monitors(Schema):
    items: tuple[MonitorOut, ...]


class PickStep(Schema):
    """The progress of a window for the region selection."""

    step: Literal["ready", "chosen", "cancelled"]
    monitor: Annotated[int, Field(ge=1, le=99)] = 1
    region: RegionText | None = None
    """of all monitors together; without it the whole of this one was chosen"""
