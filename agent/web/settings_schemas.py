"""The API schemas of settings, watched folders and the first run."""

from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from agent.core.settings import NamesInSidecars
from agent.domain.redaction import Style
from agent.web.schemas import FilePath, Schema

# Strict: a client's text stays text, and true is not 1.
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
    """One setting with everything that a form needs to show and check it."""

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
    """an environment variable overrides it"""
    also: str
    """title and help in the other languages, for the search"""
    restart: bool
    """takes effect at the next start of the program"""


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
    """its photos are searched for faces"""
    recognition: bool
    """people are recognised in them, while recognition is on"""
    muted: bool
    """no popup for new photos in it"""
    names_in_sidecars: NamesInSidecars
    """whether people's names are read from XMP files beside its photos, or also written there"""
    redact_to: str
    """folder for copies of its new photos with faces covered; empty: no copies are made"""
    redact_style: Style
    redact_keep: tuple[str, ...]
    """people who stay visible in them"""
    redact_strip: bool
    """the copies have no metadata"""


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
    """Omitted fields stay unchanged."""

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
    """The photos' state after their folder is no longer watched."""

    photos: int
    """photos removed from the library"""
    days: int
    """days within which watching the folder again restores them without new work"""


class QuietRequest(Schema):
    minutes: Annotated[int | None, Field(ge=1, le=10_080)]
    """null ends a requested quiet time"""
    until_done: bool = False
    """no popup until the current work is done, regardless of `minutes`"""


class ChosenFolder(Schema):
    path: str | None
    """null: the dialog was dismissed"""


class Estimate(Schema):
    """The estimated work for watching a folder, as far as it was counted."""

    path: str
    """absolute"""
    images: int
    seconds: float
    """until all photos are analysed"""
    more: bool
    """the count is still running"""
    network: bool
    """it lies on a network drive, where changes from other computers may go unreported"""


class WelcomeChoices(Schema):
    """The user's choices in the welcome so far, not yet applied."""

    folders: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    recognition: bool = False
    step: Annotated[int, Field(ge=0, le=9)] = 0
    """the current page"""


class FirstRun(Schema):
    needed: bool
    """no folder is watched, and the user has not declined one"""
    recognition_terms: str
    """the licence terms of the model that tells faces apart"""
    recovery_code: str | None
    """null if the library's key is currently unavailable"""
    suggested: tuple[str, ...]
    """folders in which people keep photos"""
    chosen: WelcomeChoices | None
    """null before the first choice"""


class RecoveryCode(Schema):
    code: str


class SettingTold(Schema):
    key: str
    default: str
    allowed: str
    title: str
    help: str


class ReferencePart(Schema):
    """A part with its own heading."""

    id: str
    """the same in all languages"""
    title: str
    text: tuple[str, ...]
    rows: tuple[SettingTold, ...]


class GuidePage(Schema):
    """A page of the guide."""

    html: str


class Component(Schema):
    """A component shipped with the program."""

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
    """A help page generated by the program; in its texts, code stands between backticks."""

    title: str
    intro: tuple[str, ...]
    columns: tuple[str, ...]
    """of the table of settings"""
    parts: tuple[ReferencePart, ...]
