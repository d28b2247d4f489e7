"""The shapes of settings, watched folders and the first run that cross the HTTP API."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from agent.core.settings import NamesInSidecars
from agent.domain.redaction import Style
from agent.web.schemas import FilePath, Schema

# Strict: what a client sends as text stays text, and true is not 1.
Value: TypeAlias = (
    Annotated[bool, Field(strict=True)]
    | Annotated[int, Field(strict=True)]
    | Annotated[float, Field(strict=True)]
    | Annotated[str, Field(strict=True, max_length=4_000)]
    | Annotated[tuple[Annotated[str, Field(strict=True)], ...], Field(max_length=1_000)]
)


class Choice(Schema):
    value: str
    title: str


class SettingOut(Schema):
    """One setting, with all that a form needs to show and check it."""

    key: str
    """section and name, such as `popup.seconds`"""
    title: str
    help: str
    kind: Literal["switch", "number", "choice", "text", "list"]
    value: Value
    default: Value | None
    minimum: float | None
    maximum: float | None
    step: float | None
    """1 for whole numbers"""
    unit: str | None
    choices: tuple[Choice, ...]
    advanced: bool
    overridden: bool
    """an environment variable says otherwise, and goes first"""
    also: str
    """title and help in the other languages, to search in"""
    restart: bool
    """takes effect when the program starts the next time"""


class SettingGroup(Schema):
    name: str
    title: str
    advanced: bool
    """all of it is"""
    settings: tuple[SettingOut, ...]


class WatchedFolder(Schema):
    """A watched folder's own settings."""

    path: str
    recursive: bool
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    faces: bool
    """its photos are looked at for faces"""
    recognition: bool
    """people are recognised in them, while recognition is on at all"""
    muted: bool
    """no popup for new photos in it"""
    names_in_sidecars: NamesInSidecars
    """whether people's names are read from XMP files beside its photos, or written there too"""
    redact_to: str
    """where copies of its new photos go, with faces covered; empty: none are made"""
    redact_style: Style
    redact_keep: tuple[str, ...]
    """people who stay visible in them"""
    redact_strip: bool
    """the copies are without metadata"""


class SettingsOut(Schema):
    groups: tuple[SettingGroup, ...]
    folders: tuple[WatchedFolder, ...]
    path: str
    """the file they are saved in"""


class SettingValue(Schema):
    value: Value


class FolderPath(Schema):
    path: FilePath


class FolderChange(Schema):
    """What is left out stays as it is."""

    path: str
    recursive: bool | None = None
    include: tuple[str, ...] | None = None
    exclude: tuple[str, ...] | None = None
    faces: bool | None = None
    recognition: bool | None = None
    muted: bool | None = None
    names_in_sidecars: NamesInSidecars | None = None
    redact_to: str | None = None
    redact_style: Style | None = None
    redact_keep: tuple[str, ...] | None = None
    redact_strip: bool | None = None


class FolderRemoved(Schema):
    """What became of the photos of a folder that is watched no more."""

    photos: int
    """so many left the library"""
    days: int
    """watched again within this time, the folder has them back without new work"""


class QuietRequest(Schema):
    minutes: Annotated[int | None, Field(ge=1, le=10_080)]
    """null ends a quiet time that was asked for"""
    until_done: bool = False
    """no popup until the work at hand is done, whatever `minutes` says"""


class ChosenFolder(Schema):
    path: str | None
    """null: the dialog was dismissed"""


class Estimate(Schema):
    """What watching a folder would mean, as far as it was counted."""

    path: str
    """absolute"""
    images: int
    seconds: float
    """until all are looked at"""
    more: bool
    """it is still being counted"""
    network: bool
    """it lies on a network drive, where changes made elsewhere may not be told"""


class WelcomeChoices(Schema):
    """What somebody has chosen in the welcome so far: nothing of it is in force."""

    folders: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    recognition: bool = False
    step: Annotated[int, Field(ge=0, le=9)] = 0
    """which of its pages they are on"""


class FirstRun(Schema):
    needed: bool
    """no folder is watched, and nobody said that is fine"""
    recognition_terms: str
    """what the model that tells faces apart may be used for"""
    recovery_code: str | None
    """null if the library's key can't be had right now"""
    suggested: tuple[str, ...]
    """folders in which people keep photos"""
    chosen: WelcomeChoices | None
    """null if nobody began with it"""


class RecoveryCode(Schema):
    code: str


class SettingTold(Schema):
    key: str
    default: str
    allowed: str
    title: str
    help: str


class ReferencePart(Schema):
    """Under a heading of its own."""

    id: str
    """the same in all languages"""
    title: str
    text: tuple[str, ...]
    rows: tuple[SettingTold, ...]


class GuidePage(Schema):
    """A page of the guide."""

    html: str


class Component(Schema):
    """Something the program brings along."""

    name: str
    terms: str


class About(Schema):
    version: str
    license: str
    data: str
    """folder of the library and the models"""
    settings: str
    """the settings file"""
    logs: str
    models: tuple[Component, ...]


class Reference(Schema):
    """A page of the help that the program makes itself; in its texts, words for a machine stand between backticks."""

    title: str
    intro: tuple[str, ...]
    columns: tuple[str, ...]
    """of the table of settings"""
    parts: tuple[ReferencePart, ...]
