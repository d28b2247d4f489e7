"""The schemas of the HTTP API; the UI's types are generated from them."""

import os
from datetime import datetime
from typing import Annotated, Final, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, WithJsonSchema

from agent.domain.errors import (
    AgentError,
    AutostartFailed,
    EngineMemory,
    EngineTimeout,
    ImageTooLarge,
    RecognitionOff,
    SettingsInvalid,
)
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.setting_fields import setting_fields
from agent.interfaces.web.access import Principal, Role, Scope
from agent.interfaces.web.schema_base import Schema

_LONGEST_PATH: Final = 4_096

MOST: Final = 2**31 - 1  # of ids and counts: what the library's columns hold
Id: TypeAlias = Annotated[int, Field(ge=1, le=MOST)]
# A camera's clock knows no zone, and `date-time` in the API's description means one with a zone.
LocalTime: TypeAlias = Annotated[datetime, WithJsonSchema({"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?$"})]


def _of_a_file(path: str) -> str:
    """Refuse impossible file names. Undecodable bytes pass: Python holds them as surrogates."""
    if "\0" in path or not 1 <= len(path) <= _LONGEST_PATH:
        raise ValueError("not a path")
    os.fsencode(path)  # UnicodeEncodeError is a ValueError
    return path


# The lengths are only documented here: Pydantic can't count the characters of an undecodable path.
FilePath = Annotated[str, AfterValidator(_of_a_file), Field(json_schema_extra={"minLength": 1, "maxLength": _LONGEST_PATH})]


class Problem(Schema):
    """An error as shown to the user, in the program's language."""

    code: str
    cause: str
    remedy: str
    setting: str | None = None
    """the setting that resolves it or is wrong, such as `engine.max_megapixels`"""
    line: int | None = None
    """the error's position in the settings file"""
    params: dict[str, str | int | float] = Field({})
    """the subject of the texts"""

    @classmethod
    def of(cls, error: AgentError, texts: Texts) -> Self:
        line = error.params.get("line")
        return cls(
            code=error.code,
            cause=texts.cause(error),
            remedy=texts.remedy(error),
            setting=setting_of(error),
            line=line if isinstance(line, int) else None,
            params=error.params,
        )

    @classmethod
    def maybe(cls, error: AgentError | None, texts: Texts) -> Self | None:
        return cls.of(error, texts) if error else None


def setting_of(error: AgentError) -> str | None:
    """The setting that resolves an error, or the wrong setting; None if there is none."""
    match error:
        case ImageTooLarge():
            return "engine.max_megabytes" if "megabytes" in error.params else "engine.max_megapixels"
        case EngineTimeout():
            return "engine.time_limit_s"
        case EngineMemory():
            return "engine.max_memory_mb"
        case RecognitionOff():
            return "recognition.enabled"
        case AutostartFailed():
            return "general.autostart"
        case SettingsInvalid():
            key = str(error.params["key"])
            return key if key in setting_fields() else None
        case _:
            return None


class Burst(Schema):
    """The current work, while more than a few photos wait."""

    done: int
    total: int
    rate: float
    """photos per second, recently"""
    seconds_left: float | None
    faces: int
    """found in this burst"""
    people: int
    """known people in its photos, without suggestions"""
    failed: int


class Finished(Schema):
    """The result of a burst."""

    photos: int
    """analysed photos"""
    with_faces: int
    people: int
    """known people in its photos, without suggestions"""
    failed: int


class FolderState(Schema):
    path: str
    name: str
    problem: Problem | None


class Status(Schema):
    """The agent's current state: sent whole whenever it changes, at most a few times a second."""

    version: str
    state: Literal["idle", "working", "paused", "attention"]
    language: Literal["en", "zh-CN"]
    theme: Literal["auto", "light", "dark"]
    letter_keys: bool = True
    """single-letter keyboard shortcuts are on"""
    recognition: bool
    popup_seconds: int
    """the popup hides after this long"""
    queued: int
    failed: int
    """files that could not be analysed, including those set aside"""
    images: int
    """in the library: their file exists, and the user has not hidden them"""
    faces: int
    people: int
    doubts: int = 0
    """unnamed faces with a suggestion for the user to confirm"""
    people_changed: int = 0
    """grows when clusters or suggestions were computed, which no event reports"""
    captures: int = 0
    """of the screen, open for review"""
    captures_changed: int = 0
    """grows when one of them is added, changed or removed"""
    watch: Literal["off", "on", "paused", "snoozed", "battery", "locked", "call", "failed"] = "off"
    """whether the screen is watched for faces, or why watching pauses"""
    watch_until: datetime | None = None
    """end of the snooze"""
    watch_said: int = 0
    """grows with every report about watching"""
    watch_problem: Problem | None = None
    """why it is not watched although it is switched on"""
    update: str | None = None
    """a newer version waiting to be installed"""
    taken_back: Problem | None = None
    """the last new version did not start and was rolled back"""
    burst: Burst | None
    folders: tuple[FolderState, ...]
    problem: Problem | None
    """the problem that stops the work (`state` is attention)"""
    quiet_until: datetime | None = None
    """no popup until then"""
    online_only: int = 0
    """files stored only in a cloud: not analysed until requested"""
    throttled: Literal["battery", "battery_low", "busy"] | None = None
    """why the engine runs slower than it could"""
    warning: Problem | None = None
    """a problem that does not stop the work: the engine exceeded its memory limit"""
    device_note: str | None = None
    """a configured device that is not used, and why"""
    finished: Finished | None = None
    """the last burst, until the next photo arrives"""


class AccountOut(Schema):
    """Who sent a request, and what they may do. On the desktop that is its one user (`local`), who may do everything."""

    kind: Literal["local", "member", "token"]
    id: str
    name: str
    display_name: str = ""
    role: Role | None
    scopes: tuple[Scope, ...]
    second_factor: bool = False
    recovery_codes: int = 0
    """of the second factor, not used yet"""
    password: bool = False
    """a member may sign in by other means alone"""
    password_changed_at: datetime | None = None

    @classmethod
    def of(cls, who: Principal) -> Self:
        return cls.from_record(who, scopes=tuple(each for each in Scope if each in who.scopes))


class SessionCode(Schema):
    """Opens one session within a minute: `/#code=…`."""

    code: str


class SignIn(Schema):
    code: str = Field(max_length=100)


class SignedIn(Schema):
    """Calls carry `Authorization: Session <key>`; addresses of pictures and of streams `?ticket=<ticket>`, along with the cookie."""

    key: str
    ticket: str


class SessionOut(Schema):
    number: int
    browser: str  # such as "Firefox"; empty if unknown
    opened_at: datetime
    seen_at: datetime
    here: bool  # the requesting one


class Sessions(Schema):
    items: list[SessionOut]


class SessionsEnded(Schema):
    count: int
