"""The shapes of what is asked and told about folders to watch, and of the first run."""

from typing import Annotated

from pydantic import Field

from agent.domain.redaction import Style
from agent.infrastructure.core.settings import NamesInSidecars, Share
from agent.interfaces.web.schema_base import Schema
from agent.interfaces.web.schemas import FilePath


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
    share: Share | None = None
    share_into: Annotated[str, Field(max_length=200)] | None = None


class FolderRemoved(Schema):
    """The photos' state after their folder is no longer watched."""

    photos: int
    """photos removed from the library"""
    days: int
    """days within which watching the folder again restores them without new work"""


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
